"""NodeResourcesBalancedAllocation: prefer nodes whose shares of cpu and memory, or of other resources, the pod brings nearer to each other.

Source: kube-scheduler NodeResourcesBalancedAllocation since 1.35.
"""
from __future__ import annotations

from collections.abc import Hashable
from typing import Final

import numpy as np

from kcore.scheduler import _kernels
from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.plugins.scoring_strategy import is_native
from kcore.scheduler.requests import CPU, MEMORY
from kcore.scheduler.rows import Ask

BOTH: Final = (CPU, MEMORY)


class NodeResourcesBalancedAllocation:
    """Score by balance; pods that request none of the resources have no such score."""

    name: Final = "NodeResourcesBalancedAllocation"

    def __init__(self, resources: tuple[str, ...] = BOTH) -> None:
        self._resources = resources

    @property
    def is_default(self) -> bool:
        """Whether cpu and memory are balanced, as `_loads` does it."""
        return self._resources == BOTH

    def reads(self, ask: Ask) -> Hashable:
        """Return the requests of the resources."""
        asked = dict(ask.amounts)
        found = tuple(asked.get(name, 0) for name in self._resources)
        return found if any(found) else None

    def score(self, ask: Ask, columns: Columns, feasible: UInt8, start: int, stop: int, out: Int64) -> None:
        """Write 50 + (50 + with - without) / 2; cpu and memory are compiled."""
        asked = dict(ask.amounts)
        if self._resources == BOTH:
            cpu, memory = asked.get(CPU, 0), asked.get(MEMORY, 0)
            _kernels.balanced_allocation(columns.allocatable, columns.requested, cpu, memory, feasible, start, stop, out)
            return
        counted = [name for name in self._resources if name in columns.resources and (name in asked or is_native(name))]
        rows = [columns.resources[name] for name in counted]
        allocatable, requested = columns.allocatable[rows, start:stop], columns.requested[rows, start:stop]
        incoming = np.array([asked.get(name, 0) for name in counted], np.int64)[:, None]
        gain = 50 + _balance(allocatable, requested + incoming) - _balance(allocatable, requested)
        # Division rounds towards zero, as upstream's does.
        out[start:stop] = np.where(feasible[start:stop], 50 + np.sign(gain) * (np.abs(gain) // 2), 0)


def _balance(allocatable: Int64, requested: Int64) -> Int64:
    """Return 100 less the deviation of the shares of the resources that a node has, in percent."""
    has = allocatable > 0
    count = has.sum(axis=0)
    shares = np.where(has, np.minimum(1.0, requested / np.maximum(allocatable, 1)), 0.0)
    mean = shares.sum(axis=0) / np.maximum(count, 1)
    deviation = np.sqrt((np.where(has, shares - mean, 0.0) ** 2).sum(axis=0) / np.maximum(count, 1))
    halved = (np.where(has, shares, -1.0).max(axis=0, initial=0.0) - np.where(has, shares, 2.0).min(axis=0, initial=1.0)) / 2
    deviation = np.where(count == 2, halved, np.where(count > 2, deviation, 0.0))
    found: Int64 = ((1.0 - deviation) * 100.0).astype(np.int64)
    return found
