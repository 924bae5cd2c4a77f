"""Bulk writes against the fake server: order, limits, broken streams."""

import asyncio
import gc

import pytest

from kcore.base import limits
from kcore.client import items, kinds
from kcore.machinery import status
from kcore.machinery.status import StatusError
from tests.unit.client.virtual import pod, run


def test_items_are_applied_in_order_and_each_has_its_result():
    async def test(world):
        wanted = [
            items.create(pod("a")),
            items.create(pod("a")),
            items.bind("a", "n1", namespace="default"),
            items.patch(kinds.find("po"), "a", {"metadata": {"labels": {"x": "y"}}}, namespace="default"),
            items.delete(kinds.find("po"), "a", namespace="default", grace_period_seconds=0),
        ]
        results = await world.client.bulk.write(wanted, return_objects=True)
        assert [r.error.reason if r.error else "" for r in results] == ["", "AlreadyExists", "", "", ""]
        assert results[0].uid
        assert results[0].object
        assert world.server.revision == 5, "a pod at its end is one more"

    run(test)


def test_many_items_are_cut_into_requests_and_come_back_in_order():
    async def test(world):
        count = limits.BULK_ITEMS_MAX * 2 + 5
        results = await world.client.bulk.write([items.create(pod(f"p{n}")) for n in range(count)])
        assert [r.name for r in results] == [f"p{n}" for n in range(count)]

    run(test)


def test_large_items_are_cut_by_size():
    async def test(world):
        big = pod("a")
        big.metadata.annotations["x"] = "y" * (limits.BULK_REQUEST_BYTES_MAX // 2)
        results = await world.client.bulk.write([items.create(big)] * 3)
        assert [r.error is None for r in results] == [True, False, False]
        with pytest.raises(StatusError, match="do not fit one request"):
            await world.client.bulk.write([items.create(big)] * 3, atomic=True)

    run(test)


def test_what_is_submitted_together_travels_together():
    async def test(world):
        futures = [world.client.bulk.submit(items.create(pod(f"p{n}"))) for n in range(100)]
        results = await asyncio.gather(*futures)
        assert all(r.error is None for r in results)
        assert world.client.bulk._unanswered_count == 0

    run(test)


def test_short_lists_travel_together_while_a_request_is_under_way():
    async def test(world):
        bulk = world.client.bulk
        requests = []
        send = bulk._request
        bulk._request = lambda items, *more: requests.append(len(items)) or send(items, *more)
        lists = [[items.create(pod(f"p{n}-{m}")) for m in range(3)] for n in range(20)]
        results = await asyncio.gather(*(bulk.write(each) for each in lists))
        assert [[r.name for r in found] for found in results] == [[f"p{n}-{m}" for m in range(3)] for n in range(20)]
        assert requests == [3, 57]
        assert (bulk._unanswered_count, bulk._under_way_count) == (0, 0)

    run(test)


def test_a_long_list_does_not_overtake_a_short_one():
    async def test(world):
        bulk = world.client.bulk
        labelled = [items.patch(kinds.find("po"), "a", {"metadata": {"labels": {"x": str(n)}}}, namespace="default") for n in range(3)]
        first = asyncio.create_task(bulk.write([items.create(pod("a"))]))
        await asyncio.sleep(0)
        short = asyncio.create_task(bulk.write(labelled[:1]))
        await asyncio.sleep(0)
        long = asyncio.create_task(bulk.write([*labelled[1:], *[items.create(pod(f"p{n}")) for n in range(limits.BULK_FEW_ITEMS_MAX)]]))
        for each in (first, short, long):
            assert all(result.error is None for result in await each)
        assert (await world.client.pods.get("a", namespace="default")).metadata.labels["x"] == "2"

    run(test)


def test_a_broken_stream_fails_what_waits_and_the_next_write_opens_another():
    async def test(world):
        world.transport.fail("bulk", status.service_unavailable("gone"))
        with pytest.raises(StatusError, match="gone"):
            await world.client.bulk.write([items.create(pod("a"))])
        assert (await world.client.bulk.write([items.create(pod("a"))]))[0].error is None

    run(test)


def test_a_submission_over_a_broken_stream_fails_alone():
    async def test(world):
        world.transport.fail("bulk", status.service_unavailable("gone"))
        first = world.client.bulk.submit(items.create(pod("a")))
        with pytest.raises(StatusError, match="gone"):
            await first
        assert (await world.client.bulk.submit(items.create(pod("b")))).error is None

    run(test)


def test_too_many_unanswered_submissions_are_refused(monkeypatch):
    monkeypatch.setattr(limits, "BULK_PENDING_ITEMS_MAX", 2)

    async def test(world):
        futures = [world.client.bulk.submit(items.create(pod(f"p{n}"))) for n in range(2)]
        with pytest.raises(StatusError) as error:
            world.client.bulk.submit(items.create(pod("c")))
        assert error.value.reason == "TooManyRequests"
        await asyncio.gather(*futures)
        await world.client.bulk.submit(items.create(pod("c")))

    run(test)


def test_closing_fails_what_is_not_answered():
    async def test(world):
        future = world.client.bulk.submit(items.create(pod("a")))
        await world.client.bulk.close()
        with pytest.raises(StatusError, match="closed"):
            await future

    run(test)


def test_nothing_is_no_request():
    async def test(world):
        assert await world.client.bulk.write([]) == []
        assert world.transport.calls == []

    run(test)


def test_a_request_that_is_cancelled_while_it_is_sent_leaves_no_unread_failure_behind():
    async def test(world):
        unread = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unread.append(context["message"]))
        world.transport._clock = world.clock
        world.transport.delay("bulk", 10.0)
        writing = asyncio.create_task(world.client.bulk.write([items.create(pod("a"))]))
        await world.clock.sleep(1.0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        del writing
        await world.clock.sleep(1.0)
        gc.collect()
        assert unread == []

    run(test)
