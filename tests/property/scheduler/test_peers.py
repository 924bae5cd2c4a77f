"""Wishes about other pods on nodes that have room: decisions against the slow twin, a run of pods against one by one."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.base.entropy import SeededEntropy
from kcore.scheduler.cycle import schedule
from kcore.scheduler.evaluation import Evaluations
from kcore.scheduler.rows import Expression, Peer, PodRow
from tests.property.scheduler import clusters
from tests.property.scheduler.test_decisions import assert_equal, columns_of, compare
from tests.reference.scheduler import twin
from tests.reference.scheduler.peers import World


@given(clusters.wishing(), clusters.regions, clusters.namespaces, st.booleans())
@settings(max_examples=500)
def test_wishes_about_pods_are_decided_as_the_twin_does(
    pod: PodRow, cluster: twin.Cluster, namespaces: dict[str, dict[str, str]], serves: bool
) -> None:
    labels = dict(pod.account.peer.labels) if serves else {}
    columns = columns_of(cluster)
    columns.owners.set_service("default", "s", labels)
    for name, their_labels in namespaces.items():
        columns.peers.set_namespace(name, their_labels)
    selector = tuple(Expression(key, "In", (value,)) for key, value in sorted(labels.items()))
    compare(pod, columns, twin.decide(pod, cluster, World(namespaces, selector)))


steps = st.lists(st.integers(0, 1) | st.tuples(st.integers(0, 9), clusters.peers), min_size=2, max_size=12)


@given(st.lists(clusters.wishing(), min_size=2, max_size=2), clusters.regions, steps, st.integers(0, 3), st.booleans())
@settings(max_examples=200)
def test_runs_of_pods_are_decided_as_if_one_by_one(
    templates: list[PodRow], cluster: twin.Cluster, steps: list[int | tuple[int, Peer]], seed: int, serves: bool
) -> None:
    # A number is a pod of that template, a pair a placed pod that comes to show something else.
    columns, evaluations, entropy = columns_of(cluster), Evaluations(), SeededEntropy(seed)
    placed = [(node.name, account.peer) for node, accounts in cluster for account in accounts]
    if serves:
        columns.owners.set_service("default", "s", dict(templates[0].account.peer.labels))
    for number, step in enumerate(steps):
        if isinstance(step, tuple):
            if placed:
                node, old = placed.pop(step[0] % len(placed))
                columns.relabel(node, old, step[1])
                placed.append((node, step[1]))
            continue
        pod = templates[step]._replace(name=f"p{number}")
        decision = schedule(pod, columns, evaluations, entropy.randrange)
        assert_equal(evaluations.of(pod, columns), Evaluations().of(pod, columns), columns)
        if decision.node is not None:
            columns.place(decision.node, pod.account)
            placed.append((decision.node, pod.account.peer))
