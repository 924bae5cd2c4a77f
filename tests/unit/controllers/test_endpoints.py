"""The Endpoints of services, as pods come and go."""

from kcore.api.core.v1.endpoints_pb2 import Endpoints, EndpointSubset
from kcore.controllers.endpoints import ADDRESSES_MAX, OVER_CAPACITY, bounded
from kcore.machinery import status
from tests.unit.controllers.cluster import ENDPOINTS, PODS, SERVICES, Cluster, run

NAME = "endpoints"


def addresses(cluster, name="web"):
    found = cluster.all(ENDPOINTS)[name]
    return [[address.ip for address in subset.addresses] for subset in found.subsets]


def subset(ready, unready, port=80):
    found = EndpointSubset()
    for number in range(ready):
        found.addresses.add(ip=f"10.0.{number // 250}.{number % 250}")
    for number in range(unready):
        found.notReadyAddresses.add(ip=f"10.1.{number // 250}.{number % 250}")
    found.ports.add(port=port)
    return found


def sizes(found):
    return [(len(subset.addresses), len(subset.notReadyAddresses)) for subset in found]


def test_addresses_follow_pods():
    async def story(cluster: Cluster):
        cluster.service("web", app="web")
        cluster.pod("a", "n1", "10.0.0.1", app="web")
        await cluster.start()
        await cluster.clock.sleep(1)
        assert addresses(cluster) == [["10.0.0.1"]]
        cluster.pod("b", "n1", "10.0.0.2", app="web")
        cluster.pod("c", "n1", "10.0.0.3", app="api")
        await cluster.clock.sleep(1)
        assert addresses(cluster) == [["10.0.0.1", "10.0.0.2"]]
        cluster.change(PODS, "default/c", lambda pod: pod.metadata.labels.update(app="web"))
        cluster.delete(PODS, "a", "default")
        await cluster.clock.sleep(1)
        assert addresses(cluster) == [["10.0.0.2", "10.0.0.3"]]
        cluster.delete(ENDPOINTS, "web", "default")
        await cluster.clock.sleep(1)
        assert addresses(cluster) == [["10.0.0.2", "10.0.0.3"]], "removed by hand, made again"
        cluster.delete(SERVICES, "web", "default")
        await cluster.clock.sleep(1)
        assert cluster.all(ENDPOINTS) == {}

    run(story, NAME)


def test_what_changes_nothing_writes_nothing():
    async def story(cluster: Cluster):
        cluster.service("web", app="web")
        cluster.pod("a", "n1", "10.0.0.1", app="web")
        await cluster.start()
        await cluster.clock.sleep(1)
        await cluster.stop()
        await cluster.start()
        cluster.change(PODS, "default/a", lambda pod: pod.metadata.annotations.update(note="x"))
        await cluster.clock.sleep(1)
        assert [call for call in cluster.transport.calls if call.resource == "endpoints" and call.verb not in ("list", "watch")] == []

    run(story, NAME)


def test_endpoints_of_a_service_without_selector_go_with_it_and_others_stay():
    async def story(cluster: Cluster):
        for name in ("mine", "free"):
            made = Endpoints()
            made.metadata.name, made.metadata.namespace = name, "default"
            cluster.server.create(ENDPOINTS, made)
        cluster.service("mine")
        await cluster.start()
        await cluster.clock.sleep(1)
        assert set(cluster.all(ENDPOINTS)) == {"mine", "free"}
        cluster.delete(SERVICES, "mine", "default")
        await cluster.clock.sleep(1)
        assert set(cluster.all(ENDPOINTS)) == {"free"}

    run(story, NAME)


def test_a_failure_is_told_and_tried_again():
    async def story(cluster: Cluster):
        await cluster.start()
        cluster.transport.fail("create", status.internal("out of luck"), resource="endpoints")
        cluster.service("web", app="web")
        await cluster.clock.sleep(5)
        assert "web" in cluster.all(ENDPOINTS)
        message = "Failed to create endpoint for service default/web: "
        ((component, name, told),) = cluster.events("FailedToCreateEndpoint")
        assert (component, name) == ("endpoint-controller", "web") and told.startswith(message) and "out of luck" in told

    run(story, NAME)


def test_a_thousand_addresses_fit_and_ready_ones_come_first():
    assert bounded([subset(600, 400)])[1] is False
    assert sizes(bounded([subset(600, 500)])[0]) == [(600, 400)]
    assert sizes(bounded([subset(1100, 500)])[0]) == [(ADDRESSES_MAX, 0)]
    found, is_cut = bounded([subset(900, 0), subset(300, 10, port=81)])
    assert sizes(found) == [(750, 0), (250, 0)] and is_cut, "each in proportion"
    assert sum(ready for ready, _ in sizes(bounded([subset(700, 0), subset(700, 0, 81), subset(7, 0, 82)])[0])) == ADDRESSES_MAX


def test_a_service_with_too_many_pods_says_so_until_they_are_fewer():
    async def story(cluster: Cluster):
        cluster.service("web", app="web")
        for number in range(ADDRESSES_MAX + 5):
            cluster.pod(f"p{number:04}", "n1", f"10.0.{number // 250}.{number % 250 + 1}", app="web")
        await cluster.start()
        await cluster.clock.sleep(1)
        found = cluster.all(ENDPOINTS)["web"]
        assert len(found.subsets[0].addresses) == ADDRESSES_MAX and found.metadata.annotations[OVER_CAPACITY] == "truncated"
        for number in range(10):
            cluster.delete(PODS, f"p{number:04}", "default", grace_s=0)
        await cluster.clock.sleep(1)
        found = cluster.all(ENDPOINTS)["web"]
        assert len(found.subsets[0].addresses) == ADDRESSES_MAX - 5 and OVER_CAPACITY not in found.metadata.annotations

    run(story, NAME)
