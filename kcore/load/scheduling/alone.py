"""The scheduler alone: what a decision costs without an API server, and what is remembered, over nodes and over pods that are bound.

The core is fed with bytes, decides in batches as the part does, and is told of each binding as the watch would. The best of some rounds
counts, in processor time: what else the machine does adds to it and never takes away.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, islice
from time import process_time
from typing import Any, Final

from kcore.base import limits
from kcore.base.clock import SystemClock
from kcore.base.entropy import SeededEntropy
from kcore.load.bench import report
from kcore.load.scheduling import objects
from kcore.load.scheduling.objects import SORTS
from kcore.scheduler.core import Core
from kcore.scheduler.ingest import node_row, pod_row

Figures = dict[str, Any]
SEED: Final = 1
BATCH: Final = limits.SCHEDULER_BATCH_MAX


@dataclass(frozen=True, slots=True)
class Decisions:
    """Pods of one sort, decided on so many nodes beside so many pods that are bound; `rounds` times, with new pods each time."""

    name: str
    nodes: int
    pods: int
    sort: str
    bound: int = 0
    rounds: int = 3
    targets: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Memory:
    """So many nodes, and twice so many pods that come and are bound: the first fill what is remembered of templates, the second count."""

    name: str
    nodes: int
    pods: int
    sort: str
    targets: Mapping[str, float] = field(default_factory=dict)


Row = Decisions | Memory


def grown(nodes: Iterable[int], bound: Iterable[int], on: int, pods: int, alike: int) -> Iterator[Decisions]:
    """The rows of the growth: over nodes, then on `on` nodes over pods that are bound. Pods that all differ are `pods`, others `alike`."""
    for sort in SORTS:
        come = pods if sort == "all different" else alike
        for number in nodes:
            yield Decisions(f"{number:,} nodes, pods {sort}", number, come, sort)
        for number in bound:
            yield Decisions(f"{on:,} nodes, {number:,} bound pods, pods {sort}", on, come, sort, bound=number)


def aimed(rows: Iterable[Decisions], targets: Mapping[str, float]) -> Iterator[Decisions]:
    """The rows, with the targets for decisions a second of some of them."""
    for row in rows:
        aim = {"decisions_per_s": targets[row.name]} if row.name in targets else {}
        yield Decisions(row.name, row.nodes, row.pods, row.sort, row.bound, row.rounds, aim)


DECISION_TARGETS: Final = {
    "5,000 nodes, pods alike": 100_000,
    "5,000 nodes, pods all different": 20_000,
    "100,000 nodes, pods all different": 2_000,
}
MEMORY_TARGETS: Final = {"bytes_per_node": 2_000, "bytes_per_bound_pod": 300}
SIZES: Final[Mapping[str, tuple[Row, ...]]] = {
    "full": (
        *aimed(grown((1_000, 5_000, 20_000, 100_000), (25_000, 100_000, 400_000), 5_000, 400, 5_000), DECISION_TARGETS),
        Memory("memory, 5,000 nodes, pods alike", 5_000, 20_000, "alike", MEMORY_TARGETS),
        Memory("memory, 5,000 nodes, pods all different", 5_000, 20_000, "all different", MEMORY_TARGETS),
    ),
    "small": (
        *aimed(grown((1_000, 5_000), (25_000,), 5_000, 400, 5_000), DECISION_TARGETS),
        Memory("memory, 1,000 nodes, pods alike", 1_000, 5_000, "alike", MEMORY_TARGETS),
        Memory("memory, 1,000 nodes, pods all different", 1_000, 5_000, "all different", MEMORY_TARGETS),
    ),
    "smoke": (
        *grown((5, 10), (20,), 10, 10, 10),
        Memory("memory, 10 nodes, pods alike", 10, 20, "alike"),
    ),
}


def run(size: str, rows: Iterable[Row], on_row: Callable[[str], None]) -> Figures:
    """Measure rows; -> the report, in the form of other benches."""
    where, found = report.machine(), dict[str, Figures]()
    for row in rows:
        on_row(row.name)
        with garbage_as_in_a_part():
            figures = decisions(row) if isinstance(row, Decisions) else memory(row)
        found[row.name] = {"nodes": row.nodes, "pods": row.pods, "sort": row.sort} | figures | {"targets": dict(row.targets)}
    return {"size": size, "machine": where, "rows": found, "missed": report.missed(found), "not_measured": []}


@contextmanager
def garbage_as_in_a_part() -> Iterator[None]:
    """Collect garbage as seldom as a process of the scheduler does."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(limits.GC_NEW_OBJECTS_MAX, *limits.GC_GENERATIONS)
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


class Alone:
    """A scheduler's core with nodes; pods come, are decided and bound. Pods' numbers never come again: templates are remembered."""

    numbers = count()

    def __init__(self, nodes: int) -> None:
        self.core = Core(SystemClock(), SeededEntropy(SEED))
        self.nodes = nodes
        for index in range(nodes):
            self.core.node_changed(node_row(objects.node(index)))

    def bind(self, pods: int, sort: str) -> None:
        """Take in pods that were bound before, over the nodes in turn."""
        for index in islice(self.numbers, pods):
            raw = objects.placed(SORTS[sort](index), objects.node_name(index % self.nodes))
            self.core.pod_changed(pod_row(raw))

    def come(self, pods: int, sort: str) -> tuple[float, float, float]:
        """Let pods come, be decided and bound; -> processor seconds of taking in, deciding, and taking in that they are bound."""
        waiting = {str(pod.metadata.name): pod for pod in map(SORTS[sort], islice(self.numbers, pods))}
        raws = [pod.SerializeToString() for pod in waiting.values()]
        began = process_time()
        for raw in raws:
            self.core.pod_changed(pod_row(raw))
        come = process_time()
        batches = []
        while batch := self.core.decide(BATCH).assumed:
            batches.append(batch)
        decided = process_time()
        raws = [objects.placed(waiting.pop(each.pod.name), each.decision.node or "") for batch in batches for each in batch]
        assert not waiting, "every pod has a node"
        confirmed = process_time()
        for raw in raws:
            self.core.pod_changed(pod_row(raw))
        return come - began, decided - come, process_time() - confirmed


def decisions(row: Decisions) -> Figures:
    """Decide for pods, some times."""
    alone = Alone(row.nodes)
    alone.bind(row.bound, row.sort)
    rounds = [alone.come(row.pods, row.sort) for _ in range(row.rounds)]
    taken_in, decided, confirmed = (min(times) / row.pods for times in zip(*rounds, strict=True))
    return {
        "bound": row.bound,
        "decisions_per_s": round(1 / decided),
        "decide_us": round(decided * 1e6, 2),
        "take_in_us": round(taken_in * 1e6, 2),
        "confirm_us": round(confirmed * 1e6, 2),
    }


def memory(row: Memory) -> Figures:
    """Trace what the core keeps of nodes, and of pods that came, were decided and bound."""
    tracemalloc.start()
    try:
        before = traced_bytes()
        alone = Alone(row.nodes)
        with_nodes = traced_bytes()
        alone.come(row.pods, row.sort)
        filled = traced_bytes()
        alone.come(row.pods, row.sort)
        with_pods = traced_bytes()
    finally:
        tracemalloc.stop()
    return {
        "bytes_per_node": round((with_nodes - before) / row.nodes),
        "bytes_per_bound_pod": round((with_pods - filled) / row.pods),
    }


def traced_bytes() -> int:
    """What is allocated now and not garbage."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
