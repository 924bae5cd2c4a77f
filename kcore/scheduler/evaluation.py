"""What is known about one ask on all nodes, kept up to date as pods are placed.

    slot            0      1      2      3
    mask            1      1      0      1       node filters: labels, taints ...; lives until a node changes
    codes           0      2      0      0       placed filters: 0 or reason bits
    feasible        1      0      0      1       mask and not codes
    totals          481    -      -      492     sum of weighted scores

A pod placed on slot 3 by anybody appends 3 to the columns' log. The next pod with the same ask finds the entry, computes slot 3 anew in
every placed filter and score, and leaves the rest: its results are those of a fresh evaluation. If a slot became feasible or ceased to be,
scores that are normalised over the feasible nodes are normalised again.

Results are kept per ask, the least recently used given up first, and its arrays used again.
"""
from __future__ import annotations

from collections.abc import Hashable
from typing import Final

import numpy as np

from kcore.base.limits import SCHEDULER_KEPT_BYTES_MAX, SCHEDULER_KEPT_MAX
from kcore.scheduler import _kernels
from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.framework import Diagnosis, PlacedFilter, PlacedScore
from kcore.scheduler.plugins.node_affinity import named_nodes
from kcore.scheduler.profile import DEFAULT, Profile
from kcore.scheduler.rows import Ask

# An ask holds feasible, codes, totals and two or three scores: one and up to five times eight bytes per slot.
BYTES_PER_SLOT: Final = 41
# Above this part of all slots, computing everything costs less than computing the touched ones one by one; so many are always few.
TOUCHED_PART: Final = 16
TOUCHED_FEW: Final = 4


class NodeResults:
    """Masks and raw scores that only nodes decide, by what they read of an ask; dropped when a node changes."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._version = -1
        self._masks: dict[Hashable, UInt8] = {}
        self._raws: dict[Hashable, Int64 | None] = {}

    def mask(self, ask: Ask, columns: Columns) -> UInt8:
        """Return 1 where all node filters pass; not to be written to."""
        self._expire(columns)
        key = tuple(plugin.reads(ask) for plugin in self._profile.node_filters)
        mask = self._masks.get(key)
        if mask is None:
            mask = columns.present[: columns.count].copy()
            for plugin, reads in zip(self._profile.node_filters, key, strict=True):
                if reads is not None:
                    mask &= plugin.mask(ask, columns)
            self._keep(self._masks, key, mask, columns)
        return mask

    def raw(self, index: int, ask: Ask, columns: Columns) -> Int64 | None:
        """Return the raw scores of the node score with this index in the profile; not to be written to."""
        self._expire(columns)
        plugin, _ = self._profile.node_scores[index]
        key = (index, plugin.reads(ask))
        if key not in self._raws:
            self._keep(self._raws, key, plugin.raw(ask, columns), columns)
        return self._raws[key]

    def _expire(self, columns: Columns) -> None:
        if self._version != columns.static_version:
            self._masks.clear()
            self._raws.clear()
            self._version = columns.static_version

    def _keep(self, results: dict[Hashable, UInt8] | dict[Hashable, Int64 | None], key: Hashable, value: object, columns: Columns) -> None:
        if len(results) >= kept_max(columns):
            del results[next(iter(results))]
        results[key] = value  # type: ignore[assignment]


class Evaluation:
    """The results of one ask under one profile.

    feasible  (slots,) 1 where the pod fits; totals (slots,) the weighted sum there; feasible_count of them
    filters   the placed filters that concern the ask, with the codes of each
    named     the only nodes that are looked at, or None for all
    diagnosis why no node is feasible, once somebody found out; forgotten when anything changes
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.ask = Ask()
        self.feasible: UInt8 = np.zeros(0, np.uint8)
        self.totals: Int64 = np.zeros(0, np.int64)
        self.feasible_count = 0
        self.named: frozenset[str] | None = None
        self.diagnosis: Diagnosis | None = None
        self.filters: list[tuple[PlacedFilter, Int64]] = []
        self._scores: list[tuple[PlacedScore, int, Int64]] = []
        self._mask: UInt8 = self.feasible
        self._base: Int64 | int = 0
        self._normalised = False
        self._version = -1
        self._position = 0

    def refresh(self, ask: Ask, columns: Columns, nodes: NodeResults) -> None:
        """Bring the results up to what the columns hold now."""
        if ask is not self.ask or self._version != columns.static_version:
            self._compute(ask, columns, nodes)
        elif self._position != columns.position:
            touched = columns.touched_since(self._position)
            if touched is None or len(touched) > max(TOUCHED_FEW, columns.count // TOUCHED_PART):
                self._compute(ask, columns, nodes)
            else:
                self._update(set(touched), columns, nodes)
        self._version, self._position = columns.static_version, columns.position

    def scores(self, columns: Columns, nodes: NodeResults) -> dict[str, tuple[Int64 | int, int]]:
        """Return per plugin that scores this ask its normalised scores and weight; for explanations."""
        found: dict[str, tuple[Int64 | int, int]] = {}
        feasible = self.feasible[: columns.count]
        for index, (plugin, weight) in enumerate(self.profile.node_scores):
            if plugin.reads(self.ask) is not None:
                found[plugin.name] = plugin.normalise(nodes.raw(index, self.ask, columns), feasible), weight
        for placed, weight, scores in self._scores:
            found[placed.name] = scores, weight
        return found

    def _compute(self, ask: Ask, columns: Columns, nodes: NodeResults) -> None:
        count = columns.count
        self.diagnosis = None
        self._prepare(ask, columns)
        self._mask = nodes.mask(ask, columns)
        self.feasible[:count] = self._mask
        self.feasible_count = 0 if self.filters else int(np.count_nonzero(self._mask))
        for plugin, codes in self.filters:
            plugin.codes(ask, columns, 0, count, codes)
            self.feasible_count = _kernels.keep_passing(codes, 0, count, self.feasible)
        for scorer, _, scores in self._scores:
            scorer.score(ask, columns, self.feasible, 0, count, scores)
        self._sum(columns, nodes)

    def _prepare(self, ask: Ask, columns: Columns) -> None:
        """Choose the plugins that the ask concerns and give each an array, an old one where there is one."""
        if len(self.feasible) != columns.capacity:
            self.feasible = np.zeros(columns.capacity, np.uint8)
            self.totals = np.zeros(columns.capacity, np.int64)
            self.filters, self._scores = [], []
        arrays = [codes for _, codes in self.filters] + [scores for _, _, scores in self._scores]
        self.filters = [(plugin, _array(arrays, columns)) for plugin in self.profile.placed_filters if plugin.reads(ask) is not None]
        self._scores = [
            (plugin, weight, _array(arrays, columns)) for plugin, weight in self.profile.placed_scores if plugin.reads(ask) is not None
        ]
        self.ask = ask
        self.named = named_nodes(ask)

    def _update(self, slots: set[int], columns: Columns, nodes: NodeResults) -> None:
        changed = 0
        self.diagnosis = None
        for slot in slots:
            before = self.feasible[slot]
            self.feasible[slot] = self._mask[slot]
            for plugin, codes in self.filters:
                plugin.codes(self.ask, columns, slot, slot + 1, codes)
                _kernels.keep_passing(codes, slot, slot + 1, self.feasible)
            for scorer, _, scores in self._scores:
                scorer.score(self.ask, columns, self.feasible, slot, slot + 1, scores)
            if before != self.feasible[slot]:
                changed += 1
                self.feasible_count += 1 if self.feasible[slot] else -1
        if changed and self._normalised:
            self._sum(columns, nodes)
            return
        for slot in slots:
            base = self._base if isinstance(self._base, int) else int(self._base[slot])
            self.totals[slot] = base + sum(weight * int(scores[slot]) for _, weight, scores in self._scores)

    def _sum(self, columns: Columns, nodes: NodeResults) -> None:
        feasible = self.feasible[: columns.count]
        base: Int64 | int = 0
        self._normalised = False
        for index, (plugin, weight) in enumerate(self.profile.node_scores):
            if plugin.reads(self.ask) is None:
                continue
            raw = nodes.raw(index, self.ask, columns)
            self._normalised |= raw is not None
            base = base + weight * plugin.normalise(raw, feasible)
        self._base = base
        totals = self.totals[: columns.count]
        totals[:] = base
        for _, weight, scores in self._scores:
            totals += scores[: columns.count] if weight == 1 else weight * scores[: columns.count]


def _array(arrays: list[Int64], columns: Columns) -> Int64:
    return arrays.pop() if arrays else np.empty(columns.capacity, np.int64)


class Evaluations:
    """The results of recent asks under one profile."""

    def __init__(self, profile: Profile = DEFAULT) -> None:
        self.profile = profile
        self.nodes = NodeResults(profile)
        self._kept: dict[Ask, Evaluation] = {}

    def of(self, ask: Ask, columns: Columns) -> Evaluation:
        """Return the up-to-date results of an ask."""
        evaluation = self._kept.pop(ask, None)
        if evaluation is None:
            evaluation = self._kept.pop(next(iter(self._kept))) if len(self._kept) >= kept_max(columns) else Evaluation(self.profile)
            evaluation.refresh(ask, columns, self.nodes)
        else:
            evaluation.refresh(evaluation.ask, columns, self.nodes)
        self._kept[ask] = evaluation
        return evaluation


def kept_max(columns: Columns) -> int:
    """Return how many results of one kind are kept."""
    return max(4, min(SCHEDULER_KEPT_MAX, SCHEDULER_KEPT_BYTES_MAX // (BYTES_PER_SLOT * columns.capacity)))
