"""Pods that wait for a node, and when each is tried next.

    active          may be tried now; highest priority first, then the one that waits longest
    backoff         failed and was woken by an event: tried when its pause is over (1 s, 2 s, 4 s ... 10 s), or when nothing is active
    unschedulable   no node took it: waits for an event that can help, 5 minutes at most
    gated           has scheduling gates: waits for its own update
    in flight       handed out by `pop`: decided, or on its way to its node

A failed attempt names the filters that rejected the pod; an event wakes it only if one of those says that it may help. Pods with equal asks
are asked about once. A pod that failed for another reason (its binding was refused) backs off and is not tried early.

Guarantees
- A pod that was added is in exactly one of these until it is deleted or bound.
- There is no time at which an event could be missed: a decision is made without events between `pop` and `fail`.

Pure: whoever asks brings the time. Cost: add and pop 2 us; an event O(different asks that wait for its kind + pods woken).
Source: kube-scheduler 1.37, scheduling queue.
"""
from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from kcore.base.limits import SCHEDULER_BACKOFF_S, SCHEDULER_BACKOFF_S_MAX, SCHEDULER_UNSCHEDULABLE_S_MAX
from kcore.scheduler.events import ClusterEvent
from kcore.scheduler.framework import Waker
from kcore.scheduler.rows import Ask, PodRow


class State(Enum):
    """Where a pod waits."""

    ACTIVE = "active"
    BACKOFF = "backoff"
    UNSCHEDULABLE = "unschedulable"
    GATED = "gated"
    IN_FLIGHT = "in flight"


@dataclass(slots=True, eq=False)
class Waiting:
    """A pod in the queue.

    since     when it came to where it is (s)
    attempts  how often it was handed out
    early     whether it may be tried before its pause is over
    entry     number of its valid entry in a heap; older entries of it are passed over
    """

    pod: PodRow
    state: State
    since: float
    attempts: int = 0
    rejected_by: tuple[str, ...] = ()
    early: bool = True
    entry: int = 0


@dataclass(slots=True)
class _Sleepers:
    """Keys of unschedulable pods by what they ask, for one filter."""

    by_ask: dict[Ask, dict[str, None]] = field(default_factory=dict)

    def add(self, ask: Ask, key: str) -> None:
        self.by_ask.setdefault(ask, {})[key] = None

    def remove(self, ask: Ask, key: str) -> None:
        keys = self.by_ask.get(ask)
        if keys is not None:
            keys.pop(key, None)
            if not keys:
                del self.by_ask[ask]


Heap = list[tuple[float, float, int, Waiting]]


class Queue:
    """The pods that wait."""

    def __init__(self, wakers: Mapping[str, Waker]) -> None:
        self._wakers: Final = wakers
        self._pods: dict[str, Waiting] = {}
        self._active: Heap = []
        self._backoff: Heap = []
        self._sleepers: dict[str, _Sleepers] = {name: _Sleepers() for name in wakers}
        self._counts = dict.fromkeys(State, 0)
        self._entries = 0

    def __len__(self) -> int:
        return len(self._pods)

    def count(self, state: State) -> int:
        """Return how many pods wait there."""
        return self._counts[state]

    def pod(self, key: str) -> PodRow | None:
        """Return a pod that waits, as it was seen last; None where it does not."""
        waiting = self._pods.get(key)
        return waiting.pod if waiting else None

    def state(self, key: str) -> State | None:
        """Return where a pod waits; None where it does not."""
        waiting = self._pods.get(key)
        return waiting.state if waiting else None

    def update(self, pod: PodRow, now: float) -> None:
        """Take in a pod that has no node, new or changed."""
        waiting = self._pods.get(pod.key)
        if waiting is None:
            waiting = self._pods[pod.key] = Waiting(pod, State.GATED, now)
            self._counts[State.GATED] += 1
            if not pod.gates:
                self._activate(waiting, now)
            return
        old = waiting.pod
        if waiting.state is State.UNSCHEDULABLE and (old.ask, old.account.peer) != (pod.ask, pod.account.peer):
            self._leave(waiting)
            waiting.pod = pod
            self._rouse(waiting, now)
            return
        waiting.pod = pod
        if waiting.state is State.GATED and not pod.gates:
            self._activate(waiting, now)
        elif waiting.state is State.ACTIVE and old.priority != pod.priority:
            self._push(self._active, waiting, -pod.priority, waiting.since)

    def delete(self, key: str) -> None:
        """Forget a pod: it is gone, or has its node."""
        waiting = self._pods.pop(key, None)
        if waiting is not None:
            self._leave(waiting)
            self._counts[waiting.state] -= 1
            waiting.entry = 0

    def pop(self, now: float) -> PodRow | None:
        """Hand out the next pod; where none is active, the one that has backed off longest. None where there is nothing to do."""
        self._end_backoffs(now)
        waiting = _take(self._active) or self._take_early()
        if waiting is None:
            return None
        self._move(waiting, State.IN_FLIGHT, now)
        waiting.attempts += 1
        return waiting.pod

    def fail(self, pod: PodRow, rejected_by: Iterable[str], now: float) -> None:
        """Take back a pod that was handed out; rejected_by names the filters that found no node, none if something else went wrong."""
        waiting = self._pods.get(pod.key)
        if waiting is None or waiting.state is not State.IN_FLIGHT or waiting.pod.uid != pod.uid:
            return
        waiting.rejected_by = tuple(rejected_by)
        if not waiting.rejected_by or waiting.pod.ask != pod.ask:
            waiting.early = False
            self._back_off(waiting, now)
            return
        self._move(waiting, State.UNSCHEDULABLE, now)
        for name in waiting.rejected_by:
            if name in self._sleepers:
                self._sleepers[name].add(waiting.pod.ask, waiting.pod.key)

    def activate(self, key: str, now: float) -> None:
        """Let a pod be tried at once, without a pause."""
        waiting = self._pods.get(key)
        if waiting is not None and waiting.state in (State.UNSCHEDULABLE, State.BACKOFF):
            self._leave(waiting)
            self._activate(waiting, now)

    def wake(self, event: ClusterEvent, now: float) -> None:
        """Let pods go on that an event may help."""
        if not self._counts[State.UNSCHEDULABLE]:
            return
        for name, sleepers in self._sleepers.items():
            if not isinstance(event, self._wakers[name].hears):
                continue
            for ask in [ask for ask in sleepers.by_ask if self._wakers[name].wakes(event, ask)]:
                for key in list(sleepers.by_ask.get(ask, ())):
                    waiting = self._pods[key]
                    self._leave(waiting)
                    self._rouse(waiting, now)

    def flush(self, now: float) -> None:
        """Let pods go on that have waited for an event too long."""
        too_long = [
            waiting
            for waiting in self._pods.values()
            if waiting.state is State.UNSCHEDULABLE and now - waiting.since >= SCHEDULER_UNSCHEDULABLE_S_MAX
        ]
        for waiting in too_long:
            self._leave(waiting)
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
        elif now < waiting.since + backoff_s(waiting.attempts):
            waiting.early = True
            self._back_off(waiting, waiting.since)
        else:
            self._activate(waiting, now)

    def _activate(self, waiting: Waiting, now: float) -> None:
        self._move(waiting, State.ACTIVE, now)
        self._push(self._active, waiting, -waiting.pod.priority, now)

    def _back_off(self, waiting: Waiting, failed_at: float) -> None:
        self._move(waiting, State.BACKOFF, failed_at)
        self._push(self._backoff, waiting, failed_at + backoff_s(waiting.attempts), -waiting.pod.priority)

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

    def _leave(self, waiting: Waiting) -> None:
        """Take a pod from the unschedulable ones' index."""
        if waiting.state is State.UNSCHEDULABLE:
            for name in waiting.rejected_by:
                if name in self._sleepers:
                    self._sleepers[name].remove(waiting.pod.ask, waiting.pod.key)


def backoff_s(attempts: int) -> float:
    """Return the pause after so many attempts."""
    doubled: float = SCHEDULER_BACKOFF_S * 2 ** min(attempts - 1, 32) if attempts else 0.0
    return min(doubled, SCHEDULER_BACKOFF_S_MAX)


def _is_valid(entry: tuple[float, float, int, Waiting]) -> bool:
    return entry[2] == entry[3].entry


def _take(heap: Heap) -> Waiting | None:
    while heap:
        entry = heapq.heappop(heap)
        if _is_valid(entry):
            return entry[3]
    return None
