"""Hollow nodes on a fake API server, on virtual time, with somebody who plays scheduler and controllers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from kcore.agent.hollow import HollowNodes
from kcore.agent.settings import HollowSettings, NodeSettings
from kcore.api.coordination.v1.lease_pb2 import Lease
from kcore.api.core.v1.event_pb2 import Event
from kcore.api.core.v1.node_pb2 import Node
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.meta.v1 import meta_pb2
from kcore.base import virtual_loop
from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.client import kinds
from kcore.client.client import Client
from kcore.network import NodeIpam, SubnetAllocator, cluster_ranges
from kcore.testing.fake_server import FakeServer, Selection
from kcore.testing.fake_transport import FakeTransport
from tests.unit.agent.pods import assigned

PODS, NODES, LEASES, EVENTS = (kinds.of_message(each) for each in (Pod, Node, Lease, Event))
ALL = meta_pb2.ListRequest()


class Cluster:
    """A fake server, hollow nodes, and a client's view."""

    def __init__(self, clock: VirtualClock, entropy: SeededEntropy) -> None:
        self.clock, self.entropy = clock, entropy
        self.server = FakeServer(clock, entropy)
        self.transport: FakeTransport
        self.hollow: HollowNodes
        self._task: asyncio.Task[None] | None = None

    async def start(
        self,
        count: int = 3,
        settings: HollowSettings | None = None,
        cidrs: tuple[str, ...] = ("10.128.0.0/20",),
        **node_settings: Any,
    ) -> None:
        """Start a process of hollow nodes; without cluster CIDRs the nodes wait for a controller's."""
        self.transport = FakeTransport(self.server, self.clock, delay_s=0.001)
        client = Client(self.transport, clock=self.clock, entropy=self.entropy)
        subnets = SubnetAllocator(cluster_ranges(cidrs, node_prefix_v4=29)) if cidrs else None
        self.hollow = HollowNodes(
            client,
            NodeSettings(count=count, **node_settings),
            addresses_for=NodeIpam,
            hollow_settings=settings,
            subnets=subnets,
        )
        self._task = asyncio.create_task(self.hollow.run())

    async def kill(self) -> None:
        """End the process, at whatever it was doing."""
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.transport.break_streams()
        self._task = None

    async def stop(self) -> None:
        """End the process if it runs; what it raised is raised here."""
        if self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                return

    async def ready(self) -> None:
        async with asyncio.timeout(60):
            await self.hollow.wait_ready()

    async def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until something holds."""
        end_s = self.clock.monotonic() + seconds
        while not condition():
            assert self.clock.monotonic() < end_s, "it never came to hold"
            await self.clock.sleep(0.05)

    def create(self, name: str, node: str = "node-0", change: Callable[[Pod], Any] = lambda _: None, **annotations: str) -> Pod:
        """Create a pod that is assigned already."""
        pod = assigned(name, node, **annotations)
        pod.metadata.ClearField("resourceVersion")
        change(pod)
        created: Pod = self.server.create(PODS, pod)
        return created

    def delete(self, name: str, grace_s: int = 30) -> None:
        options = meta_pb2.DeleteOptions(gracePeriodSeconds=grace_s)
        self.server.commit(lambda: self.server.delete(PODS, "default", name, options))

    def pod(self, name: str) -> Pod:
        found: Pod = self.server.get(PODS, f"default/{name}")
        return found

    def pods(self) -> list[Pod]:
        return self.server.list(PODS, Selection.of(ALL))

    def nodes(self) -> list[Node]:
        return self.server.list(NODES, Selection.of(ALL))

    def leases(self) -> list[Lease]:
        return self.server.list(LEASES, Selection.of(ALL))

    def events(self) -> list[Event]:
        return self.server.list(EVENTS, Selection.of(ALL))

    def writes(self, name: str) -> list[tuple[str, str]]:
        """Verb and subresource of each write about a pod."""
        return [(call.verb, call.subresource) for call in self.transport.calls if call.key == f"default/{name}" and call.resource == "pods"]

    def phase(self, name: str) -> str:
        found = [pod.status.phase for pod in self.pods() if pod.metadata.name == name]
        return found[0] if found else "gone"


def run(test: Callable[[Cluster], Awaitable[None]], seed: int = 7) -> None:
    """Run a test on a cluster of its own, to its end."""
    clock, entropy = VirtualClock(), SeededEntropy(seed)

    async def main() -> None:
        cluster = Cluster(clock, entropy)
        try:
            await test(cluster)
        finally:
            await cluster.stop()

    virtual_loop.run(main(), clock)
