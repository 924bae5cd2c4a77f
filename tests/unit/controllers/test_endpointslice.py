"""The EndpointSlices of services, as pods, nodes and slices come and go."""

from kcore.machinery import status
from tests.unit.controllers.cluster import NODES, PODS, SERVICES, SLICES, Cluster, run

NAME = "endpointslice"


def targets(cluster):
    """The pods of each slice."""
    return sorted(sorted(end.targetRef.name for end in found.endpoints) for found in cluster.all(SLICES).values())


def writes(cluster):
    return [
        call.verb for call in cluster.transport.calls if call.resource == "endpointslices" and call.verb not in ("list", "watch", "get")
    ]


def fill(cluster, count, first=0):
    for number in range(first, first + count):
        cluster.pod(f"p{number:03}", "n1", f"10.0.0.{number + 1}", app="web")


def test_slices_follow_each_change_of_pods_with_one_write():
    async def story(cluster: Cluster):
        cluster.node("n1")
        cluster.service("web", app="web")
        fill(cluster, 130)
        await cluster.start()
        await cluster.clock.sleep(1)
        assert [len(each) for each in targets(cluster)] == [100, 30]
        del cluster.transport.calls[:]
        fill(cluster, 1, first=130)
        await cluster.clock.sleep(1)
        assert writes(cluster) == ["update"]
        cluster.change(PODS, "default/p007", lambda pod: setattr(pod.status.conditions[0], "status", "False"), "status")
        await cluster.clock.sleep(1)
        assert writes(cluster) == ["update"] * 2
        cluster.delete(PODS, "p007", "default", grace_s=0)
        await cluster.clock.sleep(1)
        assert writes(cluster) == ["update"] * 4, "the pod ends, and is gone"
        assert sorted(len(each) for each in targets(cluster)) == [31, 99]

    run(story, NAME)


def test_slices_removed_by_hand_are_made_again_and_go_with_the_service():
    async def story(cluster: Cluster):
        cluster.node("n1")
        cluster.service("web", app="web")
        fill(cluster, 2)
        await cluster.start()
        await cluster.clock.sleep(1)
        (name,) = cluster.all(SLICES)
        cluster.delete(SLICES, name, "default")
        await cluster.clock.sleep(1)
        assert targets(cluster) == [["p000", "p001"]]
        cluster.change(SERVICES, "default/web", lambda service: service.spec.selector.clear())
        await cluster.clock.sleep(1)
        assert targets(cluster) == [["p000", "p001"]], "left alone"
        cluster.delete(SERVICES, "web", "default")
        await cluster.clock.sleep(1)
        assert targets(cluster) == []

    run(story, NAME)


def test_zones_of_nodes_reach_the_endpoints_and_pods_of_missing_nodes_wait_for_them():
    async def story(cluster: Cluster):
        cluster.service("web", app="web")
        fill(cluster, 1)
        await cluster.start()
        await cluster.clock.sleep(1)
        assert targets(cluster) == [[]]
        cluster.node("n1", zone="za")
        await cluster.clock.sleep(1)
        assert targets(cluster) == [["p000"]]
        cluster.change(NODES, "n1", lambda node: node.metadata.labels.update({"topology.kubernetes.io/zone": "zb"}))
        await cluster.clock.sleep(1)
        assert [end.zone for found in cluster.all(SLICES).values() for end in found.endpoints] == ["zb"]
        cluster.delete(NODES, "n1")
        await cluster.clock.sleep(1)
        assert targets(cluster) == [[]]

    run(story, NAME)


def test_a_slice_that_nobody_saw_is_made_again():
    async def story(cluster: Cluster):
        cluster.node("n1")
        await cluster.start()
        cluster.transport.fail("watch", status.service_unavailable("no watch"), resource="endpointslices", times=3)
        cluster.transport.break_streams(status.service_unavailable("broken"))
        cluster.service("web", app="web")
        while not cluster.all(SLICES):
            await cluster.clock.sleep(0.01)
        (name,) = cluster.all(SLICES)
        cluster.delete(SLICES, name, "default")
        cluster.server.compact()
        fill(cluster, 1)
        await cluster.clock.sleep(30)
        assert targets(cluster) == [["p000"]]

    run(story, NAME)


def test_a_lost_answer_leaves_no_pod_in_two_slices():
    async def story(cluster: Cluster):
        cluster.node("n1")
        await cluster.start()
        cluster.transport.fail("bulk", status.service_unavailable("lost"), after=True)
        cluster.service("web", app="web")
        fill(cluster, 3)
        await cluster.clock.sleep(10)
        assert targets(cluster) == [["p000", "p001", "p002"]]

    run(story, NAME)


def test_a_restart_writes_nothing():
    async def story(cluster: Cluster):
        cluster.node("n1")
        cluster.service("web", app="web")
        fill(cluster, 3)
        await cluster.start()
        await cluster.clock.sleep(1)
        await cluster.stop()
        await cluster.start()
        await cluster.clock.sleep(1)
        assert writes(cluster) == []

    run(story, NAME)


def test_nothing_is_decided_before_the_slices_made_are_seen():
    async def story(cluster: Cluster):
        cluster.node("n1")
        await cluster.start()
        cluster.transport.fail("watch", status.service_unavailable("no watch"), resource="endpointslices", times=5)
        cluster.transport.break_streams(status.service_unavailable("broken"))
        cluster.service("web", app="web")
        fill(cluster, 1)
        while not cluster.all(SLICES):
            await cluster.clock.sleep(0.01)
        fill(cluster, 1, first=1)
        await cluster.clock.sleep(1)
        assert writes(cluster) == ["create"]
        await cluster.clock.sleep(30)
        assert (writes(cluster), targets(cluster)) == (["create", "update"], [["p000", "p001"]])

    run(story, NAME)
