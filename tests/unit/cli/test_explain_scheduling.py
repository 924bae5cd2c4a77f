"""`kcore explain-scheduling` over a small cluster in memory."""

import click
import pytest

from kcore.api.core.v1.node_pb2 import Node
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.base.entropy import SeededEntropy
from kcore.cli import explain_scheduling
from kcore.scheduler.cycle import schedule
from kcore.scheduler.evaluation import Evaluations
from kcore.scheduler.explanation import Shortfall
from kcore.scheduler.ingest import pod_row
from kcore.scheduler.profile import DEFAULT, Profile
from kcore.scheduler.snapshot import snapshot


def node(name: str, cpu: str, tainted: bool = False) -> Node:
    found = Node()
    found.metadata.name = name
    for resource, amount in (("cpu", cpu), ("memory", "8Gi"), ("pods", "10")):
        found.status.allocatable[resource].string = amount
    if tainted:
        found.spec.taints.add(key="kept", value="for", effect="NoSchedule")
    return found


def pod(name: str, cpu: str, on: str = "") -> Pod:
    found = Pod()
    found.metadata.name, found.metadata.namespace, found.metadata.uid = name, "default", name
    found.spec.schedulerName, found.spec.nodeName = "default-scheduler", on
    found.spec.containers.add(name="app").resources.requests["cpu"].string = cpu
    return found


def judged(wanted: Pod, others: list[Pod], profiles: tuple[Profile, ...] = (DEFAULT,)) -> explain_scheduling.Report:
    nodes = [each.SerializeToString() for each in (node("large", "8"), node("small", "2"), node("kept", "8", tainted=True))]
    placed = [each.SerializeToString() for each in others]
    return explain_scheduling.judged(wanted.SerializeToString(), nodes, placed, [], SeededEntropy(1).randrange, profiles)


def text(report: explain_scheduling.Report) -> str:
    return "\n".join(explain_scheduling.lines({"pod": "default/a", "node": None, "nodes": 3} | report, 20))


def test_the_failing_filter_and_the_scores_are_named() -> None:
    report = judged(pod("a", "1"), [pod("b", "1500m", "small")])
    assert report["feasible"] == ["large"] and report["choice"] == "large"
    missing = [{"resource": "cpu", "needs": 1.0, "free": 0.5}]
    assert report["rejected"]["small"] == {"plugin": "NodeResourcesFit", "reasons": ["Insufficient cpu"], "missing": missing}
    assert report["rejected"]["kept"]["plugin"] == "TaintToleration"
    assert text(report).endswith("Best: large.")


def test_a_pod_with_a_node_is_judged_as_if_it_were_pending() -> None:
    report = judged(pod("a", "1", "small"), [])
    assert set(report["feasible"]) == {"large", "small"}
    assert report["totals"]["large"] == sum(scores["large"] for scores in report["scores"].values())
    assert report["choice"] in report["best"]


def test_a_pod_that_fits_nowhere_has_the_scheduler_s_own_sentence() -> None:
    report = judged(pod("a", "100"), [])
    assert report["choice"] is None and report["best"] == []
    assert "It fits nowhere: 0/3 nodes are available" in text(report)


def test_a_pod_is_judged_by_the_profile_of_its_scheduler() -> None:
    blind = DEFAULT._replace(name="blind", node_filters=(), placed_filters=(), preemption=None)
    huge = pod("a", "100")
    assert judged(huge, [], (DEFAULT, blind))["feasible"] == []
    huge.spec.schedulerName = "blind"
    assert set(judged(huge, [], (DEFAULT, blind))["feasible"]) == {"large", "small", "kept"}


def test_nodes_that_are_rejected_for_the_same_reasons_are_one_line_with_the_node_that_lacks_least() -> None:
    told = text(judged(pod("a", "9"), [pod("b", "1500m", "large")])).splitlines()
    line = next(each for each in told if each.startswith("NodeResourcesFit"))
    assert line.split()[1] == "2" and line.endswith("large: needs 9 cpu, 6.5 free")
    assert "  TaintToleration: a node comes or changes" in told
    assert any(each.startswith("  NodeResourcesFit: ") and "a pod leaves its node" in each for each in told)


def test_raw_normalised_and_weighted_scores_and_ties_are_told() -> None:
    wanted = pod("a", "1")
    term = wanted.spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution.add(weight=7)
    term.preference.matchExpressions.add(key="size", operator="In", values=["s"])
    small, twin = node("small", "8"), node("twin", "8")
    for each in (small, twin):
        each.metadata.labels["size"] = "s"
    nodes = [each.SerializeToString() for each in (node("plain", "8"), small, twin)]
    report = explain_scheduling.judged(wanted.SerializeToString(), nodes, [], [], SeededEntropy(1).randrange, (DEFAULT,))
    assert report["raw"]["NodeAffinity"] == {"plain": 0, "small": 7, "twin": 7}
    assert report["normalised"]["NodeAffinity"] == {"plain": 0, "small": 100, "twin": 100}
    assert report["scores"]["NodeAffinity"]["small"] == 200
    assert report["ties"] == 2 and set(report["best"]) == {"small", "twin"}
    assert report["raw"].keys() == report["scores"].keys() == report["normalised"].keys()
    assert "200 (100, 7)" in text(report)


def test_raw_scores_of_plugins_that_count_pods_elsewhere_are_what_they_summed() -> None:
    wanted = pod("a", "1")
    term = wanted.spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution.add(weight=5)
    term.podAffinityTerm.topologyKey = "zone"
    term.podAffinityTerm.labelSelector.matchLabels["app"] = "db"
    near, far, beside = node("near", "8"), node("far", "8"), pod("db", "1", "near")
    near.metadata.labels["zone"], far.metadata.labels["zone"], beside.metadata.labels["app"] = "a", "b", "db"
    nodes = [each.SerializeToString() for each in (near, far)]
    report = explain_scheduling.judged(
        wanted.SerializeToString(), nodes, [beside.SerializeToString()], [], SeededEntropy(1).randrange, (DEFAULT,)
    )
    assert report["raw"]["InterPodAffinity"] == {"near": 5, "far": 0}
    assert report["scores"]["InterPodAffinity"] == {"near": 200, "far": 0}


def test_a_decision_explains_itself() -> None:
    nodes = [each.SerializeToString() for each in (node("large", "8"), node("small", "2"))]
    columns, row = snapshot(nodes, []).columns, pod_row(pod("a", "3").SerializeToString())
    found = schedule(row, columns, Evaluations(), SeededEntropy(1).randrange).explain(row, columns)
    assert found.best == ("large",) and found.shortfalls["small"] == (Shortfall("cpu", 3000, 2000),)


def test_five_thousand_nodes_are_told_in_few_lines() -> None:
    nodes = [node(f"n{number}", str(1 + number % 7)).SerializeToString() for number in range(5000)]
    report = explain_scheduling.judged(pod("a", "5").SerializeToString(), nodes, [], [], SeededEntropy(1).randrange, (DEFAULT,))
    told = list(explain_scheduling.lines({"pod": "default/a", "node": None, "nodes": 5000} | report, 10))
    assert len(report["rejected"]) + len(report["feasible"]) == 5000 and len(told) < 25
    assert "needs 5 cpu, 4 free" in "\n".join(told)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("web-1",), ("", "web-1")),
        (("pod/web-1",), ("", "web-1")),
        (("pods/web-1",), ("", "web-1")),
        (("po", "web-1"), ("", "web-1")),
        (("shop/web-1",), ("shop", "web-1")),
    ],
)
def test_a_pod_is_named_as_for_kubectl(words: tuple[str, ...], expected: tuple[str, str]) -> None:
    assert explain_scheduling.meant(words) == expected


NO_PODS = [("deployment/web",), ("deploy", "web"), ("a/b/c",), ("pod/",), ("/web",), ("pod", "a/b"), ("nothing", "web")]


@pytest.mark.parametrize("words", NO_PODS)
def test_what_names_no_pod_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(click.UsageError, match="no pod"):
        explain_scheduling.meant(words)


def test_long_tables_are_cut() -> None:
    report = judged(pod("a", "100"), [])
    cut = "\n".join(explain_scheduling.lines({"pod": "default/a", "node": None, "nodes": 3} | report, 1))
    assert "... and 1 more" in cut
