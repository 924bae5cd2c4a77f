"""NodeResourcesFit: what a pod requests must be free; nodes with more of it free score higher (LeastAllocated).

Source: kube-scheduler NodeResourcesFit.
"""
from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from kcore.scheduler import _kernels
from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.events import ClusterEvent, NodeChanged, PodGone
from kcore.scheduler.requests import Amounts
from kcore.scheduler.rows import Ask, NodeRow


class NodeResourcesFit:
    """Compare requests with what is free."""

    name: Final = "NodeResourcesFit"
    hears: Final = (NodeChanged, PodGone)

    def reads(self, ask: Ask) -> Hashable:
        """Return the requests, and what of them counts in scores."""
        return ask.amounts, ask.nonzero_cpu, ask.nonzero_memory

    def counted(self, ask: Ask) -> Amounts:
        """Return the requests that are compared."""
        return ask.amounts

    def codes(self, ask: Ask, columns: Columns, start: int, stop: int, out: Int64) -> None:
        """Write a bit for each resource that is not free."""
        rows, amounts = columns.asked(self.counted(ask))
        _kernels.fit(columns.allocatable, columns.requested, columns.pod_limit, columns.pod_count, rows, amounts, start, stop, out)

    def reasons(self, ask: Ask) -> tuple[str, ...]:
        """Return the reason of each bit: pods first, then the resources asked for."""
        return ("Too many pods", *(f"Insufficient {name}" for name, _ in self.counted(ask)))

    def score(self, ask: Ask, columns: Columns, feasible: UInt8, start: int, stop: int, out: Int64) -> None:
        """Write the mean share of cpu and memory that stays free."""
        _kernels.least_allocated(columns.allocatable, columns.nonzero, ask.nonzero_cpu, ask.nonzero_memory, feasible, start, stop, out)

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """A pod's end helps, or a node that could hold the pod were it empty, if it is new or has more than before."""
        if not isinstance(event, NodeChanged):
            return isinstance(event, PodGone)
        return _holds(event.new, ask) and (event.old is None or _grew(event.old, event.new, ask))


def _holds(node: NodeRow, ask: Ask) -> bool:
    offered = dict(node.allocatable)
    return node.pod_limit > 0 and all(offered.get(name, 0) >= amount for name, amount in ask.amounts)


def _grew(old: NodeRow, new: NodeRow, ask: Ask) -> bool:
    before, after = dict(old.allocatable), dict(new.allocatable)
    return new.pod_limit > old.pod_limit or any(after.get(name, 0) > before.get(name, 0) for name, _ in ask.amounts)
