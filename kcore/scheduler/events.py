"""What happens in a cluster that may let a waiting pod fit: the events that filters are asked about."""
from __future__ import annotations

from typing import NamedTuple

from kcore.scheduler.rows import Account, NodeRow


class NodeChanged(NamedTuple):
    """A node came (old is None) or its row became another one."""

    old: NodeRow | None
    new: NodeRow


class PodGone(NamedTuple):
    """A placed pod left its node, or takes less there than before."""

    node_name: str
    account: Account


ClusterEvent = NodeChanged | PodGone
