"""NodeUnschedulable: cordoned nodes take only pods that tolerate it.

Source: kube-scheduler NodeUnschedulable.
"""
from __future__ import annotations

from collections.abc import Hashable
from typing import Final

import numpy as np

from kcore.scheduler.columns import Columns, UInt8
from kcore.scheduler.events import ClusterEvent, NodeChanged
from kcore.scheduler.rows import Ask, Taint, tolerated

CORDON: Final = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")


class NodeUnschedulable:
    """Reject nodes with spec.unschedulable."""

    name: Final = "NodeUnschedulable"
    reason: Final = "node(s) were unschedulable"
    hears: Final = (NodeChanged,)

    def reads(self, ask: Ask) -> Hashable:
        """Return that cordons matter, unless they are tolerated."""
        return None if tolerated(CORDON, ask.tolerations) else True

    def mask(self, ask: Ask, columns: Columns) -> UInt8:
        """Return 1 where the node is not cordoned."""
        return np.subtract(1, columns.unschedulable[: columns.count], dtype=np.uint8)

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """A new node helps, or the end of a cordon."""
        return isinstance(event, NodeChanged) and not event.new.unschedulable and (event.old is None or event.old.unschedulable)
