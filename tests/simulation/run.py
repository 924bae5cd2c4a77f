"""One seed: a script plays in a world while checkers look on; then calm, in which everything has to come right.

    run(17)       -> its wrongs, none if all is well, and the number of its history
"""

from __future__ import annotations

import asyncio
import gc
import random
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kcore.agent.settings import HollowSettings
from kcore.base import virtual_loop
from kcore.base.clock import VirtualClock
from kcore.testing.part import PartFailed
from tests.simulation import calm
from tests.simulation.actor import Actor
from tests.simulation.checkers.owners import ReplicaSets
from tests.simulation.checkers.plane import Addresses, Bindings, Capacity, Revisions
from tests.simulation.checkers.rollouts import Availability, Surges
from tests.simulation.checkers.stateful import Jobs, StatefulSets
from tests.simulation.history import Checker
from tests.simulation.script import drawn
from tests.simulation.world import World

SEEDS: Final = 200
QUIET_S: Final = 6.0
"""So long nothing may change before a look counts: longer than any pause of a controller that has something to do."""

START_S: Final = 60.0
"""Until then a cluster in which nothing goes wrong yet has started."""

CALM_S: Final = 900.0
"""Until then everything has to have come right: longer than the longest wait there is, EXPECTATIONS_TIMEOUT_S, and what follows it."""

Mutation = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a seed."""

    seed: int
    wrongs: tuple[str, ...]
    digest: str
    revision: int
    seconds: float


def checkers() -> list[Checker]:
    """A new one of each."""
    return [Revisions(), Bindings(), Capacity(), Addresses(), ReplicaSets(), Surges(), Availability(), StatefulSets(), Jobs()]


def slowness(seed: int) -> HollowSettings:
    """How slow nodes are."""
    chance = random.Random(f"{seed}/nodes")
    factor = chance.choice((0.0, 0.3, 1.0, 3.0))
    return HollowSettings(
        sandbox_delay_s=0.2 * factor, start_delay_s=0.5 * factor, readiness_delay_s=factor, termination_s=0.5 * factor, jitter=1.0
    )


def run(seed: int, mutation: Mutation = nullcontext) -> Outcome:
    """Run a seed; with a mutation, in a plane that has it."""
    clock = VirtualClock()
    with mutation(), tempfile.TemporaryDirectory(prefix="kcore-simulation-") as folder:
        gc.collect()
        return virtual_loop.run(_run(seed, clock, Path(folder)), clock)


async def _run(seed: int, clock: VirtualClock, folder: Path) -> Outcome:
    world = World(seed, clock, folder, checkers(), slowness(seed))
    actor = Actor(world)
    for checker in world.history.checkers:
        if isinstance(checker, ReplicaSets | Availability):
            checker.by_hand = actor.deleted
    wrongs: list[str] = []
    try:
        async with asyncio.timeout(START_S):
            await world.start()
        await actor.play(drawn(seed))
        await world.heal()
        wrongs += await _calm(world)
    except PartFailed as error:
        wrongs.append(str(error))
    finally:
        await world.close()
    history = world.history
    wrongs = [*history.wrongs(), *world.server.wrongs, *wrongs]
    return Outcome(seed, tuple(wrongs), history.digest, history.revision, clock.monotonic())


async def _calm(world: World) -> list[str]:
    """Wait until everything has come right and nothing happens any more; -> what has not."""
    end = world.clock.monotonic() + CALM_S
    while True:
        await world.clock.sleep(QUIET_S / 2)
        world.check()
        now = world.clock.monotonic()
        is_quiet = now - world.history.changed_at >= QUIET_S
        if world.history.wrongs() or (is_quiet and not calm.problems(world.history)):
            return []
        if now >= end:
            return calm.problems(world.history) or [f"something still changed {now - world.history.changed_at:.1f} s ago"]
