"""What a node's network must look like, and the steps from what is there to that: the host-gw backend, decided without touching a kernel.

Every node has a bridge with the first address of each of its podCIDRs. A packet for another node's pod goes to that node
itself, which must share a link with this one: a route per foreign podCIDR, through that node's address, and a fixed neighbour
entry where its hardware address is known.

    node-a 192.168.0.1, 10.1.0.0/24       bridge kcore0 10.1.0.1/24
    node-b 192.168.0.2, 10.1.1.0/24       route 10.1.1.0/24 via 192.168.0.2 dev eth0
    node-c 172.16.0.9,  10.1.2.0/24       problem: not on a link of node-a

`plan` turns nodes into the desired state; `diff` turns observed and desired state into actions. Order of the actions: what
carries traffic comes before what uses it, a route that changes is replaced in one step, and what is no longer wanted goes last;
so at no moment is a route missing that is both observed and desired. Only what bears this network's marks is changed or deleted:
its bridge, and routes and neighbours with its protocol number.

Source: flannel pkg/backend/hostgw and route_network (routes per subnet, replaced when the gateway changes).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network, ip_address, ip_interface, ip_network
from typing import Literal

from kcore.base import limits

PROTOCOL = 107
"""Mark of this network's routes and neighbours (rtm_protocol, NDA_PROTOCOL); free in iproute2's table."""

BRIDGE_NAME = "kcore0"


@dataclass(frozen=True, slots=True)
class NodeView:
    """What the network must know of a node object. Hardware address: that of the link its addresses are on, empty if unknown."""

    name: str
    addresses: tuple[str, ...]
    pod_cidrs: tuple[str, ...]
    hardware_address: str = ""


@dataclass(frozen=True, slots=True)
class Uplink:
    """A link of this node that other nodes are reached through, with its addresses in prefix form (`192.168.0.1/24`)."""

    device: str
    prefixes: tuple[str, ...]
    mtu: int = 1500


@dataclass(frozen=True, slots=True)
class OwnState:
    """What this node knows of itself."""

    name: str
    uplinks: tuple[Uplink, ...]
    bridge: str = BRIDGE_NAME


@dataclass(frozen=True, slots=True, order=True)
class Bridge:
    """The link that this node's pods are plugged into, with its addresses in prefix form."""

    name: str
    addresses: tuple[str, ...]
    mtu: int


@dataclass(frozen=True, slots=True, order=True)
class Route:
    """The way to another node's podCIDR."""

    destination: str
    via: str
    device: str
    protocol: int = PROTOCOL


@dataclass(frozen=True, slots=True, order=True)
class Neighbour:
    """The fixed hardware address of another node."""

    address: str
    device: str
    hardware_address: str
    protocol: int = PROTOCOL


@dataclass(frozen=True, slots=True, order=True)
class Sysctl:
    """A kernel setting."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, order=True)
class BridgeAddress:
    """One address of the bridge, in prefix form."""

    bridge: str
    address: str


@dataclass(frozen=True, slots=True)
class DesiredState:
    """What must be there, and what cannot be (one sentence each, for logs and events)."""

    bridge: Bridge
    routes: tuple[Route, ...]
    neighbours: tuple[Neighbour, ...]
    sysctls: tuple[Sysctl, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing can be planned yet, and nothing that is there should be touched."""

    reason: str


@dataclass(frozen=True, slots=True)
class ObservedState:
    """What is there: the kind of each link by name; the bridge, if the link of its name is one; routes; permanent neighbours."""

    links: tuple[tuple[str, str], ...] = ()
    bridge: Bridge | None = None
    routes: tuple[Route, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    sysctls: tuple[Sysctl, ...] = ()


Item = Bridge | BridgeAddress | Route | Neighbour | Sysctl
Verb = Literal["add", "set", "replace", "delete"]


@dataclass(frozen=True, slots=True)
class Action:
    """One step for the kernel."""

    verb: Verb
    item: Item


Interface = IPv4Interface | IPv6Interface
Network = IPv4Network | IPv6Network


@lru_cache(maxsize=limits.PLAN_PARSED_CIDRS_MAX)
def _network(text: str) -> Network:
    return ip_network(text, strict=False)


def plan(nodes: Iterable[NodeView], own: OwnState) -> DesiredState | Waiting:
    """Say what this node needs in order to reach the pods of all nodes.

    nodes     all nodes of the cluster, this one among them; their order does not matter
    Cost      O(nodes); a CIDR's text is parsed once while it is remembered
    """
    by_name = {node.name: node for node in nodes}
    me = by_name.pop(own.name, None)
    if me is None:
        return Waiting(f"node {own.name} is not registered")
    if not me.pod_cidrs:
        return Waiting(f"node {own.name} has no podCIDR")
    others = [by_name[name] for name in sorted(by_name)]
    hops = list(_hops(others, [_network(cidr) for cidr in me.pod_cidrs], _adjacent(own.uplinks)))
    routes = sorted(hop for hop in hops if isinstance(hop, Route))
    return DesiredState(
        bridge=Bridge(
            own.bridge,
            tuple(_gateway(cidr) for cidr in me.pod_cidrs),
            min((each.mtu for each in own.uplinks), default=limits.BRIDGE_MTU_BYTES),
        ),
        routes=tuple(routes),
        neighbours=tuple(_neighbours(others, routes)),
        sysctls=tuple(_forwarding(me.pod_cidrs)),
        problems=tuple(hop for hop in hops if isinstance(hop, str)),
    )


def _adjacent(uplinks: Sequence[Uplink]) -> list[tuple[Interface, str]]:
    return [(ip_interface(prefix), uplink.device) for uplink in uplinks for prefix in uplink.prefixes]


def _hops(others: Sequence[NodeView], own_cidrs: Sequence[Network], links: Sequence[tuple[Interface, str]]) -> Iterator[Route | str]:
    """A route, or a problem, per podCIDR of the other nodes."""
    owners: dict[str, str] = {}
    for node in others:
        for text in node.pod_cidrs:
            cidr = _network(text)
            owner = owners.setdefault(str(cidr), node.name)
            if owner != node.name:
                yield f"podCIDR {cidr} of node {node.name} is also that of node {owner}"
            elif any(cidr.version == mine.version and cidr.overlaps(mine) for mine in own_cidrs):
                yield f"podCIDR {cidr} of node {node.name} overlaps this node's own"
            else:
                yield _hop(node, cidr, links)


def _hop(node: NodeView, cidr: Network, links: Sequence[tuple[Interface, str]]) -> Route | str:
    for text in node.addresses:
        address = ip_address(text)
        if address.version != cidr.version:
            continue
        for interface, device in links:
            if address in interface.network:
                return Route(str(cidr), text, device)
    return f"podCIDR {cidr} of node {node.name} cannot be reached: none of its addresses is on a link of this node"


def _neighbours(others: Iterable[NodeView], routes: Iterable[Route]) -> list[Neighbour]:
    hardware = {address: node.hardware_address for node in others if node.hardware_address for address in node.addresses}
    return sorted({Neighbour(route.via, route.device, hardware[route.via]) for route in routes if route.via in hardware})


def _gateway(cidr: str) -> str:
    network = _network(cidr)
    return f"{network.network_address + 1}/{network.prefixlen}"


def _forwarding(cidrs: Iterable[str]) -> list[Sysctl]:
    names = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}
    return sorted({Sysctl(names[_network(cidr).version], "1") for cidr in cidrs})


def diff(observed: ObservedState, desired: DesiredState) -> tuple[Action, ...]:
    """List the steps that turn what is there into what must be; nothing if it is so already.

    What the observed state has in the way (`blocked`) is left alone, and what depends on it is left out.
    """
    return (
        *(Action("set", sysctl) for sysctl in desired.sysctls if sysctl not in observed.sysctls),
        *_bridge_actions(observed, desired.bridge),
        *_neighbour_actions(observed, desired),
        *_route_actions(observed, desired),
        *_deletions(observed, desired),
    )


def blocked(observed: ObservedState, desired: DesiredState) -> tuple[str, ...]:
    """Say what stands in the way and is not this network's to change: one sentence each."""
    kind = dict(observed.links).get(desired.bridge.name, "bridge")
    foreign = _foreign_routes(observed)
    problems = [] if kind == "bridge" else [f"link {desired.bridge.name} is not a bridge but of kind {kind}"]
    for route in desired.routes:
        if route.destination in foreign:
            problems.append(f"route to {route.destination} via {foreign[route.destination].via} is not of this network")
    return tuple(problems)


def _foreign_routes(observed: ObservedState) -> dict[str, Route]:
    return {route.destination: route for route in observed.routes if route.protocol != PROTOCOL}


def _bridge_actions(observed: ObservedState, bridge: Bridge) -> Iterator[Action]:
    if dict(observed.links).get(bridge.name, "bridge") != "bridge":
        return
    present = observed.bridge
    if present is None:
        yield Action("add", bridge)
    elif present.mtu != bridge.mtu:
        yield Action("set", bridge)
    for address in bridge.addresses:
        if present is None or address not in present.addresses:
            yield Action("add", BridgeAddress(bridge.name, address))


def _neighbour_actions(observed: ObservedState, desired: DesiredState) -> Iterator[Action]:
    """A neighbour that somebody else fixed stays as it is."""
    present = {(each.address, each.device): each for each in observed.neighbours}
    for neighbour in desired.neighbours:
        before = present.get((neighbour.address, neighbour.device))
        if before is None:
            yield Action("add", neighbour)
        elif before != neighbour and before.protocol == PROTOCOL:
            yield Action("replace", neighbour)


def _route_actions(observed: ObservedState, desired: DesiredState) -> Iterator[Action]:
    foreign = _foreign_routes(observed)
    present = {route.destination: route for route in observed.routes if route.protocol == PROTOCOL}
    for route in desired.routes:
        before = present.get(route.destination)
        if before != route and route.destination not in foreign:
            yield Action("add" if before is None else "replace", route)


def _deletions(observed: ObservedState, desired: DesiredState) -> Iterator[Action]:
    """Routes and neighbours of nodes that went, then addresses that the bridge had before. The kernel's own link-local addresses stay."""
    destinations = {route.destination for route in desired.routes}
    for route in sorted(observed.routes):
        if route.protocol == PROTOCOL and route.destination not in destinations:
            yield Action("delete", route)
    places = {(each.address, each.device) for each in desired.neighbours}
    for neighbour in sorted(observed.neighbours):
        if neighbour.protocol == PROTOCOL and (neighbour.address, neighbour.device) not in places:
            yield Action("delete", neighbour)
    if observed.bridge is not None:
        for address in observed.bridge.addresses:
            if address not in desired.bridge.addresses and not ip_interface(address).is_link_local:
                yield Action("delete", BridgeAddress(desired.bridge.name, address))
