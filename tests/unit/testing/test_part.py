"""A part under test: started, stopped, started again, and missed when it ends by itself."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from kcore.base import limits, virtual_loop
from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.client.client import Client
from kcore.serve.running import Running, Work
from kcore.testing.fake_server import FakeServer
from kcore.testing.fake_transport import FakeTransport
from kcore.testing.part import Part, PartFailed


def run(work: Work, story: Callable[[Part], Awaitable[None]]) -> None:
    clock = VirtualClock()
    server = FakeServer(clock, SeededEntropy(1))

    async def main() -> None:
        part = Part("thing", lambda: Client(FakeTransport(server, clock), clock=clock), lambda: work)
        part.start()
        try:
            await story(part)
        finally:
            await part.stop()

    virtual_loop.run(main(), clock)


async def serve(running: Running) -> None:
    running.ready()
    await asyncio.Event().wait()


def test_a_part_is_ready_when_it_says_so_and_gone_when_it_is_stopped() -> None:
    async def story(part: Part) -> None:
        await part.wait_ready()
        assert part.is_running
        await part.stop()
        assert not part.is_running and part.is_idle
        part.check()

    run(serve, story)


def test_a_restarted_part_has_a_new_way_without_faults() -> None:
    async def story(part: Part) -> None:
        before = part.faults
        before.go_down()
        await part.restart()
        assert part.is_running and part.faults is not before and not part.faults.is_down

    run(serve, story)


def test_healing_ends_faults_or_starts_what_was_stopped() -> None:
    async def story(part: Part) -> None:
        part.faults.go_down()
        await part.heal()
        assert not part.faults.is_down
        await part.stop()
        await part.heal()
        assert part.is_running

    run(serve, story)


def test_a_part_that_never_gets_ready_is_not_waited_for_without_end() -> None:
    async def hang(_: Running) -> None:
        await asyncio.Event().wait()

    async def story(part: Part) -> None:
        started_at = asyncio.get_running_loop().time()
        with pytest.raises(PartFailed, match="thing was not ready within"):
            await part.wait_ready()
        assert asyncio.get_running_loop().time() - started_at == limits.PART_START_TIMEOUT_S

    run(hang, story)


def test_a_part_that_ends_before_it_is_ready_says_why() -> None:
    async def fail(_: Running) -> None:
        raise KeyError("oh")

    async def story(part: Part) -> None:
        with pytest.raises(PartFailed, match="thing ended: KeyError"):
            await part.wait_ready()

    run(fail, story)
