"""Pods on nodes with taints that evict."""

from math import inf

import pytest

from kcore.api.core.v1.node_pb2 import Node
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.controllers.taint_eviction import came_at, leave_in_s, tolerates
from kcore.machinery import status
from tests.unit.controllers.cluster import NODES, PODS, Cluster, run

EVICTION = "taint-eviction"


def bad(node):
    node.spec.taints.add(key="bad", value="x", effect="NoExecute")


def tolerating(**fields):
    return lambda pod: pod.spec.tolerations.add(**fields)


@pytest.mark.parametrize(
    ("toleration", "covers"),
    [
        ({"key": "bad", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"operator": "Exists", "effect": "NoSchedule"}, False),
        ({"key": "bad", "operator": "Equal", "value": "x", "effect": "NoExecute"}, True),
        ({"key": "bad", "value": "x"}, True),
        ({"key": "bad", "value": "y"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"operator": "Equal", "value": "x"}, False),
    ],
)
def test_a_toleration_covers_by_key_value_and_effect(toleration, covers):
    node, pod = Node(), Pod()
    bad(node)
    assert tolerates(pod.spec.tolerations.add(**toleration), node.spec.taints[0]) == covers


def test_the_time_begins_with_the_taint_or_with_the_pod():
    node, pod = Node(), Pod()
    bad(node)
    pod.spec.tolerations.add(key="bad", operator="Exists", tolerationSeconds=100)
    assert leave_in_s(pod, node.spec.taints, since=1000.0, now=1040.0) == 60.0
    node.spec.taints[0].timeAdded.seconds = 990
    assert leave_in_s(pod, node.spec.taints, since=1000.0, now=1040.0) == 50.0
    pod.metadata.creationTimestamp.seconds = 995
    assert leave_in_s(pod, node.spec.taints, since=1000.0, now=1040.0) == 55.0
    pod.status.conditions.add(type="PodScheduled", status="True").lastTransitionTime.seconds = 1030
    assert came_at(pod) == 1030.0
    assert leave_in_s(pod, node.spec.taints, since=1000.0, now=1040.0) == 90.0
    assert leave_in_s(pod, [], since=1000.0, now=1040.0) == inf


def test_a_pod_that_does_not_tolerate_goes_at_once_and_says_why():
    async def story(cluster: Cluster):
        cluster.node("n1")
        cluster.pod("a", "n1")
        cluster.pod("b", "n1")
        cluster.pod("c")
        cluster.change(PODS, "default/b", tolerating(key="bad", operator="Exists"))
        await cluster.start()
        cluster.change(NODES, "n1", bad)
        await cluster.clock.sleep(1)
        assert cluster.pods() == ["b", "c"]
        reasons = [(c.type, c.reason, c.message) for c in cluster.all(PODS)["a"].status.conditions if c.type == "DisruptionTarget"]
        assert reasons == [("DisruptionTarget", "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")]
        cluster.pod("d", "n1")
        await cluster.clock.sleep(1)
        assert cluster.pods() == ["b", "c"], "who comes later goes too"
        messages = [message for _, _, message in cluster.events()]
        assert messages == ["Marking for deletion Pod default/a", "Marking for deletion Pod default/d"]

    run(story, EVICTION)


def test_a_pod_that_tolerates_for_a_time_goes_then():
    async def story(cluster: Cluster):
        cluster.node("n1")
        cluster.pod("a", "n1")
        cluster.change(PODS, "default/a", tolerating(key="bad", operator="Exists", tolerationSeconds=20))
        await cluster.start()
        cluster.change(NODES, "n1", bad)
        await cluster.clock.sleep(19)
        assert cluster.pods() == ["a"]
        await cluster.clock.sleep(2)
        assert cluster.pods() == []
        assert [message for _, _, message in cluster.events()] == ["Marking for deletion Pod default/a"]

    run(story, EVICTION)


@pytest.mark.parametrize("by", ["taint", "toleration"])
def test_a_deletion_is_cancelled_once(by):
    async def story(cluster: Cluster):
        cluster.node("n1")
        cluster.pod("a", "n1")
        cluster.change(PODS, "default/a", tolerating(key="bad", operator="Exists", tolerationSeconds=20))
        await cluster.start()
        cluster.change(NODES, "n1", bad)
        await cluster.clock.sleep(10)
        if by == "taint":
            cluster.change(NODES, "n1", lambda node: node.spec.ClearField("taints"))
        else:
            cluster.change(PODS, "default/a", lambda pod: pod.spec.tolerations[0].ClearField("tolerationSeconds"))
        await cluster.clock.sleep(100)
        assert cluster.pods() == ["a"]
        assert cluster.events() == [("taint-eviction-controller", "a", "Cancelling deletion of Pod default/a")]

    run(story, EVICTION)


def test_a_pod_is_not_deleted_before_it_says_why():
    async def story(cluster: Cluster):
        cluster.node("n1")
        cluster.pod("a", "n1")
        await cluster.start()
        cluster.transport.fail("update", status.conflict("pods", "", "a"), resource="pods", times=2)
        cluster.change(NODES, "n1", bad)
        await cluster.clock.sleep(1)
        assert cluster.pods() == []
        assert "DisruptionTarget" in [c.type for c in cluster.all(PODS)["a"].status.conditions]
        assert len(cluster.events()) == 1

    run(story, EVICTION)


def test_a_restart_in_the_middle_takes_no_time_from_a_pod_and_gives_it_none():
    async def story(cluster: Cluster):
        cluster.node("n1")
        cluster.pod("a", "n1")
        cluster.change(PODS, "default/a", tolerating(key="bad", operator="Exists", tolerationSeconds=100))
        cluster.change(NODES, "n1", bad)
        added_at = int(cluster.clock.now())
        cluster.change(NODES, "n1", lambda node: setattr(node.spec.taints[0].timeAdded, "seconds", added_at))
        await cluster.start()
        await cluster.clock.sleep(60)
        await cluster.stop()
        await cluster.start()
        await cluster.clock.sleep(38)
        assert cluster.pods() == ["a"]
        await cluster.clock.sleep(4)
        assert cluster.pods() == []

    run(story, EVICTION)
