"""NodeResourcesBalancedAllocation: prefer nodes whose shares of cpu and memory the pod brings nearer to each other.

Source: kube-scheduler NodeResourcesBalancedAllocation since 1.35.
"""
from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from kcore.scheduler import _kernels
from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.requests import CPU, MEMORY
from kcore.scheduler.rows import Ask


class NodeResourcesBalancedAllocation:
    """Score by balance; pods that request neither cpu nor memory have no such score."""

    name: Final = "NodeResourcesBalancedAllocation"

    def reads(self, ask: Ask) -> Hashable:
        """Return cpu and memory."""
        cpu, memory = _requests(ask)
        return (cpu, memory) if cpu or memory else None

    def score(self, ask: Ask, columns: Columns, feasible: UInt8, start: int, stop: int, out: Int64) -> None:
        """Write 50 + (50 + with - without) / 2."""
        cpu, memory = _requests(ask)
        _kernels.balanced_allocation(columns.allocatable, columns.requested, cpu, memory, feasible, start, stop, out)


def _requests(ask: Ask) -> tuple[int, int]:
    cpu = memory = 0
    for name, amount in ask.amounts:
        if name == CPU:
            cpu = amount
        elif name == MEMORY:
            memory = amount
    return cpu, memory
