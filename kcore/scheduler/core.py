"""The scheduler without its connections: what it knows, and what it decides when it is told something.

    pod_changed, node_changed ...   what the watch says
    decide                          -> the pods that go to a node, and those that have to wait
    refused                         what became of bindings that failed; one that was made is told by the watch

Sync and deterministic: time and chance are handed in. A pod's way: update -> pop -> assume -> (binding) -> confirmed by the watch; where
the binding fails it is forgotten and backs off. Bindings may be under way while further pods are decided, since assumed pods count.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from kcore.base import verify
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.base.limits import SCHEDULER_FLUSH_INTERVAL_S
from kcore.scheduler.cache import Cache
from kcore.scheduler.columns import Columns
from kcore.scheduler.cycle import Decision, schedule
from kcore.scheduler.evaluation import Evaluations
from kcore.scheduler.events import ClusterEvent
from kcore.scheduler.profile import DEFAULT
from kcore.scheduler.queue import Queue
from kcore.scheduler.rows import Expression, NodeRow, Owner, PodRow

SCHEDULER_NAME: Final = "default-scheduler"


class Attempt(NamedTuple):
    """A pod and what was decided; a pod that goes to a node is assumed there."""

    pod: PodRow
    decision: Decision


class Batch(NamedTuple):
    """What one call decided."""

    assumed: list[Attempt]
    waiting: list[Attempt]


class Core:
    """Queue, cache and decisions of one scheduler."""

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self.columns = Columns()
        self.cache = Cache(self.columns)
        self.queue = Queue(DEFAULT.wakers)
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
            self.queue.delete(key)
            self._wake(self.cache.confirm(pod))
        elif pod.terminating or pod.scheduler_name != SCHEDULER_NAME:
            self.queue.delete(key)
        else:
            self.queue.update(pod, self._clock.monotonic())

    def pod_deleted(self, key: str) -> None:
        """Take in that a pod is gone."""
        self.queue.delete(key)
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
        batch = Batch([], [])
        for _ in range(limit):
            pod = self.queue.pop(now)
            if pod is None:
                break
            decision = schedule(pod, self.columns, self._evaluations, self._entropy.randrange)
            if decision.node is None:
                self.queue.fail(pod, decision.rejected_by, now)
                batch.waiting.append(Attempt(pod, decision))
            else:
                self._wake(self.cache.assume(pod, decision.node))
                batch.assumed.append(Attempt(pod, decision))
        return batch

    def refused(self, pods: Sequence[PodRow]) -> None:
        """Take in that bindings failed: the pods are forgotten where they were assumed, and tried again after a pause."""
        for pod in pods:
            self._wake(self.cache.forget(pod))
            self.queue.fail(pod, (), self._clock.monotonic())

    def next_at(self) -> float:
        """Return when there is something to do if nothing is told before."""
        pause_ends = self.queue.next_at()
        return self._flush_at if pause_ends is None else min(pause_ends, self._flush_at)

    def _wake(self, event: ClusterEvent | None) -> None:
        if event is not None:
            self.queue.wake(event, self._clock.monotonic())
