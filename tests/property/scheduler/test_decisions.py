"""Decisions against the slow twin, kept results against fresh ones, kept columns against rebuilt ones."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.base.entropy import SeededEntropy
from kcore.scheduler.columns import Columns
from kcore.scheduler.cycle import explain, schedule
from kcore.scheduler.evaluation import Evaluation, Evaluations
from kcore.scheduler.rows import Account, Ask, Expression, NodeRow, PodRow
from tests.property.scheduler import clusters
from tests.reference.scheduler import twin
from tests.reference.scheduler.peers import World

clusters_of_nodes = st.lists(
    st.tuples(clusters.nodes(), st.lists(clusters.accounts, max_size=3)), min_size=3, max_size=7, unique_by=lambda each: each[0].name
)
full_soon = st.lists(clusters.nodes(pod_limit=2), min_size=3, max_size=7, unique_by=lambda node: node.name)


def columns_of(cluster: twin.Cluster) -> Columns:
    columns = Columns()
    for node, placed in cluster:
        columns.set_node(node)
        for account in placed:
            columns.place(node.name, account)
    return columns


@given(clusters.waiting(), clusters_of_nodes, clusters.namespaces, clusters.labels)
@settings(max_examples=150)
def test_a_decision_equals_that_of_the_twin(
    pod: PodRow, cluster: list[tuple[NodeRow, list[Account]]], namespaces: dict[str, dict[str, str]], service: tuple[tuple[str, str], ...]
) -> None:
    serves = set(service) <= set(pod.account.peer.labels)
    selector = tuple(Expression(key, "In", (value,)) for key, value in service if serves)
    columns = columns_of(cluster)
    columns.owners.set_service("default", "s", dict(service))
    for name, labels in namespaces.items():
        columns.peers.set_namespace(name, labels)
    compare(pod, columns, twin.decide(pod, cluster, World(namespaces, selector)))


def compare(pod: PodRow, columns: Columns, wanted: twin.Outcome) -> None:
    found = explain(pod, columns)
    assert set(found.feasible) == set(wanted.scores)
    narrowed = "node(s) didn't satisfy plugin(s) [NodeAffinity]"
    for node, rejection in found.rejected.items():
        if rejection.reasons != (narrowed,):
            assert (rejection.plugin, rejection.reasons) == wanted.rejected[node]
    if len(wanted.scores) > 1:
        for node, scores in wanted.scores.items():
            assert {plugin: found.scores.get(plugin, {}).get(node, 0) for plugin in scores} == scores
        assert found.totals == wanted.totals
    decision = schedule(pod, columns, Evaluations(), SeededEntropy(1).randrange)
    assert decision.node in found.best if found.best else decision.node is None


changes = st.one_of(
    st.tuples(st.just("node"), clusters.nodes()),
    st.tuples(st.just("drop"), st.sampled_from(clusters.NAMES)),
    st.tuples(st.just("place"), st.sampled_from(clusters.NAMES), clusters.accounts),
    st.tuples(st.just("displace"), st.integers(0, 99)),
    st.tuples(st.just("relabel"), st.integers(0, 99), clusters.peers),
    st.tuples(st.just("namespace"), st.sampled_from(clusters.NAMESPACES), st.sampled_from((None, {"team": "x"}, {"team": "y"}))),
    st.tuples(st.just("service"), st.sampled_from(("s", "t")), clusters.labels.map(dict)),
    st.tuples(st.just("ask"), st.integers(0, 2)),
    st.tuples(st.just("ask"), st.integers(0, 2)),
)


@given(st.lists(clusters.waiting(), min_size=2, max_size=2), clusters.amounts, st.lists(changes, max_size=40), full_soon)
@settings(max_examples=100)
def test_kept_results_and_columns_equal_fresh_ones(
    waiting: list[PodRow], amounts: tuple[tuple[str, int], ...], steps: list[tuple], first: list[NodeRow]
) -> None:
    columns, evaluations = Columns(), Evaluations()
    waiting = [*waiting, waiting[0]._replace(ask=waiting[0].ask._replace(amounts=amounts, nonzero_cpu=7))]
    nodes: dict[str, NodeRow] = {}
    placed: list[tuple[str, Account]] = []
    for step, *values in [*(("node", node) for node in first), *steps]:
        if step == "node":
            nodes[values[0].name] = values[0]
            columns.set_node(values[0])
        elif step == "drop":
            nodes.pop(values[0], None)
            columns.remove_node(values[0])
        elif step == "place":
            placed.append((values[0], values[1]))
            columns.place(*values)
        elif step == "displace" and placed:
            columns.displace(*placed.pop(values[0] % len(placed)))
        elif step == "relabel" and placed:
            name, account = placed.pop(values[0] % len(placed))
            columns.relabel(name, account.peer, values[1])
            placed.append((name, account._replace(peer=values[1])))
        elif step == "namespace":
            columns.peers.set_namespace(*values)
        elif step == "service":
            columns.owners.set_service("default", *values)
        elif step == "ask":
            assert_equal(evaluations.of(waiting[values[0]], columns), Evaluations().of(waiting[values[0]], columns), columns)
            rebuilt = columns_of([(node, []) for node in nodes.values()])
            rebuilt.peers.namespaces.update(columns.peers.namespaces)
            for name, account in placed:
                rebuilt.place(name, account)
            rebuilt.peers.count_like(columns.peers)
            assert columns.held() == rebuilt.held()
            assert columns.tallied() == rebuilt.tallied()
            assert described(columns) == described(rebuilt)


def assert_equal(kept: Evaluation, fresh: Evaluation, columns: Columns) -> None:
    count = columns.count
    assert kept.feasible_count == fresh.feasible_count == int(np.count_nonzero(fresh.feasible[:count]))
    assert kept.feasible[:count].tolist() == fresh.feasible[:count].tolist()
    chosen = np.flatnonzero(fresh.feasible[:count])
    assert kept.totals[chosen].tolist() == fresh.totals[chosen].tolist()
    assert kept.ranking.feasible_count == kept.feasible_count
    if len(chosen):
        best = [slot for slot in chosen if fresh.totals[slot] == fresh.totals[chosen].max()]
        for number, slot in enumerate(best):
            assert kept.ranking.choose(lambda _, number=number: number) == (slot, len(best))
    kept.detail(columns)
    fresh.detail(columns)
    for (plugin, codes), (other, wanted) in zip(kept.filters, fresh.filters, strict=True):
        assert plugin is other
        assert codes[:count].tolist() == wanted[:count].tolist()
    for verdicts, codes in kept.verdicts:
        assert [verdicts.code(slot) for slot in range(count)] == codes[:count].tolist()


def described(columns: Columns) -> dict[str, object]:
    """Return what columns hold of nodes themselves, whatever their slots."""
    return {
        name: (
            columns.rows[slot],
            {resource: amount for resource, row in columns.resources.items() if (amount := columns.allocatable[row, slot])},
            (columns.present[slot], columns.pod_limit[slot], columns.unschedulable[slot]),
            columns.taint_sets[columns.taint_set[slot]],
            {image: holders[slot] for image, holders in columns.images.items() if slot in holders},
        )
        for name, slot in columns.slots.items()
    }


@given(clusters.waiting(), full_soon, st.integers(1, 12), st.integers(0, 3))
@settings(max_examples=100)
def test_a_run_of_equal_pods_is_decided_as_if_one_by_one(first: PodRow, nodes: list[NodeRow], count: int, seed: int) -> None:
    # Nodes that fill up: scores are normalised anew over those that are left.
    ask, peer = first.ask, first.account.peer
    account = Account(ask.amounts, ask.nonzero_cpu, ask.nonzero_memory, ask.ports, 0, peer)
    outcomes = []
    for keeps in (True, False):
        columns, evaluations, entropy = columns_of([(node, []) for node in nodes]), Evaluations(), SeededEntropy(seed)
        decisions = []
        for number in range(count):
            pod = clusters.pod(f"p{number}", ask, account, shown=peer.labels)
            decision = schedule(pod, columns, evaluations if keeps else Evaluations(), entropy.randrange)
            decisions.append(decision)
            if decision.node is not None:
                columns.place(decision.node, account)
        outcomes.append(decisions)
    assert outcomes[0] == outcomes[1]


@given(st.lists(clusters.asks(), min_size=1, max_size=8), clusters_of_nodes)
@settings(max_examples=100)
def test_no_decision_puts_more_on_a_node_than_fits(asks: list[Ask], cluster: list[tuple[NodeRow, list[Account]]]) -> None:
    columns, evaluations = columns_of(cluster), Evaluations()
    for number, ask in enumerate(asks):
        account = Account(ask.amounts, ask.nonzero_cpu, ask.nonzero_memory, ask.ports)
        decision = schedule(clusters.pod(f"p{number}", ask, account), columns, evaluations, SeededEntropy(number).randrange)
        if decision.node is None:
            continue
        columns.place(decision.node, account)
        slot = columns.slots[decision.node]
        for name, _ in ask.amounts:
            row = columns.resources[name]
            assert columns.requested[row, slot] <= columns.allocatable[row, slot]
        assert columns.pod_count[slot] <= columns.pod_limit[slot]
