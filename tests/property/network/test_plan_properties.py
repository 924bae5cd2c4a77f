"""Plans over random clusters and kernels: the actions lead to the plan, only own things change, no route is missing in between."""

from dataclasses import replace
from ipaddress import ip_interface

from hypothesis import given
from hypothesis import strategies as st

from kcore.network.plan import (
    PROTOCOL,
    Action,
    Bridge,
    BridgeAddress,
    DesiredState,
    Neighbour,
    NodeView,
    ObservedState,
    OwnState,
    Route,
    Sysctl,
    Uplink,
    diff,
    plan,
)

OWN = OwnState("node-0", (Uplink("eth0", ("192.168.0.1/24",)), Uplink("eth1", ("192.168.1.1/24",))))

hosts = st.integers(2, 9).map(lambda n: f"192.168.0.{n}") | st.integers(2, 9).map(lambda n: f"192.168.1.{n}") | st.just("172.16.0.1")
cidrs = st.integers(0, 6).map(lambda n: f"10.1.{n}.0/24")
macs = st.sampled_from(["", "02:00:00:00:00:01", "02:00:00:00:00:02"])
protocols = st.sampled_from([PROTOCOL, PROTOCOL, 4])
devices = st.sampled_from(["eth0", "eth1"])


@st.composite
def clusters(draw: st.DrawFn) -> list[NodeView]:
    others = draw(st.lists(st.tuples(hosts, st.lists(cidrs, max_size=2, unique=True), macs), max_size=6))
    nodes = [NodeView(f"node-{n}", (host,), tuple(own), mac) for n, (host, own, mac) in enumerate(others, 1)]
    return [NodeView("node-0", ("192.168.0.1",), ("10.1.0.0/24",)), *nodes]


@st.composite
def kernels(draw: st.DrawFn) -> ObservedState:
    routes = draw(st.lists(st.builds(Route, cidrs, hosts, devices, protocols), max_size=6, unique_by=lambda route: route.destination))
    neighbour = st.builds(Neighbour, hosts, devices, macs.filter(bool), protocols)
    neighbours = draw(st.lists(neighbour, max_size=5, unique_by=lambda n: (n.address, n.device)))
    addresses = st.sampled_from([("10.1.0.1/24", "fe80::1/64"), ("10.9.0.1/24",)])
    bridge = draw(st.none() | st.builds(Bridge, st.just("kcore0"), addresses, st.integers(1400, 1500)))
    links = (("kcore0", "bridge"),) if bridge else ()
    sysctls = draw(st.sampled_from([(), (Sysctl("net.ipv4.ip_forward", "1"),)]))
    return ObservedState(links, bridge, tuple(routes), tuple(neighbours), sysctls)


def apply(state: ObservedState, action: Action) -> ObservedState:
    """What the kernel makes of an action; asserts that it is possible."""
    item = action.item
    if isinstance(item, Sysctl):
        return replace(state, sysctls=(*(each for each in state.sysctls if each.name != item.name), item))
    if isinstance(item, Bridge):
        assert (state.bridge is None) == (action.verb == "add")
        addresses = state.bridge.addresses if state.bridge else ()
        return replace(state, links=((item.name, "bridge"),), bridge=replace(item, addresses=addresses))
    if isinstance(item, BridgeAddress):
        assert state.bridge is not None
        assert (item.address in state.bridge.addresses) == (action.verb == "delete")
        kept = tuple(each for each in state.bridge.addresses if each != item.address)
        return replace(state, bridge=replace(state.bridge, addresses=kept if action.verb == "delete" else (*kept, item.address)))
    if isinstance(item, Route):
        others = tuple(each for each in state.routes if each.destination != item.destination)
        assert (len(others) == len(state.routes)) == (action.verb == "add")
        return replace(state, routes=others if action.verb == "delete" else (*others, item))
    kept_neighbours = tuple(each for each in state.neighbours if (each.address, each.device) != (item.address, item.device))
    assert (len(kept_neighbours) == len(state.neighbours)) == (action.verb == "add")
    return replace(state, neighbours=kept_neighbours if action.verb == "delete" else (*kept_neighbours, item))


@given(clusters(), kernels())
def test_actions_lead_to_the_plan_without_a_hole(nodes: list[NodeView], observed: ObservedState) -> None:
    desired = plan(nodes, OWN)
    assert isinstance(desired, DesiredState)
    staying = {route.destination for route in observed.routes} & {route.destination for route in desired.routes}
    state = observed
    for action in diff(observed, desired):
        state = apply(state, action)
        assert staying <= {route.destination for route in state.routes}
    assert diff(state, desired) == ()
    foreign = {route for route in observed.routes if route.protocol != PROTOCOL}
    assert foreign <= set(state.routes)
    blocked = {route.destination for route in foreign}
    assert {route for route in state.routes if route.protocol == PROTOCOL} == {r for r in desired.routes if r.destination not in blocked}
    assert {each for each in observed.neighbours if each.protocol != PROTOCOL} <= set(state.neighbours)
    assert state.bridge is not None
    assert {each for each in state.bridge.addresses if not ip_interface(each).is_link_local} == set(desired.bridge.addresses)


@given(clusters())
def test_each_destination_has_one_route_to_a_node_that_names_it(nodes: list[NodeView]) -> None:
    desired = plan(nodes, OWN)
    assert isinstance(desired, DesiredState)
    assert len({route.destination for route in desired.routes}) == len(desired.routes)
    for route in desired.routes:
        assert any(route.via in node.addresses and route.destination in node.pod_cidrs for node in nodes if node.name != OWN.name)
    named = sum(len(node.pod_cidrs) for node in nodes if node.name != OWN.name)
    assert len(desired.routes) + len(desired.problems) == named
