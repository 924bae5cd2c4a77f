"""What clients rely on, with all servers that they talk to: the real one over gRPC and within the process, and the fake of unit tests."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from kcore.api.apps.v1.deployment_pb2 import Deployment
from kcore.api.core.v1.config_map_pb2 import ConfigMap
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.core.v1.service_account_pb2 import ServiceAccount
from kcore.apiserver.authentication import Authenticator
from kcore.apiserver.rpc_frontend import RpcFrontend
from kcore.apiserver.server import ApiServer
from kcore.base.clock import SystemClock
from kcore.base.entropy import SystemEntropy
from kcore.client import connect, items, kinds
from kcore.client.client import Client
from kcore.client.informer import Informers
from kcore.client.reflector import EVERYTHING, Selection
from kcore.machinery import scheme
from kcore.machinery.request import User
from kcore.machinery.status import StatusError
from kcore.serve.direct import DirectTransport
from kcore.serve.ports.rpc import RpcPort
from kcore.store import Engine
from kcore.testing.fake_server import FakeServer
from kcore.testing.fake_transport import FakeTransport

DEADLINE_S = 10


@asynccontextmanager
async def real(folder):
    storage = Engine(folder / "store", SystemClock(), SystemEntropy())
    server = ApiServer(scheme.load(), storage, SystemClock(), SystemEntropy(), ["10.96.0.0/16"])
    await server.bootstrap()
    rpc = RpcPort(RpcFrontend(server.pipeline, Authenticator({"secret": User("admin", "1", ("system:masters",))})))
    port = rpc.listen("127.0.0.1:0", None)
    await rpc.start()
    try:
        async with await connect.connect(f"127.0.0.1:{port}", token="secret", insecure=True) as client:
            await client.of(ServiceAccount).create(ServiceAccount(metadata={"name": "default", "namespace": "default"}))
            yield client
    finally:
        await rpc.stop(0)
        storage.close()


@asynccontextmanager
async def direct(folder):
    storage = Engine(folder / "store", SystemClock(), SystemEntropy())
    server = ApiServer(scheme.load(), storage, SystemClock(), SystemEntropy(), ["10.96.0.0/16"])
    await server.bootstrap()
    frontend = RpcFrontend(server.pipeline, Authenticator({"secret": User("admin", "1", ("system:masters",))}))
    try:
        async with Client(DirectTransport(frontend, "secret")) as client:
            await client.of(ServiceAccount).create(ServiceAccount(metadata={"name": "default", "namespace": "default"}))
            yield client
    finally:
        storage.close()


@asynccontextmanager
async def fake(folder):
    async with Client(FakeTransport(FakeServer(SystemClock(), SystemEntropy()))) as client:
        yield client


@pytest.fixture(params=[real, direct, fake], ids=["real", "direct", "fake"])
async def client(request, tmp_path):
    async with request.param(tmp_path) as made:
        yield made


def pod(name, **labels):
    made = Pod(metadata={"name": name, "namespace": "default", "labels": labels})
    made.spec.containers.add(name="c", image="i")
    made.spec.terminationGracePeriodSeconds = 30
    return made


def deployment(name):
    made = Deployment(metadata={"name": name, "namespace": "default"})
    made.spec.replicas = 1
    made.spec.selector.matchLabels["app"] = made.spec.template.metadata.labels["app"] = name
    made.spec.template.spec.containers.add(name="c", image="i")
    return made


async def reason_of(call):
    with pytest.raises(StatusError) as error:
        await call
    return error.value.reason


class Changes:
    """Wakes whoever waits for a condition at each change of a resource."""

    def __init__(self, informers, selection=EVERYTHING):
        self._happened = asyncio.Event()
        informers.receive(kinds.find("po"), lambda _: self._happened.set(), selection)

    async def until(self, condition):
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                self._happened.clear()
                await self._happened.wait()


@asynccontextmanager
async def running(informers):
    task = asyncio.create_task(informers.run())
    try:
        async with asyncio.timeout(DEADLINE_S):
            await informers.wait_synced()
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_failures_have_their_reasons(client):
    made = await client.pods.create(pod("a"))
    assert await reason_of(client.pods.create(pod("a"))) == "AlreadyExists"
    assert await reason_of(client.pods.get("b", namespace="default")) == "NotFound"
    assert await reason_of(client.pods.delete("b", namespace="default")) == "NotFound"
    assert await reason_of(client.pods.delete("a", namespace="default", uid="other")) == "Conflict"
    await client.pods.modify("a", lambda found: found.metadata.labels.update(x="y"), namespace="default")
    assert await reason_of(client.pods.update(made)) == "Conflict"
    assert await reason_of(client.pods.update(pod("b"))) == "NotFound"


async def test_a_name_is_generated(client):
    made = pod("")
    made.metadata.generateName = "web-"
    names = {(await client.pods.create(made)).metadata.name for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("web-") and len(name) == 9 for name in names)


async def test_what_the_server_owns_is_its_own(client):
    made = await client.deployments.create(deployment("web"))
    assert made.metadata.uid
    assert made.metadata.creationTimestamp.seconds
    assert made.metadata.generation == 1
    made.spec.replicas, made.status.replicas, made.metadata.generation = 3, 7, 99
    changed = await client.deployments.update(made)
    assert (changed.metadata.generation, changed.status.replicas, changed.metadata.uid) == (2, 0, made.metadata.uid)
    changed.spec.replicas, changed.status.replicas = 9, 2
    with_status = await client.deployments.update_status(changed)
    assert (with_status.metadata.generation, with_status.spec.replicas, with_status.status.replicas) == (2, 3, 2)


async def test_an_update_that_changes_nothing_is_no_revision(client):
    made = await client.pods.create(pod("a"))
    assert (await client.pods.update(made)).metadata.resourceVersion == made.metadata.resourceVersion


async def test_an_update_without_resource_version_is_unconditional(client):
    await client.deployments.create(deployment("web"))
    wanted = deployment("web")
    wanted.metadata.labels["x"] = "y"
    assert (await client.deployments.update(wanted)).metadata.labels["x"] == "y"


async def test_a_pod_on_a_node_gets_time_to_stop(client):
    await client.pods.create(pod("a"))
    await client.pods.bind("a", "n1", namespace="default")
    marked = await client.pods.delete("a", namespace="default")
    assert marked.metadata.HasField("deletionTimestamp")
    assert marked.metadata.deletionGracePeriodSeconds == 30
    again = await client.pods.delete("a", namespace="default")
    assert again.metadata.resourceVersion == marked.metadata.resourceVersion
    await client.pods.delete("a", namespace="default", grace_period_seconds=0)
    assert await reason_of(client.pods.get("a", namespace="default")) == "NotFound"


async def test_finalizers_hold_an_object_until_they_are_gone(client):
    made = ConfigMap(metadata={"name": "c", "namespace": "default", "finalizers": ["example.com/f"]})
    await client.configmaps.create(made)
    held = await client.configmaps.delete("c", namespace="default")
    assert held.metadata.HasField("deletionTimestamp")
    del held.metadata.finalizers[:]
    await client.configmaps.update(held)
    assert await reason_of(client.configmaps.get("c", namespace="default")) == "NotFound"


async def test_propagation_is_left_to_the_garbage_collector_as_a_finalizer(client):
    for policy, finalizer in (("Foreground", "foregroundDeletion"), ("Orphan", "orphan")):
        await client.deployments.create(deployment("web"))
        held = await client.deployments.delete("web", namespace="default", propagation_policy=policy)
        assert list(held.metadata.finalizers) == [finalizer]
        del held.metadata.finalizers[:]
        await client.deployments.update(held)


async def test_a_binding_happens_once(client):
    made = await client.pods.create(pod("a"))
    assert await reason_of(client.pods.bind("a", "n1", namespace="default", uid="other")) == "Conflict"
    await client.pods.bind("a", "n1", namespace="default", uid=made.metadata.uid)
    assert await reason_of(client.pods.bind("a", "n2", namespace="default")) == "Conflict"
    bound = await client.pods.get("a", namespace="default")
    assert bound.spec.nodeName == "n1"
    assert [(c.type, c.status) for c in bound.status.conditions] == [("PodScheduled", "True")]


async def test_scale_is_read_and_written(client):
    await client.deployments.create(deployment("web"))
    assert (await client.deployments.update_scale("web", 4, namespace="default")).spec.replicas == 4
    assert (await client.deployments.get_scale("web", namespace="default")).spec.replicas == 4
    assert (await client.deployments.get("web", namespace="default")).metadata.generation == 2


async def test_a_merge_patch_is_applied_to_the_object_or_its_status(client):
    await client.pods.create(pod("a", app="x", tier="y"))
    done = await client.pods.patch("a", {"metadata": {"labels": {"tier": None, "z": "1"}}}, namespace="default")
    assert dict(done.metadata.labels) == {"app": "x", "z": "1"}
    done = await client.pods.patch("a", {"status": {"phase": "Running"}}, namespace="default", subresource="status")
    assert done.status.phase == "Running"


async def test_lists_are_selected_ordered_and_cut_into_pages(client):
    for name in ("c", "a", "b"):
        await client.pods.create(pod(name, app=name))
    await client.pods.bind("b", "n1", namespace="default")
    assert [found.metadata.name for found in (await client.pods.list()).items] == ["a", "b", "c"]
    assert [found.metadata.name for found in (await client.pods.list(label_selector="app in (a,c)")).items] == ["a", "c"]
    assert [found.metadata.name for found in (await client.pods.list(field_selector="spec.nodeName=n1")).items] == ["b"]
    assert [found.metadata.name for found in (await client.pods.list(field_selector="metadata.name!=a")).items] == ["b", "c"]
    pages = [page async for page in client.pods.pages(limit=2)]
    assert [len(page.items) for page in pages] == [2, 1]
    assert len({page.resource_version for page in pages}) == 1


async def test_a_watch_shows_the_present_and_what_follows(client):
    await client.pods.create(pod("a"))
    async with client.pods.watch(namespace="default") as changes, asyncio.timeout(DEADLINE_S):
        first = await anext(changes)
        await client.pods.patch("a", {"metadata": {"labels": {"x": "y"}}}, namespace="default")
        second = await anext(changes)
        await client.pods.delete("a", namespace="default")
        third, fourth = await anext(changes), await anext(changes)
    assert [c.type for c in (first, second, third, fourth)] == ["ADDED", "MODIFIED", "MODIFIED", "DELETED"]
    revisions = [int(c.object_.metadata.resourceVersion) for c in (first, second, third, fourth)]
    assert revisions == sorted(set(revisions))


async def test_a_watch_starts_after_a_revision(client):
    first = await client.pods.create(pod("a"))
    await client.pods.create(pod("b"))
    async with client.pods.watch(resource_version=first.metadata.resourceVersion) as changes, asyncio.timeout(DEADLINE_S):
        change = await anext(changes)
    assert (change.type, change.object_.metadata.name) == ("ADDED", "b")


async def test_a_watch_with_a_selector_shows_objects_come_and_go(client):
    informers = Informers(client)
    told = []
    selection = Selection(label_selector="app=x")
    chosen, changes = informers.informer(Pod, selection), Changes(informers, selection)
    chosen.add_handler(
        on_add=lambda new: told.append("add"), on_update=lambda old, new: told.append("update"), on_delete=lambda old: told.append("delete")
    )
    async with running(informers):
        await client.pods.create(pod("a"))
        for labels in ({"app": "x"}, {"y": "z"}, {"app": None}):
            await client.pods.patch("a", {"metadata": {"labels": labels}}, namespace="default")
        await changes.until(lambda: len(told) == 3)
        assert told == ["add", "update", "delete"]


async def test_an_informer_syncs_and_follows(client):
    await client.pods.create(pod("a"))
    informers = Informers(client)
    pods = informers.informer(Pod)
    raw = []
    informers.receive(kinds.find("po"), raw.extend)
    changes = Changes(informers)
    async with running(informers):
        assert [found.metadata.name for found in pods.lister.list()] == ["a"]
        results = await client.bulk.write([items.create(pod("b")), items.delete(kinds.find("po"), "a", namespace="default")])
        assert [result.error for result in results] == [None, None]
        await changes.until(lambda: pods.lister.get("a", namespace="default") is None and len(pods.lister) == 1)
    assert [(event.type, event.key[-1]) for event in raw] == [("ADDED", "a"), ("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "a")]


async def test_bulk_writes_have_a_result_each(client):
    wanted = [
        items.create(pod("a")),
        items.create(pod("a")),
        items.bind("a", "n1", namespace="default"),
        items.patch(kinds.find("po"), "a", {"metadata": {"labels": {"x": "y"}}}, namespace="default"),
        items.delete(kinds.find("po"), "b", namespace="default"),
        items.delete(kinds.find("po"), "a", namespace="default", grace_period_seconds=0),
    ]
    results = await client.bulk.write(wanted, return_objects=True)
    assert [r.error.reason if r.error else "" for r in results] == ["", "AlreadyExists", "", "", "NotFound", ""]
    assert results[0].name == "a"
    assert Pod.FromString(results[0].object).metadata.uid == results[0].uid
    assert dict(Pod.FromString(results[3].object).metadata.labels) == {"x": "y"}
    assert int(results[3].resource_version) > int(results[0].resource_version)


async def test_a_collection_is_deleted_by_selector(client):
    for name in ("a", "b", "c"):
        await client.pods.create(pod(name, app=name))
    gone = await client.pods.delete_collection(namespace="default", label_selector="app!=b")
    assert sorted(found.metadata.name for found in gone.items) == ["a", "c"]
    assert [found.metadata.name for found in (await client.pods.list()).items] == ["b"]
