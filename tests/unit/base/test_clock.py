"""Virtual time: jumps to the next timer, obeys its horizon, and stands still while work is in a thread."""

import asyncio
import time

import pytest

from kcore.base.clock import SystemClock, VirtualClock
from kcore.base.virtual_loop import VirtualLoop, run


def test_a_day_passes_in_a_moment() -> None:
    clock = VirtualClock(start=1000.0)

    async def main() -> float:
        await clock.sleep(86_400)
        return clock.now()

    before = time.monotonic()
    assert run(main(), clock) == pytest.approx(87_400.0)
    assert time.monotonic() - before < 5


def test_timers_run_in_the_order_of_their_times() -> None:
    clock = VirtualClock()
    seen: list[tuple[str, float]] = []

    async def wait(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        seen.append((name, round(clock.monotonic(), 6)))

    async def main() -> None:
        await asyncio.gather(wait("c", 3), wait("a", 0.5), wait("b", 0.75))

    run(main(), clock)
    assert seen == [("a", 0.5), ("b", 0.75), ("c", 3)]


def test_time_stands_still_at_the_horizon_until_it_is_advanced() -> None:
    clock = VirtualClock(horizon=0.0)
    ticks: list[float] = []

    async def tick() -> None:
        while True:
            await clock.sleep(60)
            ticks.append(clock.monotonic())

    async def main() -> None:
        task = asyncio.create_task(tick())
        await asyncio.to_thread(lambda: None)
        assert ticks == []
        await clock.advance(minutes=2, seconds=1)
        assert ticks == [60, 120]
        assert clock.monotonic() == pytest.approx(121)
        await clock.advance(hours=1)
        assert len(ticks) == 62
        task.cancel()

    run(main(), clock)


def test_time_stands_still_while_a_thread_works() -> None:
    clock = VirtualClock()

    async def main() -> None:
        timer = asyncio.create_task(clock.sleep(3600))
        await asyncio.get_running_loop().run_in_executor(None, sum, range(1_000_000))
        assert not timer.done()
        assert clock.monotonic() == 0
        timer.cancel()

    run(main(), clock)


def test_a_jump_moves_the_wall_clock_alone() -> None:
    clock = VirtualClock(start=1000.0)
    clock.jump(-500)
    assert (clock.now(), clock.monotonic()) == (500.0, 0.0)


def test_a_timeout_fires_in_virtual_time() -> None:
    clock = VirtualClock()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.Event().wait()

    run(main(), clock)
    assert clock.monotonic() == pytest.approx(30)


def test_another_thread_can_wake_an_idle_virtual_loop() -> None:
    loop = VirtualLoop(VirtualClock())
    woken = asyncio.Event()

    async def main() -> None:
        asyncio.get_running_loop().run_in_executor(None, loop.call_soon_threadsafe, woken.set)
        await woken.wait()

    try:
        loop.run_until_complete(main())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


async def test_the_system_clock_tells_the_time() -> None:
    clock = SystemClock()
    assert abs(clock.now() - time.time()) < 5
    before = clock.monotonic()
    await clock.sleep(0)
    assert clock.monotonic() >= before
