"""`kcore.testing.Cluster`: a whole control plane in the test's loop, on real and on virtual time."""

import asyncio
import base64
import gc
import json
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from kcore.api.apps.v1.deployment_pb2 import Deployment
from kcore.api.core.v1.config_map_pb2 import ConfigMap
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.core.v1.service_pb2 import Service
from kcore.base import virtual_loop
from kcore.client import connect
from kcore.client.client import Client
from kcore.machinery import status
from kcore.machinery.status import StatusError
from kcore.testing import Cluster, NoLonger, NotYet, PartFailed

Story = Callable[[], Awaitable[None]]


def on_virtual_time(story: Story) -> None:
    async def main() -> None:
        await story()

    virtual_loop.run(main())


def config_map(name: str) -> ConfigMap:
    return ConfigMap(metadata={"name": name, "namespace": "default"})


def deployment(replicas: int) -> Deployment:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return Deployment(metadata={"name": "web", "namespace": "default"}, spec=spec)


def get(kubeconfig: Path, path: str) -> Any:
    """Ask as a client does that has nothing but a kubeconfig."""
    found = json.loads(kubeconfig.read_text())
    cluster, user = found["clusters"][0]["cluster"], found["users"][0]["user"]
    request = urllib.request.Request(cluster["server"] + path, headers={"Authorization": f"Bearer {user['token']}"})
    ca = base64.b64decode(cluster["certificate-authority-data"]).decode()
    with urllib.request.urlopen(request, context=ssl.create_default_context(cadata=ca)) as answer:
        return json.load(answer)


async def available(cluster: Cluster, count: int) -> bool:
    return bool((await cluster.client.deployments.get("web", namespace="default")).status.availableReplicas == count)


async def state(cluster: Cluster) -> dict[str, list[str]]:
    """The names of all that is there, but for what nodes renew."""
    kinds = ("deployments", "replicasets", "pods", "events", "nodes", "namespaces", "services", "endpoints", "serviceaccounts")
    return {kind: sorted(found.metadata.name for found in (await getattr(cluster.client, kind).list()).items) for kind in kinds}


async def test_pods_of_a_deployment_run_on_hollow_nodes() -> None:
    async with Cluster(nodes=2) as cluster:
        await cluster.client.deployments.create(deployment(3))
        assert await cluster.wait_for(lambda: available(cluster, 3))
        pods = (await cluster.client.pods.list(namespace="default")).items
        assert {pod.status.phase for pod in pods} == {"Running"} and {pod.spec.nodeName for pod in pods} <= {"node-0", "node-1"}


async def test_only_the_parts_asked_for_run_and_no_port_is_open() -> None:
    async with Cluster(parts=("controllers",)) as cluster:
        assert cluster.parts.keys() == {"controllers"}
        await cluster.client.deployments.create(deployment(1))
        pods = await cluster.wait_for(lambda: pods_of(cluster.client))
        await cluster.stays(lambda: pods_of(cluster.client), 0.05)
        assert not pods[0].spec.nodeName
        with pytest.raises(RuntimeError, match="no port"):
            _ = cluster.endpoints


async def pods_of(client: Client) -> list[Pod]:
    return (await client.pods.list(namespace="default")).items


def test_a_part_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no part kubelet"):
        Cluster(parts=("kubelet",))


async def test_its_folder_is_gone_with_it() -> None:
    async with Cluster(parts=()) as cluster:
        assert (cluster.directory / "store").is_dir()
    assert not cluster.directory.exists()


async def test_a_port_is_opened_when_asked_for_and_takes_the_command_line() -> None:
    async with Cluster(parts=(), port=0) as cluster:
        async with await connect.from_endpoints(cluster.directory) as outside:
            await outside.configmaps.create(config_map("through-the-port"))
        assert await cluster.client.configmaps.get("through-the-port", namespace="default")
        command = [sys.executable, "-m", "kcore", "get", "configmaps", "-o", "name", "--data-dir", str(cluster.directory)]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout.split() == ["configmap/through-the-port"], done.stderr


async def test_its_kubeconfig_is_all_that_a_client_over_https_needs() -> None:
    async with Cluster(parts=(), port=0) as cluster:
        await cluster.client.configmaps.create(config_map("seen-over-https"))
        answer = await asyncio.to_thread(get, cluster.kubeconfig, "/api/v1/namespaces/default/configmaps/seen-over-https")
        assert answer["metadata"]["name"] == "seen-over-https"


async def test_without_a_port_there_is_no_kubeconfig() -> None:
    async with Cluster(parts=()) as cluster:
        with pytest.raises(RuntimeError, match="no port; start it with port=0"):
            _ = cluster.kubeconfig


@pytest.mark.parametrize("turns", [0, 5, 20, 60, 200])
def test_after_a_reset_nothing_is_left_and_nothing_comes_after_it(turns: int) -> None:
    async def story() -> None:
        async with Cluster(nodes=2, seed=turns) as cluster:
            before = await state(cluster)
            await cluster.client.deployments.create(deployment(20))
            for _ in range(turns):
                await asyncio.sleep(0)
            revision = cluster.revision
            await cluster.reset()
            assert cluster.revision > revision
            assert await state(cluster) == before
            await cluster.clock.advance(minutes=5)
            assert await state(cluster) == before
            await cluster.client.deployments.create(deployment(20))
            await cluster.wait_for(lambda: available(cluster, 20))

    on_virtual_time(story)


async def test_a_reset_gives_service_addresses_back() -> None:
    async with Cluster(parts=()) as cluster:
        wanted = {"clusterIP": "10.96.0.77", "ports": [{"port": 80}]}
        for name in ("a", "b"):
            await cluster.client.services.create(Service(metadata={"name": name, "namespace": "default"}, spec=wanted))
            await cluster.reset()


async def test_watchers_see_a_reset_as_ordinary_events() -> None:
    async with Cluster(parts=()) as cluster:
        await cluster.client.configmaps.create(config_map("kept"))
        mark = cluster.mark()
        async with cluster.client.configmaps.watch(namespace="default", resource_version=str(cluster.revision)) as changes:
            await cluster.client.configmaps.create(config_map("new"))
            await cluster.client.configmaps.delete("kept", namespace="default")
            await cluster.reset(mark)
            seen = [await anext(changes) for _ in range(4)]
        assert [(change.type, change.object_.metadata.name) for change in seen[:2]] == [("ADDED", "new"), ("DELETED", "kept")]
        assert {(change.type, change.object_.metadata.name) for change in seen[2:]} == {("DELETED", "new"), ("ADDED", "kept")}
        assert len({change.object_.metadata.resourceVersion for change in seen[2:]}) == 1


async def test_a_reset_heals_faults_and_starts_parts_again() -> None:
    async with Cluster(nodes=1) as cluster:
        cluster.faults.go_down()
        cluster.parts["controllers"].faults.hold_watches()
        await cluster.parts["scheduler"].stop()
        await cluster.reset()
        await cluster.client.deployments.create(deployment(2))
        await cluster.wait_for(lambda: available(cluster, 2))


async def test_a_fork_goes_its_own_way_from_the_same_state() -> None:
    async with Cluster(nodes=1) as cluster:
        await cluster.client.deployments.create(deployment(2))
        await cluster.wait_for(lambda: available(cluster, 2))
        pods = {pod.metadata.uid for pod in await pods_of(cluster.client)}
        async with cluster.fork() as copy:
            assert copy.revision >= cluster.revision
            assert {pod.metadata.uid for pod in await pods_of(copy.client)} == pods
            await copy.ready()
            await copy.client.deployments.patch("web", {"spec": {"replicas": 4}}, namespace="default")
            await copy.wait_for(lambda: available(copy, 4))
            await cluster.client.deployments.delete("web", namespace="default")
            await cluster.wait_for(lambda: nothing(cluster))
            assert len(await pods_of(copy.client)) == 4
        assert await nothing(cluster)


async def nothing(cluster: Cluster) -> bool:
    return not await pods_of(cluster.client)


async def test_a_fork_refuses_history_from_before_it_no_more_than_its_origin() -> None:
    async with Cluster(parts=()) as cluster:
        first = await cluster.client.configmaps.create(config_map("a"))
        await cluster.client.configmaps.create(config_map("b"))
        async with cluster.fork() as copy:
            await copy.client.configmaps.create(config_map("c"))
            watch = copy.client.configmaps.watch(namespace="default", resource_version=first.metadata.resourceVersion)
            async with watch as changes:
                assert [(await anext(changes)).object_.metadata.name for _ in range(2)] == ["b", "c"]


def test_a_day_of_hourly_work_passes_on_virtual_time() -> None:
    async def hourly(client: Client) -> None:
        for hour in range(1_000):
            await client.clock.sleep(3600)
            await client.configmaps.create(config_map(f"hour-{hour}"))

    async def story() -> None:
        async with Cluster(parts=()) as cluster, cluster.running(hourly):
            start = cluster.clock.now()
            await cluster.clock.advance(hours=24, seconds=1)
            assert cluster.clock.now() - start == pytest.approx(24 * 3600 + 1)
            made = [map_.metadata.creationTimestamp.seconds for map_ in await maps_of(cluster)]
            assert sorted(made) == [int(start) + 3600 * hour for hour in range(1, 25)]

    on_virtual_time(story)


def test_nodes_stay_ready_while_time_flies() -> None:
    async def story() -> None:
        async with Cluster(nodes=1) as cluster:
            await cluster.clock.advance(hours=1)
            node = await cluster.client.nodes.get("node-0")
            ready = next(condition for condition in node.status.conditions if condition.type == "Ready")
            assert ready.status == "True" and cluster.clock.now() - ready.lastHeartbeatTime.seconds < 600

    on_virtual_time(story)


async def test_real_time_cannot_be_advanced() -> None:
    async with Cluster(parts=()) as cluster:
        with pytest.raises(RuntimeError, match="real time"):
            await cluster.clock.advance(hours=1)
    with pytest.raises(RuntimeError, match="the time of its loop"):
        await Cluster(virtual_time=True)


def test_a_wait_ends_on_virtual_time_too() -> None:
    async def story() -> None:
        async with Cluster(parts=()) as cluster:
            before = cluster.clock.monotonic()
            with pytest.raises(NotYet, match=r"the map did not come true within 3600 s; .*NotFound|not found"):
                await cluster.wait_for(lambda: cluster.client.configmaps.get("a", namespace="default"), 3600.0, "the map")
            assert cluster.clock.monotonic() - before == pytest.approx(3600.0)

    on_virtual_time(story)


async def test_what_should_stay_is_missed_when_it_goes() -> None:
    async with Cluster(parts=()) as cluster:
        await cluster.client.configmaps.create(config_map("a"))
        deleting = asyncio.create_task(cluster.client.configmaps.delete("a", namespace="default"))
        with pytest.raises(NoLonger):
            await cluster.stays(lambda: maps_of(cluster), 30.0)
        await deleting


async def maps_of(cluster: Cluster) -> list[ConfigMap]:
    return (await cluster.client.configmaps.list(namespace="default")).items


async def test_a_part_that_dies_fails_the_test() -> None:
    async def short_lived(_: Client) -> None:
        await asyncio.sleep(0)

    async def broken(_: Client) -> None:
        raise KeyError("no such thing")

    async with Cluster(parts=()) as cluster:
        for operator, why in ((short_lived, "ended: None"), (broken, "no such thing")):
            with pytest.raises(PartFailed, match=why):
                async with cluster.running(operator):
                    await cluster.wait_for(lambda: False)


async def test_a_restarted_scheduler_takes_up_the_work() -> None:
    async with Cluster(nodes=1) as cluster:
        await cluster.parts["scheduler"].stop()
        await cluster.client.deployments.create(deployment(2))
        await cluster.wait_for(lambda: pods_of(cluster.client))
        await cluster.parts["scheduler"].restart()
        await cluster.wait_for(lambda: available(cluster, 2))


def test_a_part_under_faults_gets_there_all_the_same() -> None:
    async def story() -> None:
        async with Cluster(nodes=2, seed=3) as cluster:
            controllers = cluster.parts["controllers"].faults
            controllers.fail("create", status.internal("out of luck"), resource="pods", times=3)
            controllers.fail("create", status.internal("lost"), resource="replicasets", after=True)
            controllers.delay("update", 0.5)
            await cluster.client.deployments.create(deployment(5))
            controllers.break_streams(status.service_unavailable("connection lost"))
            await cluster.wait_for(lambda: available(cluster, 5), timeout_s=300.0)
            assert len(await pods_of(cluster.client)) == 5
            assert controllers.calls

    on_virtual_time(story)


async def test_faults_of_one_client_do_not_reach_another() -> None:
    async with Cluster(parts=()) as cluster:
        cluster.faults.fail("create", status.forbidden("configmaps", "", "a", "no"))
        async with cluster.connect() as other:
            await other.configmaps.create(config_map("a"))
        with pytest.raises(StatusError, match="no"):
            await cluster.client.configmaps.create(config_map("b"))


def test_one_seed_makes_one_run() -> None:
    runs: list[Any] = []

    async def story() -> None:
        async with Cluster(nodes=2, seed=11) as cluster:
            await cluster.client.deployments.create(deployment(6))
            await cluster.wait_for(lambda: available(cluster, 6))
            runs.append((cluster.revision, [(pod.metadata.uid, pod.spec.nodeName) for pod in await pods_of(cluster.client)]))

    on_virtual_time(story)
    on_virtual_time(story)
    assert runs[0] == runs[1]


async def test_clusters_leave_no_task_behind() -> None:
    before = asyncio.all_tasks()
    async with Cluster(nodes=1) as cluster, cluster.fork():
        pass
    gc.collect()
    assert asyncio.all_tasks() == before
