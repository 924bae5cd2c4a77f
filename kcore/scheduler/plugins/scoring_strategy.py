"""How NodeResourcesFit scores: by what is left (LeastAllocated), by what is taken (MostAllocated), or by a shape over the share taken.

Each resource gives 0 to 100, and a node the weighted mean of those that it has. A resource that is no cpu, memory or ephemeral storage
counts for pods alone that ask for it.

    shape (0, 0) (50, 10) (100, 0): half taken is best; scores of a shape go to 10, and count tenfold

Source: kube-scheduler 1.37, noderesources.
"""
from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from kcore.scheduler.columns import CPU_ROW, MEMORY_ROW, Columns, Int64
from kcore.scheduler.requests import CPU, MEMORY
from kcore.scheduler.rows import Ask

LEAST: Final = "LeastAllocated"
MOST: Final = "MostAllocated"
RATIO: Final = "RequestedToCapacityRatio"
EPHEMERAL_STORAGE: Final = "ephemeral-storage"
_NATIVE: Final = frozenset((CPU, MEMORY, EPHEMERAL_STORAGE))


class Strategy(NamedTuple):
    """A way to score; shape is (share taken in percent, score of 0 to 10), sorted by the first."""

    type: str = LEAST
    resources: tuple[tuple[str, int], ...] = ((CPU, 1), (MEMORY, 1))
    shape: tuple[tuple[int, int], ...] = ()


def score(strategy: Strategy, ask: Ask, columns: Columns, start: int, stop: int) -> Int64:
    """Return the score of each slot of a span."""
    total, weights = np.zeros(stop - start, np.int64), np.zeros(stop - start, np.int64)
    for name, weight in strategy.resources:
        asked = asked_amount(name, ask)
        row = columns.resources.get(name)
        if row is None or (not asked and not is_native(name)):
            continue
        allocatable = columns.allocatable[row, start:stop]
        taken = _taken(name, row, columns)[start:stop] + asked
        each = _RULES[strategy.type](allocatable, taken, strategy.shape)
        counts = (each > 0) & (allocatable > 0) if strategy.type == RATIO else allocatable > 0
        total += np.where(counts, weight * each, 0)
        weights += np.where(counts, weight, 0)
    divisor = np.maximum(weights, 1)
    found: Int64 = (2 * total + weights) // (2 * divisor) if strategy.type == RATIO else total // divisor
    return found


def is_native(name: str) -> bool:
    """Say whether a resource counts in scores for pods that do not ask for it."""
    return name in _NATIVE


def asked_amount(name: str, ask: Ask) -> int:
    """Return what of a resource an incoming pod counts in scores."""
    if name == CPU:
        return ask.nonzero_cpu
    if name == MEMORY:
        return ask.nonzero_memory
    return dict(ask.amounts).get(name, 0)


def _taken(name: str, row: int, columns: Columns) -> Int64:
    if name in (CPU, MEMORY):
        taken: Int64 = columns.nonzero[CPU_ROW if name == CPU else MEMORY_ROW]
        return taken
    requested: Int64 = columns.requested[row]
    return requested


def _least(allocatable: Int64, taken: Int64, _: tuple[tuple[int, int], ...]) -> Int64:
    free: Int64 = np.maximum(allocatable - taken, 0) * 100 // np.maximum(allocatable, 1)
    return free


def _most(allocatable: Int64, taken: Int64, _: tuple[tuple[int, int], ...]) -> Int64:
    share: Int64 = np.minimum(taken, allocatable) * 100 // np.maximum(allocatable, 1)
    return share


def _ratio(allocatable: Int64, taken: Int64, shape: tuple[tuple[int, int], ...]) -> Int64:
    share = np.where(taken > allocatable, 100, taken * 100 // np.maximum(allocatable, 1))
    found = np.full(len(share), 10 * shape[-1][1], np.int64)
    for (left, low), (right, high) in reversed([*pairwise(shape)]):
        rise = 10 * (high - low) * (share - left)
        # Division rounds towards zero, as upstream's does.
        inside = 10 * low + np.sign(rise) * (np.abs(rise) // (right - left))
        found = np.where(share <= right, inside, found)
    lowest: Int64 = np.where(share <= shape[0][0], 10 * shape[0][1], found)
    return lowest


_RULES: Final = {LEAST: _least, MOST: _most, RATIO: _ratio}
