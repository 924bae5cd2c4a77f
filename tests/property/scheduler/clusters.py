"""Random nodes and pods that are small enough to collide: few labels, taints, ports and amounts."""

from hypothesis import strategies as st

from kcore.scheduler.rows import Account, Ask, Expression, Image, NodeRow, PodRow, Preference, Taint, Term, Toleration

KEYS = ("zone", "disk", "gen")
VALUES = ("a", "b", "7", "-3", "")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
IMAGES = ("web:1", "db:2", "big:latest")
PORTS = (("0.0.0.0", "TCP", 80), ("10.0.0.1", "TCP", 80), ("0.0.0.0", "UDP", 80), ("10.0.0.1", "TCP", 443))
NAMES = tuple(f"n{number}" for number in range(7))

amounts = st.fixed_dictionaries(
    {}, optional={"cpu": st.sampled_from((1, 250, 500, 1999)), "memory": st.sampled_from((1, 2**28, 2**30)), "example.com/gpu": st.integers(1, 2)}
).map(lambda found: tuple(sorted(found.items())))
ports = st.lists(st.sampled_from(PORTS), max_size=2, unique=True).map(tuple)
expressions = st.builds(
    Expression,
    st.sampled_from(KEYS),
    st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Near")),
    st.lists(st.sampled_from(VALUES), min_size=1, max_size=2).map(tuple),
)
fields = st.builds(
    Expression, st.just("metadata.name"), st.sampled_from(("In", "NotIn")), st.lists(st.sampled_from(NAMES), min_size=1, max_size=2).map(tuple)
)
terms = st.builds(Term, st.lists(expressions, max_size=2).map(tuple), st.lists(fields, max_size=1).map(tuple))
tolerations = st.builds(
    Toleration, st.sampled_from(("", "team", "node.kubernetes.io/unschedulable")), st.sampled_from(("Exists", "Equal", "")), st.sampled_from(("", "x")), st.sampled_from(("", *EFFECTS))
)
taints = st.builds(Taint, st.sampled_from(("team", "other")), st.sampled_from(("", "x")), st.sampled_from(EFFECTS))


@st.composite
def asks(draw: st.DrawFn) -> Ask:
    """An ask of a few wishes; most pods have none of the rarer ones."""
    rare = st.sampled_from((False, False, True))
    return Ask(
        node_name=draw(st.sampled_from(("", "", "", "", "n1"))),
        tolerations=draw(st.lists(tolerations, max_size=2).map(tuple)),
        node_selector=(("zone", draw(st.sampled_from(VALUES))),) if draw(rare) else (),
        required=tuple(draw(st.lists(terms, max_size=2))) if draw(rare) else None,
        preferred=tuple(Preference(draw(st.integers(1, 100)), draw(terms)) for _ in range(draw(st.integers(0, 2)))),
        ports=draw(ports) if draw(rare) else (),
        amounts=draw(amounts),
        nonzero_cpu=draw(st.sampled_from((0, 100, 500))),
        nonzero_memory=draw(st.sampled_from((0, 200 * 2**20, 2**30))),
        images=tuple(draw(st.lists(st.sampled_from(IMAGES), max_size=2))),
    )


accounts = st.builds(
    Account, amounts, st.sampled_from((0, 100, 500)), st.sampled_from((0, 200 * 2**20)), st.just(()) | ports, st.sampled_from((0, 0, 10))
)
images = st.builds(Image, st.sampled_from(IMAGES).map(lambda name: (name,)), st.sampled_from((2**20, 400 * 2**20, 2**31)))


@st.composite
def nodes(draw: st.DrawFn, name: st.SearchStrategy[str] = st.sampled_from(NAMES)) -> NodeRow:  # noqa: B008
    """A node."""
    offered = {"cpu": draw(st.sampled_from((0, 1000, 4000, 3900))), "memory": draw(st.sampled_from((0, 2**30, 2**33, 2**52)))}
    if draw(st.booleans()):
        offered["example.com/gpu"] = draw(st.integers(0, 4))
    held = draw(st.lists(images, max_size=2, unique_by=lambda image: image.names))
    return NodeRow(
        name=draw(name),
        labels=draw(st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), max_size=3)),
        unschedulable=draw(st.sampled_from((False, False, False, True))),
        taints=tuple(draw(st.lists(taints, max_size=2, unique=True))),
        allocatable=tuple(sorted(offered.items())),
        pod_limit=draw(st.sampled_from((0, 2, 110))),
        images=tuple(held),
    )


def pod(name: str, ask: Ask, account: Account = Account(), priority: int = 0) -> PodRow:  # noqa: B008
    """A pending pod."""
    return PodRow("default", name, f"uid-{name}", "default-scheduler", "", priority, False, False, (), ask, account)
