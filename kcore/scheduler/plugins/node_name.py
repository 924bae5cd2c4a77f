"""NodeName: a pod that names its node goes there or nowhere.

Source: kube-scheduler NodeName.
"""
from __future__ import annotations

from collections.abc import Hashable
from typing import Final

import numpy as np

from kcore.scheduler.columns import Columns, UInt8
from kcore.scheduler.events import ClusterEvent, NodeChanged
from kcore.scheduler.rows import Ask


class NodeName:
    """Pass the node of the name that the pod gives."""

    name: Final = "NodeName"
    reason: Final = "node(s) didn't match the requested node name"
    hears: Final = (NodeChanged,)

    def reads(self, ask: Ask) -> Hashable:
        """Return the node name."""
        return ask.node_name or None

    def mask(self, ask: Ask, columns: Columns) -> UInt8:
        """Return 1 at the node named."""
        mask = np.zeros(columns.count, np.uint8)
        slot = columns.slots.get(ask.node_name)
        if slot is not None:
            mask[slot] = 1
        return mask

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """Only the node's coming helps."""
        return isinstance(event, NodeChanged) and event.old is None and event.new.name == ask.node_name
