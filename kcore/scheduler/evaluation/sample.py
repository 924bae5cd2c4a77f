"""Only some of the nodes that a pod fits on are scored, where a configuration says which part of the cluster is enough.

    percentageOfNodesToScore 10, 2,000 nodes: 200 are enough; the search begins where that for the pod before ended

Nodes are searched in turn, one of each zone, then the next of each. At least 100 are found before the search ends; clusters with less are
looked at as a whole. What is not found is as if it did not fit: scores are normalised over the nodes found.

All nodes are filtered at once here anyway, and scoring all of them is what kcore does unless it is told otherwise: 0, which upstream takes
for a part that fits the size of the cluster, means all. This is for who wants what kube-scheduler does with a part of his own choice.

Source: kube-scheduler 1.37, numFeasibleNodesToFind and the search in turn; there several threads search, so that which of the nodes near
the end of a search are found is left to chance.
"""
from __future__ import annotations

from collections.abc import Callable
from itertools import chain, zip_longest
from typing import Final, NamedTuple

import numpy as np

from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.evaluation.evaluation import Evaluation
from kcore.scheduler.evaluation.nodes import NodeResults
from kcore.scheduler.rows import NodeRow, PodRow

FOUND_MIN: Final = 100
"""So many feasible nodes are always looked for."""

_REGIONS: Final = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
_ZONES: Final = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")


class Choice(NamedTuple):
    """A node, how many had the highest total, that total, and how many were scored."""

    slot: int
    ties: int
    total: int
    scored: int


def wanted(percentage: int, node_count: int) -> int:
    """Return how many feasible nodes are enough."""
    if node_count < FOUND_MIN or not percentage:
        return node_count
    return max(FOUND_MIN, node_count * percentage // 100)


class Sample:
    """Where the search of one scheduler goes on, and the order of nodes. Thread: one."""

    def __init__(self) -> None:
        self._start = 0
        self._order: Int64 = np.zeros(0, np.int64)
        self._version = -1

    def choose(
        self, pod: PodRow, evaluation: Evaluation, columns: Columns, nodes: NodeResults, randrange: Callable[[int], int]
    ) -> Choice | None:
        """Choose one of the best among enough feasible nodes; None where there are no more than enough, so that all are scored."""
        count = columns.node_count
        enough = wanted(evaluation.profile.percentage, count)
        if evaluation.named is not None or evaluation.feasible_count <= enough:
            return None
        order = np.roll(self._ordered(columns), -(self._start % count))
        found = np.flatnonzero(evaluation.feasible[order])
        # The search ends when one more than enough is found, which is not taken.
        self._start = (self._start + int(found[enough])) % count
        slots = np.sort(order[found[:enough]])
        mask = np.zeros(columns.capacity, np.uint8)
        mask[slots] = 1
        totals = _totals(pod, evaluation, columns, nodes, mask)[slots]
        best = slots[totals == totals.max()]
        return Choice(int(best[randrange(len(best)) if len(best) > 1 else 0]), len(best), int(totals.max()), enough)

    def _ordered(self, columns: Columns) -> Int64:
        """Return the slots of all nodes, zone by zone in turn."""
        if self._version != columns.static_version:
            zones: dict[tuple[str, str], list[int]] = {}
            for slot in columns.slots.values():
                row = columns.rows[slot]
                if row is not None:
                    zones.setdefault((_label(row, _REGIONS), _label(row, _ZONES)), []).append(slot)
            self._order = np.array([slot for slot in chain(*zip_longest(*zones.values())) if slot is not None], np.int64)
            self._version = columns.static_version
        return self._order


def _totals(pod: PodRow, evaluation: Evaluation, columns: Columns, nodes: NodeResults, mask: UInt8) -> Int64:
    """Return the sums of weighted scores over the nodes of a mask."""
    profile, ask, count = evaluation.profile, pod.ask, columns.count
    totals = np.zeros(count, np.int64)
    scratch = np.zeros(columns.capacity, np.int64)
    for index, (plugin, weight) in enumerate(profile.node_scores):
        if plugin.reads(ask) is not None:
            totals += weight * plugin.normalise(nodes.raw(index, ask, columns), mask[:count])
    for placed, weight in profile.placed_scores:
        if placed.reads(ask) is not None:
            placed.score(ask, columns, mask, 0, count, scratch)
            totals += weight * scratch[:count]
    for peer, weight in profile.peer_scores:
        scores = peer.scores(pod, columns) if peer.reads(pod, columns) is not None else None
        if scores is not None:
            scores.score(mask[:count], True, scratch)
            totals += weight * scratch[:count]
    return totals


def _label(row: NodeRow, keys: tuple[str, ...]) -> str:
    return next((row.labels[key] for key in keys if row.labels.get(key)), "")
