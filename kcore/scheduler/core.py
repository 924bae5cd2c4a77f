"""The scheduler without its connections: what it knows, and what it decides when it is told something.

    pod_changed, node_changed ...   what the watch says
    decide                          -> the pods that go to a node, and those that have to wait, with those that they preempt
    refused, spared                 what became of bindings and preemptions that failed; one that was made is told by the watch

Sync and deterministic: time and chance are handed in. A pod's way: update -> pop -> assume -> (binding) -> confirmed by the watch; where
the binding fails it is forgotten and backs off. Bindings may be under way while further pods are decided, since assumed pods count.

A pod that preempts others is nominated to their node: remembered there until it is placed, nominated elsewhere, gone, or told otherwise by
its status. What was decided here stands as long as the status has not changed.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from kcore.base import verify
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.base.limits import SCHEDULER_FLUSH_INTERVAL_S
from kcore.scheduler.cache import Cache, Placed
from kcore.scheduler.columns import Columns
from kcore.scheduler.cycle import Decision, schedule
from kcore.scheduler.evaluation import Evaluations
from kcore.scheduler.events import ClusterEvent
from kcore.scheduler.preemption.budgets import Budgets
from kcore.scheduler.preemption.choice import Preemption, Preemptor
from kcore.scheduler.profile import DEFAULT
from kcore.scheduler.queue import Queue
from kcore.scheduler.rows import Expression, NodeRow, Owner, PodRow

SCHEDULER_NAME: Final = "default-scheduler"


class Attempt(NamedTuple):
    """A pod and what was decided; a pod that goes to a node is assumed there, one that waits may be nominated to one."""

    pod: PodRow
    decision: Decision
    nominated: str = ""


class Eviction(NamedTuple):
    """Pods that have to go from a node for another one."""

    preemptor: PodRow
    node: str
    victims: list[Placed]


class Batch(NamedTuple):
    """What one call decided.

    displaced  pods that are not nominated any more, since one of higher priority was nominated to their node
    """

    assumed: list[Attempt]
    waiting: list[Attempt]
    evictions: list[Eviction]
    displaced: list[PodRow]


class Core:
    """Queue, cache and decisions of one scheduler."""

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self.columns = Columns()
        self.cache = Cache(self.columns)
        self.queue = Queue(DEFAULT.wakers)
        self.budgets = Budgets()
        self._preemptor = Preemptor(self.cache, self.budgets)
        self._nominated: dict[str, str] = {}
        self._evaluations = Evaluations()
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
            self._wake(self.cache.confirm(pod))
        elif pod.terminating or pod.scheduler_name != SCHEDULER_NAME:
            self._leave_queue(key)
        else:
            seen = self.queue.pod(key)
            if pod.nominated != (seen.nominated if seen is not None and seen.uid == pod.uid else self._nominated.get(key, "")):
                self._nominate(pod, pod.nominated)
            self.queue.update(pod, self._clock.monotonic())

    def pod_deleted(self, key: str) -> None:
        """Take in that a pod is gone."""
        self._leave_queue(key)
        self._wake(self.cache.remove(key))

    def node_changed(self, node: NodeRow) -> None:
        """Take in a node, new or changed."""
        self._wake(self.cache.set_node(node))

    def node_deleted(self, name: str) -> None:
        """Take in that a node is gone."""
        self._wake(self.cache.remove_node(name))

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
        """Decide for up to so many pods."""
        now = self._clock.monotonic()
        if now >= self._flush_at:
            self.queue.flush(now)
            self._flush_at = now + SCHEDULER_FLUSH_INTERVAL_S
        if verify.ON:
            self.cache.verify()
        batch = Batch([], [], [], [])
        for _ in range(limit):
            pod = self.queue.pop(now)
            if pod is None:
                break
            nominated = self._withdraw(pod.key) if self._nominated else ""
            asked = pod if pod.nominated == nominated else pod._replace(nominated=nominated)
            decision = schedule(asked, self.columns, self._evaluations, self._entropy.randrange, self._preemptor)
            if decision.node is None:
                self.queue.fail(pod, decision.rejected_by, now)
                batch.waiting.append(Attempt(pod, decision, self._clear(pod, decision.preemption, nominated, batch)))
            else:
                self._wake(self.cache.assume(pod, decision.node))
                batch.assumed.append(Attempt(pod, decision))
        return batch

    def refused(self, pods: Sequence[PodRow]) -> None:
        """Take in that bindings failed: the pods are forgotten where they were assumed, and tried again after a pause."""
        for pod in pods:
            self._wake(self.cache.forget(pod))
            self.queue.fail(pod, (), self._clock.monotonic())
            if self.queue.pod(pod.key) is not None:
                self._nominate(pod, pod.nominated)

    def spared(self, preemptor: PodRow, victim: Placed) -> None:
        """Take in that a pod could not be preempted: who was to come in its place tries again."""
        victim.condemned = False
        for key in (preemptor.key, *self.columns.nominated.get(victim.node_name, ())):
            self.queue.activate(key, self._clock.monotonic())

    def next_at(self) -> float:
        """Return when there is something to do if nothing is told before."""
        pause_ends = self.queue.next_at()
        return self._flush_at if pause_ends is None else min(pause_ends, self._flush_at)

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
            victims = [victim for victim in preemption.victims if not (victim.account.peer.terminating or victim.condemned)]
            for victim in victims:
                victim.condemned = True
            if victims:
                batch.evictions.append(Eviction(pod, node, victims))
        self._nominate(pod, node)
        return node

    def _displace(self, node: str, priority: int, batch: Batch) -> None:
        """End the nominations to a node of pods with a lower priority: they look for another one at once."""
        for key, account in [*self.columns.nominated.get(node, {}).items()]:
            other = self.queue.pod(key)
            if account.priority < priority and other is not None:
                self._withdraw(key)
                self.queue.activate(key, self._clock.monotonic())
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

    def _leave_queue(self, key: str) -> None:
        self.queue.delete(key)
        if self._nominated:
            self._withdraw(key)

    def _wake(self, event: ClusterEvent | None) -> None:
        if event is not None:
            self.queue.wake(event, self._clock.monotonic())
