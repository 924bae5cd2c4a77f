"""Pods that nobody else removes."""

from kcore.controllers import pod_garbage_collector
from kcore.machinery import status
from tests.unit.controllers.cluster import NODES, PODS, Cluster, run

GC = "pod-garbage-collector"


def test_pods_of_a_node_that_went_go_after_a_while():
    async def story(cluster: Cluster):
        cluster.node("n1")
        cluster.node("n2")
        for name, node in (("a", "n1"), ("b", "n2"), ("c", "")):
            cluster.pod(name, node)
        await cluster.start()
        cluster.delete(NODES, "n1")
        await cluster.clock.sleep(39)
        assert cluster.pods() == ["a", "b", "c"]
        await cluster.clock.sleep(42)
        assert cluster.pods() == ["b", "c"]
        assert "a" not in cluster.all(PODS)
        assert cluster.events() == []

    run(story, GC)


def test_pods_of_a_node_that_never_was_go_too():
    async def story(cluster: Cluster):
        cluster.pod("a", "nowhere")
        await cluster.start()
        cluster.pod("b", "elsewhere")
        await cluster.clock.sleep(82)
        assert cluster.pods() == []

    run(story, GC)


def test_a_node_that_comes_back_in_time_keeps_its_pods():
    async def story(cluster: Cluster):
        cluster.node("n1")
        cluster.pod("a", "n1")
        await cluster.start()
        cluster.delete(NODES, "n1")
        await cluster.clock.sleep(30)
        cluster.node("n1")
        await cluster.clock.sleep(300)
        assert cluster.pods() == ["a"]

    run(story, GC)


def test_a_node_that_only_the_watch_lost_keeps_its_pods():
    async def story(cluster: Cluster):
        cluster.pod("a", "n1")
        await cluster.start()
        cluster.transport.fail("watch", status.service_unavailable("no watch"), resource="nodes", times=10_000)
        cluster.transport.break_streams(status.service_unavailable("broken"))
        cluster.node("n1")
        await cluster.clock.sleep(200)
        assert cluster.pods() == ["a"]

    run(story, GC)


def test_a_restart_gives_missing_nodes_their_time_again():
    async def story(cluster: Cluster):
        cluster.pod("a", "n1")
        await cluster.start()
        await cluster.clock.sleep(35)
        await cluster.stop()
        await cluster.start()
        await cluster.clock.sleep(35)
        assert cluster.pods() == ["a"]
        await cluster.clock.sleep(30)
        assert cluster.pods() == []

    run(story, GC)


def test_pods_on_a_node_out_of_service_need_not_wait_for_it():
    async def story(cluster: Cluster):
        cluster.node("n1", ready="Unknown")
        cluster.change(NODES, "n1", lambda node: node.spec.taints.add(key="node.kubernetes.io/out-of-service", effect="NoExecute"))
        cluster.pod("a", "n1")
        cluster.pod("b", "n1")
        await cluster.start()
        cluster.delete(PODS, "a", "default")
        await cluster.clock.sleep(25)
        assert list(cluster.all(PODS)) == ["b"]

    run(story, GC)


def test_the_oldest_finished_pods_go_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(pod_garbage_collector.limits, "TERMINATED_PODS_MAX", 2)

    async def story(cluster: Cluster):
        cluster.node("n1")
        for name in ("a", "b", "c", "d"):
            cluster.pod(name, "n1")
            cluster.change(PODS, f"default/{name}", lambda pod: setattr(pod.status, "phase", "Succeeded"), "status")
            await cluster.clock.sleep(1)
        await cluster.start()
        await cluster.clock.sleep(25)
        assert cluster.pods() == ["c", "d"]

    run(story, GC)
