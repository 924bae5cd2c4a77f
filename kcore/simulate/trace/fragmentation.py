"""GPU fragmentation: which part of what is free of the devices the pods of a workload could not use.

For a node n and a kind m of pods, F(n, m) is what is free on n of devices that m cannot use: all of them if a pod of the kind does not fit
on n (too little cpu or memory, too few devices with its share left, labels that it does not want) or asks for no device, else those that
have less left than its share. F(n) is the mean of F(n, m) over the kinds, weighted by how many pods of the workload are of each; the
cluster's fragmentation is the sum of F(n) as a share of all that is free.

A policy that descends it, `Fragmentation`, is an example of a plugin of one's own: 20 lines over columns of nodes. It prefers nodes on
which a pod adds least to F(n), or takes most away.

    kcore simulate trace pods.csv --policy kcore.simulate.trace.fragmentation:Fragmentation ...

Source: Weng, Yang, Yu, Wang, Tang, Yang, Zhang: Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient
Descent (USENIX ATC 2023), section 3, and the score of section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kcore.base.limits import TRACE_MIX_MAX
from kcore.machinery.labels import parse
from kcore.scheduler.columns import Columns, Int64
from kcore.scheduler.extension.nodes import Nodes
from kcore.scheduler.requests import CPU, MEMORY
from kcore.scheduler.rows import Ask
from kcore.simulate.trace.devices import Devices, best_fit
from kcore.simulate.trace.workload import DEVICE, Floats, Kind

TYPICAL_PART: Final = 0.95
"""A policy looks at the most frequent kinds that make up so much of a workload, as the paper's own simulator does."""

Bools = NDArray[np.bool_]


class Mix:
    """The kinds of pods of a workload, and how many pods are of each."""

    def __init__(self, counts: Sequence[tuple[Kind, int]]) -> None:
        kinds = [kind for kind, _ in counts]
        weights = np.array([count for _, count in counts], np.float64)
        self._weights = weights / weights.sum()
        self._cpu = np.array([kind.cpu for kind in kinds], np.int64)[:, None]
        self._memory = np.array([kind.memory for kind in kinds], np.int64)[:, None]
        self._count = np.array([kind.devices for kind in kinds], np.int64)[:, None]
        self._shares, self._share_of = np.unique([kind.share for kind in kinds], return_inverse=True)
        self._selectors = {text: parse(text) for text in dict.fromkeys(kind.selector for kind in kinds)}
        self._selector_of = np.array([list(self._selectors).index(kind.selector) for kind in kinds], np.int64)
        self._labels = sorted({each.key for selector in self._selectors.values() for each in selector.requirements})
        self._known: dict[tuple[str, ...], Bools] = {}

    def wanted(self, nodes: Nodes) -> Bools:
        """Return (kinds, nodes): whose selector matches a node's labels (an empty label is taken for none)."""
        values = zip(*(nodes.label(key).tolist() for key in self._labels), strict=True) if self._labels else [()] * nodes.size
        found = [self._known.get(each) if each in self._known else self._matching(each) for each in values]
        return np.array(found, np.bool_).reshape(nodes.size, len(self._selectors)).T[self._selector_of]

    def wasted(self, free: Int64, cpu: Int64, memory: Int64, wanted: Bools) -> Floats:
        """Return F of each node.

        free           (devices, nodes) what is left of each device; cpu, memory (nodes,) what is left of them
        Cost           O(nodes x (devices x shares + kinds))
        """
        fits = free[None] >= self._shares[:, None, None]
        enough = fits.sum(axis=1, dtype=np.int64)[self._share_of]
        too_small = np.where(fits, 0, free[None]).sum(axis=1)[self._share_of]
        usable = wanted & (self._count > 0) & (enough >= self._count) & (self._cpu <= cpu) & (self._memory <= memory)
        found: Floats = self._weights @ np.where(usable, too_small, free.sum(axis=0))
        return found

    def _matching(self, values: tuple[str, ...]) -> Bools:
        labels = {key: value for key, value in zip(self._labels, values, strict=True) if value}
        found = self._known[values] = np.array([selector.matches(labels) for selector in self._selectors.values()])
        return found


def typical(counts: Sequence[tuple[Kind, int]]) -> Mix:
    """Return the kinds that a policy looks at: the most frequent ones."""
    wanted, chosen = TYPICAL_PART * sum(count for _, count in counts), list[tuple[Kind, int]]()
    for each in counts[:TRACE_MIX_MAX]:
        if sum(count for _, count in chosen) >= wanted:
            break
        chosen.append(each)
    return Mix(chosen)


class Fragmentation:
    """Score nodes by how little of their devices a pod makes useless for the workload."""

    def __init__(self, devices: Devices, mix: Mix) -> None:
        self._devices = devices
        self._mix = mix

    def score(self, ask: Ask, nodes: Nodes) -> Int64:
        """Return 0 to 100 for each node: 50 where nothing changes."""
        asked, (count, share) = dict(ask.amounts), self._devices.wish(ask)
        free, wanted = self._devices.free(nodes), self._mix.wanted(nodes)
        cpu, memory = nodes.free((CPU, MEMORY))
        before = self._mix.wasted(free, cpu, memory, wanted)
        left = free - share * best_fit(free, count, share)
        after = self._mix.wasted(left, cpu - asked.get(CPU, 0), memory - asked.get(MEMORY, 0), wanted)
        return np.rint(100 / (1 + np.exp((after - before) / DEVICE))).astype(np.int64)


class Measured:
    """The fragmentation of a cluster, kept up to date node by node."""

    def __init__(self, devices: Devices, mix: Mix, columns: Columns) -> None:
        self._devices, self._mix, self._columns = devices, mix, columns
        self._wasted: Floats = np.zeros(0)
        self._position = columns.position

    def now(self) -> tuple[float, float]:
        """Return how many devices' worth is free, and how much of that is wasted."""
        columns = self._columns
        touched = columns.touched_since(self._position) if len(self._wasted) == columns.count else None
        if touched is None:
            self._wasted = self._of(0, columns.count)
        for slot in set(touched or ()):
            self._wasted[slot] = self._of(slot, slot + 1)[0]
        self._position = columns.position
        free = self._devices.free(Nodes(columns, 0, columns.count))
        return float(free.sum()) / DEVICE, float(self._wasted.sum()) / DEVICE

    def _of(self, start: int, stop: int) -> Floats:
        nodes = Nodes(self._columns, start, stop)
        cpu, memory = nodes.free((CPU, MEMORY))
        return self._mix.wasted(self._devices.free(nodes), cpu, memory, self._mix.wanted(nodes))
