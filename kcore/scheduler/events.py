"""What happens in a cluster that may let a waiting pod fit: the events that filters are asked about."""
from __future__ import annotations

from collections.abc import Mapping
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
    """A placed pod left its node, or takes less there than before."""

    node_name: str
    account: Account


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
