"""One replay: the pods of a workload come and go on virtual time, and a scheduler in memory decides.

    at 60 s    who has run its time goes; who comes joins the queue; all that can be decided is; then time goes on to the next of these

The scheduler's own clock counts the events, a microsecond each: its queue orders pods by when they came, and it neither pauses nor tries
everybody again each five minutes of a trace of months, which would find nothing that its events do not. What stands in the cluster from the
beginning stays. Who is preempted begins anew. When the last pod has come, those that run go on leaving until nobody waits, so that waits
are known, unless the replay is cut there; utilisation and fragmentation are looked at, at regular moments, as long as pods come.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, isfinite
from typing import Final, NamedTuple

import numpy as np

from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.machinery.labels import parse
from kcore.scheduler.columns import Columns
from kcore.scheduler.configuration.reading import Configuration
from kcore.scheduler.core import Batch, Core
from kcore.scheduler.ingest import node_row, pod_row
from kcore.scheduler.requests import CPU, MEMORY
from kcore.scheduler.rows import NodeRow, PodRow
from kcore.scheduler.snapshot import take_in
from kcore.simulate.cluster import Cluster
from kcore.simulate.templates import template
from kcore.simulate.trace.devices import Devices
from kcore.simulate.trace.fragmentation import Measured, Mix
from kcore.simulate.trace.workload import DEVICE, GPU, Kind, Workload

NAMESPACE: Final = "trace"
EVENT_S: Final = 1e-6
OPERATORS: Final = {
    "in": "In", "=": "In", "==": "In", "notin": "NotIn", "!=": "NotIn", "exists": "Exists", "!": "DoesNotExist", "gt": "Gt", "lt": "Lt",
}  # fmt: skip
"""Of a label selector, as a node affinity writes them."""


@dataclass(slots=True, eq=False)
class Stay:
    """A pod on a node: from when, until when, and what it held of each device there."""

    pod: str
    node: str
    held: dict[str, int]
    start_s: float
    end_s: float


class Sample(NamedTuple):
    """A moment: parts of what the cluster has that are asked for, devices free and wasted, pods that wait and that run."""

    at_s: float
    used: dict[str, float]
    free: float
    wasted: float
    waiting: int
    running: int


class Replay:
    """A cluster, and pods that come and go; after `run`:

    waited    pod -> how long it waited for its first node (s)
    stays     each time that a pod stood on a node, in the order of their beginning
    left      pods that have no node in the end -> why; waiting_at_end: how many waited when the last pod came
    samples   the cluster at regular moments
    """

    def __init__(self, cluster: Cluster, devices: Devices, configuration: Configuration, mix: Mix, seed: int = 0) -> None:
        self._clock = VirtualClock()
        self._core = Core(self._clock, SeededEntropy(seed), configuration)
        self._devices = devices
        self._scheduler = configuration.profiles[0].name
        self._running: dict[str, Stay] = {}
        self._going: list[tuple[float, int, Stay]] = []
        self._rows: dict[str, PodRow] = {}
        self._for_s: dict[str, float] = {}
        self._came_s: dict[str, float] = {}
        self._waiting: dict[str, str] = {}
        self.waited: dict[str, float] = {}
        self.stays: list[Stay] = []
        self.preempted = 0
        self.waiting_at_end = 0
        self.samples: list[Sample] = []
        for kind, raw in cluster.others:
            take_in(kind, raw, self._core.columns, self._core.budgets)
        for raw in cluster.nodes:
            self._core.node_changed(devices.offered(node_row(raw)))
        for row in map(pod_row, cluster.pods):
            if row.node_name and not row.finished:
                self._stand(row)
        self._measured = Measured(devices, mix, self.columns)

    @property
    def columns(self) -> Columns:
        """Return the cluster as it is now."""
        return self._core.columns

    @property
    def left(self) -> dict[str, str]:
        """Return the pods that wait, and why."""
        return self._waiting

    def run(self, workload: Workload, samples: int, is_cut: bool = False) -> None:
        """Let the pods come and go, until nobody waits, or where it is cut until the last one has come."""
        rows = [pod_like(kind, self._devices)._replace(scheduler_name=self._scheduler) for kind in workload.kinds]
        moments = np.linspace(0.0, workload.span_s, samples).tolist()
        times, places = workload.at_s.tolist(), range(len(workload))
        begin = 0
        while begin < len(times) or (self._waiting and self._going and not is_cut):
            now = min(times[begin] if begin < len(times) else inf, self._going[0][0] if self._going else inf)
            end = begin
            while end < len(times) and times[end] <= now:
                end += 1
            moments = self._sampled(moments, now)
            self._clock.step(EVENT_S)
            self._leave(now)
            self._come(workload, rows, places[begin:end], now)
            self._settle(now)
            if begin < len(times) <= end:
                self.waiting_at_end = len(self._waiting)
                moments = self._sampled(moments, inf)
            begin = end

    # what happens

    def _come(self, workload: Workload, rows: list[PodRow], places: Iterable[int], now: float) -> None:
        for place in places:
            name = workload.names[place]
            row = rows[workload.kind_of[place]]._replace(name=name, uid=name)
            self._rows[row.key], self._came_s[row.key], self._for_s[row.key] = row, now, float(workload.for_s[place])
            self._bring(row)

    def _leave(self, now: float) -> None:
        while self._going and self._going[0][0] <= now:
            _, _, stay = heapq.heappop(self._going)
            if self._running.get(stay.pod) is stay:
                del self._running[stay.pod], self._rows[stay.pod]
                self._core.pod_deleted(stay.pod)

    def _settle(self, now: float) -> None:
        """Decide until nothing that waits can go on, pod by pod, since what each holds of devices decides about the next."""
        while any(batch := self._core.decide(1)):
            self._carry_out(batch, now)

    def _carry_out(self, batch: Batch, now: float) -> None:
        for pod, decision, _ in (*batch.assumed, *batch.reserved):
            assert decision.node is not None
            self._begin(pod, decision.node, now)
        for pod, decision, _ in batch.waiting:
            self._waiting[pod.key] = decision.message
        for _, _, victims in batch.evictions:
            for victim in victims:
                self._end(victim.key, now)

    def _begin(self, pod: PodRow, node: str, now: float) -> None:
        self._waiting.pop(pod.key, None)
        self.waited.setdefault(pod.key, now - self._came_s.get(pod.key, now))
        account = self._devices.given(pod, self.columns, self.columns.slots[node])
        self._core.cache.hold(pod.key, account)
        self._core.pod_changed(pod._replace(node_name=node, account=account))
        stay = Stay(pod.key, node, dict(account.amounts), now, now + self._for_s.get(pod.key, inf))
        self._running[pod.key] = stay
        self.stays.append(stay)
        if isfinite(stay.end_s):
            heapq.heappush(self._going, (stay.end_s, len(self.stays), stay))

    def _end(self, key: str, now: float) -> None:
        """Take a pod from its node before its time: it waits for another one."""
        self.preempted += 1
        stay = self._running.pop(key, None)
        if stay is not None:
            stay.end_s = now
        self._core.pod_deleted(key)
        self._bring(self._rows[key])

    def _bring(self, row: PodRow) -> None:
        self._waiting[row.key] = ""
        self._core.pod_changed(row)

    def _stand(self, row: PodRow) -> None:
        """Take in a pod that stands in the cluster."""
        whole = dict(row.account.amounts).get(self._devices.resource, 0)
        asking = self._devices.asking(row, whole, DEVICE if whole else 0)
        slot = self.columns.slots.get(row.node_name)
        account = asking.account if slot is None else self._devices.given(asking, self.columns, slot)
        self._rows[row.key] = asking._replace(node_name="", scheduler_name=self._scheduler)
        self._core.pod_changed(asking._replace(account=account))

    # what is looked at

    def _sampled(self, moments: list[float], now: float) -> list[float]:
        """Look at the cluster for all moments before now; Returns those that are left."""
        passed = next((place for place, moment in enumerate(moments) if moment >= now), len(moments))
        if not passed:
            return moments
        used, (free, wasted) = used_parts(self.columns, self._devices), self._measured.now()
        waiting, running = len(self._waiting), len(self._running)
        self.samples += [Sample(moment, used, free, wasted, waiting, running) for moment in moments[:passed]]
        return moments[passed:]


def pod_like(kind: Kind, devices: Devices) -> PodRow:
    """Return a pod of a kind, made as an API server would make it.

    Raises  TemplateError
    """
    requests = {name: text for name, amount, text in ((CPU, kind.cpu, f"{kind.cpu}m"), (MEMORY, kind.memory, str(kind.memory))) if amount}
    spec = {"containers": [{"name": "main", "image": "trace", "resources": {"requests": requests}}], "priority": kind.priority}
    if expressions := node_expressions(kind.selector):
        terms = {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
        spec["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    row = template({"kind": "Pod", "metadata": {"name": "pod", "namespace": NAMESPACE}, "spec": spec}).pod
    return devices.asking(row, kind.devices, kind.share)


def node_expressions(selector: str) -> list[dict[str, object]]:
    """Return a label selector as a node affinity says it."""
    return [{"key": key, "operator": OPERATORS[operator], "values": list(values)} for key, operator, values in parse(selector).requirements]


def capacity_of(rows: Iterable[NodeRow], devices: Devices) -> dict[str, int]:
    """Return what nodes have of each resource, in the units of a kind of pods."""
    found = dict.fromkeys((CPU, MEMORY, GPU), 0)
    for row in rows:
        amounts = dict(devices.offered(row).allocatable)
        for resource, name in ((CPU, CPU), (MEMORY, MEMORY), (GPU, devices.resource)):
            found[resource] += amounts.get(name, 0)
    return found


def used_parts(columns: Columns, devices: Devices) -> dict[str, float]:
    """Return per resource that the cluster has the part that is asked for."""
    present, found = np.flatnonzero(columns.present[: columns.count]), {}
    for resource, name in ((CPU, CPU), (MEMORY, MEMORY), (GPU, devices.resource)):
        row = columns.resources.get(name)
        offered = 0 if row is None else int(columns.allocatable[row, present].sum())
        if row is not None and offered:
            found[resource] = int(columns.requested[row, present].sum()) / offered
    return found
