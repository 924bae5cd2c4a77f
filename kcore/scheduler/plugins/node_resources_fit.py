"""NodeResourcesFit: what a pod requests must be free; nodes with more of it free score higher (LeastAllocated).

Source: kube-scheduler NodeResourcesFit.
"""
from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Final

import numpy as np

from kcore.scheduler import _kernels
from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.dra.devices import CLASS_PREFIX, DevicesChanged
from kcore.scheduler.dra.rows import DeviceClass
from kcore.scheduler.events import ClusterEvent, NodeChanged, PodGone
from kcore.scheduler.framework import UNRESOLVABLE
from kcore.scheduler.plugins.scoring_strategy import Strategy, score
from kcore.scheduler.requests import PODS, Amounts
from kcore.scheduler.rows import Ask, NodeRow

DEFAULT_STRATEGY: Final = Strategy()


class NodeResourcesFit:
    """Compare requests with what is free.

    ignored, ignored_groups  extended resources that are not compared, by name and by what stands before the slash
    strategy                 how nodes are scored
    """

    name: Final = "NodeResourcesFit"
    hears: Final = (NodeChanged, PodGone, DevicesChanged)

    def __init__(
        self, strategy: Strategy = DEFAULT_STRATEGY, ignored: frozenset[str] = frozenset(), ignored_groups: frozenset[str] = frozenset()
    ) -> None:
        self._strategy = strategy
        self._ignored = ignored
        self._ignored_groups = ignored_groups

    @property
    def scores_least(self) -> bool:
        """Whether nodes are scored as `_loads` does it: the mean share of cpu and memory that stays free."""
        return self._strategy == DEFAULT_STRATEGY

    def reads(self, ask: Ask) -> Hashable:
        """Return the requests, and what of them counts in scores."""
        return ask.amounts, ask.nonzero_cpu, ask.nonzero_memory

    def counted(self, ask: Ask) -> Amounts:
        """Return the requests that are compared."""
        if not (self._ignored or self._ignored_groups):
            return ask.amounts
        return tuple((name, amount) for name, amount in ask.amounts if not self._ignores(name))

    def _ignores(self, name: str) -> bool:
        group, slash, _ = name.partition("/")
        return bool(slash) and (name in self._ignored or group in self._ignored_groups)

    def codes(self, ask: Ask, columns: Columns, start: int, stop: int, out: Int64) -> None:
        """Write a bit for each resource that is not free."""
        rows, amounts = columns.asked(self.counted(ask))
        _kernels.fit(columns.allocatable, columns.requested, columns.pod_limit, columns.pod_count, rows, amounts, start, stop, out)
        if ask.device_needs is not None and ask.device_needs.extended is not None:
            self._leave_to_devices(ask, dict(ask.device_needs.extended.classes), columns, start, stop, out)

    def _leave_to_devices(self, ask: Ask, classes: Mapping[str, str], columns: Columns, start: int, stop: int, out: Int64) -> None:
        """Clear the bits of resources that a class of devices stands for, where a node offers none of them itself."""
        rows, amounts = columns.asked(self.counted(ask))
        bits, kept = np.zeros(stop - start, np.int64), np.zeros(stop - start, np.bool_)
        for bit, ((name, _), row, amount) in enumerate(zip(self.counted(ask), rows.tolist(), amounts.tolist(), strict=True), 1):
            offers = columns.allocatable[row, start:stop] if row >= 0 else np.zeros(stop - start, np.int64)
            left = (offers == 0) & (name in classes)
            bits |= left.astype(np.int64) << bit
            kept |= ~left & (offers < amount)
        codes = out[start:stop] & ~bits & ~UNRESOLVABLE
        out[start:stop] = np.where(kept & (codes != 0), codes | UNRESOLVABLE, codes)

    def add_claims(self, ask: Ask, columns: Columns, codes: Int64) -> None:
        """Write again the codes of slots where the pods nominated there leave too little."""
        claimed = columns.claimed_before(ask.priority)
        slots = np.flatnonzero(claimed.count)
        if not len(slots):
            return
        rows, amounts = columns.asked(self.counted(ask))
        allocatable, requested = np.ascontiguousarray(columns.allocatable[:, slots]), np.ascontiguousarray(columns.requested[:, slots])
        requested[: len(claimed.amounts)] += claimed.amounts[:, slots]
        pod_count, found = columns.pod_count[slots] + claimed.count[slots], np.zeros(len(slots), np.int64)
        _kernels.fit(allocatable, requested, columns.pod_limit[slots], pod_count, rows, amounts, 0, len(slots), found)
        codes[slots] = np.where(found != 0, found, codes[slots])

    def reasons(self, ask: Ask) -> tuple[str, ...]:
        """Return the reason of each bit: pods first, then the resources asked for."""
        return ("Too many pods", *(f"Insufficient {name}" for name, _ in self.counted(ask)))

    def score(self, ask: Ask, columns: Columns, feasible: UInt8, start: int, stop: int, out: Int64) -> None:
        """Write the score of the strategy; that of the default one, the mean share of cpu and memory that stays free, is compiled."""
        if self._strategy != DEFAULT_STRATEGY:
            out[start:stop] = np.where(feasible[start:stop], score(self._strategy, ask, columns, start, stop), 0)
            return
        _kernels.least_allocated(columns.allocatable, columns.nonzero, ask.nonzero_cpu, ask.nonzero_memory, feasible, start, stop, out)

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """A pod's end helps if the pod might fit there now, or a node that could hold it were it empty, if it is new or has more.

        So does a class of devices that comes to stand for a resource that the pod asks for.
        """
        asked = self.counted(ask)
        if isinstance(event, DevicesChanged):
            new, old = event.new, event.old
            provides = {new.extended, CLASS_PREFIX + new.name} if isinstance(new, DeviceClass) else set()
            before = {old.extended, CLASS_PREFIX + old.name} if isinstance(old, DeviceClass) else set()
            return not (provides - before).isdisjoint(name for name, _ in asked)
        if isinstance(event, PodGone):
            if event.room is None:
                return True
            room = event.room(ask.priority)
            return room.get(PODS, 0) > 0 and all(room.get(name, 0) >= amount for name, amount in asked)
        if not isinstance(event, NodeChanged):
            return False
        return _holds(event.new, asked) and (event.old is None or _grew(event.old, event.new, asked))


def _holds(node: NodeRow, asked: Amounts) -> bool:
    offered = dict(node.allocatable)
    return node.pod_limit > 0 and all(offered.get(name, 0) >= amount for name, amount in asked)


def _grew(old: NodeRow, new: NodeRow, asked: Amounts) -> bool:
    before, after = dict(old.allocatable), dict(new.allocatable)
    return new.pod_limit > old.pod_limit or any(after.get(name, 0) > before.get(name, 0) for name, _ in asked)
