"""What becomes of the node objects and heartbeats of all hollow nodes: changes, time and answers in, writes out. Never waits.

A node that is not there when all are known is registered, once; one that somebody deletes later stays away until somebody
registers it again. A node of an earlier run is taken over: it reports anew. A node reports when it is not Ready though it
should be, and every few minutes; its Lease is renewed in every period as long as its object is there.
"""

from collections import deque
from collections.abc import Callable, Iterable
from math import inf
from typing import Final

from kcore.agent import nodestate
from kcore.agent.addresses import AddressesFor, NodeSubnets
from kcore.agent.heartbeat import Heartbeats
from kcore.agent.hollownode import HollowNode
from kcore.agent.outbox import Outbox
from kcore.agent.podstate import Moment
from kcore.agent.settings import NodeSettings
from kcore.api.coordination.v1.lease_pb2 import Lease
from kcore.api.core.v1.node_pb2 import Node
from kcore.base import limits, log
from kcore.client import items, kinds
from kcore.client.bulk import BulkResult
from kcore.client.items import Item
from kcore.client.wire import DELETED, WatchEvent

_NODES: Final = kinds.of_message(Node)
_LEASES: Final = kinds.of_message(Lease)
_LOG = log.get("agent.nodes")

RETRIED: Final = frozenset(("TooManyRequests", "ServiceUnavailable", "ServerTimeout", "Timeout", "InternalError"))
"""Failures after which the same write may succeed."""


class NodeFleet:
    """The hollow nodes of one process. Thread: one owner calls it."""

    def __init__(
        self,
        settings: NodeSettings,
        addresses_for: AddressesFor,
        on_addresses: Callable[[HollowNode], None],
        subnets: NodeSubnets | None = None,
    ) -> None:
        """Simulate nodes.

        addresses_for   opens a node's addresses when it has podCIDRs
        on_addresses    is told when a node has got addresses, for itself or its pods
        subnets         gives podCIDRs to the nodes that are registered; None where a controller does that
        """
        self.nodes = {settings.name(index): HollowNode(settings.name(index), index) for index in range(settings.count)}
        self.lease_versions_unknown = False
        self._settings = settings
        self._addresses_for = addresses_for
        self._on_addresses = on_addresses
        self._subnets = subnets
        self._outbox: Outbox[HollowNode] = Outbox()
        self._unready = set(self.nodes)
        self._retries: deque[tuple[float, HollowNode]] = deque()
        self._leases: Heartbeats[HollowNode] = Heartbeats((), limits.NODE_HEARTBEAT_S, 0.0)
        self._reports: Heartbeats[HollowNode] = Heartbeats((), limits.NODE_REPORT_S, 0.0)
        self._due_reports: set[HollowNode] = set()

    @property
    def is_ready(self) -> bool:
        """Say whether all nodes are registered and Ready, and have all that they wait for."""
        return not self._unready

    @property
    def unready(self) -> int:
        """Number of nodes that are not."""
        return len(self._unready)

    @property
    def pending(self) -> int:
        """Number of nodes that have something to write."""
        return len(self._outbox)

    @property
    def next_s(self) -> float:
        """Steady time at which something is due; infinite if nothing is."""
        return min(self._leases.next_s, self._reports.next_s, self._retries[0][0] if self._retries else inf)

    def open(self, now: Moment) -> None:
        """All nodes that were there before are known: the others are registered, and heartbeats begin."""
        for node in self.nodes.values():
            if node.facts is not None:
                self._due_reports.add(node)
            self._outbox.add(node)
        self._leases = Heartbeats(self.nodes.values(), limits.NODE_HEARTBEAT_S, now.steady_s)
        self._reports = Heartbeats(self.nodes.values(), limits.NODE_REPORT_S, now.steady_s + limits.NODE_REPORT_S)

    def leases_listed(self, versions: Iterable[tuple[str, str]]) -> None:
        """Take in name and resource version of each Lease that is there."""
        self.lease_versions_unknown = False
        for node in self.nodes.values():
            node.lease_version = ""
        for name, version in versions:
            if name in self.nodes:
                self.nodes[name].lease_version = version

    def receive(self, changes: Iterable[WatchEvent], now: Moment) -> None:
        """Take changes in, as a reflector of all nodes delivers them."""
        for change in changes:
            node = self.nodes.get(change.key)
            if node is None:
                continue
            if change.type == DELETED:
                self._forget(node)
            else:
                self._present(node, change)

    def wake(self, now: Moment) -> None:
        """Take on the reports and repetitions that are due. Leases are taken with `take_leases`."""
        for node in self._reports.due(now.steady_s):
            if node.facts is not None:
                self._due_reports.add(node)
                self._outbox.add(node)
        while self._retries and self._retries[0][0] <= now.steady_s:
            self._outbox.add(self._retries.popleft()[1])

    def take(self, count: int, now: Moment) -> list[tuple[HollowNode, Item]]:
        """Take writes of node objects to send; each has to be settled."""
        taken: list[tuple[HollowNode, Item]] = []
        for node in self._outbox.take(count):
            item = self._item(node, now)
            if item is None:
                self._outbox.done(node)
            else:
                taken.append((node, item))
        return taken

    def settle(self, node: HollowNode, result: BulkResult | None, now: Moment) -> None:
        """Take in what became of a node's write; None if the request failed as a whole."""
        if self._outbox.done(node):
            self._outbox.add(node)
        if result is None or (result.error is not None and result.error.reason in RETRIED):
            self._retries.append((now.steady_s + limits.HOLLOW_RETRY_S, node))
        elif result.error is None:
            node.is_registered = True
            node.written = int(result.resource_version)
            self._due_reports.discard(node)
        elif result.error.reason not in ("Conflict", "AlreadyExists", "NotFound"):
            _LOG.warning("node write refused", node=node.name, reason=result.error.reason, message=result.error.message)

    def take_leases(self, now: Moment, wall_s: float) -> list[tuple[HollowNode, Item]]:
        """Take the renewals that are due; each has to be settled with `settle_lease`.

        wall_s    wall clock, with its fraction
        """
        taken = []
        for node in self._leases.due(now.steady_s):
            if node.facts is not None:
                raw = nodestate.lease_bytes(node.name, node.facts.uid, node.lease_version, wall_s)
                verb = "update" if node.lease_version else "create"
                taken.append((node, items.raw(verb, _LEASES, raw, namespace=nodestate.LEASE_NAMESPACE, name=node.name)))
        return taken

    def settle_lease(self, node: HollowNode, result: BulkResult | None) -> None:
        """Take in what became of a renewal; a failed one is repeated at its next turn, four of which fit into the Lease's duration."""
        if result is None:
            self.lease_versions_unknown = True
        elif result.error is None:
            node.lease_version = result.resource_version
        elif result.error.reason == "NotFound":
            node.lease_version = ""
        elif result.error.reason in ("Conflict", "AlreadyExists"):
            self.lease_versions_unknown = True
        else:
            _LOG.warning("lease refused", node=node.name, reason=result.error.reason, message=result.error.message)

    def _item(self, node: HollowNode, now: Moment) -> Item | None:
        """What a node has to write: its registration, its report, or that its taint is gone; None if nothing."""
        if node.facts is None:
            if node.is_registered:
                return None
            return items.create(nodestate.new_node(self._settings, node.index, now.wall_s, self._own_cidrs(node.name)))
        if node.revision < node.written:
            return None
        seen = Node.FromString(node.raw)
        if not node.facts.is_ready or node in self._due_reports:
            nodestate.report(seen, self._settings, node.index, now.wall_s)
            return items.update_status(seen)
        if self._unites(node):
            kept = [each for each in seen.spec.taints if each.key != nodestate.NOT_READY_TAINT]
            del seen.spec.taints[:]
            seen.spec.taints.extend(kept)
            if not node.facts.cidrs:
                seen.spec.podCIDRs.extend(self._own_cidrs(node.name))
                seen.spec.podCIDR = seen.spec.podCIDRs[0] if seen.spec.podCIDRs else ""
            return items.update(seen)
        return None

    def _unites(self, node: HollowNode) -> bool:
        """Say whether the node must do itself what controllers would do: take its taint off, take a podCIDR."""
        return self._subnets is not None and node.facts is not None and (node.facts.is_tainted or not node.facts.cidrs)

    def _own_cidrs(self, name: str) -> tuple[str, ...]:
        if self._subnets is None:
            return ()
        answer = self._subnets.allocate(name)
        if isinstance(answer, tuple):
            return answer
        _LOG.warning("node has no podCIDR", node=name, reason=answer.message)
        return ()

    def _present(self, node: HollowNode, change: WatchEvent) -> None:
        """A node's object is there, new or changed."""
        seen = nodestate.facts(Node.FromString(change.raw))
        before, node.facts, node.is_registered = node.facts, seen, True
        node.raw, node.revision = change.raw, change.revision
        if self._subnets is not None and seen.cidrs:
            for problem in self._subnets.adopt(node.name, seen.cidrs):
                _LOG.warning("podCIDR is not the node's own", node=node.name, reason=problem.message)
        if node.addresses is None and seen.cidrs:
            self._open_addresses(node, seen.cidrs)
        elif before is None or not before.host_ips:
            self._on_addresses(node)
        self._judge(node)
        if not seen.is_ready or self._unites(node) or node in self._due_reports:
            self._outbox.add(node)

    def _open_addresses(self, node: HollowNode, cidrs: tuple[str, ...]) -> None:
        try:
            node.addresses = self._addresses_for(cidrs)
        except ValueError as error:
            _LOG.warning("node cannot serve its podCIDR", node=node.name, cidrs=",".join(cidrs), reason=str(error))
            return
        self._on_addresses(node)

    def _judge(self, node: HollowNode) -> None:
        """Keep count of the nodes that are not ready."""
        seen = node.facts
        waits = self._settings.awaits_cidr or self._subnets is not None
        if seen is not None and seen.is_ready and not (waits and (node.addresses is None or seen.is_tainted)):
            self._unready.discard(node.name)
        else:
            self._unready.add(node.name)

    def _forget(self, node: HollowNode) -> None:
        """Somebody deleted the node: it is gone until somebody registers it again, and then may get other podCIDRs."""
        node.facts, node.raw, node.addresses = None, b"", None
        for pod in node.pods:
            pod.is_held = False
        if self._subnets is not None:
            self._subnets.release(node.name)
        self._due_reports.discard(node)
        self._outbox.discard(node)
        self._unready.discard(node.name)
