"""The manager: leadership first, then informers, then workers, then readiness."""

import asyncio
from collections.abc import Awaitable, Callable

from kcore.api.coordination.v1.lease_pb2 import Lease
from kcore.base import virtual_loop
from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.client import kinds
from kcore.client.client import Client
from kcore.client.informer import Informers
from kcore.controllers import manager
from kcore.controllers.settings import Settings
from kcore.testing.fake_server import FakeServer
from kcore.testing.fake_transport import FakeTransport
from tests.property.controllers.world import ALL, PODS, REPLICASETS, Server, replicaset

LEASES = kinds.resource("coordination.k8s.io", "v1", "leases")


class Managers:
    """Processes that run controllers on one server."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.server = clock, Server(clock, SeededEntropy(1))
        self.ready: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    def start(self, identity: str) -> tuple[FakeTransport, asyncio.Task[None]]:
        """Start a process."""
        transport, entropy = FakeTransport(self.server), SeededEntropy(identity)
        client = Client(transport, clock=self.clock, entropy=entropy)
        settings = Settings(identity=identity, controllers=("replicaset",))
        run = manager.run(client, settings, self.clock, entropy, lambda: self.ready.append(identity))
        task = asyncio.create_task(run)
        self.tasks.append(task)
        return transport, task


def tell(story: Callable[[Managers], Awaitable[None]]) -> None:
    clock = VirtualClock()

    async def run() -> None:
        managers = Managers(clock)
        await story(managers)
        for task in managers.tasks:
            task.cancel()
        await asyncio.gather(*managers.tasks, return_exceptions=True)

    virtual_loop.run(run(), clock)


def holder(server: FakeServer) -> str:
    lease: Lease = server.get(LEASES, "kube-system/kube-controller-manager")
    return lease.spec.holderIdentity


def test_one_of_two_leads_and_only_that_one_watches_and_is_ready() -> None:
    async def story(here: Managers) -> None:
        first, _ = here.start("one")
        await here.clock.sleep(1.0)
        second, _ = here.start("two")
        await here.clock.sleep(5.0)
        assert here.ready == ["one"] and holder(here.server) == "one"
        assert first.watch_count > 0 and second.watch_count == 0

    tell(story)


def test_another_takes_over_when_the_leader_ends_and_does_its_work() -> None:
    async def story(here: Managers) -> None:
        _, task = here.start("one")
        await here.clock.sleep(1.0)
        here.start("two")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        made = replicaset("web", 3)
        made.metadata.namespace = "default"
        here.server.create(REPLICASETS, made)
        await here.clock.sleep(30.0)
        assert here.ready == ["one", "two"] and holder(here.server) == "two"
        assert len(here.server.list(PODS, ALL)) == 3

    tell(story)


def test_a_leader_that_lost_its_lease_returns() -> None:
    async def story(here: Managers) -> None:
        transport, task = here.start("one")
        await here.clock.sleep(1.0)
        transport.go_down()
        await here.clock.sleep(60.0)
        assert task.done() and task.exception() is None

    tell(story)


def test_metadata_is_read_from_whole_objects_where_somebody_follows_these() -> None:
    async def story(here: Managers) -> None:
        client = Client(FakeTransport(here.server), clock=here.clock, entropy=SeededEntropy(1))
        shared = manager.SharedInformers(Informers(client))
        whole = shared.whole(PODS)
        assert shared.metadata(PODS) is whole
        apart = shared.metadata(REPLICASETS)
        assert shared.whole(REPLICASETS) is not apart and shared.metadata(REPLICASETS) is apart

    tell(story)


def test_the_table_names_each_controller_as_the_settings_do() -> None:
    async def story(here: Managers) -> None:
        assert {"replicaset", "deployment", "namespace", "garbage-collector", "endpoints", "node-lifecycle"} <= set(manager.CONTROLLERS)

    tell(story)
