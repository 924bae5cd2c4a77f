"""A part of the nodes is scored where a configuration says so, in turn; all of them elsewhere."""

from __future__ import annotations

import pytest

from kcore.base.entropy import SeededEntropy
from kcore.scheduler.columns import Columns
from kcore.scheduler.configuration.reading import read
from kcore.scheduler.cycle import schedule
from kcore.scheduler.evaluation import Evaluations
from kcore.scheduler.evaluation.sample import Sample, wanted
from kcore.scheduler.profile import DEFAULT
from kcore.scheduler.rows import Account, Ask, Expression, NodeRow, PodAffinity, PodPreference, PodSelector, PodTerm, Preference, Term
from tests.unit.scheduler.pods import SMALL, node, pod

ZONE = "topology.kubernetes.io/zone"
WEB = PodSelector((Expression("app", "In", ("web",)),), ("default",))


@pytest.mark.parametrize(
    ("percentage", "nodes", "enough"), [(40, 99, 99), (1, 100, 100), (40, 500, 200), (10, 500, 100), (0, 5000, 5000), (99, 1000, 990)]
)
def test_enough_is_a_part_of_the_nodes_but_a_hundred_at_least(percentage: int, nodes: int, enough: int) -> None:
    assert wanted(percentage, nodes) == enough


def a_cluster(count: int) -> list[NodeRow]:
    """Two zones, the first twice as large; every seventh node is too small."""
    labels = [{ZONE: "b" if number % 3 == 2 else "a", "disk": "ssd" if number % 5 == 0 else "hdd"} for number in range(count)]
    return [node(f"n{number}", cpu=400 if number % 7 == 6 else 4000, **each) for number, each in enumerate(labels)]


def in_turn(nodes: list[NodeRow]) -> list[NodeRow]:
    """Return the nodes one of each zone, then the next of each."""
    zones = [[each for each in nodes if each.labels[ZONE] == zone] for zone in "ab"]
    return [zone[at] for at in range(len(nodes)) for zone in zones if at < len(zone)]


def test_the_search_goes_on_where_it_ended_and_scores_only_what_it_found() -> None:
    nodes, sample, columns = a_cluster(300), Sample(), Columns()
    for row in nodes:
        columns.set_node(row)
    ssd = Preference(10, Term((Expression("disk", "In", ("ssd",)),), ()))
    likes = PodAffinity(preferred=(PodPreference(5, PodTerm(WEB, ZONE)),))
    columns.place("n4", Account(peer=pod("w", labels=(("app", "web"),)).account.peer))
    waiting = pod("a", SMALL._replace(preferred=(ssd,), affinity=likes))
    evaluations, order, start = Evaluations(DEFAULT._replace(percentage=40)), in_turn(nodes), 0
    for _ in range(7):
        turn = [order[(start + at) % 300] for at in range(300)]
        fitting = [at for at, row in enumerate(turn) if dict(row.allocatable)["cpu"] >= 500]
        found, start = [turn[at] for at in fitting[:120]], (start + fitting[120]) % 300
        alone = Columns()
        for row in found:
            alone.set_node(row)
        if any(row.name == "n4" for row in found):
            alone.place("n4", Account(peer=pod("w", labels=(("app", "web"),)).account.peer))
        decision = schedule(waiting, columns, evaluations, SeededEntropy(1).randrange, sample=sample)
        best = schedule(waiting, alone, Evaluations(), SeededEntropy(1).randrange)
        assert decision.feasible == best.feasible == 120
        assert decision.node in {row.name for row in found}
        if any(row.name == "n4" for row in found):
            assert (decision.total, decision.ties) == (best.total, best.ties)


def test_equal_pods_are_searched_for_one_by_one_and_spread_over_the_cluster() -> None:
    columns, sample, evaluations = Columns(), Sample(), Evaluations(DEFAULT._replace(percentage=1))
    for number in range(200):
        columns.set_node(node(f"n{number}"))
    taken = []
    for number in range(4):
        decision = schedule(pod(f"p{number}", Ask()), columns, evaluations, SeededEntropy(2).randrange, sample=sample)
        taken.append(int(str(decision.node)[1:]) // 100)
    assert taken == [0, 1, 0, 1]


def test_all_nodes_are_scored_unless_a_part_is_named() -> None:
    def percentages(text: dict[str, object]) -> list[int]:
        head = {"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration"}
        return [profile.percentage for profile in read({**head, **text}).profiles]

    assert percentages({}) == percentages({"percentageOfNodesToScore": 100}) == percentages({"percentageOfNodesToScore": 0}) == [0]
    assert percentages({"percentageOfNodesToScore": 30}) == [30]
    own = [{"schedulerName": name, **more} for name, more in (("a", {}), ("b", {"percentageOfNodesToScore": 5}))]
    own.append({"schedulerName": "c", "percentageOfNodesToScore": 0})
    assert percentages({"percentageOfNodesToScore": 30, "profiles": own}) == [30, 5, 0]
