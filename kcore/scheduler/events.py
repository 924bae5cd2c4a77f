"""What happens in a cluster that may let a waiting pod fit: the events that filters are asked about."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from kcore.scheduler.dra.devices import DevicesChanged
from kcore.scheduler.rows import Account, NodeRow, Peer
from kcore.scheduler.volumes.catalog import StorageChanged


class NodeChanged(NamedTuple):
    """A node came (old is None) or its row became another one."""

    old: NodeRow | None
    new: NodeRow


class NodeGone(NamedTuple):
    """A node went."""

    old: NodeRow


class PodGone(NamedTuple):
    """A placed pod left its node, or takes less there than before.

    clearing  whether further pods are leaving the node that were preempted
    room      what a pod of a priority might get there of a resource, or of "pods": what is free, and what pods of lower priority hold
    """

    node_name: str
    account: Account
    clearing: bool = False
    room: Callable[[int], Mapping[str, int]] | None = None


class PeerChanged(NamedTuple):
    """A pod was placed (old is None), or shows something else on its node than before."""

    old: Peer | None
    new: Peer


class NamespaceChanged(NamedTuple):
    """A namespace has other labels than before; one that is not there has none."""

    name: str
    old: Mapping[str, str]
    new: Mapping[str, str]


ClusterEvent = NodeChanged | NodeGone | PodGone | PeerChanged | NamespaceChanged | StorageChanged | DevicesChanged
