"""Which piece of the cluster CIDR each node owns.

Each family's cluster CIDR is cut into subnets of one size. A map with a byte per subnet says which are taken, so that the next
free one is found by a memory scan; it is rebuilt from the nodes' podCIDRs, nothing else is stored. Allocation goes round: it
continues behind the subnet given last, so that a subnet that was given back rests as long as possible.

    cluster 10.244.0.0/22, node prefix 24     subnet 0         1         2         3
    taken                                            node-a    -         node-b    -
    cursor                                                     ^ allocate("node-c") gives 10.244.1.0/24, the cursor moves to 2

Source: kube-controller-manager pkg/controller/nodeipam/ipam (RangeAllocator, CIDRSet).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from kcore.base import limits

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class ClusterRange:
    """A cluster CIDR and the length of the prefix that each node gets of it."""

    cidr: Network
    node_prefix: int

    @property
    def count(self) -> int:
        """Number of node subnets."""
        return 1 << (self.node_prefix - self.cidr.prefixlen)


@dataclass(frozen=True, slots=True)
class SubnetsExhausted:
    """Every subnet of a cluster CIDR is taken."""

    cidr: str
    count: int

    @property
    def message(self) -> str:
        """What an operator reads."""
        return f"no subnet of {self.cidr} is free for the node: all {self.count} are taken"


@dataclass(frozen=True, slots=True)
class SubnetProblem:
    """A node's podCIDR that cannot be its own: outside the cluster CIDRs, or another node's too."""

    node: str
    cidr: str
    message: str


def cluster_ranges(cidrs: Sequence[str], node_prefix_v4: int = 24, node_prefix_v6: int = 64) -> tuple[ClusterRange, ...]:
    """Parse the cluster CIDRs, at most one a family; the first is the primary one.

    Raises    ValueError for a CIDR that is malformed, has host bits, repeats a family, is smaller than a node's subnet or has
    too many of them
    """
    ranges = tuple(_cluster_range(ip_network(cidr), node_prefix_v4, node_prefix_v6) for cidr in cidrs)
    if not ranges:
        raise ValueError("no cluster CIDR is given")
    if len({each.cidr.version for each in ranges}) != len(ranges):
        raise ValueError(f"cluster CIDRs {', '.join(cidrs)} must be one, or one of each family")
    return ranges


def _cluster_range(cidr: Network, node_prefix_v4: int, node_prefix_v6: int) -> ClusterRange:
    node_prefix = node_prefix_v4 if cidr.version == 4 else node_prefix_v6
    if not cidr.prefixlen <= node_prefix <= cidr.max_prefixlen:
        raise ValueError(f"node prefix /{node_prefix} does not fit into cluster CIDR {cidr}")
    if node_prefix - cidr.prefixlen > limits.NODE_SUBNET_BITS_MAX:
        raise ValueError(f"cluster CIDR {cidr} has more than 2^{limits.NODE_SUBNET_BITS_MAX} subnets of /{node_prefix}")
    return ClusterRange(cidr, node_prefix)


class SubnetPool:
    """The subnets of one cluster CIDR, by index, with the names that hold them."""

    __slots__ = ("_base", "_cursor", "_holders", "_shift", "_taken", "range")

    def __init__(self, cluster_range: ClusterRange) -> None:
        self.range = cluster_range
        self._base = int(cluster_range.cidr.network_address)
        self._shift = cluster_range.cidr.max_prefixlen - cluster_range.node_prefix
        self._taken = bytearray(cluster_range.count)
        self._holders: dict[int, set[str]] = {}
        self._cursor = 0

    @property
    def taken(self) -> int:
        """Number of subnets that are not free."""
        return len(self._holders)

    def covers(self, cidr: Network) -> bool:
        """Say whether the CIDR overlaps this cluster CIDR."""
        return cidr.version == self.range.cidr.version and cidr.overlaps(self.range.cidr)

    def indexes(self, cidr: Network) -> range:
        """Indexes of the subnets that the CIDR touches; several if it is larger than one, clipped to the cluster CIDR."""
        first = (max(int(cidr.network_address), self._base) - self._base) >> self._shift
        last = (int(cidr.broadcast_address) - self._base) >> self._shift
        return range(first, min(last, self.range.count - 1) + 1)

    def free_index(self) -> int:
        """Index of the next free subnet, going round from the one given last; -1 if there is none."""
        index = self._taken.find(0, self._cursor)
        return index if index >= 0 else self._taken.find(0, 0, self._cursor)

    def hold(self, index: int, holder: str) -> frozenset[str]:
        """Note that the holder has the subnet; returns who else has it."""
        others = self._holders.setdefault(index, set())
        before = frozenset(others - {holder})
        others.add(holder)
        self._taken[index] = 1
        return before

    def give(self, index: int, holder: str) -> str:
        """Hand out a free subnet and return its CIDR."""
        assert not self._taken[index], f"subnet {index} of {self.range.cidr} is taken"
        self.hold(index, holder)
        self._cursor = index + 1
        return self.text(index)

    def drop(self, index: int, holder: str) -> None:
        """Note that the holder no longer has the subnet; it is free once nobody has it. A holder that has it not is no matter."""
        holders = self._holders.get(index)
        if holders is None:
            return
        holders.discard(holder)
        if not holders:
            del self._holders[index]
            self._taken[index] = 0

    def text(self, index: int) -> str:
        """CIDR of a subnet."""
        value = self._base + (index << self._shift)
        address = IPv4Address(value) if self.range.cidr.version == 4 else IPv6Address(value)
        return f"{address}/{self.range.node_prefix}"


class SubnetAllocator:
    """Subnets of every node, one of each cluster CIDR; rebuilt with `adopt`, then asked with `allocate` and `release`."""

    __slots__ = ("_nodes", "_pools")

    def __init__(self, ranges: Sequence[ClusterRange], reserved: Iterable[str] = ()) -> None:
        """Start with every subnet free but for those that the reserved CIDRs (service range, host network) touch."""
        self._pools = tuple(SubnetPool(each) for each in ranges)
        self._nodes: dict[str, tuple[str, ...]] = {}
        for cidr in map(ip_network, reserved):
            for pool in self._pools:
                if pool.covers(cidr):
                    for index in pool.indexes(cidr):
                        pool.hold(index, "")

    def subnets(self, node: str) -> tuple[str, ...]:
        """CIDRs of a node, in the order of the cluster CIDRs; empty if it has none."""
        return self._nodes.get(node, ())

    def nodes(self) -> frozenset[str]:
        """Names of the nodes that hold subnets."""
        return frozenset(self._nodes)

    def usage(self) -> tuple[tuple[str, int, int], ...]:
        """Per cluster CIDR: its text, the number of subnets taken (reserved ones too), the number there are."""
        return tuple((str(pool.range.cidr), pool.taken, pool.range.count) for pool in self._pools)

    def allocate(self, node: str) -> tuple[str, ...] | SubnetsExhausted:
        """Give the node a subnet of each cluster CIDR, or none at all; a node that has its subnets keeps them.

        Cost      O(subnets) bytes scanned at worst, usually one
        """
        if node in self._nodes:
            return self._nodes[node]
        free = [(pool, pool.free_index()) for pool in self._pools]
        for pool, index in free:
            if index < 0:
                return SubnetsExhausted(str(pool.range.cidr), pool.range.count)
        given = tuple(pool.give(index, node) for pool, index in free)
        self._nodes[node] = given
        return given

    def adopt(self, node: str, cidrs: Sequence[str]) -> tuple[SubnetProblem, ...]:
        """Take over what a node's podCIDRs say; what it held before and does not name any more is free again.

        A CIDR that is not of the cluster is kept as the node's and reported; so is one that another node names too. It stays
        taken until the last of them lets it go.
        """
        if self._nodes.get(node) == tuple(cidrs):
            return ()
        self.release(node)
        self._nodes[node] = tuple(cidrs)
        return tuple(problem for cidr in cidrs for problem in self._adopt_one(node, cidr))

    def _adopt_one(self, node: str, text: str) -> list[SubnetProblem]:
        try:
            cidr = ip_network(text, strict=False)
        except ValueError:
            return [SubnetProblem(node, text, f"podCIDR {text} of node {node} is not a CIDR")]
        pools = [pool for pool in self._pools if pool.covers(cidr)]
        if not pools:
            return [SubnetProblem(node, text, f"podCIDR {text} of node {node} is outside the cluster CIDRs")]
        others = frozenset[str]().union(*(pool.hold(index, node) for pool in pools for index in pool.indexes(cidr)))
        return [SubnetProblem(node, text, f"podCIDR {text} of node {node} overlaps {_holder_text(other)}") for other in sorted(others)]

    def release(self, node: str) -> tuple[str, ...]:
        """Free the node's subnets; returns what it had, empty if it had none."""
        cidrs = self._nodes.pop(node, ())
        for text in cidrs:
            for cidr in _parsed(text):
                for pool in self._pools:
                    if pool.covers(cidr):
                        for index in pool.indexes(cidr):
                            pool.drop(index, node)
        return cidrs


def _parsed(text: str) -> list[Network]:
    """Zero or one CIDR: what a node names may be no CIDR at all."""
    try:
        return [ip_network(text, strict=False)]
    except ValueError:
        return []


def _holder_text(holder: str) -> str:
    return f"that of node {holder}" if holder else "a reserved range"
