"""A whole cluster in one event loop on virtual time: API server and store, scheduler, controllers, two fleets of hollow nodes, a network.

Each part runs on a machine of its own: with its own wall clock, its own faults (`parts[name].faults`), its own death. Whatever chance
decides comes from the seed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from kcore.agent.settings import HollowSettings, NodeSettings
from kcore.base.clock import VirtualClock
from kcore.base.config import DataDir
from kcore.base.entropy import SeededEntropy
from kcore.client.client import Client
from kcore.controllers import manager
from kcore.controllers.settings import Settings
from kcore.network import SubnetAllocator, cluster_ranges
from kcore.serve import nodes, scheduler, users
from kcore.serve.networks import SERVICE_CIDRS
from kcore.serve.running import Running, Work
from kcore.testing.faulty_transport import FaultyTransport
from kcore.testing.part import Part
from tests.simulation.clocks import MachineClock
from tests.simulation.history import Checker, History
from tests.simulation.network import Chance, Network
from tests.simulation.server import Server
from tests.simulation.witness import Witness

ADMIN: Final = "admin"
FLEETS: Final = ("nodes-a", "nodes-b")
PARTS: Final = ("scheduler", "controllers", *FLEETS)
SERVER: Final = "apiserver"
NODES_PER_FLEET: Final = 2
NODE_CAPACITY: Final = {"cpu": "1", "memory": "4Gi", "pods": "8", "ephemeral-storage": "16Gi"}

CLUSTER_CIDRS: Final = ("10.128.0.0/16",)
NODE_PREFIX: Final = 29
"""Five addresses a node, fewer than it takes pods: each is given again and again, and some pods wait for one."""

RESTART_S_MIN: Final = 1.0
"""A killed part comes back after this at the earliest: what it has sent has arrived by then, as it has where a supervisor restarts."""


class World:
    """One cluster. Thread: the event loop's."""

    def __init__(self, seed: int, clock: VirtualClock, directory: Path, checkers: Sequence[Checker], hollow: HollowSettings) -> None:
        self.clock = clock
        self.clocks = {name: MachineClock(clock) for name in (SERVER, ADMIN, *PARTS)}
        self.chance = Chance(random.Random(f"{seed}/network"), *weather(seed))
        self.witness = Witness()
        self.history = History(clock, [*checkers, self.witness.updates, self.witness.watches])
        self._seed, self._directory, self._hollow = seed, directory, hollow
        self._tokens = {name: f"token-of-{name}" for name in users.USERS}
        by_token = users.by_token(self._tokens)
        self.server = Server(directory / "store", by_token, self.clocks[SERVER], f"{seed}", self.history)
        self.parts = {name: Part(name, partial(self._client, name), partial(self._work, name)) for name in PARTS}
        self._starts = 0
        self.admin: Client

    # its life

    async def start(self) -> None:
        """Start everything, and wait until it serves."""
        await self.server.start()
        self.admin = self._client(ADMIN)
        for part in self.parts.values():
            part.start()
        for part in self.parts.values():
            await part.wait_ready()

    async def close(self) -> None:
        """End everything."""
        for part in self.parts.values():
            await part.stop()
        await self.admin.close()
        await self.server.kill()

    def check(self) -> None:
        """Raise PartFailed if a part has ended by itself."""
        for part in self.parts.values():
            part.check()

    # faults of parts

    async def kill(self, name: str) -> None:
        """End a part where it is."""
        await self.parts[name].stop()

    def revive(self, name: str) -> None:
        """Start a part that was killed."""
        if not self.parts[name].is_running:
            self.parts[name].start()

    def ways(self) -> list[FaultyTransport]:
        """The faults of every part that runs."""
        return [part.faults for part in self.parts.values() if part.is_running]

    async def heal(self) -> None:
        """Let nothing go wrong any more, and all parts run."""
        self.chance.is_calm = True
        if not self.server.is_up:
            await self.server.start()
        for name in PARTS:
            self.revive(name)
        for way in self.ways():
            way.heal()

    # how parts are made

    def _client(self, name: str) -> Client:
        self._starts += 1
        user = "nodes" if name in FLEETS else name
        network = Network(name, partial(self.server.way, self._tokens[user]), self.clock, self.chance, self.witness)
        clock, entropy = self.clocks[name], SeededEntropy(f"{self._seed}/{name}/{self._starts}")
        return Client(FaultyTransport(network, self.clock), clock=clock, entropy=entropy, field_manager=name)

    def _work(self, name: str) -> Work:
        if name == "scheduler":
            return scheduler.work(DataDir(self._directory), None)
        if name == "controllers":
            return run_controllers
        prefix = f"{name.removeprefix('nodes-')}-"
        node_settings = NodeSettings(NODES_PER_FLEET, prefix, capacity=NODE_CAPACITY, awaits_cidr=True)
        return nodes.work(DataDir(self._directory), (node_settings, self._hollow))


async def run_controllers(running: Running) -> None:
    """What `kcore controllers` does, with subnets that are small enough for addresses to come back."""
    subnets = SubnetAllocator(cluster_ranges(CLUSTER_CIDRS, NODE_PREFIX), reserved=SERVICE_CIDRS)
    settings = Settings("", running.identity, leader_elect=False)
    await manager.run(running.client, settings, running.client.clock, running.client.entropy, running.ready, subnets)


def weather(seed: int) -> tuple[float, float]:
    """How slow the network is, and how likely it is that a call arrives twice: a quarter of all seeds have it quick and good."""
    source = random.Random(f"{seed}/weather")
    if source.random() < 0.25:
        return 0.02, 0.0
    return source.random(), source.choice((0.0, 0.02, 0.1))

