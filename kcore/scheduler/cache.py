"""Which pods stand on which nodes: those that the API shows, and those that this scheduler has just sent there (assumed).

    assume    decided: the pod counts at once, before the API knows
    confirm   the API shows it on its node; what is assumed becomes certain, or is put right
    forget    its binding failed: an assumed pod is taken back, a confirmed one stays

Each change of the cluster that may let a waiting pod fit is returned as an event. A pod on a node that does not exist (yet, or any more)
is remembered there and counts when the node comes.

Guarantee: the columns hold exactly the pods that are remembered here.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kcore.base import verify
from kcore.scheduler.columns import Columns
from kcore.scheduler.events import NamespaceChanged, NodeChanged, NodeGone, PeerChanged, PodGone
from kcore.scheduler.rows import Account, NodeRow, PodRow


@dataclass(slots=True)
class _Placed:
    uid: str
    node_name: str
    account: Account
    assumed: bool


class Cache:
    """Placed pods and nodes, kept in columns."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._pods: dict[str, _Placed] = {}

    def __len__(self) -> int:
        return len(self._pods)

    def uid(self, key: str) -> str | None:
        """Return the uid of a placed pod; None where there is none."""
        placed = self._pods.get(key)
        return placed.uid if placed else None

    def is_assumed(self, key: str) -> bool:
        """Say whether a pod is placed here and not yet in the API."""
        placed = self._pods.get(key)
        return placed is not None and placed.assumed

    def assume(self, pod: PodRow, node_name: str) -> PeerChanged:
        """Count a pod on the node that was decided."""
        assert pod.key not in self._pods, f"{pod.key} is placed already"
        self._put(pod, node_name, assumed=True)
        return PeerChanged(None, pod.account.peer)

    def forget(self, pod: PodRow) -> PodGone | None:
        """Take back an assumed pod."""
        placed = self._pods.get(pod.key)
        if placed is None or not placed.assumed or placed.uid != pod.uid:
            return None
        return self.remove(pod.key)

    def confirm(self, pod: PodRow) -> PodGone | PeerChanged | None:
        """Take in a pod that the API shows on a node; returns an event if it takes less somewhere than before, or shows something new."""
        placed = self._pods.get(pod.key)
        if placed is None:
            self._put(pod, pod.node_name, assumed=False)
            return PeerChanged(None, pod.account.peer)
        old = placed.account
        if (placed.uid, placed.node_name, old) == (pod.uid, pod.node_name, pod.account):
            placed.assumed = False
            return None
        if (placed.uid, placed.node_name, old._replace(peer=pod.account.peer)) == (pod.uid, pod.node_name, pod.account):
            self._columns.relabel(placed.node_name, old.peer, pod.account.peer)
            placed.account, placed.assumed = pod.account, False
            return PeerChanged(old.peer, pod.account.peer)
        gone = self.remove(pod.key)
        self._put(pod, pod.node_name, assumed=False)
        return gone

    def remove(self, key: str) -> PodGone | None:
        """Take away a pod that is deleted or has finished."""
        placed = self._pods.pop(key, None)
        if placed is None:
            return None
        self._columns.displace(placed.node_name, placed.account)
        return PodGone(placed.node_name, placed.account)

    def set_node(self, row: NodeRow) -> NodeChanged | None:
        """Take in a node, new or changed."""
        old = self._columns.node(row.name)
        if old == row:
            return None
        self._columns.set_node(row)
        return NodeChanged(old, row)

    def remove_node(self, name: str) -> NodeGone | None:
        """Take away a node; its pods stay until they are deleted."""
        old = self._columns.node(name)
        self._columns.remove_node(name)
        return None if old is None else NodeGone(old)

    def set_namespace(self, name: str, labels: Mapping[str, str] | None) -> NamespaceChanged | None:
        """Take in the labels of a namespace, None where it is gone."""
        old = self._columns.peers.namespaces.get(name, {})
        if not self._columns.peers.set_namespace(name, labels):
            return None
        return NamespaceChanged(name, old, labels or {})

    def rebuilt(self) -> Columns:
        """Return columns made afresh from the nodes and the placed pods."""
        columns = Columns()
        columns.peers.namespaces.update(self._columns.peers.namespaces)
        for row in self._columns.rows:
            if row is not None:
                columns.set_node(row)
        for placed in self._pods.values():
            columns.place(placed.node_name, placed.account)
        return columns

    def verify(self) -> None:
        """Check the guarantee, at the cost of building everything again."""
        rebuilt = self.rebuilt()
        verify.that(self._columns.held() == rebuilt.held(), "columns equal those built from the pods placed")
        rebuilt.peers.count_like(self._columns.peers)
        verify.that(self._columns.tallied() == rebuilt.tallied(), "tallies equal those counted from the pods placed")

    def _put(self, pod: PodRow, node_name: str, assumed: bool) -> None:
        self._columns.place(node_name, pod.account)
        self._pods[pod.key] = _Placed(pod.uid, node_name, pod.account, assumed)
