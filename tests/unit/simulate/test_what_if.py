"""Changes carried out on a cluster in memory."""

from __future__ import annotations

import pytest
import yaml

from kcore.machinery.labels import parse
from kcore.scheduler.configuration.reading import read
from kcore.simulate.changes import Add, ChangeError, Drain, DrainSelected, Grow, counted
from kcore.simulate.cluster import Cluster
from kcore.simulate.what_if import WhatIf
from tests.unit.simulate.objects import claiming, cluster, local_volume, node, pod, pods_like


def settled(found: Cluster) -> WhatIf:
    what_if = WhatIf(found)
    what_if.settle()
    return what_if


def test_pending_pods_are_decided_by_priority() -> None:
    what_if = settled(cluster(node("n", "2"), pod("low", "2"), pod("high", "2", priority=5)))
    assert what_if.placed == {"default/high": "n"}
    assert list(what_if.unplaced()) == ["default/low"]


def test_a_drained_node_takes_its_daemons_along_and_its_other_pods_move() -> None:
    mirror = pod("static", on="a", annotations={"kubernetes.io/config.mirror": "x"})
    leaving = pod("leaving", on="a", owner="ReplicaSet", deletionTimestamp="2026-01-01T00:00:00Z")
    found = cluster(
        node("a", "8"), node("b"), mirror, leaving, pod("web", on="a", owner="ReplicaSet"), pod("log", on="a", owner="DaemonSet"),
        pod("bare", on="a"),
    )  # fmt: skip
    what_if = settled(found)
    what_if.change(Drain("", "a"))
    assert what_if.placed == {"default/web": "b", "default/bare": "b"}
    assert what_if.unmanaged == ["default/bare"]
    assert what_if.columns.pod_count.sum() == 2


def test_all_nodes_of_a_rack_are_gone_before_their_pods_look_for_another_one() -> None:
    what_if = settled(cluster(node("a", rack="1"), node("b", rack="1"), node("c", "1", rack="2"), pod("p", on="a"), pod("q", on="b")))
    what_if.change(DrainSelected("", parse("rack=1")))
    assert sorted(what_if.drained) == ["a", "b"]
    assert list(what_if.placed.values()) == ["c"] and len(what_if.unplaced()) == 1


def test_a_pod_that_was_drained_keeps_nothing_of_its_former_status() -> None:
    resized = pod("p", "1", on="a", owner="ReplicaSet")
    resized["status"]["containerStatuses"] = [{"name": "app", "image": "app", "resources": {"requests": {"cpu": "3"}}}]
    what_if = settled(cluster(node("a"), node("b", "2"), resized))
    assert what_if.columns.requested[0].sum() == 3000
    what_if.change(Drain("", "a"))
    assert what_if.placed == {"default/p": "b"}
    assert what_if.columns.requested[0].sum() == 1000


def test_nodes_that_come_are_new_and_run_the_daemons_of_their_pattern() -> None:
    pattern = node("a", taints=("kept", "node.kubernetes.io/not-ready"), **{"kubernetes.io/hostname": "a", "rack": "1"})
    pattern["spec"]["unschedulable"] = True
    what_if = settled(cluster(pattern, pod("log", on="a", owner="DaemonSet"), pod("web", on="a", owner="ReplicaSet")))
    what_if.change(Grow("", "a", 2))
    what_if.change(Grow("", "a", 1))
    assert what_if.grown == ["a-new-1", "a-new-2", "a-new-3"]
    made = what_if.columns.node("a-new-2")
    assert made is not None and not made.unschedulable and [taint.key for taint in made.taints] == ["kept"]
    assert made.labels == {"kubernetes.io/hostname": "a-new-2", "rack": "1"}
    assert [int(what_if.columns.pod_count[what_if.columns.slots[name]]) for name in what_if.grown] == [1, 1, 1]


def test_a_node_that_was_drained_may_be_the_pattern_of_others() -> None:
    what_if = settled(cluster(node("a"), pod("p", on="a", owner="ReplicaSet")))
    what_if.change(Drain("", "a"))
    assert "no nodes available" in what_if.unplaced()["default/p"].message
    what_if.change(Grow("", "a", 1))
    assert what_if.placed == {"default/p": "a-new-1"}


def test_pods_of_the_same_template_come_in_several_steps() -> None:
    what_if = settled(cluster(node("a", "3"), pod("web-0", on="a")))
    for _ in range(2):
        what_if.change(Add("", pods_like(pod("web", "1")), 2))
    assert what_if.brought == [[], ["default/web-0-new", "default/web-1"], ["default/web-2", "default/web-3"]]
    assert len(what_if.placed) == 2 and len(what_if.unplaced()) == 2


def test_who_is_preempted_comes_back_and_looks_for_another_place() -> None:
    what_if = settled(cluster(node("a", "2"), node("b", "1"), pod("low", "1", on="a", owner="ReplicaSet")))
    what_if.change(Add("", pods_like(pod("high", "2", priority=9)), 1))
    assert what_if.placed == {"default/high-0": "a", "default/low": "b"}
    assert [each.pod for each in what_if.preempted] == ["default/low"]


def test_reasons_are_those_of_the_nodes_that_are_there_in_the_end() -> None:
    what_if = settled(cluster(node("a"), node("b"), pod("huge", "100")))
    what_if.change(Drain("", "b"))
    assert what_if.unplaced()["default/huge"].message.startswith("0/1 nodes")


def test_a_volume_is_given_to_one_pod_alone_and_holds_it_on_its_node() -> None:
    first, second = claiming(pod("p", "1"), "c"), claiming(pod("q", "1"), "d")
    what_if = settled(cluster(node("a"), node("b"), *local_volume("v", on="a"), *first, *second))
    assert what_if.placed == {"default/p": "a"}
    (waiting,) = what_if.unplaced().values()
    assert "didn't find available persistent volumes to bind" in waiting.message
    what_if.change(Drain("", "a"))
    assert not what_if.placed and set(what_if.unplaced()) == {"default/p", "default/q"}


def test_a_scheduler_that_is_configured_decides_as_configured() -> None:
    text = """
        apiVersion: kubescheduler.config.k8s.io/v1
        kind: KubeSchedulerConfiguration
        profiles:
        - pluginConfig:
          - name: NodeResourcesFit
            args: {scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 1}]}}
    """
    found = cluster(node("a"), node("b"), pod("there", "1", on="a"))
    more = Add("", pods_like(pod("more", "1")), 1)
    usual, packing = WhatIf(found), WhatIf(found, configuration=read(yaml.safe_load(text)))
    for what_if in (usual, packing):
        what_if.change(more)
    assert (usual.placed, packing.placed) == ({"default/more-0": "b"}, {"default/more-0": "a"})


def test_what_is_not_looked_at_is_counted_by_reason() -> None:
    foreign, gated = pod("foreign"), pod("gated")
    foreign["spec"]["schedulerName"], gated["spec"]["schedulingGates"] = "another", [{"name": "later"}]
    what_if = settled(cluster(node("a"), foreign, gated))
    assert what_if.undecided == {"belongs to the scheduler another": 1, "has scheduling gates": 1}
    assert not what_if.placed and not what_if.unplaced()


@pytest.mark.parametrize("change", [Drain("", "x"), Grow("", "x", 1), DrainSelected("", parse("rack=x"))])
def test_a_node_that_is_not_there_is_a_change_that_is_not_possible(change: Drain | Grow | DrainSelected) -> None:
    with pytest.raises(ChangeError, match="no node"):
        settled(cluster(node("a"))).change(change)


@pytest.mark.parametrize("text", ["a", "a=", "a=0", "a=-1", "=3", "a=1.5"])
def test_a_number_has_to_be_given(text: str) -> None:
    with pytest.raises(ChangeError, match="does not end in =N"):
        counted(text)
    assert counted("a=b=3") == ("a=b", 3)
