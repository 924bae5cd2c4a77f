"""`kcore explain-scheduling` over a small cluster in memory."""

from kcore.api.core.v1.node_pb2 import Node
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.base.entropy import SeededEntropy
from kcore.cli import explain_scheduling
from kcore.scheduler.profile import DEFAULT, Profile


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
    assert report["rejected"]["small"] == {"plugin": "NodeResourcesFit", "reasons": ["Insufficient cpu"]}
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


def test_long_tables_are_cut() -> None:
    report = judged(pod("a", "100"), [])
    cut = "\n".join(explain_scheduling.lines({"pod": "default/a", "node": None, "nodes": 3} | report, 1))
    assert "... and 2 more" in cut
