"""The host-gw plan: routes through nodes on a shared link, problems for the others, and steps that open no hole."""

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
    Waiting,
    blocked,
    diff,
    plan,
)

A = NodeView("a", ("192.168.0.1",), ("10.1.0.0/24",))
B = NodeView("b", ("192.168.0.2",), ("10.1.1.0/24",), "02:00:00:00:00:0b")
FAR = NodeView("far", ("172.16.0.9",), ("10.1.2.0/24",))
OWN = OwnState("a", (Uplink("eth0", ("192.168.0.1/24",), 1450),))
BRIDGE = Bridge("kcore0", ("10.1.0.1/24",), 1450)
ROUTE_B = Route("10.1.1.0/24", "192.168.0.2", "eth0")
NEIGHBOUR_B = Neighbour("192.168.0.2", "eth0", "02:00:00:00:00:0b")
FORWARD = Sysctl("net.ipv4.ip_forward", "1")
SETTLED = ObservedState((("kcore0", "bridge"), ("eth0", "veth")), BRIDGE, (ROUTE_B,), (NEIGHBOUR_B,), (FORWARD,))


def desired(*nodes: NodeView, own: OwnState = OWN) -> DesiredState:
    state = plan(nodes, own)
    assert isinstance(state, DesiredState)
    return state


def test_a_node_on_the_link_gets_a_route_and_a_neighbour() -> None:
    assert desired(A, B) == DesiredState(BRIDGE, (ROUTE_B,), (NEIGHBOUR_B,), (FORWARD,))


def test_a_node_off_the_link_is_a_problem() -> None:
    state = desired(A, FAR)
    assert state.routes == ()
    assert state.problems == ("podCIDR 10.1.2.0/24 of node far cannot be reached: none of its addresses is on a link of this node",)


def test_dual_stack_routes_go_through_the_address_of_their_family() -> None:
    mine = NodeView("a", ("192.168.0.1", "fd00::1"), ("10.1.0.0/24", "fd01::/64"))
    other = NodeView("b", ("192.168.0.2", "fd00::2"), ("10.1.1.0/24", "fd01:0:0:1::/64"))
    state = desired(mine, other, own=OwnState("a", (Uplink("eth0", ("192.168.0.1/24", "fd00::1/64")),)))
    assert state.routes == (ROUTE_B, Route("fd01:0:0:1::/64", "fd00::2", "eth0"))
    assert state.bridge.addresses == ("10.1.0.1/24", "fd01::1/64")
    assert state.sysctls == (FORWARD, Sysctl("net.ipv6.conf.all.forwarding", "1"))


def test_a_node_without_podcidr_waits() -> None:
    assert plan([NodeView("a", (), ())], OWN) == Waiting("node a has no podCIDR")
    assert plan([B], OWN) == Waiting("node a is not registered")


def test_a_podcidr_of_two_nodes_goes_to_the_first_by_name() -> None:
    state = desired(A, NodeView("c", ("192.168.0.3",), B.pod_cidrs), B)
    assert state.routes == (ROUTE_B,)
    assert state.problems == ("podCIDR 10.1.1.0/24 of node c is also that of node b",)


def test_a_podcidr_inside_this_nodes_own_is_a_problem() -> None:
    state = desired(A, NodeView("b", B.addresses, ("10.1.0.128/25",)))
    assert state.problems == ("podCIDR 10.1.0.128/25 of node b overlaps this node's own",)


def test_order_of_the_nodes_does_not_matter() -> None:
    assert desired(A, B, FAR) == desired(FAR, B, A)


def test_nothing_is_done_when_all_is_there() -> None:
    assert diff(SETTLED, desired(A, B)) == ()


def test_everything_is_made_in_an_order_that_works() -> None:
    assert diff(ObservedState(), desired(A, B)) == (
        Action("set", FORWARD),
        Action("add", BRIDGE),
        Action("add", BridgeAddress("kcore0", "10.1.0.1/24")),
        Action("add", NEIGHBOUR_B),
        Action("add", ROUTE_B),
    )


def test_a_node_that_moved_has_its_route_replaced_in_one_step() -> None:
    moved = NodeView("b", ("192.168.0.7",), B.pod_cidrs)
    assert diff(SETTLED, desired(A, moved)) == (
        Action("replace", Route("10.1.1.0/24", "192.168.0.7", "eth0")),
        Action("delete", NEIGHBOUR_B),
    )


def test_a_node_that_went_takes_its_route_and_neighbour_along() -> None:
    assert diff(SETTLED, desired(A)) == (Action("delete", ROUTE_B), Action("delete", NEIGHBOUR_B))


def test_a_new_network_card_replaces_the_neighbour() -> None:
    other = NodeView("b", B.addresses, B.pod_cidrs, "02:00:00:00:00:ff")
    assert diff(SETTLED, desired(A, other)) == (Action("replace", Neighbour("192.168.0.2", "eth0", "02:00:00:00:00:ff")),)


def test_the_bridge_gets_its_mtu_and_addresses_and_keeps_link_local_ones() -> None:
    before = Bridge("kcore0", ("10.9.0.1/24", "fe80::1/64"), 1500)
    observed = ObservedState((("kcore0", "bridge"),), before, (), (), (FORWARD,))
    assert diff(observed, desired(A)) == (
        Action("set", BRIDGE),
        Action("add", BridgeAddress("kcore0", "10.1.0.1/24")),
        Action("delete", BridgeAddress("kcore0", "10.9.0.1/24")),
    )


def test_what_others_made_is_left_alone_and_named() -> None:
    foreign = Route("10.1.1.0/24", "192.168.0.99", "eth0", protocol=4)
    elsewhere = Route("10.77.0.0/16", "192.168.0.98", "eth0", protocol=4)
    fixed = Neighbour("192.168.0.2", "eth0", "02:ff:ff:ff:ff:ff", protocol=0)
    observed = ObservedState((("kcore0", "dummy"),), None, (foreign, elsewhere), (fixed,), (FORWARD,))
    assert diff(observed, desired(A, B)) == ()
    assert blocked(observed, desired(A, B)) == (
        "link kcore0 is not a bridge but of kind dummy",
        "route to 10.1.1.0/24 via 192.168.0.99 is not of this network",
    )
    assert foreign.protocol != PROTOCOL
