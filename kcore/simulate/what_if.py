"""A scheduler in memory on which changes are carried out: it decides as the real one, and nobody else hears of it.

    add      pods join the queue                       drain    the node is away; its pods are made again, and join the queue
    grow     nodes like one that is known              settle   decide until nothing that waits can go on

A pod that is evicted, by a drain or by preemption, is made again as its controller would: without a node, with a status of its own. Daemons
and static pods belong to their node: they go with it, and come with each node like it. What is terminating already does not come back.
Who was preempted comes back when nothing else can go on, so that whoever it went for is placed first.

Time is virtual: it passes only when all that could be decided is waiting for its pause to end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.base.limits import SCHEDULER_BACKOFF_S, SCHEDULER_BATCH_MAX, SIMULATED_PREEMPTIONS_MAX
from kcore.machinery.codec import Splice
from kcore.machinery.projection import Projection
from kcore.scheduler.columns import Columns
from kcore.scheduler.configuration.reading import Configuration
from kcore.scheduler.core import Batch, Core
from kcore.scheduler.cycle import Decision
from kcore.scheduler.ingest import node_row, pod_row
from kcore.scheduler.queue import State
from kcore.scheduler.rows import NodeRow, PodRow
from kcore.scheduler.snapshot import take_in
from kcore.simulate.changes import Add, Change, ChangeError, Drain, DrainSelected, Grow
from kcore.simulate.cluster import Cluster

MESSAGE: Final = "kcore.api.core.v1.Pod"
MADE_AGAIN: Final = Splice(MESSAGE, ["spec.nodeName", "status"])
OWNERS: Final = Projection(
    MESSAGE, ("metadata.ownerReferences[].kind", "metadata.ownerReferences[].controller", "metadata.annotations")
)
MIRROR: Final = "kubernetes.io/config.mirror"
DAEMON_OWNERS: Final = ("DaemonSet", "Node")
HOSTNAME: Final = "kubernetes.io/hostname"
CONDITION_TAINTS: Final = "node.kubernetes.io/"
"""Taints that tell of a node's condition begin so; a new node has none of them."""


class Preempted(NamedTuple):
    """A pod that had to go for another one."""

    pod: str
    node: str
    preemptor: str


class WhatIf:
    """A cluster in memory.

    columns   the nodes and what is placed on them now
    homes     pods of the cluster that stood on a node -> which
    brought   pods that look for a node because of each change, in order; first those that waited in the cluster
    placed    pods that found a node -> which
    drained   nodes that went; grown: nodes that came; unmanaged: evicted pods that no controller would make again
    """

    def __init__(self, cluster: Cluster, seed: int = 0, configuration: Configuration | None = None) -> None:
        self._clock = VirtualClock()
        self._core = Core(self._clock, SeededEntropy(seed), configuration)
        self._raws: dict[str, bytes] = {}
        self._added: dict[str, PodRow] = {}
        self._numbers: dict[str, int] = {}
        self._nodes: dict[str, NodeRow] = {}
        self._failed: dict[str, Decision] = {}
        self._others: dict[str, int] = {}
        self._evicted: list[PodRow] = []
        self._preemptions: dict[str, int] = {}
        self.homes: dict[str, str] = {}
        self.brought: list[list[str]] = [[]]
        self.placed: dict[str, str] = {}
        self.preempted: list[Preempted] = []
        self.drained: list[str] = []
        self.grown: list[str] = []
        self.unmanaged: list[str] = []
        for kind, raw in cluster.others:
            take_in(kind, raw, self._core.columns, self._core.budgets)
        for raw in cluster.nodes:
            self._take_node(node_row(raw))
        for raw in cluster.pods:
            self._take_pod(raw)

    @property
    def columns(self) -> Columns:
        """Return the cluster as it is now."""
        return self._core.columns

    @property
    def undecided(self) -> dict[str, int]:
        """Return why pods are not looked at, and how many."""
        gated = self._core.queue.count(State.GATED)
        return {**self._others, **({"has scheduling gates": gated} if gated else {})}

    def unplaced(self) -> dict[str, Decision]:
        """Return the pods that no node takes, each with what was decided last."""
        return {key: decision for key, decision in self._failed.items() if self._core.queue.pod(key) is not None}

    def settle(self) -> None:
        """Decide until nothing that waits can go on."""
        while True:
            batch = self._core.decide(SCHEDULER_BATCH_MAX)
            if any(batch):
                self._carry_out(batch)
            elif self._core.queue.next_at() is not None:
                self._clock.step(SCHEDULER_BACKOFF_S)
            elif self._evicted:
                evicted, self._evicted = self._evicted, []
                for pod in evicted:
                    self._bring(pod)
            else:
                return

    def change(self, change: Change) -> None:
        """Carry out a change, and decide what it asks for.

        Raises  ChangeError
        """
        self.brought.append([])
        match change:
            case Add():
                self._add(change)
            case Drain():
                self._remove_nodes([change.node])
            case DrainSelected():
                self._drain_selected(change)
            case Grow():
                self._grow(change)
        if not isinstance(change, Add):
            self._retry()
        self.settle()

    # changes

    def _add(self, change: Add) -> None:
        template = change.template
        if template.workload is not None:
            take_in(*template.workload, self._core.columns, self._core.budgets)
        start = self._numbers.get(template.pod.key, 0)
        for pod in template.pods(start, start + change.pods):
            while pod.key in self._raws:
                pod = pod._replace(name=f"{pod.name}-new")
            self._added[pod.key] = pod
            self._bring(pod)
        self._numbers[template.pod.key] = start + change.pods

    def _drain_selected(self, change: DrainSelected) -> None:
        nodes = [row.name for row in self._core.columns.rows if row is not None and change.selector.matches(row.labels)]
        if not nodes:
            raise ChangeError(f"no node matches {change.selector}")
        self._remove_nodes(nodes)

    def _grow(self, change: Grow) -> None:
        pattern = self._nodes.get(change.node)
        if pattern is None:
            raise ChangeError(f"there is no node {change.node}")
        daemons = [key for key, home in self.homes.items() if home == change.node and self._is_daemon(key)]
        number = 0
        for _ in range(change.nodes):
            number += 1
            while f"{change.node}-new-{number}" in self._nodes:
                number += 1
            node = _like(pattern, f"{change.node}-new-{number}")
            self._take_node(node)
            self.grown.append(node.name)
            for key in daemons:
                daemon = pod_row(self._raws[key])
                name = f"{daemon.name}-{node.name}"
                self._core.pod_changed(daemon._replace(name=name, uid=f"{daemon.uid}-{node.name}", node_name=node.name))

    def _remove_nodes(self, nodes: Sequence[str]) -> None:
        for node in nodes:
            if self._core.columns.node(node) is None:
                raise ChangeError(f"there is no node {node}")
            self._core.node_deleted(node)
            self.drained.append(node)
        for node in nodes:
            for placed in [*self._core.cache.on(node)]:
                for pod in self._take_away(placed.key, node_goes=True):
                    self._bring(pod)

    def _retry(self) -> None:
        """Let all pods that wait be tried once more, so that what is said of them is said of the nodes that are there now."""
        for key in self.unplaced():
            self._core.queue.activate(key, self._clock.monotonic())

    # pods and nodes

    def _take_node(self, node: NodeRow) -> None:
        self._nodes[node.name] = node
        self._core.node_changed(node)

    def _take_pod(self, raw: bytes) -> None:
        pod = pod_row(raw)
        self._raws[pod.key] = raw
        self._core.pod_changed(pod)
        if pod.finished:
            self._count("has finished")
        elif pod.node_name:
            self.homes[pod.key] = pod.node_name
        elif pod.terminating:
            self._count("is terminating")
        elif self._core.queue.pod(pod.key) is None:
            self._count(f"belongs to the scheduler {pod.scheduler_name}")
        elif not pod.gates:
            self.brought[0].append(pod.key)

    def _count(self, why: str) -> None:
        self._others[why] = self._others.get(why, 0) + 1

    def _bring(self, pod: PodRow) -> None:
        self._core.pod_changed(pod)
        self.brought[-1].append(pod.key)

    def _take_away(self, key: str, node_goes: bool = False) -> list[PodRow]:
        """Take a pod from its node; Returns it as it is made again, or nothing where it is not."""
        self._core.pod_deleted(key)
        self.placed.pop(key, None)
        if key in self._added:
            return [self._added[key]]
        raw = self._raws.get(key)
        if raw is None or pod_row(raw).terminating or (node_goes and self._is_daemon(key)):
            return []
        if not any(OWNERS(raw)[1]) and key not in self.unmanaged:
            self.unmanaged.append(key)
        return [pod_row(MADE_AGAIN(raw, None, None))]

    def _is_daemon(self, key: str) -> bool:
        kinds, controls, annotations = OWNERS(self._raws[key])
        return MIRROR in annotations or any(kind in DAEMON_OWNERS and is_one for kind, is_one in zip(kinds, controls, strict=True))

    def _carry_out(self, batch: Batch) -> None:
        for pod, _ in batch.failed:
            self.placed.pop(pod.key, None)
        for pod, decision, _ in (*batch.assumed, *batch.reserved):
            assert decision.node is not None
            self.placed[pod.key] = decision.node
            self._failed.pop(pod.key, None)
        for pod, decision, _ in batch.assumed:  # the others keep what is reserved for them, as if it were never written
            self._core.pod_changed(pod._replace(node_name=decision.node or ""))
        for pod, decision, _ in batch.waiting:
            self._failed[pod.key] = decision
        for preemptor, node, victims in batch.evictions:
            for victim in victims:
                self.preempted.append(Preempted(victim.key, node, preemptor.key))
                times = self._preemptions[victim.key] = self._preemptions.get(victim.key, 0) + 1
                made_again = self._take_away(victim.key)
                self._evicted += made_again if times <= SIMULATED_PREEMPTIONS_MAX else []


def _like(pattern: NodeRow, name: str) -> NodeRow:
    """Return a node that has just been made like another one."""
    labels = {**pattern.labels, **({HOSTNAME: name} if HOSTNAME in pattern.labels else {})}
    taints = tuple(taint for taint in pattern.taints if not taint.key.startswith(CONDITION_TAINTS))
    return pattern._replace(name=name, labels=labels, taints=taints, unschedulable=False, images=())
