"""Nodes that fall silent, come back, and are looked at by controllers that are started again."""

import sys

from kcore.api.core.v1.node_pb2 import Node
from kcore.base import limits
from kcore.base.clock import VirtualClock
from kcore.controllers import node_lifecycle
from kcore.controllers.node_lifecycle import Health, Reconciler
from kcore.machinery import status
from tests.unit.controllers.cluster import LEASES, NODES, PODS, Cluster, run

LIFECYCLE = "node-lifecycle"
EVICTION = "taint-eviction"


def tolerant(pod):
    for key in ("not-ready", "unreachable"):
        pod.spec.tolerations.add(key=f"node.kubernetes.io/{key}", operator="Exists", effect="NoExecute", tolerationSeconds=300)


def test_a_node_that_falls_silent_is_unknown_and_loses_its_pods():
    async def story(cluster: Cluster):
        cluster.node("n1")
        cluster.node("n2")
        cluster.pod("a", "n1")
        cluster.pod("b", "n2")
        for name in ("a", "b"):
            cluster.change(PODS, f"default/{name}", tolerant)
        await cluster.start()
        await cluster.clock.sleep(100)
        assert (cluster.ready("n1"), cluster.ready("n2")) == ("True", "True")
        cluster.alive.discard("n1")
        silent_at = cluster.clock.now()
        await cluster.clock.sleep(39)
        assert cluster.ready("n1") == "True"
        await cluster.clock.sleep(18)
        assert (cluster.ready("n1"), cluster.ready("n2")) == ("Unknown", "True")
        assert [c.reason for c in cluster.all(NODES)["n1"].status.conditions][:2] == ["NodeStatusUnknown", "NodeStatusNeverUpdated"]
        assert cluster.all(PODS)["a"].status.conditions[0].status == "False"
        await cluster.clock.sleep(6)
        assert cluster.taints("n1") == ["unreachable:NoExecute", "unreachable:NoSchedule"]
        assert cluster.taints("n2") == []
        await cluster.clock.sleep(silent_at + 50 + 295 - cluster.clock.now())
        assert cluster.pods() == ["a", "b"]
        await cluster.clock.sleep(20)
        assert cluster.pods() == ["b"]
        assert cluster.events("NodeNotReady") == [
            ("node-controller", "a", "Node is not ready"),
            ("node-controller", "n1", "Node n1 status is now: NodeNotReady"),
        ]
        assert cluster.events("RegisteredNode") == [
            ("node-controller", name, f"Node {name} event: Registered Node {name} in Controller") for name in ("n1", "n2")
        ]
        assert cluster.events("TaintManagerEviction") == [("taint-eviction-controller", "a", "Marking for deletion Pod default/a")]
        cluster.delete(NODES, "n1")
        await cluster.clock.sleep(2)
        assert cluster.events("RemovingNode") == [("node-controller", "n1", "Node n1 event: Removing Node n1 from Controller")]

    run(story, LIFECYCLE, EVICTION)


def test_a_node_that_comes_back_keeps_its_pods():
    async def story(cluster: Cluster):
        cluster.node("n1")
        cluster.node("n2")
        cluster.pod("a", "n1")
        cluster.change(PODS, "default/a", tolerant)
        await cluster.start()
        cluster.alive.discard("n1")
        await cluster.clock.sleep(120)
        assert cluster.taints("n1") == ["unreachable:NoExecute", "unreachable:NoSchedule"]
        cluster.alive.add("n1")
        cluster.post("n1", "True")
        await cluster.clock.sleep(500)
        assert cluster.ready("n1") == "True"
        assert cluster.taints("n1") == []
        assert cluster.pods() == ["a"]
        assert cluster.events("TaintManagerEviction") == [("taint-eviction-controller", "a", "Cancelling deletion of Pod default/a")]

    run(story, LIFECYCLE, EVICTION)


def test_a_restart_gives_silent_nodes_their_time_again_and_does_no_harm():
    async def story(cluster: Cluster):
        cluster.node("n1")
        cluster.node("n2")
        cluster.pod("a", "n1")
        cluster.change(PODS, "default/a", tolerant)
        await cluster.start()
        cluster.alive.discard("n1")
        await cluster.clock.sleep(40)
        await cluster.stop()
        await cluster.clock.sleep(3600)
        await cluster.start()
        await cluster.clock.sleep(40)
        assert (cluster.ready("n1"), cluster.ready("n2")) == ("True", "True")
        await cluster.clock.sleep(60)
        assert cluster.ready("n1") == "Unknown"
        assert cluster.taints("n1") == ["unreachable:NoExecute", "unreachable:NoSchedule"]
        await cluster.clock.sleep(200)
        await cluster.stop()
        await cluster.start()
        revision = cluster.server.revision
        writes = [call for call in cluster.transport.calls if call.verb in ("update", "patch", "delete")]
        assert (writes, cluster.server.revision) == ([], revision)
        await cluster.clock.sleep(80)
        assert cluster.pods() == [], "the time of a pod goes on over a restart"

    run(story, LIFECYCLE, EVICTION)


def test_pods_that_were_not_marked_before_a_crash_are_marked_after_it():
    async def story(cluster: Cluster):
        cluster.node("n1", ready="Unknown", alive=False)
        cluster.node("n2")
        cluster.pod("a", "n1")
        await cluster.start()
        await cluster.clock.sleep(1)
        assert cluster.all(PODS)["a"].status.conditions[0].status == "False"

    run(story, LIFECYCLE)


def test_a_node_that_never_spoke_has_a_minute_from_its_creation():
    async def story(cluster: Cluster):
        cluster.node("n1", ready="", alive=False)
        cluster.delete(LEASES, "n1", "kube-node-lease")
        cluster.node("n2")
        await cluster.clock.sleep(40)
        await cluster.start()
        await cluster.clock.sleep(15)
        assert cluster.ready("n1") == ""
        await cluster.clock.sleep(12)
        assert cluster.ready("n1") == "Unknown"
        assert cluster.events("NodeNotReady") == []

    run(story, LIFECYCLE)


def test_a_posted_ready_condition_is_a_heartbeat_and_another_writer_is_none():
    async def story(cluster: Cluster):
        cluster.node("n1", alive=False)
        cluster.node("n2", alive=False)
        cluster.node("n3")
        await cluster.start()
        for _ in range(8):
            await cluster.clock.sleep(10)
            cluster.post("n1", "True")
            cluster.change(NODES, "n2", lambda node: node.metadata.annotations.update(at=str(cluster.clock.now())))
        assert [cluster.ready(name) for name in ("n1", "n2", "n3")] == ["True", "Unknown", "True"]

    run(story, LIFECYCLE)


def test_nodes_of_a_zone_evict_one_after_the_other():
    async def story(cluster: Cluster):
        for number in range(10):
            cluster.node(f"n{number}", zone="a")
        await cluster.start()
        for name in ("n1", "n2"):
            cluster.alive.discard(name)
        await cluster.clock.sleep(61)
        evicting = [name for name in ("n1", "n2") if "unreachable:NoExecute" in cluster.taints(name)]
        assert len(evicting) == 1
        await cluster.clock.sleep(11)
        assert all("unreachable:NoExecute" in cluster.taints(name) for name in ("n1", "n2"))

    run(story, LIFECYCLE)


def test_nothing_is_evicted_when_no_node_is_ready_anywhere():
    async def story(cluster: Cluster):
        cluster.node("n1")
        cluster.node("n2")
        cluster.node("n3")
        await cluster.start()
        cluster.alive.discard("n1")
        await cluster.clock.sleep(100)
        assert "unreachable:NoExecute" in cluster.taints("n1")
        cluster.alive.clear()
        await cluster.clock.sleep(100)
        assert [cluster.taints(name) for name in ("n1", "n2", "n3")] == [["unreachable:NoSchedule"]] * 3
        cluster.post("n3", "True")
        cluster.alive.add("n3")
        await cluster.clock.sleep(30)
        assert cluster.ready("n3") == "True"
        assert any("unreachable:NoExecute" in cluster.taints(name) for name in ("n1", "n2"))

    run(story, LIFECYCLE)


def test_nodes_get_time_to_be_heard_of_after_all_seemed_to_be_down():
    async def story(cluster: Cluster):
        cluster.node("n1", ready="False", alive=False)
        cluster.node("n2", ready="False", alive=False)
        await cluster.start()
        await cluster.clock.sleep(40)
        cluster.alive.add("n2")
        cluster.post("n2", "True")
        await cluster.clock.sleep(40)
        assert cluster.ready("n1") == "False"
        await cluster.clock.sleep(25)
        assert cluster.ready("n1") == "Unknown"

    run(story, LIFECYCLE)


def test_a_write_that_came_too_late_is_tried_again_at_once():
    async def story(cluster: Cluster):
        cluster.node("n1")
        await cluster.start()
        cluster.transport.fail("patch", status.conflict("nodes", "", "n1"), resource="nodes")
        cluster.change(NODES, "n1", lambda node: setattr(node.spec, "unschedulable", True))
        await cluster.clock.sleep(1)
        assert cluster.taints("n1") == ["unschedulable:NoSchedule"]

    run(story, LIFECYCLE)


def test_a_relist_is_no_heartbeat():
    async def story(cluster: Cluster):
        cluster.node("n1", alive=False)
        cluster.node("n2")
        await cluster.start()
        for _ in range(8):
            await cluster.clock.sleep(10)
            cluster.server.compact()
            cluster.transport.break_streams(status.too_old_resource_version(1, 2))
        assert [cluster.ready(name) for name in ("n1", "n2")] == ["Unknown", "True"]
        assert len(cluster.all(LEASES)) == 2

    run(story, LIFECYCLE)


class _Nothing:
    """Informers, queues and listers of a cluster that nobody asks."""

    def __getattr__(self, name):
        return lambda *args, **options: self

    lister = property(lambda self: self)


def test_a_look_at_five_thousand_nodes_reads_no_object_and_takes_few_steps():
    class Context:
        clock = VirtualClock()
        informer = _Nothing().informer

    queue = _Nothing()
    reconciler = Reconciler(Context(), queue)
    for number in range(5000):
        node = Node()
        node.metadata.name = f"n{number}"
        node.status.conditions.add(type="Ready", status="True")
        reconciler.node_changed(None, node)
    calls = 0

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        reconciler.look_at_all()
    finally:
        sys.setprofile(before)
    assert calls < 4 * 5000
    assert not reconciler.may_evict


def test_silence_is_over_the_grace_period_of_the_state():
    spoke, silent = Health("u", 0.0, ready="True"), Health("u", 0.0)
    assert not spoke.is_silent(limits.NODE_GRACE_PERIOD_S) and spoke.is_silent(limits.NODE_GRACE_PERIOD_S + 1)
    assert not silent.is_silent(limits.NODE_STARTUP_GRACE_PERIOD_S) and silent.is_silent(limits.NODE_STARTUP_GRACE_PERIOD_S + 1)
    assert not Health("u", 0.0, ready=node_lifecycle.UNKNOWN).is_silent(1e9)
