"""A client of a fake server, both on virtual time: what the tests of this folder run in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.base import virtual_loop
from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.client.client import Client
from kcore.testing.fake_server import FakeServer
from kcore.testing.fake_transport import FakeTransport


@dataclass
class World:
    clock: VirtualClock
    entropy: SeededEntropy
    server: FakeServer
    transport: FakeTransport
    client: Client

    def new_client(self) -> tuple[FakeTransport, Client]:
        """Another client of the same server, with faults of its own."""
        transport = FakeTransport(self.server)
        return transport, Client(transport, clock=self.clock, entropy=self.entropy)


def run(test: Callable[[World], Awaitable[None]]) -> None:
    """Run a test in a world of its own, to its end."""
    clock, entropy = VirtualClock(), SeededEntropy(7)

    async def main() -> None:
        server = FakeServer(clock, entropy)
        transport = FakeTransport(server)
        client = Client(transport, clock=clock, entropy=entropy)
        async with client:
            await test(World(clock, entropy, server, transport, client))

    virtual_loop.run(main(), clock)


def pod(name: str, namespace: str = "default", node: str = "", **labels: str) -> Pod:
    made = Pod()
    made.metadata.name, made.metadata.namespace = name, namespace
    made.metadata.labels.update(labels)
    made.spec.containers.add(name="c", image="i")
    if node:
        made.spec.nodeName = node
    return made
