"""`kcore.testing.SyncCluster`: the same cluster for tests that are no coroutines, on a loop in a thread and on virtual time."""

import threading
from collections.abc import Iterator

import pytest

from kcore.api.core.v1.config_map_pb2 import ConfigMap
from kcore.client.client import Client
from kcore.machinery import status
from kcore.machinery.status import StatusError
from kcore.testing import Cluster, NoLonger, NotYet, PartFailed, SyncCluster


def config_map(name: str) -> ConfigMap:
    return ConfigMap(metadata={"name": name, "namespace": "default"})


async def mirror(client: Client) -> None:
    """Give every map of namespace default a twin in kube-public."""
    async with client.configmaps.watch(namespace="default") as changes:
        async for change in changes:
            try:
                await client.configmaps.create(ConfigMap(metadata={"name": change.object_.metadata.name, "namespace": "kube-public"}))
            except StatusError as error:
                if error.reason != "AlreadyExists":
                    raise


@pytest.fixture(params=[False, True], ids=["real", "virtual"])
def cluster(request: pytest.FixtureRequest) -> Iterator[SyncCluster]:
    with SyncCluster(parts=(), virtual_time=request.param) as cluster:
        yield cluster


def names(cluster: SyncCluster, namespace: str = "default") -> list[str]:
    return [found.metadata.name for found in cluster.client.configmaps.list(namespace=namespace).items]


def test_calls_return_what_their_coroutines_would(cluster: SyncCluster) -> None:
    made = cluster.client.configmaps.create(config_map("a"))
    assert made.metadata.uid == cluster.client.of(ConfigMap).get("a", namespace="default").metadata.uid
    assert cluster.client.dynamic.resource("", "v1", "configmaps").get("a", namespace="default")["metadata"]["name"] == "a"
    assert [len(page.items) for page in cluster.client.configmaps.pages(namespace="default")] == [1]
    with pytest.raises(StatusError, match="not found"):
        cluster.client.configmaps.get("b", namespace="default")


def test_a_watch_is_iterated(cluster: SyncCluster) -> None:
    with cluster.client.configmaps.watch(namespace="default") as changes:
        coming = iter(changes)
        for name in ("a", "b"):
            cluster.client.configmaps.create(config_map(name))
            assert next(coming).object_.metadata.name == name
    with cluster.client.dynamic.resource("", "v1", "configmaps").watch(namespace="default") as changes:
        assert next(iter(changes))[0] == "ADDED"


def test_reset_marks_and_forks_are_there(cluster: SyncCluster) -> None:
    cluster.client.configmaps.create(config_map("kept"))
    mark = cluster.mark()
    cluster.client.configmaps.create(config_map("gone"))
    with cluster.fork() as copy:
        cluster.reset(mark)
        cluster.release(mark)
        assert (names(cluster), names(copy)) == (["kept"], ["gone", "kept"])
    cluster.reset()
    assert names(cluster) == []


def test_waits_fail_when_nothing_comes(cluster: SyncCluster) -> None:
    with pytest.raises(NotYet, match=r"the map did not come true within 0\.2 s"):
        cluster.wait_for(lambda: names(cluster), 0.2, "the map")
    with pytest.raises(NoLonger):
        cluster.stays(lambda: names(cluster), 0.2)


def test_an_operator_runs_beside_the_test(cluster: SyncCluster) -> None:
    with cluster.running(mirror) as operator:
        operator.faults.delay("create", 0.01)
        cluster.client.configmaps.create(config_map("a"))
        cluster.wait_for(lambda: "a" in names(cluster, "kube-public"))
        operator.stop()
        cluster.client.configmaps.create(config_map("b"))
        cluster.stays(lambda: "b" not in names(cluster, "kube-public"), 0.05)
        operator.start()
        cluster.wait_for(lambda: "b" in names(cluster, "kube-public"))


def test_an_operator_that_dies_fails_the_test(cluster: SyncCluster) -> None:
    def test() -> None:
        with cluster.running(mirror) as operator:
            operator.faults.fail("create", status.forbidden("configmaps", "", "a", "no"))
            cluster.client.configmaps.create(config_map("a"))
            cluster.wait_for(lambda: "a" in names(cluster, "kube-public"))

    with pytest.raises(PartFailed, match="forbidden"):
        test()


def test_a_coroutine_is_told_in_the_loop_of_the_cluster(cluster: SyncCluster) -> None:
    async def story(inside: Cluster) -> str:
        await inside.client.configmaps.create(config_map("a"))
        return str((await inside.client.configmaps.get("a", namespace="default")).metadata.name)

    assert cluster.run(story) == "a"


def test_a_cluster_that_cannot_start_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    with pytest.raises(TypeError):
        SyncCluster(nodes="many").start()
    assert threading.active_count() == before


def test_virtual_time_stands_still_between_calls_and_goes_on_in_them() -> None:
    with SyncCluster(virtual_time=True) as cluster:
        before = cluster.clock.now()
        cluster.client.configmaps.create(config_map("a"))
        assert cluster.clock.now() == before
        cluster.clock.advance(hours=1)
        assert cluster.clock.now() - before >= 3600.0
