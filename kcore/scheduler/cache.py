"""Which pods stand on which nodes: those that the API shows, and those that this scheduler has just sent there (assumed).

    assume    decided: the pod counts at once, before the API knows
    confirm   the API shows it on its node; what is assumed becomes certain, or is put right
    forget    its binding failed: an assumed pod is taken back, a confirmed one stays

Each change of the cluster that may let a waiting pod fit is returned as an event. A pod on a node that does not exist (yet, or any more)
is remembered there and counts when the node comes.

Guarantee: the columns hold exactly the pods that are remembered here.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kcore.base import verify
from kcore.scheduler.columns import Columns
from kcore.scheduler.events import NamespaceChanged, NodeChanged, NodeGone, PeerChanged, PodGone
from kcore.scheduler.requests import PODS
from kcore.scheduler.rows import Account, NodeRow, PodRow


@dataclass(slots=True)
class Placed:
    """A pod on a node.

    assumed    this scheduler has sent it there, and the API does not show it yet
    started, preempted   as in its row: what decides on preemption
    condemned  this scheduler has preempted it, and the API does not show it yet
    """

    key: str
    uid: str
    node_name: str
    account: Account
    assumed: bool
    started: int = 0
    preempted: bool = False
    condemned: bool = False

    @property
    def leaves(self) -> bool:
        """Whether it was preempted, as far as is known here."""
        return self.preempted or self.condemned


class Room:
    """What a pod might get of a node as it is when it is asked first, by the pod's priority."""

    __slots__ = ("_cache", "_known", "_node_name")

    def __init__(self, cache: Cache, node_name: str) -> None:
        self._cache = cache
        self._node_name = node_name
        self._known: dict[int, Mapping[str, int]] = {}

    def __call__(self, priority: int) -> Mapping[str, int]:
        """Return what is free of each resource and of pods, with what pods of lower priority hold."""
        found = self._known.get(priority)
        if found is None:
            found = self._known[priority] = self._cache.room(self._node_name, priority)
        return found


class Cache:
    """Placed pods and nodes, kept in columns."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._pods: dict[str, Placed] = {}
        self._on: dict[str, dict[str, Placed]] = {}

    def __len__(self) -> int:
        return len(self._pods)

    def uid(self, key: str) -> str | None:
        """Return the uid of a placed pod; None where there is none."""
        placed = self._pods.get(key)
        return placed.uid if placed else None

    def on(self, node_name: str) -> Iterable[Placed]:
        """Return the pods of a node."""
        return self._on.get(node_name, {}).values()

    def all(self) -> Iterable[Placed]:
        """Return all pods that are placed."""
        return self._pods.values()

    def placed(self, key: str) -> Placed | None:
        """Return a pod that is placed."""
        return self._pods.get(key)

    def room(self, node_name: str, priority: int) -> Mapping[str, int]:
        """Return what a pod of this priority might get of a node: what is free, and what pods of lower priority hold."""
        room = self._columns.free(node_name)
        for placed in self.on(node_name):
            if placed.account.priority < priority:
                for name, amount in ((PODS, 1), *placed.account.amounts):
                    room[name] = room.get(name, 0) + amount
        return room

    def is_assumed(self, key: str) -> bool:
        """Say whether a pod is placed here and not yet in the API."""
        placed = self._pods.get(key)
        return placed is not None and placed.assumed

    def assume(self, pod: PodRow, node_name: str) -> PeerChanged:
        """Count a pod on the node that was decided."""
        assert pod.key not in self._pods, f"{pod.key} is placed already"
        self._put(pod, node_name, assumed=True)
        return PeerChanged(None, pod.account.peer)

    def assume_placed(self, pod: PodRow, node_name: str) -> None:
        """Remember a pod on the node that was decided, which the columns count already."""
        assert pod.key not in self._pods, f"{pod.key} is placed already"
        self._remember(pod, node_name, assumed=True)

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
        self._refresh(placed, pod)
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

    def hold(self, key: str, account: Account) -> None:
        """Let a placed pod hold more than it asked for, such as shares of certain devices; nothing is freed, so there is no event."""
        placed = self._pods[key]
        self._columns.place(placed.node_name, account)
        self._columns.displace(placed.node_name, placed.account)
        placed.account = account

    def remove(self, key: str) -> PodGone | None:
        """Take away a pod that is deleted or has finished."""
        placed = self._pods.pop(key, None)
        if placed is None:
            return None
        beside = self._on[placed.node_name]
        del beside[key]
        if not beside:
            del self._on[placed.node_name]
        self._columns.displace(placed.node_name, placed.account)
        clearing = any(each.leaves for each in beside.values()) if self._columns.nominated else False
        return PodGone(placed.node_name, placed.account, clearing, Room(self, placed.node_name))

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
        columns = Columns(self._columns.catalog, self._columns.devices)
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
        self._remember(pod, node_name, assumed)

    def _remember(self, pod: PodRow, node_name: str, assumed: bool) -> None:
        key, node_name = pod.key, self._columns.names[self._columns.slots[node_name]]
        placed = self._pods[key] = Placed(key, pod.uid, node_name, pod.account, assumed, pod.started, pod.preempted)
        beside = self._on.get(node_name)
        if beside is None:
            beside = self._on[node_name] = {}
        beside[key] = placed

    def _refresh(self, placed: Placed, pod: PodRow) -> None:
        """Take in what changes while a pod stands; what decides on preemption is told by the log of the columns."""
        if self._columns.has_priorities and (placed.started, placed.account.peer.labels) != (pod.started, pod.account.peer.labels):
            self._columns.touch(placed.node_name)
        placed.started, placed.preempted = pod.started, pod.preempted
