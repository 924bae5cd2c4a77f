"""Random nodes and pods that are small enough to collide: few labels, taints, ports and amounts.

Whatever rejects a node is rare, or no node would be left to score: a random pod fits on about half of the random nodes.
"""

from hypothesis import strategies as st

from kcore.scheduler.rows import (
    Account,
    Ask,
    Expression,
    Image,
    NodeRow,
    Peer,
    PodAffinity,
    PodPreference,
    PodRow,
    PodSelector,
    PodTerm,
    Preference,
    Spread,
    Taint,
    Term,
    Toleration,
)

KEYS = ("zone", "disk", "gen")
VALUES = ("a", "b", "7", "-3", "")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
IMAGES = ("web:1", "db:2", "big:latest")
PORTS = (("0.0.0.0", "TCP", 80), ("10.0.0.1", "TCP", 80), ("0.0.0.0", "UDP", 80), ("10.0.0.1", "TCP", 443))
TOPOLOGY = ("topology.kubernetes.io/zone", "rack", "kubernetes.io/hostname")
NAMESPACES = ("default", "other", "third")
NAMES = tuple(f"n{number}" for number in range(7))

def rarely(strategy: st.SearchStrategy, otherwise: object) -> st.SearchStrategy:
    """Draw from a strategy in one case of six."""
    return st.integers(0, 5).flatmap(lambda number: strategy if number == 5 else st.just(otherwise))


amounts = st.fixed_dictionaries(
    {
        "cpu": st.sampled_from((0, 1, 250, 500, 1999)),
        "memory": st.sampled_from((0, 1, 2**28, 2**30)),
        "example.com/gpu": st.sampled_from((0, 0, 0, 0, 1)),
    }
).map(lambda found: tuple(sorted((name, amount) for name, amount in found.items() if amount)))
ports = st.lists(st.sampled_from(PORTS), max_size=2, unique=True).map(tuple)
expressions = st.builds(
    Expression,
    st.sampled_from(KEYS),
    st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Near")),
    st.lists(st.sampled_from(VALUES), min_size=1, max_size=2).map(tuple),
)
fields = st.builds(
    Expression,
    st.just("metadata.name"),
    st.sampled_from(("In", "NotIn")),
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=2).map(tuple),
)
terms = st.builds(Term, st.lists(expressions, max_size=2).map(tuple), st.lists(fields, max_size=1).map(tuple))
tolerations = st.builds(
    Toleration,
    st.sampled_from(("", "team", "node.kubernetes.io/unschedulable")),
    st.sampled_from(("Exists", "Equal", "")),
    st.sampled_from(("", "x")),
    st.sampled_from(("", *EFFECTS)),
)
taints = st.builds(
    Taint,
    st.sampled_from(("team", "other")),
    st.sampled_from(("", "x")),
    rarely(st.sampled_from(("NoSchedule", "NoExecute")), "PreferNoSchedule"),
)
labels = st.dictionaries(st.sampled_from(("app", "tier")), st.sampled_from(("a", "b")), max_size=2).map(
    lambda found: tuple(sorted(found.items()))
)
selections = st.lists(
    st.builds(
        Expression,
        st.sampled_from(("app", "tier")),
        st.sampled_from(("In", "In", "NotIn", "Exists", "DoesNotExist")),
        st.lists(st.sampled_from(("a", "b")), min_size=1, max_size=2, unique=True).map(tuple),
    ),
    max_size=2,
).map(tuple)
namespace_selections = st.sampled_from(((), (Expression("team", "In", ("x",)),), (Expression("team", "NotIn", ("x",)),)))
pod_selectors = st.builds(
    PodSelector,
    rarely(st.none(), ()).flatmap(lambda nothing: st.none() if nothing is None else selections),
    st.just(("default",)) | st.lists(st.sampled_from(NAMESPACES), max_size=2, unique=True).map(lambda found: tuple(sorted(found))),
    rarely(namespace_selections, None),
)
pod_terms = st.builds(PodTerm, pod_selectors, st.sampled_from(TOPOLOGY))
preferences = st.builds(PodPreference, st.integers(-100, 100).filter(bool), pod_terms)
affinities = st.builds(
    PodAffinity,
    rarely(st.lists(pod_terms, max_size=2).map(tuple), ()),
    rarely(st.lists(pod_terms, max_size=2).map(tuple), ()),
    st.lists(preferences, max_size=2).map(tuple),
)
spreads = st.builds(
    Spread,
    st.sampled_from(TOPOLOGY),
    st.integers(1, 3),
    st.booleans(),
    selections.map(lambda found: PodSelector(found, ("default",))),
    st.integers(1, 3),
    st.booleans(),
    st.booleans(),
)
peers = st.builds(Peer, st.sampled_from(("default", *NAMESPACES)), labels, rarely(st.just(True), False), rarely(affinities, None))
namespaces = st.dictionaries(st.sampled_from(NAMESPACES), st.sampled_from(({}, {"team": "x"}, {"team": "y"})))


@st.composite
def asks(draw: st.DrawFn) -> Ask:
    """An ask of a few wishes."""
    return Ask(
        node_name=draw(rarely(rarely(st.just("n1"), ""), "")),
        tolerations=draw(st.lists(tolerations, max_size=2).map(tuple)),
        node_selector=draw(rarely(st.sampled_from(VALUES).map(lambda value: (("zone", value),)), ())),
        required=draw(rarely(st.lists(terms, max_size=2).map(tuple), None)),
        preferred=tuple(Preference(draw(st.integers(1, 100)), draw(terms)) for _ in range(draw(st.integers(0, 2)))),
        ports=draw(rarely(ports, ())),
        amounts=draw(amounts),
        nonzero_cpu=draw(st.sampled_from((0, 100, 500))),
        nonzero_memory=draw(st.sampled_from((0, 200 * 2**20, 2**30))),
        images=tuple(draw(st.lists(st.sampled_from(IMAGES), max_size=2))),
        spread=tuple(draw(st.lists(spreads, max_size=2) | st.just([]))),
        affinity=draw(affinities | st.none()),
    )


@st.composite
def waiting(draw: st.DrawFn) -> PodRow:
    """A pending pod."""
    return pod("a", draw(asks()), shown=draw(labels))


@st.composite
def wishing(draw: st.DrawFn) -> PodRow:
    """A pending pod that cares for other pods, and little else: for spreading, for affinity, or for both."""
    spreads_out, joins = draw(st.sampled_from(((True, False), (True, False), (False, True), (True, True))))
    ask = Ask(
        tolerations=draw(st.sampled_from(((), (Toleration("team", "Exists", "", ""),)))),
        node_selector=draw(st.sampled_from(((), (("disk", "a"),)))),
        amounts=draw(st.sampled_from(((), (("cpu", 4000),)))),
        spread=tuple(draw(st.lists(spreads, min_size=1, max_size=2))) if spreads_out else (),
        affinity=draw(affinities) if joins else None,
    )
    return pod("a", ask, Account(ask.amounts), shown=draw(labels))


crowds = st.lists(peers.map(lambda peer: Account(peer=peer)), max_size=4)


@st.composite
def places(draw: st.DrawFn, name: str) -> NodeRow:
    """An empty node in some place, with room for many pods, but two large ones."""
    found = draw(st.fixed_dictionaries({}, optional={key: st.sampled_from(("1", "2")) for key in TOPOLOGY[:2]}))
    named = draw(st.sampled_from((name, name, name, "n0", None)))
    found |= {} if named is None else {TOPOLOGY[2]: named}
    found |= draw(st.sampled_from(({"disk": "a"}, {"disk": "a"}, {})))
    taints = draw(st.sampled_from(((), (), (), (Taint("team", "", "NoSchedule"),))))
    return NodeRow(name, found, False, taints, (("cpu", 9000),), 110)


regions = st.integers(2, 6).flatmap(lambda count: st.tuples(*(st.tuples(places(f"n{number}"), crowds) for number in range(count))))

accounts = st.builds(
    Account,
    amounts,
    st.sampled_from((0, 100, 500)),
    st.sampled_from((0, 200 * 2**20)),
    st.just(()) | ports,
    st.sampled_from((0, 0, 10)),
    peers,
)
images = st.builds(Image, st.sampled_from(IMAGES).map(lambda name: (name,)), st.sampled_from((2**20, 400 * 2**20, 2**31)))


@st.composite
def nodes(draw: st.DrawFn, pod_limit: int = 110) -> NodeRow:
    """A node that takes so many pods, mostly."""
    offered = {
        "cpu": draw(rarely(st.sampled_from((0, 1000)), 4000) | st.just(3900)),
        "memory": draw(rarely(st.sampled_from((0, 2**30, 2**52)), 2**33) | st.just(2**32)),
    }
    if draw(st.booleans()):
        offered["example.com/gpu"] = draw(st.integers(0, 4))
    held = draw(st.lists(images, max_size=2, unique_by=lambda image: image.names))
    name = draw(st.sampled_from(NAMES))
    places = draw(st.dictionaries(st.sampled_from(TOPOLOGY[:2]), st.sampled_from(("1", "2", "3"))))
    if draw(rarely(st.just(False), True)):
        places[TOPOLOGY[2]] = draw(rarely(st.just("n0"), name))
    return NodeRow(
        name=name,
        labels=draw(st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), max_size=3)) | places,
        unschedulable=draw(rarely(st.just(True), False)),
        taints=tuple(draw(st.lists(taints, max_size=2, unique=True))),
        allocatable=tuple(sorted(offered.items())),
        pod_limit=draw(rarely(st.sampled_from((0, 3)), pod_limit)),
        images=tuple(held),
    )


def pod(name: str, ask: Ask, account: Account = Account(), priority: int = 0, shown: tuple[tuple[str, str], ...] = ()) -> PodRow:  # noqa: B008
    """A pending pod with these labels."""
    account = account._replace(peer=Peer("default", shown, False, ask.affinity))
    ask = ask._replace(priority=priority)
    return PodRow("default", name, f"uid-{name}", "default-scheduler", "", priority, False, False, (), ask, account)
