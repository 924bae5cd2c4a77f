"""A cluster in memory and virtual time, in which controllers lag, crash and are started again while pods come and go.

Everything chance decides comes from one seed: how late a watch shows a change, how long a request is under way, when a controller dies. A
request that is under way when its sender dies still arrives, as it does in a real network. Pods are started and stopped by a stand-in for
scheduler and kubelets.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from kcore.api.apps.v1.deployment_pb2 import Deployment
from kcore.api.apps.v1.replica_set_pb2 import ReplicaSet
from kcore.api.apps.v1.stateful_set_pb2 import StatefulSet
from kcore.api.core.v1.namespace_pb2 import Namespace
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.core.v1.replication_controller_pb2 import ReplicationController
from kcore.api.meta.v1 import meta_pb2
from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.client import kinds
from kcore.client.client import Client
from kcore.controllers import manager
from kcore.controllers.adoption import controller_of
from kcore.controllers.pod_state import is_active
from kcore.controllers.settings import Settings
from kcore.machinery.status import StatusError
from kcore.testing.fake_server import FakeServer, Mutation, Selection
from kcore.testing.fake_transport import FakeTransport

PODS = kinds.resource("", "v1", "pods")
EVENTS = kinds.resource("", "v1", "events")
NAMESPACES = kinds.resource("", "v1", "namespaces")
REPLICASETS = kinds.resource("apps", "v1", "replicasets")
REPLICATIONCONTROLLERS = kinds.resource("", "v1", "replicationcontrollers")
STATEFULSETS = kinds.resource("apps", "v1", "statefulsets")
REVISIONS = kinds.resource("apps", "v1", "controllerrevisions")
CLAIMS = kinds.resource("", "v1", "persistentvolumeclaims")
DEPLOYMENTS = kinds.resource("apps", "v1", "deployments")
COUNTED = (REPLICASETS, REPLICATIONCONTROLLERS)
"""Whose pods must never be more than they ask for."""

ALL = Selection.of(meta_pb2.ListRequest())


class Server(FakeServer):
    """A server whose Deployments, as real ones, take annotations with their status."""

    def update(self, resource: Any, object_: Any, subresource: str = "") -> Any:
        if resource is DEPLOYMENTS and subresource == "status":
            stored = self.get(resource, f"{object_.metadata.namespace}/{object_.metadata.name}")
            self._check_unchanged(resource, stored, object_.metadata.resourceVersion, object_.metadata.uid)
            if stored.status != object_.status or dict(stored.metadata.annotations) != dict(object_.metadata.annotations):
                new = copy(stored)
                new.status.CopyFrom(object_.status)
                new.metadata.annotations.clear()
                new.metadata.annotations.update(object_.metadata.annotations)
                return self._put(resource, f"{new.metadata.namespace}/{new.metadata.name}", stored, new)
            return stored
        return super().update(resource, object_, subresource)


class LateTransport(FakeTransport):
    """A way on which everything takes a time of its own."""

    def __init__(self, server: FakeServer, clock: VirtualClock, chance: random.Random, lag_s: float) -> None:
        super().__init__(server)
        self.chance = chance
        self._pause = lambda: clock.sleep(chance.random() * lag_s)
        self.pause_long = lambda: clock.sleep(chance.random() * 20 * lag_s)

    async def _travel(self) -> None:
        await self._pause()
        await super()._travel()

    async def _bulk(self, request: bytes) -> bytes:
        answer = await super()._bulk(request)
        await self._pause()
        return answer

    def stream(self, method: str, request: bytes) -> Any:
        return _LateStream(super().stream(method, request), self._pause)


class _LateStream:
    def __init__(self, stream: Any, pause: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._stream, self.pause = stream, pause
        self.cancel = stream.cancel

    async def read(self) -> bytes | None:
        answer: bytes | None = await self._stream.read()
        await self.pause()
        return answer


class World:
    """One cluster."""

    transport_class = LateTransport

    def __init__(self, seed: int, clock: VirtualClock, lag_s: float = 0.2) -> None:
        self.clock, self.chance, self.lag_s = clock, random.Random(seed), lag_s
        self.server = Server(clock, SeededEntropy(seed))
        self.violations: list[str] = []
        self.limits: dict[str, list[tuple[float, int]]] = {}
        self.controllers: tuple[str, ...] = ()
        self.unready: Callable[[Any], bool] = lambda pod: False
        self._seed = seed
        self._tasks: set[asyncio.Task[None]] = set()
        self._manager: asyncio.Task[None] | None = None
        self._starts = 0
        self.server.subscribe(self._committed)

    # controllers

    async def start(self) -> None:
        """Start the controllers and wait until they work."""
        self._starts += 1
        entropy = SeededEntropy(f"{self._seed}/{self._starts}")
        transport = self.transport_class(self.server, self.clock, self.chance, self.lag_s)
        self.transport = transport
        client = Client(transport, clock=self.clock, entropy=entropy)
        ready = asyncio.Event()
        settings = Settings(ca_pem="pem", leader_elect=False, controllers=self.controllers)
        self._manager = asyncio.create_task(manager.run(client, settings, self.clock, entropy, ready.set))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({self._manager, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._manager.done():
            self._manager.result()

    async def crash(self) -> None:
        """End the controllers where they are; what they have sent arrives."""
        if self._manager is not None:
            self._manager.cancel()
            await asyncio.gather(self._manager, return_exceptions=True)
            self._manager = None

    async def restart(self) -> None:
        """End the controllers and start new ones."""
        await self.crash()
        await self.start()

    async def close(self) -> None:
        """End everything; what the controllers failed with is raised."""
        failed = self._manager if self._manager is not None and self._manager.done() else None
        await self.crash()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if failed is not None:
            failed.result()

    # the cluster

    def create(self, object_: Any) -> Any:
        resource = kinds.of_message(object_)
        return self.server.create(resource, object_, "default" if resource.namespaced else "")

    def change(self, resource: Any, name: str, change: Callable[[Any], Any]) -> Any:
        """Change an object, but for its status."""
        found = self.server.get(resource, name)
        change(found)
        return self.server.update(resource, found)

    def delete(self, resource: Any, name: str, policy: str = "", grace_s: int | None = None) -> None:
        namespace, _, name = name.rpartition("/")
        options = meta_pb2.DeleteOptions(propagationPolicy=policy)
        if grace_s is not None:
            options.gracePeriodSeconds = grace_s
        self.server.delete(resource, namespace, name, options)

    def all(self, resource: Any) -> list[Any]:
        return self.server.list(resource, ALL)

    def pods_of(self, owner: Any) -> list[Any]:
        """Return the active pods that an owner controls."""
        found = [pod for pod in self.all(PODS) if is_active(pod)]
        return [pod for pod in found if (reference := controller_of(pod)) is not None and reference.uid == owner.metadata.uid]

    async def until(self, holds: Callable[[], bool], within_s: float = 120.0) -> None:
        """Wait until something holds."""
        end = self.clock.monotonic() + within_s
        while not holds():
            assert self.clock.monotonic() < end, "it never held"
            if self._manager is not None and self._manager.done():
                self._manager.result()
            await self.clock.sleep(0.05)

    def _committed(self, mutations: list[Mutation]) -> None:
        for mutation in mutations:
            if mutation.resource is PODS and mutation.type != "DELETED":
                self._spawn(self._tend(mutation.new))
            if mutation.resource is PODS and mutation.type == "ADDED":
                self._check(mutation.new)
            if mutation.resource in COUNTED:
                history = self.limits.setdefault(mutation.new.metadata.uid, [])
                history.append((self.clock.monotonic(), mutation.new.spec.replicas))

    def _check(self, pod: Any) -> None:
        """A new pod must not be one too many for any size that its set had lately: news that queues up is several lags late."""
        reference = controller_of(pod)
        if reference is None or reference.kind not in {counted.kind for counted in COUNTED}:
            return
        now, owner = self.clock.monotonic(), reference.uid
        found = [other for other in self.all(PODS) if is_active(other) and any(r.uid == owner for r in other.metadata.ownerReferences)]
        count = len({pod.metadata.name, *(other.metadata.name for other in found)})
        sizes = self.limits.get(owner, [])
        until = [*(time for time, _ in sizes[1:]), now + 1.0]
        allowed = max((size for (_, size), end in zip(sizes, until, strict=True) if end >= now - 25 * self.lag_s), default=0)
        if count > allowed:
            self.violations.append(f"{now:.3f}: {reference.name} has {count} pods, {allowed} are allowed")

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tend(self, pod: Any) -> None:
        """Do for a pod what scheduler and kubelet do next."""
        await self.clock.sleep(self.chance.random() * 0.5)
        try:
            found = self.server.get(PODS, f"{pod.metadata.namespace}/{pod.metadata.name}")
        except StatusError:
            return
        if found.metadata.uid != pod.metadata.uid:
            return
        if found.metadata.HasField("deletionTimestamp"):
            if not found.metadata.finalizers or found.metadata.deletionGracePeriodSeconds:
                self.delete(PODS, f"{pod.metadata.namespace}/{pod.metadata.name}", grace_s=0)
        elif not found.spec.nodeName:
            found.spec.nodeName = f"n{self.chance.randrange(3)}"
            self.server.update(PODS, found)
        elif found.status.phase == "Pending":
            found.status.phase = "Running"
            value = "False" if self.unready(found) else "True"
            found.status.conditions.add(type="Ready", status=value).lastTransitionTime.seconds = int(self.clock.now())
            self.server.update(PODS, found, "status")


@asynccontextmanager
async def world(seed: int, clock: VirtualClock, **options: Any) -> AsyncIterator[World]:
    """Make a cluster with a namespace, and end it."""
    made = World(seed, clock, **options)
    namespace = Namespace()
    namespace.metadata.name, namespace.status.phase = "default", "Active"
    namespace.spec.finalizers.append("kubernetes")
    made.create(namespace)
    try:
        yield made
    finally:
        await made.close()


def replicaset(name: str, replicas: int) -> ReplicaSet:
    found = ReplicaSet()
    found.metadata.name = name
    found.spec.replicas = replicas
    found.spec.selector.matchLabels["app"] = name
    found.spec.template.metadata.labels["app"] = name
    found.spec.template.spec.containers.add(name="c", image=f"{name}:1")
    return found


def replicationcontroller(name: str, replicas: int) -> ReplicationController:
    found = ReplicationController()
    found.metadata.name = name
    found.spec.replicas = replicas
    found.spec.selector["app"] = name
    found.spec.template.metadata.labels["app"] = name
    found.spec.template.spec.containers.add(name="c", image=f"{name}:1")
    return found


def deployment(name: str, replicas: int, surge: int = 1, unavailable: int = 1) -> Deployment:
    found = Deployment()
    found.metadata.name = name
    spec = found.spec
    spec.replicas, spec.revisionHistoryLimit, spec.progressDeadlineSeconds = replicas, 10, 600
    spec.strategy.type = "RollingUpdate"
    for field, value in (("maxSurge", surge), ("maxUnavailable", unavailable)):
        getattr(spec.strategy.rollingUpdate, field).type = 0
        getattr(spec.strategy.rollingUpdate, field).intVal = value
    spec.selector.matchLabels["app"] = name
    spec.template.metadata.labels["app"] = name
    spec.template.spec.containers.add(name="c", image=f"{name}:1")
    return found


def statefulset(name: str, replicas: int, management: str = "OrderedReady", unavailable: int = 1) -> StatefulSet:
    found = StatefulSet()
    found.metadata.name = name
    spec = found.spec
    spec.replicas, spec.serviceName, spec.podManagementPolicy, spec.revisionHistoryLimit = replicas, name, management, 2
    spec.updateStrategy.type = "RollingUpdate"
    spec.updateStrategy.rollingUpdate.partition = 0
    spec.updateStrategy.rollingUpdate.maxUnavailable.type = 0
    spec.updateStrategy.rollingUpdate.maxUnavailable.intVal = unavailable
    spec.selector.matchLabels["app"] = name
    spec.template.metadata.labels["app"] = name
    spec.template.spec.containers.add(name="c", image=f"{name}:1")
    spec.volumeClaimTemplates.add().metadata.name = "data"
    return found


def pod(name: str, **labels: str) -> Pod:
    found = Pod()
    found.metadata.name = name
    found.metadata.labels.update(labels)
    found.spec.containers.add(name="c", image="c:1")
    return found


def copy(message: Any) -> Any:
    copied = type(message)()
    copied.CopyFrom(message)
    return copied
