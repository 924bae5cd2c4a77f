"""The guarantees of the workqueue and of its workers, on virtual time."""

import asyncio

import pytest

from kcore.client.workqueue import QueueFull, Result, ShutDown, WorkQueue, work
from kcore.machinery import status
from tests.unit.client.virtual import run


def test_a_key_waits_once_and_keys_come_in_order():
    async def test(world):
        queue = WorkQueue("q", world.clock)
        for key in "abab":
            queue.add(key)
        assert [await queue.get(), await queue.get()] == ["a", "b"]
        assert len(queue) == 0

    run(test)


def test_a_key_added_while_it_is_processed_comes_again_after_it_is_done():
    async def test(world):
        queue = WorkQueue("q", world.clock)
        queue.add("a")
        assert await queue.get() == "a"
        queue.add("a")
        assert len(queue) == 0
        queue.done("a")
        assert await queue.get() == "a"
        queue.done("a")
        assert queue.is_idle

    run(test)


def test_a_delayed_key_comes_when_its_time_has_come_and_the_earlier_time_counts():
    async def test(world):
        queue = WorkQueue("q", world.clock)
        queue.add_after("a", 10)
        queue.add_after("b", 5)
        queue.add_after("a", 2)
        queue.add_after("a", 7)
        times = []
        for _ in range(2):
            key = await queue.get()
            times.append((key, world.clock.monotonic()))
        assert times == [("a", 2.0), ("b", 5.0)]
        await world.clock.sleep(20)
        assert len(queue) == 0
        assert queue.delayed_count == 0

    run(test)


def test_the_backoff_of_a_key_doubles_until_it_is_forgotten():
    async def test(world):
        queue = WorkQueue("q", world.clock)
        waits = []
        for _ in range(20):
            before = world.clock.monotonic()
            queue.add_rate_limited("a")
            queue.done(await queue.get())
            waits.append(round(world.clock.monotonic() - before, 4))
        assert waits[:4] == [0.005, 0.01, 0.02, 0.04]
        assert waits[-2:] == [1000.0, 1000.0]
        assert queue.failure_count("a") == 20
        queue.forget("a")
        assert queue.failure_count("a") == 0

    run(test)


def test_all_retries_together_keep_to_a_rate():
    async def test(world):
        queue = WorkQueue("q", world.clock)
        for key in range(150):
            queue.add_rate_limited(key)
        for _ in range(150):
            await queue.get()
        assert world.clock.monotonic() == pytest.approx(5.0)

    run(test)


def test_shutting_down_drops_what_waits_and_draining_does_not():
    async def test(world):
        for drain in (False, True):
            queue = WorkQueue("q", world.clock)
            for key in "ab":
                queue.add(key)
            assert await queue.get() == "a"
            queue.add_after("later", 5)
            queue.shut_down(drain=drain)
            queue.add("c")
            if drain:
                assert await queue.get() == "b"
                queue.done("b")
            with pytest.raises(ShutDown):
                await queue.get()
            drained = asyncio.create_task(queue.drained())
            await asyncio.sleep(0)
            assert not drained.done()
            queue.done("a")
            await drained

    run(test)


def test_shutting_down_wakes_all_workers():
    async def test(world):
        queue = WorkQueue("q", world.clock)
        workers = [asyncio.create_task(queue.get()) for _ in range(3)]
        await asyncio.sleep(0)
        queue.shut_down()
        for found in await asyncio.gather(*workers, return_exceptions=True):
            assert isinstance(found, ShutDown)

    run(test)


def test_a_worker_that_is_cancelled_as_it_is_woken_wakes_another():
    async def test(world):
        queue = WorkQueue("q", world.clock)
        first, second = (asyncio.create_task(queue.get()) for _ in range(2))
        await asyncio.sleep(0)
        queue.add("a")
        first.cancel()
        assert await second == "a"

    run(test)


def test_the_queue_is_bounded():
    async def test(world):
        queue = WorkQueue("q", world.clock, items_max=2)
        queue.add("a")
        queue.add("b")
        queue.add("a")
        with pytest.raises(QueueFull):
            queue.add("c")

    run(test)


def test_workers_reconcile_each_key_and_try_failures_again():
    async def test(world):
        queue = WorkQueue("q", world.clock)
        seen = []

        async def reconcile(key):
            seen.append(key)
            await asyncio.sleep(0)
            if key == "conflict" and seen.count(key) == 1:
                raise status.conflict("pods", "", "a")
            if key == "broken" and seen.count(key) < 3:
                raise KeyError(key)
            if key == "again" and seen.count(key) < 4:
                return Result(requeue_after_s=30)
            return None

        for key in ("conflict", "broken", "again"):
            queue.add(key)
        workers = asyncio.create_task(work(queue, reconcile, 2))
        await world.clock.sleep(100)
        queue.shut_down(drain=True)
        await workers
        assert {key: seen.count(key) for key in set(seen)} == {"conflict": 2, "broken": 3, "again": 4}
        assert queue.failure_count("broken") == 0

    run(test)


def test_keys_that_need_no_waiting_let_others_in():
    async def test(world):
        queue = WorkQueue("q", world.clock)
        for key in range(1000):
            queue.add(key)

        async def reconcile(key):
            return None

        workers = asyncio.create_task(work(queue, reconcile, 1))
        for _ in range(3):
            await asyncio.sleep(0)
        assert 900 < len(queue) < 1000
        queue.shut_down()
        await workers

    run(test)
