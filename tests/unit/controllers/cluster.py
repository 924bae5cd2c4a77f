"""A cluster in memory on virtual time, in which some controllers run and nodes renew their Leases until they are told to fall silent."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from kcore.api.coordination.v1.lease_pb2 import Lease
from kcore.api.core.v1.node_pb2 import Node
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.core.v1.service_pb2 import Service
from kcore.api.meta.v1 import meta_pb2
from kcore.base import virtual_loop
from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.client import kinds
from kcore.client.client import Client
from kcore.controllers import manager
from kcore.controllers.node_ipam import Subnets
from kcore.controllers.settings import Settings
from kcore.testing.fake_server import FakeServer, Selection
from kcore.testing.fake_transport import FakeTransport

NODES = kinds.resource("", "v1", "nodes")
PODS = kinds.resource("", "v1", "pods")
EVENTS = kinds.resource("", "v1", "events")
SERVICES = kinds.resource("", "v1", "services")
ENDPOINTS = kinds.resource("", "v1", "endpoints")
SLICES = kinds.resource("discovery.k8s.io", "v1", "endpointslices")
LEASES = kinds.resource("coordination.k8s.io", "v1", "leases")


class Cluster:
    """One cluster."""

    def __init__(self, clock: VirtualClock, controllers: tuple[str, ...], subnets: Subnets | None = None) -> None:
        self.clock, self.controllers, self.subnets = clock, controllers, subnets
        self.entropy = SeededEntropy(7)
        self.server = FakeServer(clock, self.entropy)
        self.alive: set[str] = set()
        self._manager: asyncio.Task[None] | None = None
        self._beating: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the controllers, and wait until they work."""
        self.transport = FakeTransport(self.server)
        client = Client(self.transport, clock=self.clock, entropy=self.entropy)
        ready = asyncio.Event()
        settings = Settings(leader_elect=False, controllers=self.controllers)
        self._manager = asyncio.create_task(manager.run(client, settings, self.clock, self.entropy, ready.set, self.subnets))
        self._beating = self._beating or asyncio.create_task(self._beat())
        await ready.wait()

    async def stop(self) -> None:
        """End the controllers."""
        if self._manager is not None:
            self._manager.cancel()
            await asyncio.gather(self._manager, return_exceptions=True)
            self._manager = None

    async def close(self) -> None:
        await self.stop()
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)

    async def _beat(self) -> None:
        for number in range(1 << 30):
            for name in sorted(self.alive):
                self.change(LEASES, f"kube-node-lease/{name}", lambda lease, number=number: setattr(lease.spec, "leaseTransitions", number))
            await self.clock.sleep(10)

    def node(self, name: str, ready: str = "True", zone: str = "", alive: bool = True) -> Any:
        """Register a node, which renews its Lease while it is alive."""
        node = Node()
        node.metadata.name = name
        if zone:
            node.metadata.labels["topology.kubernetes.io/zone"] = zone
        if ready:
            self.say(node, ready)
        lease = Lease()
        lease.metadata.name, lease.metadata.namespace = name, "kube-node-lease"
        if name not in self.all(LEASES):
            self.server.create(LEASES, lease)
        self.alive |= {name} if alive else set()
        return self.server.create(NODES, node)

    def say(self, node: Any, ready: str) -> None:
        """Have a node say whether it is ready."""
        del node.status.conditions[:]
        condition = node.status.conditions.add(type="Ready", status=ready, reason="KubeletReady", message="ready")
        condition.lastHeartbeatTime.seconds = condition.lastTransitionTime.seconds = int(self.clock.now())

    def post(self, name: str, ready: str) -> None:
        """Have a node post its status."""
        self.change(NODES, name, lambda node: self.say(node, ready), "status")

    def pod(self, name: str, node: str = "", ip: str = "", ready: bool = True, **labels: str) -> Any:
        """Make a pod that runs."""
        pod = Pod()
        pod.metadata.name, pod.metadata.namespace = name, "default"
        pod.metadata.labels.update(labels)
        pod.spec.nodeName = node
        pod.spec.terminationGracePeriodSeconds = 30
        pod.status.phase = "Running" if node else "Pending"
        if ip:
            pod.status.podIP = ip
            pod.status.podIPs.add(ip=ip)
        if ready:
            pod.status.conditions.add(type="Ready", status="True")
        return self.server.create(PODS, pod)

    def service(self, name: str, **selector: str) -> Any:
        service = Service()
        service.metadata.name, service.metadata.namespace = name, "default"
        service.spec.selector.update(selector)
        service.spec.clusterIP = "10.96.0.1"
        port = service.spec.ports.add(name="http", port=80, protocol="TCP")
        port.targetPort.intVal = 8080
        return self.server.create(SERVICES, service)

    def change(self, resource: Any, key: str, change: Callable[[Any], Any], subresource: str = "") -> None:
        found = self.server.get(resource, key)
        change(found)
        self.server.update(resource, found, subresource)

    def delete(self, resource: Any, name: str, namespace: str = "", grace_s: int | None = None) -> None:
        self.server.delete(resource, namespace, name, meta_pb2.DeleteOptions(gracePeriodSeconds=grace_s))

    def all(self, resource: Any) -> dict[str, Any]:
        return {found.metadata.name: found for found in self.server.list(resource, Selection.of(meta_pb2.ListRequest()))}

    def events(self, reason: str = "") -> list[tuple[str, str, str]]:
        """What was told, by whom, about what."""
        found = self.all(EVENTS).values()
        return sorted((e.source.component, e.involvedObject.name, e.message) for e in found if reason in ("", e.reason))

    def ready(self, name: str) -> str:
        """The Ready condition of a node."""
        return next((c.status for c in self.all(NODES)[name].status.conditions if c.type == "Ready"), "")

    def taints(self, name: str) -> list[str]:
        return sorted(f"{taint.key.removeprefix('node.kubernetes.io/')}:{taint.effect}" for taint in self.all(NODES)[name].spec.taints)

    def pods(self) -> list[str]:
        """Names of the pods that nobody deleted."""
        return sorted(name for name, pod in self.all(PODS).items() if not pod.metadata.HasField("deletionTimestamp"))


def run(story: Callable[[Cluster], Awaitable[None]], *controllers: str, subnets: Subnets | None = None) -> None:
    """Tell a story in a cluster of its own, to its end."""
    clock = VirtualClock()

    async def main() -> None:
        cluster = Cluster(clock, controllers, subnets)
        try:
            await story(cluster)
        finally:
            await cluster.close()

    virtual_loop.run(main(), clock)
