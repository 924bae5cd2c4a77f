"""The scheduler without its connections: what it knows, and what it decides when it is told something.

    pod_changed, node_changed ...   what the watch says
    decide                          -> the pods that go to a node, those that wait for what is reserved for them there, and those that
                                    have to wait, with those that they preempt
    refused, spared                 what became of bindings and preemptions that failed; one that was made is told by the watch
    reserved_written, reserved_refused  what became of what was to be written for a pod before it is bound

Sync and deterministic: time and chance are handed in. A pod's way: update -> pop -> assume -> (binding) -> confirmed by the watch; where
the binding fails it is forgotten and backs off. Bindings may be under way while further pods are decided, since assumed pods count.

A pod that preempts others is nominated to their node: remembered there until it is placed, nominated elsewhere, gone, or told otherwise by
its status. What was decided here stands as long as the status has not changed.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from kcore.base import verify
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.base.features import GENERIC_WORKLOAD
from kcore.base.limits import SCHEDULER_BATCH_S, SCHEDULER_FLUSH_INTERVAL_S
from kcore.scheduler.cache import Cache, Placed
from kcore.scheduler.columns import Columns
from kcore.scheduler.configuration.reading import Configuration
from kcore.scheduler.cycle import Decision, look_up, may_run, place_alike, schedule
from kcore.scheduler.dra.devices import DevicesChanged
from kcore.scheduler.dra.reservation import device_key
from kcore.scheduler.dra.rows import DeviceClaim, DeviceRow, TaintRule
from kcore.scheduler.evaluation import Evaluation, Evaluations
from kcore.scheduler.evaluation.sample import Sample
from kcore.scheduler.events import ClusterEvent
from kcore.scheduler.gangs.attempt import Taken
from kcore.scheduler.gangs.book import Gang
from kcore.scheduler.gangs.cycle import decide as decide_group
from kcore.scheduler.gangs.preemption import GroupPreemption, GroupPreemptor, together
from kcore.scheduler.gangs.rows import GangRow, entry_key
from kcore.scheduler.gangs.turns import GroupNote, Turns
from kcore.scheduler.preemption.budgets import Budgets
from kcore.scheduler.preemption.choice import Preemption, Preemptor
from kcore.scheduler.profile import DEFAULT_NAME
from kcore.scheduler.queue import Queue
from kcore.scheduler.reserving.plan import reserve_all
from kcore.scheduler.reserving.reservations import Reservations
from kcore.scheduler.rows import Expression, NodeRow, Owner, PodRow
from kcore.scheduler.volumes.catalog import StorageChanged
from kcore.scheduler.volumes.rows import Attachment, Claim, Class, Row, Volume

SCHEDULER_NAME: Final = DEFAULT_NAME


class Attempt(NamedTuple):
    """A pod and what was decided; a pod that goes to a node is assumed there, one that waits may be nominated to one."""

    pod: PodRow
    decision: Decision
    nominated: str = ""


class Eviction(NamedTuple):
    """Pods that have to go from a node for another one, or from wherever they are for a group."""

    preemptor: PodRow | GangRow
    node: str
    victims: list[Placed]


class Batch(NamedTuple):
    """What one call decided.

    assumed   may be bound; reserved: have a node, and something that has to be there first
    failed    pods that had a node, and why they did not get what was reserved for them
    displaced pods that are not nominated any more, since one of higher priority was nominated to their node
    groups    what PodGroups are told
    """

    assumed: list[Attempt]
    waiting: list[Attempt]
    evictions: list[Eviction]
    displaced: list[PodRow]
    reserved: list[Attempt]
    failed: list[tuple[PodRow, str]]
    groups: list[GroupNote]


class Core:
    """Queue, cache and decisions of one scheduler."""

    def __init__(self, clock: Clock, entropy: Entropy, configuration: Configuration | None = None) -> None:
        configuration = configuration or Configuration()
        self.columns = Columns()
        self.cache = Cache(self.columns)
        wakers = {profile.name: profile.wakers for profile in configuration.profiles}
        self.queue = Queue(wakers, configuration.backoff_s, configuration.backoff_s_max)
        self.reservations = Reservations(self.columns, {profile.name: profile.bind_timeout_s for profile in configuration.profiles})
        self.budgets = Budgets()
        self._evaluations = {profile.name: Evaluations(profile) for profile in configuration.profiles}
        self._preemptors = {
            profile.name: Preemptor(self.cache, self.budgets, profile.preemption)
            for profile in configuration.profiles
            if profile.preemption is not None
        }
        self.gangs = Turns(self.queue, clock.monotonic) if GENERIC_WORKLOAD in configuration.features else None
        self._sample = Sample()
        self._nominated: dict[str, str] = {}
        self._clock = clock
        self._entropy = entropy
        self._flush_at = clock.monotonic() + SCHEDULER_FLUSH_INTERVAL_S

    # what is told

    def pod_changed(self, pod: PodRow) -> None:
        """Take in a pod, new or changed."""
        key = pod.key
        if self.cache.uid(key) not in (None, pod.uid):
            self.pod_deleted(key)
        if pod.finished:
            self.pod_deleted(key)
        elif pod.node_name:
            self._leave_queue(key)
            self._release(key)
            self._wake(self.cache.confirm(pod))
            if self.gangs is not None and pod.pod_group:
                self.gangs.seen(pod)
        elif pod.terminating or pod.scheduler_name not in self._evaluations:
            self._leave(key)
        else:
            seen = self._waiting(key)
            if pod.nominated != (seen.nominated if seen is not None and seen.uid == pod.uid else self._nominated.get(key, "")):
                self._nominate(pod, pod.nominated)
            if self.gangs is not None and pod.pod_group:
                self.gangs.seen(pod)
            else:
                self.queue.update(pod, self._clock.monotonic())

    def pod_deleted(self, key: str) -> None:
        """Take in that a pod is gone."""
        self._leave(key)
        self._release(key)
        self._wake(self.cache.remove(key))

    def node_changed(self, node: NodeRow) -> None:
        """Take in a node, new or changed."""
        self._wake(self.cache.set_node(node))

    def node_deleted(self, name: str) -> None:
        """Take in that a node is gone."""
        self._wake(self.cache.remove_node(name))
        self.reservations.node_gone(name)

    def row_changed(self, row: Row | DeviceRow) -> None:
        """Take in a claim, a volume, a device or what else decides about them, new or changed."""
        event = self.columns.devices.set(row) if isinstance(row, DeviceRow) else self.columns.catalog.set(row)
        self._follow(event.old if event is not None else None, row)
        if event is not None:
            self._wake(event)

    def row_deleted(self, kind: type[Row | DeviceRow], name: str) -> None:
        """Take in that a claim, a volume ... is gone."""
        if issubclass(kind, DeviceRow):
            gone = self.columns.devices.remove(kind, name)
            self._follow(gone, None)
            if isinstance(gone, DeviceClaim) and gone.allocation:
                self._wake(DevicesChanged(gone, gone._replace(allocation=None)))
            elif isinstance(gone, TaintRule):
                self._wake(DevicesChanged(gone, gone._replace(selects=None)))
        else:
            volume = self.columns.catalog.remove(kind, name)
            self._follow(volume, None)
            if isinstance(volume, Attachment):
                self._wake(StorageChanged(volume, volume))

    def namespace_changed(self, name: str, labels: Mapping[str, str] | None) -> None:
        """Take in the labels of a namespace, None where it is gone."""
        self._wake(self.cache.set_namespace(name, labels))

    def service_changed(self, namespace: str, name: str, selector: Mapping[str, str] | None) -> None:
        """Take in what a Service selects, None where it is gone."""
        self.columns.owners.set_service(namespace, name, selector)

    def workload_changed(self, namespace: str, owner: Owner, selector: tuple[Expression, ...] | None) -> None:
        """Take in what a workload selects, None where it is gone."""
        self.columns.owners.set_workload(namespace, owner, selector)

    # what is decided

    def decide(self, limit: int) -> Batch:
        """Decide for up to so many pods, or for as many as there is time for: what was decided has to be told."""
        now = self._clock.monotonic()
        if now >= self._flush_at:
            self.queue.flush(now)
            self._flush_at = now + SCHEDULER_FLUSH_INTERVAL_S
        if verify.ON:
            self.cache.verify()
            claimed = {key: node for node, claims in self.columns.nominated.items() for key in claims}
            verify.that(claimed == self._nominated, "nominations in the columns are those of pods that wait")
            self.reservations.verify()
        batch = Batch([], [], [], [], [], [], [])
        self.columns.devices.now = self._clock.now()
        self._take_outcomes(batch, now)
        count = 0
        while count < limit and (not count or self._clock.monotonic() - now < SCHEDULER_BATCH_S):
            pod = self.queue.pop(now)
            if pod is None:
                break
            if isinstance(pod, GangRow):
                self._decide_group(pod, batch)
                count += 1
                continue
            decided = self._decide_alike(pod, limit - count, now, batch)
            count += decided or 1
            if not decided:
                self._decide(pod, now, batch)
        return batch

    def _decide_alike(self, first: PodRow, most: int, now: float, batch: Batch) -> int:
        """Decide for a pod and those next in the queue that ask and show the same, where amounts alone decide; Returns for how many."""
        evaluations = self._evaluations[first.scheduler_name]
        if self._nominated or not self.queue.has_alike(first) or not may_run(first, self.columns, evaluations):
            return 0
        pods = [first, *self.queue.pop_alike(first, most - 1, now)]
        decisions = place_alike(first, len(pods), self.columns, evaluations, self._entropy.randrange)
        for pod, decision in zip(pods, decisions, strict=False):
            batch.assumed.append(Attempt(pod, decision))
            self.cache.assume_placed(pod, decision.node or "")
        self.queue.give_back(len(pods) - max(len(decisions), 1), now)
        return len(decisions)

    def _decide(self, pod: PodRow, now: float, batch: Batch) -> None:
        nominated = self._withdraw(pod.key) if self._nominated else ""
        asked = pod if pod.nominated == nominated else pod._replace(nominated=nominated)
        name = pod.scheduler_name
        decision = schedule(
            asked, self.columns, self._evaluations[name], self._entropy.randrange, self._preemptors.get(name), self._sample
        )
        if decision.node is None:
            node = self._clear(pod, decision.preemption, nominated, batch)
            self.queue.fail(pod, decision.rejected_by, now, node)
            batch.waiting.append(Attempt(pod, decision, node))
        else:
            self._assume(pod, decision, decision.node, batch)
            self.queue.assumed(pod, now)

    def refused(self, pods: Sequence[PodRow]) -> None:
        """Take in that bindings failed: the pods are forgotten where they were assumed, and tried again after a pause."""
        for pod in pods:
            self._wake(self.cache.forget(pod))
            if self.gangs is not None and pod.pod_group:
                self.gangs.refused(pod)
            else:
                self.queue.fail(pod, (), self._clock.monotonic())
            if self._waiting(pod.key) is not None:
                self._nominate(pod, pod.nominated)

    def spared(self, preemptor: PodRow | GangRow, victim: Placed) -> None:
        """Take in that a pod could not be preempted: who was to come in its place tries again."""
        victim.condemned = False
        for key in (preemptor.key, *self.columns.nominated.get(victim.node_name, ())):
            self.queue.activate(key, self._clock.monotonic())

    def reserved_written(self, pod: PodRow) -> None:
        """Take in that all was written that is reserved for a pod."""
        self.reservations.written(pod)

    def reserved_refused(self, pod: PodRow, problem: str) -> str:
        """Take in that something could not be written: what was assumed is taken back, the pod is tried again; Returns why, in words."""
        said = self.reservations.worded(pod, problem)
        self._release(pod.key)
        self.refused([pod])
        return said

    def next_at(self) -> float:
        """Return when there is something to do if nothing is told before."""
        times = (self._flush_at, self.queue.next_at(), self.reservations.next_at())
        return min(at for at in times if at is not None)

    def _assume(self, pod: PodRow, decision: Decision, node_name: str, batch: Batch) -> None:
        """Count a pod on its node; one for which something has to be there first waits for that."""
        parts = reserve_all(pod, decision.needs, decision.device_needs, node_name, self.columns)
        event = self.cache.assume(pod, node_name)
        if parts:
            self.columns.touch_devices()
        self._send(Taken(pod, decision, node_name, parts, event), batch)

    def _send(self, taken: Taken, batch: Batch) -> None:
        """Let a pod that is assumed go to be bound, or wait for what is reserved for it."""
        attempt = Attempt(taken.pod, taken.decision)
        if taken.parts:
            self.reservations.add(taken.pod, taken.node, taken.parts, self._clock.monotonic())
            batch.reserved.append(attempt)
        else:
            batch.assumed.append(attempt)
        self._wake(taken.event)

    def _decide_group(self, row: GangRow, batch: Batch) -> None:
        assert self.gangs is not None
        gang, name = self.gangs.gang(row), row.scheduler_name
        if not gang.waiting:
            return  # those that waited are gone, the others are on their way
        nominations = {key: self._nominated[key] for key in gang.waiting if key in self._nominated}
        evaluations = self._evaluations[name]

        def decide_one(pod: PodRow) -> Decision:
            asked = pod._replace(nominated=self._withdraw(pod.key))
            return schedule(asked, self.columns, evaluations, self._entropy.randrange, sample=self._sample)

        preemptor = self._group_preemptor(evaluations) if name in self._preemptors else None
        found = decide_group(gang, self.cache, self.columns, decide_one, preemptor, nominations)
        batch.groups.extend(self.gangs.told(gang, found.condition))
        cleared = self._clear_for_group(row, gang, found.preemption, batch)
        for taken in found.taken:
            self._send(taken, batch)
        if found.taken:
            self.gangs.placed(gang, [taken.pod for taken in found.taken])
        else:
            self.gangs.failed(gang, found.rejected_by)
        batch.waiting.extend(Attempt(pod, decision, cleared.get(pod.key, "")) for pod, decision in found.failed)

    def _group_preemptor(self, evaluations: Evaluations) -> GroupPreemptor:
        def evaluate(pod: PodRow) -> Evaluation:
            looked_up = look_up(pod, self.columns)
            return evaluations.of(looked_up if isinstance(looked_up, PodRow) else pod, self.columns)

        assert self.gangs is not None
        return GroupPreemptor(self.cache, self.columns, self.budgets, self.gangs.book, evaluate)

    def _clear_for_group(self, row: GangRow, gang: Gang, preemption: GroupPreemption | None, batch: Batch) -> Mapping[str, str]:
        """Nominate the pods of a group where its preemption says so; Returns the node of each."""
        cleared = preemption.nominations if preemption is not None and preemption.helps else {}
        for pod in [*gang.waiting.values()]:
            node = cleared.get(pod.key, "")
            if node:
                self._displace(node, row.priority, batch)
            self._nominate(pod, node)
        if preemption is not None:
            self._condemn(row, "cluster", preemption.victims, batch)
        return cleared

    def _condemn(self, preemptor: PodRow | GangRow, node: str, victims: Iterable[Placed], batch: Batch) -> None:
        """Let pods go that are not going already, with those that go with them."""
        found = [victim for victim in victims if not (victim.account.peer.terminating or victim.condemned)]
        for victim in found:
            victim.condemned = True
        if found:
            batch.evictions.append(Eviction(preemptor, node, found))

    def _take_outcomes(self, batch: Batch, now: float) -> None:
        """Let the pods go on that have what was reserved for them, or cannot get it."""
        for outcome in self.reservations.take(now):
            self._give_back(outcome.restored)
            if outcome.problem:
                self.refused([outcome.pod])
                batch.failed.append((outcome.pod, outcome.problem))
            else:
                batch.assumed.append(Attempt(outcome.pod, Decision(outcome.node_name)))

    def _release(self, key: str) -> None:
        if key in self.reservations:
            self._give_back(self.reservations.drop(key))

    def _give_back(self, restored: Sequence[ClusterEvent]) -> None:
        self.columns.touch_devices()
        for event in restored:
            self._wake(event)

    def _follow(self, old: Row | DeviceRow | None, new: Row | DeviceRow | None) -> None:
        """Bring up to date what rests on a row: attached volumes, devices of nodes, and pods that wait for claims."""
        self.columns.touch_devices()
        claims: set[str] = set()
        for row in (old, new):
            for node_name in self.columns.catalog.nodes_of(row) if isinstance(row, (Attachment, Volume)) else ():
                self.columns.touch(node_name)
            if isinstance(row, Claim):
                claims.add(row.key)
            elif isinstance(row, Volume):
                claims.add(row.claim)
            elif isinstance(row, Class):
                claims.update(self.columns.usage.claims)
            elif isinstance(row, DeviceClaim):
                self.reservations.changed(device_key(row.key))
        for claim in claims:
            self.columns.recount(claim)
            self.reservations.changed(claim)

    # nominations

    def _clear(self, pod: PodRow, preemption: Preemption | None, nominated: str, batch: Batch) -> str:
        """Nominate a pod that waits where preemption says so; Returns the node."""
        if preemption is None or preemption.keeps:
            node = nominated
        elif preemption.node is None:
            node = ""
        else:
            node = preemption.node
            self._displace(node, pod.priority, batch)
            victims = together(preemption.victims, self.cache, self.gangs.book) if self.gangs is not None else preemption.victims
            self._condemn(pod, node, victims, batch)
        self._nominate(pod, node)
        return node

    def _displace(self, node: str, priority: int, batch: Batch) -> None:
        """End the nominations to a node of pods with a lower priority: they look for another one at once."""
        for key, account in [*self.columns.nominated.get(node, {}).items()]:
            other = self._waiting(key)
            if account.priority < priority and other is not None:
                self._withdraw(key)
                gang = self.gangs.book.of(key) if self.gangs is not None else None
                self.queue.activate(key if gang is None else entry_key(gang.key), self._clock.monotonic())
                batch.displaced.append(other)

    def _nominate(self, pod: PodRow, node: str) -> None:
        self._withdraw(pod.key)
        if node:
            self._nominated[pod.key] = node
            self.columns.nominate(node, pod.key, pod.account)

    def _withdraw(self, key: str) -> str:
        node = self._nominated.pop(key, "")
        if node:
            self.columns.withdraw(node, key)
        return node

    def _waiting(self, key: str) -> PodRow | None:
        """Return a pod that has no node, as far as the API shows; alone or in a group."""
        return self.queue.pod(key) or (self.gangs.book.pod(key) if self.gangs is not None else None)

    def _leave(self, key: str) -> None:
        self._leave_queue(key)
        if self.gangs is not None:
            self.gangs.gone(key)

    def _leave_queue(self, key: str) -> None:
        if key in self.queue:
            self.queue.delete(key, self._clock.monotonic())
        if self._nominated:
            self._withdraw(key)

    def _wake(self, event: ClusterEvent | None) -> None:
        if event is not None:
            self.queue.wake(event, self._clock.monotonic())
