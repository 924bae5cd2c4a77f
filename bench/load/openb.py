"""Fills the nodes of a production GPU cluster with its own pods: DIR/openb/nodes.csv and pods.csv, the trace cluster-trace-gpu-v2023.

On the trace's own timestamps at most 56 pods run at once, so its pods are submitted without deleting any, in order, again and again with
new names, until nothing more fits: until of every kind of pod (the same amounts, the same wishes) one waits that the scheduler found no
node for. Since what is free only shrinks, a kind of which one waits fits no more, and later passes leave it out.

A GPU is a thousand units of an extended resource, so that pods may ask for a share of one; a node's units are one pool, so a share may come
from two GPUs, which a device plugin would refuse. The model is a label of the node, and a pod that wants models requires them by affinity.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from kcore.api.core.v1 import pod_pb2
from kcore.base.config import DataDir
from kcore.cli.progress import PodProgress
from kcore.client.client import Client
from kcore.load.bench import plane
from kcore.load.bench.plane import NAMESPACE
from kcore.load.pods import Plan
from kcore.load.run import Load
from kcore.load.sender import Pace
from kcore.load.server import RpcServer

Object = dict[str, Any]
GPU: Final = "kcore.io/gpu-milli"
MODEL: Final = "kcore.io/gpu-model"
GPU_MILLI: Final = 1_000
PASSES_SHOWN: Final = 5
AMOUNTS: Final = ("cpu_milli", "memory_mib", "gpu_milli")


class Kind(NamedTuple):
    """What counts of a pod: amounts, and the models of GPU that it takes (none: any node will do)."""

    cpu_milli: int
    memory_mib: int
    gpu_milli: int
    models: tuple[str, ...] = ()


class Machine(NamedTuple):
    """What counts of a node."""

    cpu_milli: int
    memory_mib: int
    gpu_milli: int
    model: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """Nodes by what they are, and pods in order."""

    machines: Counter[Machine]
    pods: tuple[Kind, ...]


def read(folder: Path) -> Trace:
    """The trace of a folder."""
    return Trace(Counter(machines(rows(folder / "nodes.csv"))), tuple(kinds_of(rows(folder / "pods.csv"))))


def rows(file: Path) -> list[dict[str, str]]:
    """The lines of a table by their heads."""
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def machines(table: Iterable[Mapping[str, str]]) -> Iterator[Machine]:
    """The nodes of a table."""
    for row in table:
        yield Machine(int(row["cpu_milli"]), int(row["memory_mib"]), int(row["gpu"]) * GPU_MILLI, row["model"])


def kinds_of(table: Iterable[Mapping[str, str]]) -> Iterator[Kind]:
    """The pods of a table. `gpu_milli` there is the share of each of the `num_gpu` GPUs."""
    for row in table:
        models = tuple(sorted({model for model in row["gpu_spec"].split("|") if model}))
        yield Kind(int(row["cpu_milli"]), int(row["memory_mib"]), int(row["num_gpu"]) * int(row["gpu_milli"]), models)


def shapes(found: Mapping[Machine, int]) -> list[Object]:
    """Groups of hollow nodes, as `kcore up --node-shapes` reads them."""
    groups = []
    for machine, count in found.items():
        capacity = {"cpu": f"{machine.cpu_milli}m", "memory": f"{machine.memory_mib}Mi"}
        if machine.gpu_milli:
            capacity[GPU] = str(machine.gpu_milli)
        groups.append({"count": count, "capacity": capacity, "labels": {MODEL: machine.model} if machine.model else {}})
    return groups


def template(kind: Kind) -> pod_pb2.Pod:
    """A pod of a kind."""
    pod = pod_pb2.Pod()
    container = pod.spec.containers.add(name="app", image="registry.k8s.io/pause:3.10")
    amounts = {"cpu": f"{kind.cpu_milli}m", "memory": f"{kind.memory_mib}Mi"}
    if kind.gpu_milli:
        amounts[GPU] = container.resources.limits[GPU].string = str(kind.gpu_milli)
    for name, amount in amounts.items():
        container.resources.requests[name].string = amount
    if kind.models:
        term = pod.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.add()
        term.matchExpressions.add(key=MODEL, operator="In", values=kind.models)
    return pod


@dataclass(slots=True)
class Filled:
    """How full the nodes became, from pass to pass.

    placed    pods of each kind that have a node; `waiting` those that have none
    seconds   while pods were placed: of each pass, from its first create to its last binding
    """

    trace: Trace
    placed: Counter[Kind] = field(default_factory=Counter)
    waiting: Counter[Kind] = field(default_factory=Counter)
    placed_by_pass: list[int] = field(default_factory=list)
    seconds: float = 0.0
    refused: int = 0

    def left(self) -> list[Kind]:
        """The pods of the next pass: in order, without the kinds that fit no more."""
        return [kind for kind in self.trace.pods if kind not in self.waiting]

    def take_in(self, placed: Sequence[Kind], waiting: Sequence[Kind], seconds: float, refused: int = 0) -> None:
        """A pass is over."""
        self.placed.update(placed)
        self.waiting.update(waiting)
        self.placed_by_pass.append(len(placed))
        self.seconds += seconds
        self.refused += refused

    @property
    def is_full(self) -> bool:
        """Whether nothing more fits, and nothing was refused."""
        return not self.refused and not self.left()

    def used(self) -> dict[str, float]:
        """Percent of what the nodes offer that the placed pods request."""
        found = {}
        for name in AMOUNTS:
            taken = sum(getattr(kind, name) * count for kind, count in self.placed.items())
            offered = sum(getattr(machine, name) * count for machine, count in self.trace.machines.items())
            found[name.partition("_")[0]] = round(100 * taken / offered, 2) if offered else 0.0
        return found

    def as_dict(self) -> Object:
        """The JSON form."""
        return {
            "nodes": self.trace.machines.total(),
            "pods": len(self.trace.pods),
            "kinds": len(set(self.trace.pods)),
            "kinds_waiting": len(self.waiting),
            "placed": self.placed.total(),
            "placed_by_pass": self.placed_by_pass,
            "waiting": self.waiting.total(),
            "refused": self.refused,
            "placed_per_s": round(self.placed.total() / self.seconds, 1) if self.seconds else 0.0,
            "used_percent": self.used(),
            "full": self.is_full,
        }


async def fill(client: Client, trace: Trace) -> Filled:
    """Submit the pods until nothing more fits, or until a pass places nothing."""
    found = Filled(trace)
    while (kinds := found.left()) and not found.refused:
        load = await submit(client, tuple(template(kind) for kind in kinds))
        times = load.tracker.first.times
        by_name = {load.plan.name(index): kind for index, kind in enumerate(kinds)}
        seconds = max(times.bound.values()) - min(times.sent.values()) if times.bound else 0.0
        waiting = [by_name[name] for name in times.unschedulable]
        found.take_in([by_name[name] for name in times.bound], waiting, seconds, load.tracker.first.refused)
        if not times.bound and not waiting:
            break
    return found


async def submit(client: Client, templates: Sequence[pod_pb2.Pod]) -> Load:
    """Submit all pods once, and wait until each is placed or found to fit nowhere."""
    plan = Plan(client.entropy.name_suffix(), NAMESPACE, len(templates), templates=tuple(templates))
    with PodProgress(len(templates)) as progress:
        load = Load(RpcServer(client, in_bulk=True), plan, Pace(), progress.show)
        await load.run()
    return load


def run(folder: Path) -> Filled:
    """Fill a control plane of its own with the trace of a folder. Raises BenchError."""
    trace = read(folder)
    with plane.data_directory() as directory:
        start(directory, trace)
        return plane.ask(directory, lambda client: fill(client, trace))


def start(directory: DataDir, trace: Trace) -> None:
    """Start a control plane with the trace's nodes."""
    directory.make()
    file = directory.path / "shapes.yaml"
    file.write_text(json.dumps(shapes(trace.machines)))
    plane.start(directory, 0, "--node-shapes", str(file))


def lines(found: Filled) -> Iterator[str]:
    """The report for people."""
    told = found.as_dict()
    yield f"trace: {told['pods']} pods of {told['kinds']} kinds, submitted to its {told['nodes']} nodes until nothing more fits"
    first, later = found.placed_by_pass[:PASSES_SHOWN], found.placed_by_pass[PASSES_SHOWN:]
    then = f", and in {len(later)} passes more {sum(later)}" if later else ""
    yield f"placed    {told['placed']:5}  (pass after pass {', '.join(map(str, first))}{then})"
    yield f"waiting   {told['waiting']:5}  of {told['kinds_waiting']} kinds"
    yield f"refused   {told['refused']:5}"
    yield f"requested of what the nodes offer: {', '.join(f'{name} {percent:.1f} %' for name, percent in told['used_percent'].items())}"
    if not found.is_full:
        yield "the nodes are not full"
