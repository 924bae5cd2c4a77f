"""Kept results: what is computed anew when a pod is placed, and when a node changes."""

import numpy as np

from kcore.scheduler.columns import Columns
from kcore.scheduler.evaluation import Evaluation, Evaluations
from kcore.scheduler.rows import Account, Ask, Expression, PodAffinity, PodSelector, PodTerm, Preference, Spread, Term
from tests.unit.scheduler.pods import SMALL, node, pod


def prefer(weight: int, value: str) -> Preference:
    return Preference(weight, Term((Expression("disk", "In", (value,)),), ()))


def test_scores_are_normalised_anew_when_the_best_node_is_full() -> None:
    columns, evaluations = Columns(), Evaluations()
    for name, disk, limit in (("n0", "ssd", 1), ("n1", "hdd", 9), ("n2", "", 9)):
        columns.set_node(node(name, pod_limit=limit, disk=disk))
    ask = Ask(preferred=(prefer(80, "ssd"), prefer(20, "hdd")))
    before = evaluations.of(pod("a", ask), columns)
    assert (before.totals[:2] - before.totals[2]).tolist() == [200, 50]
    columns.place("n0", Account())
    after = evaluations.of(pod("a", ask), columns)
    assert after is before
    assert after.feasible[:3].tolist() == [0, 1, 1]
    assert after.totals[1] - after.totals[2] == 200


def test_a_full_node_is_no_domain_of_soft_spreading_any_more():
    columns, evaluations = Columns(), Evaluations()
    web = PodSelector((Expression("app", "In", ("web",)),), ("default",))
    waiting = pod("a", Ask(spread=(Spread("kubernetes.io/hostname", 1, False, web),)), labels=(("app", "web"),))
    for name, limit, count in (("n0", 2, 1), ("n1", 99, 7), ("n2", 99, 3), ("n3", 99, 0)):
        columns.set_node(node(name, pod_limit=limit, **{"kubernetes.io/hostname": name}))
        for _ in range(count):
            columns.place(name, waiting.account)
    evaluations.of(waiting, columns)
    columns.place("n0", waiting.account)
    found = evaluations.of(waiting, columns).scores(columns, evaluations.nodes)["PodTopologySpread"][0]
    # 7 and 3 pods, and three domains: 7 ln 5 is 11, 3 ln 5 is 5.
    assert found[:4].tolist() == [0, 0, 100 * (11 - 5) // 11, 100]


def test_results_are_right_though_more_is_asked_for_than_is_counted(monkeypatch):
    monkeypatch.setattr("kcore.scheduler.peers.index.SCHEDULER_TALLIES_MAX", 2)
    columns, evaluations = Columns(), Evaluations()
    for name in ("n0", "n1", "n2", "n3"):
        columns.set_node(node(name, zone=name))
    terms = [PodTerm(PodSelector((Expression("app", "In", (app,)),), ("default",)), "zone") for app in ("a", "b", "c")]
    waiting = pod("w", Ask(affinity=PodAffinity(avoided=tuple(terms))))
    for number, app in enumerate(("a", "b", "c")):
        assert evaluations.of(waiting, columns).feasible[:4].tolist() == [slot >= number for slot in range(4)]
        columns.place(f"n{number}", pod(app, labels=(("app", app),)).account)
    assert evaluations.of(waiting, columns).feasible[:4].tolist() == [0, 0, 0, 1]


def test_a_node_is_feasible_again_when_a_pod_that_is_avoided_is_no_longer_nominated_to_it():
    columns, evaluations = Columns(), Evaluations()
    for name in ("n0", "n1"):
        columns.set_node(node(name, zone=name))
    term = PodTerm(PodSelector((Expression("app", "In", ("a",)),), ("default",)), "zone")
    waiting = pod("w", Ask(affinity=PodAffinity(avoided=(term,))))
    assert evaluations.of(waiting, columns).feasible[:2].tolist() == [1, 1]
    columns.nominate("n0", "default/a", pod("a", labels=(("app", "a"),)).account)
    assert evaluations.of(waiting, columns).feasible[:2].tolist() == [0, 1]
    columns.withdraw("n0", "default/a")
    assert evaluations.of(waiting, columns).feasible[:2].tolist() == [1, 1]


def test_results_beyond_their_memory_are_given_up(monkeypatch):
    monkeypatch.setattr("kcore.scheduler.evaluation.kept.SCHEDULER_KEPT_BYTES_MAX", 1)
    columns, evaluations = Columns(), Evaluations()
    columns.set_node(node("n0"))
    counts = []
    for number in range(6):
        ask_twice(SMALL._replace(nonzero_cpu=number), evaluations, columns)
        counts.append(evaluations.kept_count)
    assert counts == [1, 2, 3, 4, 4, 4]


def test_a_placed_pod_changes_one_slot_for_every_ask() -> None:
    columns, evaluations = Columns(), Evaluations()
    for number in range(40):
        columns.set_node(node(f"n{number}"))
    other = SMALL._replace(nonzero_cpu=1)
    kept = [evaluations.of(pod("a", ask), columns).totals.copy() for ask in (SMALL, other)]
    columns.place("n7", Account(SMALL.amounts, 500, 0))
    for ask, before in zip((SMALL, other), kept, strict=True):
        assert np.flatnonzero(evaluations.of(pod("a", ask), columns).totals != before).tolist() == [7]


def test_results_follow_when_the_log_no_longer_reaches_back() -> None:
    columns, evaluations = Columns(), Evaluations()
    for number in range(3):
        columns.set_node(node(f"n{number}", cpu=1000))
    assert evaluations.of(pod("a"), columns).feasible_count == 3
    columns.place("n0", Account((("cpu", 900),), 900, 0))
    columns.touched_base += len(columns.touched)
    del columns.touched[:]
    assert evaluations.of(pod("a"), columns).feasible_count == 2


def test_more_nodes_than_there_was_room_for_are_seen() -> None:
    columns, evaluations = Columns(), Evaluations()
    for number in range(200):
        columns.set_node(node(f"n{number}"))
        assert evaluations.of(pod("a"), columns).feasible_count == number + 1


def test_the_least_recently_used_results_are_given_up(monkeypatch) -> None:
    monkeypatch.setattr("kcore.scheduler.evaluation.kept.SCHEDULER_KEPT_MAX", 4)
    columns, evaluations = Columns(), Evaluations()
    columns.set_node(node("n0"))
    kept = [ask_twice(SMALL._replace(nonzero_cpu=number), evaluations, columns) for number in range(4)]
    assert evaluations.of(pod("a", SMALL._replace(nonzero_cpu=0)), columns) is kept[0]
    ask_twice(SMALL._replace(nonzero_cpu=9), evaluations, columns)
    assert [evaluations.of(pod("a", SMALL._replace(nonzero_cpu=number)), columns) is kept[number] for number in (0, 2, 3)] == [True] * 3
    assert evaluations.of(pod("a", SMALL._replace(nonzero_cpu=1)), columns) is not kept[1]


def test_what_is_asked_once_is_not_kept() -> None:
    columns, evaluations = Columns(), Evaluations()
    columns.set_node(node("n0"))
    once = [evaluations.of(pod("a", SMALL._replace(nonzero_cpu=number)), columns) for number in range(3)]
    assert once[0] is once[1] is once[2]
    again = evaluations.of(pod("a", SMALL._replace(nonzero_cpu=0)), columns)
    assert again is not once[0]
    assert evaluations.of(pod("a", SMALL._replace(nonzero_cpu=5)), columns) is once[0]
    assert evaluations.of(pod("a", SMALL._replace(nonzero_cpu=0)), columns) is again


def ask_twice(ask: Ask, evaluations: Evaluations, columns: Columns) -> Evaluation:
    evaluations.of(pod("a", ask), columns)
    return evaluations.of(pod("a", ask), columns)


def test_what_is_kept_of_a_pod_is_not_that_pods_when_others_begin_to_avoid_it():
    columns, evaluations = Columns(), Evaluations()
    columns.set_node(node("n0", cpu=1000, zone="a"))
    first, second = (pod(app, SMALL, labels=(("app", app),)) for app in ("a", "b"))
    for _ in range(3):
        assert evaluations.of(first, columns).feasible_count == 1
    avoiding = PodAffinity(avoided=(PodTerm(PodSelector((Expression("app", "In", ("a",)),), ("default",)), "zone"),))
    columns.place("n0", pod("c", SMALL._replace(affinity=avoiding)).account)
    columns.place("n0", first.account)
    assert evaluations.of(second, columns).feasible_count == 0
    columns.displace("n0", first.account)
    assert evaluations.of(second, columns).feasible_count == 1
    columns.set_node(node("n0", cpu=1001, zone="a", disk="new"))
    assert evaluations.of(second, columns).feasible_count == 1
