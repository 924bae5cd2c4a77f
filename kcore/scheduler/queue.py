"""Pods that wait for a node, and when each is tried next.

    active          may be tried now; highest priority first, then the one that waits longest
    backoff         failed and was woken by an event: tried when its pause is over (1 s, 2 s, 4 s ... 10 s), or when nothing is active
    unschedulable   no node took it: waits for an event that can help, 5 minutes at most
    gated           has scheduling gates: waits for its own update
    in flight       handed out by `pop`: decided, or on its way to its node

A failed attempt names the filters that rejected the pod; an event wakes it only if one of those says that it may help. A pod that failed
for another reason (its binding was refused) backs off and is not tried early.

Pods that would be decided alike are a group, and an event wakes one of them, the one that has waited longest. If it finds a node, the next
one is woken, and so on; if not, the others would find none either, and sleep on. Whoever leaves without an answer (deleted, changed) passes
the turn on. A pod that a node is being cleared for is woken by what happens on that node, whoever has the turn, and has it last itself:

    b, c, d sleep; a pod ends   ->  b is woken and finds a node  ->  c is woken and finds none; d sleeps on

Guarantees
- A pod that was added is in exactly one of these until it is deleted or bound.
- There is no time at which an event could be missed: a decision is made without events between `pop` and `fail`.
- A pod sleeps through an event that may help it only while another one of its group has the turn.

Differs from upstream: there every pod of a group is woken and tried.

Pure: whoever asks brings the time. Cost: add and pop 2 us; an event O(different groups that wait for its kind + pods woken).
Source: kube-scheduler 1.37, scheduling queue.
"""
from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from typing import Final

from kcore.base.limits import SCHEDULER_BACKOFF_S, SCHEDULER_BACKOFF_S_MAX, SCHEDULER_UNSCHEDULABLE_S_MAX
from kcore.scheduler.dra.devices import DevicesChanged
from kcore.scheduler.events import ClusterEvent, NodeGone, PeerChanged, PodGone
from kcore.scheduler.framework import Waker
from kcore.scheduler.gangs.rows import GangRow
from kcore.scheduler.rows import PodRow
from kcore.scheduler.volumes.catalog import StorageChanged
from kcore.scheduler.waiting import BELOW_ALL, Group, Heap, Queued, Sleepers, State, Waiting, group_of, is_alike

__all__ = ["Queue", "Queued", "State", "Waiting", "backoff_s"]


class Queue:
    """The pods that wait."""

    def __init__(
        self,
        wakers: Mapping[str, Mapping[str, tuple[Waker, ...]]],
        backoff_s: float = SCHEDULER_BACKOFF_S,
        backoff_s_max: float = SCHEDULER_BACKOFF_S_MAX,
    ) -> None:
        """Make an empty queue; wakers: per scheduler name the filters by name."""
        self._wakers: Final = wakers
        self._backoff_s: Final = backoff_s
        self._backoff_s_max: Final = backoff_s_max
        self._pods: dict[str, Waiting] = {}
        self._active: Heap = []
        self._alike: Heap = []
        self._backoff: Heap = []
        self._groups: dict[Group, Sleepers] = {}
        self._naming: dict[str, dict[Group, None]] = {}
        self._nominated: dict[str, dict[str, Waiting]] = {}
        self._counts = dict.fromkeys(State, 0)
        self._entries = 0

    def __len__(self) -> int:
        return len(self._pods)

    def count(self, state: State) -> int:
        """Return how many pods wait there."""
        return self._counts[state]

    def __contains__(self, key: str) -> bool:
        return key in self._pods

    def pod(self, key: str) -> PodRow | None:
        """Return a pod that waits, as it was seen last; None where it does not."""
        waiting = self._pods.get(key)
        return waiting.pod if waiting and isinstance(waiting.pod, PodRow) else None

    def state(self, key: str) -> State | None:
        """Return where a pod waits; None where it does not."""
        waiting = self._pods.get(key)
        return waiting.state if waiting else None

    def update(self, pod: Queued, now: float) -> None:
        """Take in a pod that has no node, or a group, new or changed."""
        waiting = self._pods.get(pod.key)
        if waiting is None:
            waiting = self._pods[pod.key] = Waiting(pod, State.GATED, now, now)
            self._counts[State.GATED] += 1
            if not pod.gates:
                self._activate(waiting, now)
            return
        old = waiting.pod
        if group_of(old) != group_of(pod):
            was_asleep = waiting.state is State.UNSCHEDULABLE
            self._leave(waiting, now)
            waiting.pod = pod
            if was_asleep:
                self._rouse(waiting, now)
                return
        waiting.pod = pod
        if pod.gates and waiting.state in (State.ACTIVE, State.BACKOFF, State.UNSCHEDULABLE):
            self._leave(waiting, now)
            self._move(waiting, State.GATED, now)
        elif waiting.state is State.GATED and not pod.gates:
            self._activate(waiting, now)
        elif waiting.state is State.ACTIVE and old.priority != pod.priority:
            self._push(self._active, waiting, -pod.priority, waiting.queued_at)

    def delete(self, key: str, now: float) -> None:
        """Forget a pod: it is gone, or has its node."""
        waiting = self._pods.pop(key, None)
        if waiting is not None:
            self._leave(waiting, now)
            self._counts[waiting.state] -= 1
            waiting.entry = 0

    def pop(self, now: float) -> Queued | None:
        """Hand out the next pod or group; where none is active, the one that has backed off longest. None where there is nothing to do."""
        self._end_backoffs(now)
        waiting = _take(self._active) or self._take_early()
        if waiting is None:
            return None
        self._move(waiting, State.IN_FLIGHT, now)
        waiting.attempts += 1
        return waiting.pod

    def has_alike(self, pod: PodRow) -> bool:
        """Say whether the next one seems to be alike: `pop_alike` knows."""
        first = self._active[0][3].pod if self._active else None
        return isinstance(first, PodRow) and is_alike(pod, first)

    def pop_alike(self, pod: PodRow, most: int, now: float) -> list[PodRow]:
        """Hand out those that are next and would be decided as a pod that was just handed out: they ask and show the very same.

        None where a pod sleeps that may be woken when one of them is placed, and then comes before the others.
        """
        found: list[PodRow] = []
        active, self._alike = self._active, []
        if self._groups and self._wakes_by_placing(pod):
            return found
        while active and len(found) < most:
            entry = active[0]
            waiting = entry[3]
            if entry[2] == waiting.entry:
                other = waiting.pod
                if isinstance(other, GangRow) or not is_alike(pod, other):
                    break
                self._alike.append(entry)
                self._move(waiting, State.IN_FLIGHT, now)
                waiting.attempts += 1
                found.append(other)
            heapq.heappop(active)
        return found

    def give_back(self, count: int, now: float) -> None:
        """Put so many of those that were handed out as alike, the last of them, back to where they were."""
        for entry in self._alike[len(self._alike) - count :]:
            waiting = entry[3]
            self._move(waiting, State.ACTIVE, now)
            waiting.attempts -= 1
            waiting.entry = entry[2]
            heapq.heappush(self._active, entry)

    def _wakes_by_placing(self, pod: PodRow) -> bool:
        """Say whether placing a pod may wake another one: of its own group, or one that a filter rejected which hears of placed pods."""
        if group_of(pod) in self._groups:
            return True
        return any(
            PeerChanged in waker.hears
            for group, sleepers in self._groups.items()
            for name, count in sleepers.filters.items()
            if count
            for waker in self._wakers.get(group.scheduler_name, {}).get(name, ())
        )

    def assumed(self, pod: PodRow, now: float) -> None:
        """Take in that a pod that was handed out has found a node: the next one of its group may find one too."""
        if self._groups:
            self._pass_turn(group_of(pod), pod.key, now)

    def fail(self, pod: Queued, rejected_by: Iterable[str], now: float, nominated: str = "") -> None:
        """Take back a pod that was handed out; rejected_by names the filters that found no node, none if something else went wrong."""
        waiting = self._pods.get(pod.key)
        if waiting is None or waiting.state is not State.IN_FLIGHT or waiting.pod.uid != pod.uid:
            return
        waiting.rejected_by, waiting.queued_at = tuple(rejected_by), now
        group = group_of(pod)
        if waiting.pod.gates:
            self._move(waiting, State.GATED, now)
            self._pass_turn(group, pod.key, now)
            return
        if not waiting.rejected_by or group_of(waiting.pod) != group:
            waiting.early = False
            self._back_off(waiting, now)
            self._pass_turn(group, pod.key, now)
            return
        self._move(waiting, State.UNSCHEDULABLE, now)
        waiting.nominated = nominated
        sleepers = self._groups.get(group) or self._make_group(group)
        sleepers.add(waiting)
        if nominated:
            self._nominated.setdefault(nominated, {})[pod.key] = waiting
        if sleepers.turn == pod.key:
            sleepers.turn = ""

    def activate(self, key: str, now: float) -> None:
        """Let a pod be tried at once, without a pause."""
        waiting = self._pods.get(key)
        if waiting is not None and waiting.state in (State.UNSCHEDULABLE, State.BACKOFF):
            self._leave(waiting, now)
            self._activate(waiting, now)

    def rouse(self, key: str, now: float) -> None:
        """Let one go on that sleeps and that something may help which is no event."""
        waiting = self._pods.get(key)
        if waiting is not None and waiting.state is State.UNSCHEDULABLE:
            self._leave(waiting, now)
            self._rouse(waiting, now)

    def retry(self, key: str, now: float) -> None:
        """Let one that is in flight be tried again: not all of it has found a node, or it has become more."""
        waiting = self._pods.get(key)
        if waiting is None or waiting.state is not State.IN_FLIGHT:
            return
        self._leave(waiting, now)
        if waiting.pod.gates:
            self._move(waiting, State.GATED, now)
        else:
            self._activate(waiting, now)

    def wake(self, event: ClusterEvent, now: float) -> None:
        """Let pods go on that an event may help."""
        if not self._counts[State.UNSCHEDULABLE]:
            return
        is_promised = isinstance(event, PodGone) and event.node_name in self._nominated
        served = self._wake_nominated(event, now) if self._nominated else ()
        to_nominated = _to_nominated(event)
        for group, sleepers in self._concerned(event):
            if sleepers.turn or group in served or (is_promised and not sleepers.free):
                continue
            heard = event if sleepers.free else to_nominated
            if self._may_help(heard, group, [name for name, count in sleepers.filters.items() if count]):
                self._take_turn(group, sleepers, now)

    def _concerned(self, event: ClusterEvent) -> list[tuple[Group, Sleepers]]:
        """Return the groups that an event may help: of one about a claim those that name it."""
        claim = event.claim if isinstance(event, StorageChanged | DevicesChanged) else None
        if claim is None:
            return [*self._groups.items()]
        return [(group, self._groups[group]) for group in self._naming.get(claim, ())]

    def _make_group(self, group: Group) -> Sleepers:
        for claim in group.claim_keys:
            self._naming.setdefault(claim, {})[group] = None
        self._groups[group] = Sleepers()
        return self._groups[group]

    def _end_group(self, group: Group) -> None:
        del self._groups[group]
        for claim in group.claim_keys:
            groups = self._naming[claim]
            del groups[group]
            if not groups:
                del self._naming[claim]

    def _wake_nominated(self, event: ClusterEvent, now: float) -> set[Group]:
        """Wake the pods that the event's node is being cleared for: where it may help, when the last victim is gone, or the node."""
        node = event.node_name if isinstance(event, PodGone) else event.old.name if isinstance(event, NodeGone) else ""
        is_over = isinstance(event, NodeGone) or (isinstance(event, PodGone) and not event.clearing)
        served, heard = set(), _to_nominated(event)
        for waiting in [*self._nominated.get(node, {}).values()]:
            group = group_of(waiting.pod)
            if is_over or self._may_help(heard, group, waiting.rejected_by):
                served.add(group)
                self._leave(waiting, now)
                self._rouse(waiting, now)
        return served

    def _may_help(self, event: ClusterEvent, group: Group, filters: Iterable[str]) -> bool:
        wakers = self._wakers.get(group.scheduler_name, {})
        return any(
            isinstance(event, waker.hears) and waker.wakes(event, ask)
            for name in filters
            for waker in wakers.get(name, ())
            for ask in group.asks
        )

    def flush(self, now: float) -> None:
        """Let pods go on that have waited for an event too long."""
        too_long = [
            waiting
            for waiting in self._pods.values()
            if waiting.state is State.UNSCHEDULABLE and now - waiting.since >= SCHEDULER_UNSCHEDULABLE_S_MAX
        ]
        for waiting in too_long:
            self._leave(waiting, now)
            self._rouse(waiting, now)

    def next_at(self) -> float | None:
        """Return when the next pause is over; None where no pod has one."""
        while self._backoff and not _is_valid(self._backoff[0]):
            heapq.heappop(self._backoff)
        return self._backoff[0][0] if self._backoff else None

    # moves

    def _rouse(self, waiting: Waiting, now: float) -> None:
        """Send a pod that left the unschedulable ones on: to its pause, or to the active ones if that is over."""
        if waiting.pod.gates:
            self._move(waiting, State.GATED, now)
        elif now < waiting.since + self._pause_s(waiting):
            waiting.early = True
            self._back_off(waiting, waiting.since)
        else:
            self._activate(waiting, now)

    def _activate(self, waiting: Waiting, now: float) -> None:
        self._move(waiting, State.ACTIVE, now)
        self._push(self._active, waiting, -waiting.pod.priority, waiting.queued_at)

    def _back_off(self, waiting: Waiting, failed_at: float) -> None:
        self._move(waiting, State.BACKOFF, failed_at)
        self._push(self._backoff, waiting, failed_at + self._pause_s(waiting), -waiting.pod.priority)

    def _end_backoffs(self, now: float) -> None:
        while (at := self.next_at()) is not None and at <= now:
            waiting = heapq.heappop(self._backoff)[3]
            self._activate(waiting, now)

    def _take_early(self) -> Waiting | None:
        """Take the pod whose pause ends first among those that may be tried early."""
        self.next_at()
        if not self._backoff or not self._backoff[0][3].early:
            return None
        return _take(self._backoff)

    def _push(self, heap: Heap, waiting: Waiting, first: float, second: float) -> None:
        self._entries += 1
        waiting.entry = self._entries
        heapq.heappush(heap, (first, second, self._entries, waiting))

    def _move(self, waiting: Waiting, state: State, now: float) -> None:
        self._counts[waiting.state] -= 1
        self._counts[state] += 1
        waiting.state, waiting.since, waiting.entry = state, now, 0

    def _leave(self, waiting: Waiting, now: float) -> None:
        """Take a pod from the unschedulable ones of its group; if it had the turn, another one has it."""
        if not self._groups:
            return
        group = group_of(waiting.pod)
        sleepers = self._groups.get(group)
        if waiting.state is State.UNSCHEDULABLE and sleepers is not None:
            self._end_sleep(waiting, sleepers)
            if sleepers.is_empty:
                self._end_group(group)
        self._pass_turn(group, waiting.pod.key, now)

    def _end_sleep(self, waiting: Waiting, sleepers: Sleepers) -> None:
        sleepers.remove(waiting)
        among = self._nominated.get(waiting.nominated)
        if among is not None:
            among.pop(waiting.pod.key, None)
            if not among:
                del self._nominated[waiting.nominated]
        waiting.nominated = ""

    def _take_turn(self, group: Group, sleepers: Sleepers, now: float) -> None:
        """Wake one of a group."""
        waiting = sleepers.first()
        sleepers.turn = ""
        if waiting is not None:
            self._end_sleep(waiting, sleepers)
            sleepers.turn = waiting.pod.key
            self._rouse(waiting, now)
        elif sleepers.is_empty:
            self._end_group(group)

    def _pass_turn(self, group: Group, key: str, now: float) -> None:
        """End the turn of a pod if it has it; the next one of its group has it then."""
        sleepers = self._groups.get(group)
        if sleepers is not None and sleepers.turn == key:
            self._take_turn(group, sleepers, now)

    def _pause_s(self, waiting: Waiting) -> float:
        return backoff_s(waiting.attempts, self._backoff_s, self._backoff_s_max)


def backoff_s(attempts: int, first_s: float = SCHEDULER_BACKOFF_S, longest_s: float = SCHEDULER_BACKOFF_S_MAX) -> float:
    """Return the pause after so many attempts."""
    doubled: float = first_s * 2 ** min(attempts - 1, 32) if attempts else 0.0
    return min(doubled, longest_s)


def _is_valid(entry: tuple[float, float, int, Waiting]) -> bool:
    return entry[2] == entry[3].entry


def _take(heap: Heap) -> Waiting | None:
    while heap:
        entry = heapq.heappop(heap)
        if _is_valid(entry):
            return entry[3]
    return None


def _to_nominated(event: ClusterEvent) -> ClusterEvent:
    """Return an event as pods hear it that wait for their victims: these preempt nobody else meanwhile, so only what is free is room."""
    if not isinstance(event, PodGone) or event.room is None:
        return event
    room = event.room
    return event._replace(room=lambda _: room(BELOW_ALL))
