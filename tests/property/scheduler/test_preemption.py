"""Preemption against its slow twin, with what earlier dry runs found kept, while the cluster changes."""

from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from kcore.machinery.labels import Selector, from_labels
from kcore.scheduler.cache import Cache
from kcore.scheduler.columns import Columns
from kcore.scheduler.evaluation import Evaluations
from kcore.scheduler.preemption.budgets import BudgetRow, Budgets
from kcore.scheduler.preemption.choice import Preemptor
from kcore.scheduler.rows import Account, Ask, NodeRow, Peer, PodRow
from tests.property.scheduler import clusters
from tests.reference.scheduler import preemption as twin

NODES = clusters.NAMES[:4]
PRIORITIES = (-5, 0, 0, 1, 7)
amounts = st.sampled_from(((), (("cpu", 400),), (("cpu", 400), ("memory", 300)), (("memory", 600),), (("cpu", 900), ("gpu", 1))))
accounts = st.builds(Account, amounts, st.just(0), st.just(0), clusters.ports | st.just(()), st.sampled_from(PRIORITIES))
pods = st.tuples(
    st.sampled_from([f"p{number}" for number in range(14)]),
    st.sampled_from(NODES),
    accounts,
    st.sampled_from((0, 10, 20)),
    st.sampled_from("ab"),
)
budgets = st.builds(
    BudgetRow,
    st.just("default"),
    st.sampled_from(("x", "y")),
    st.sampled_from((Selector(), Selector(nothing=True), from_labels({"app": "a"}), from_labels({"app": "b"}))),
    st.integers(0, 2),
    st.sampled_from((frozenset(), frozenset({"p1"}))),
)


@st.composite
def asks(draw: st.DrawFn) -> Ask:
    """An ask for amounts, seldom for ports."""
    ports = draw(clusters.rarely(clusters.ports, ()))
    return Ask(amounts=draw(amounts.filter(bool)), ports=ports, priority=draw(st.sampled_from((0, 1, 7, 9))))


steps = st.one_of(
    st.tuples(st.just("place"), pods),
    st.tuples(st.just("place"), pods),
    st.tuples(st.just("remove"), st.integers(0, 13)),
    st.tuples(st.just("nominate"), st.sampled_from(("w0", "w1")), st.sampled_from(NODES), accounts),
    st.tuples(st.just("budget"), budgets),
    st.tuples(st.just("drop budget"), st.sampled_from(("x", "y"))),
    st.tuples(st.just("ask"), st.integers(0, 2)),
    st.tuples(st.just("ask"), st.integers(0, 2)),
)


class World:
    """A cluster, as kcore holds it and as the twin does."""

    def __init__(self) -> None:
        self.columns = Columns()
        self.cache, self.budgets = Cache(self.columns), Budgets()
        self.preemptor, self.evaluations = Preemptor(self.cache, self.budgets), Evaluations()
        offered = [(("cpu", 1000 + 300 * number), ("gpu", number % 2), ("memory", 1000)) for number in range(len(NODES))]
        self.nodes = [NodeRow(name, {}, False, (), amounts, 4) for name, amounts in zip(NODES, offered, strict=True)]
        self.placed: dict[str, PodRow] = {}
        self.nominated: dict[str, tuple[str, Account]] = {}
        self.rows: dict[str, BudgetRow] = {}
        for node in self.nodes:
            self.cache.set_node(node)

    def place(self, name: str, node: str, account: Account, started: int, app: str) -> None:
        account = account._replace(peer=Peer("default", (("app", app),)))
        row = clusters.pod(name, Ask(), account, account.priority)
        self.placed[row.key] = row._replace(node_name=node, started=started)
        self.cache.confirm(self.placed[row.key])

    def remove(self, number: int) -> None:
        key = f"default/p{number}"
        self.placed.pop(key, None)
        self.cache.remove(key)

    def nominate(self, key: str, node: str, account: Account) -> None:
        if key in self.nominated:
            self.columns.withdraw(self.nominated[key][0], key)
        self.nominated[key] = node, account
        self.columns.nominate(node, key, account)

    def set_budget(self, row: BudgetRow) -> None:
        self.rows[row.key] = row
        self.budgets.set(row)

    def drop_budget(self, name: str) -> None:
        self.rows.pop(f"default/{name}", None)
        self.budgets.remove(f"default/{name}")

    def check(self, ask: Ask) -> None:
        pod = clusters.pod("a", ask, priority=ask.priority)
        evaluation = self.evaluations.of(pod, self.columns)
        held = self.columns.held()
        if evaluation.feasible_count:
            event("feasible")
            return
        found = self.preemptor.preempt(pod, evaluation, self.columns, lambda _: 0)
        wanted = twin.preempt(ask, self.nodes, self.placed, self.nominated, list(self.rows.values()))
        if isinstance(wanted, tuple):
            event("victims")
            assert (found.node, sorted(victim.key for victim in found.victims)) == wanted
        else:
            event("none helps")
            counts = ", ".join(sorted(f"{count} {reason}" for reason, count in wanted.items()))
            assert found.message == f"0/4 nodes are available: {counts}."
            assert not found.victims
        assert self.columns.held() == held
        fresh = Evaluations().of(pod, self.columns)
        assert evaluation.feasible[:4].tolist() == fresh.feasible[:4].tolist()


@given(st.lists(asks(), min_size=3, max_size=3), st.lists(pods, min_size=6, max_size=14), st.lists(steps, max_size=30))
@settings(max_examples=200)
def test_preemption_equals_that_of_the_twin(three: list[Ask], first: list[Any], more: list[Any]) -> None:
    world = World()
    do = {"remove": world.remove, "nominate": world.nominate, "budget": world.set_budget, "drop budget": world.drop_budget}
    for pod in first:
        world.place(*pod)
    for step, *values in more:
        match step:
            case "place":
                world.place(*values[0])
            case "ask":
                world.check(three[values[0]])
            case _:
                do[step](*values)
    world.check(three[0])
