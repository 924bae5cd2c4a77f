"""Everything that can go wrong on the way, over the fake server, on virtual time."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from kcore.api.core.v1.config_map_pb2 import ConfigMap
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.base import limits, virtual_loop
from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.client import items
from kcore.client.client import Client
from kcore.machinery import status
from kcore.machinery.status import StatusError
from kcore.testing.fake_server import FakeServer
from kcore.testing.fake_transport import FakeTransport
from kcore.testing.faulty_transport import ANY

GONE = status.service_unavailable("gone")


def run(story: Callable[[Client, FakeTransport], Awaitable[None]]) -> None:
    clock = VirtualClock()

    async def main() -> None:
        way = FakeTransport(FakeServer(clock, SeededEntropy(1)), clock)
        async with Client(way, clock=clock, entropy=SeededEntropy(2)) as client:
            await story(client, way)

    virtual_loop.run(main(), clock)


def pod(name: str) -> Pod:
    return Pod(metadata={"name": name, "namespace": "default"}, spec={"containers": [{"name": "c", "image": "i"}]})


async def reason(call: Awaitable[object]) -> str:
    with pytest.raises(StatusError) as caught:
        await call
    return caught.value.reason


def test_a_failure_before_the_server_changes_nothing_and_one_after_it_does() -> None:
    async def story(client: Client, way: FakeTransport) -> None:
        way.fail("create", status.internal("lost"), resource="pods")
        way.fail("create", status.internal("lost"), resource="pods", after=True)
        assert await reason(client.pods.create(pod("a"))) == "InternalError"
        assert not (await client.pods.list()).items
        assert await reason(client.pods.create(pod("a"))) == "InternalError"
        assert [found.metadata.name for found in (await client.pods.list()).items] == ["a"]
        await client.pods.create(pod("b"))

    run(story)


def test_a_failure_is_used_up_only_by_what_it_is_for() -> None:
    async def story(client: Client, way: FakeTransport) -> None:
        way.fail("create", status.internal("lost"), resource="pods")
        await client.configmaps.create(ConfigMap(metadata={"name": "c", "namespace": "default"}))
        assert await reason(client.pods.create(pod("a"))) == "InternalError"

    run(story)


def test_delays_add_up_and_stay_until_healed() -> None:
    async def story(client: Client, way: FakeTransport) -> None:
        way.delay("list", 2.0, resource="pods")
        way.delay(ANY, 1.0, times=1)
        for expected_s in (3.0, 2.0, 2.0):
            before = client.clock.monotonic()
            await client.pods.list()
            assert client.clock.monotonic() - before == pytest.approx(expected_s)
        way.heal()
        before = client.clock.monotonic()
        await client.pods.list()
        assert client.clock.monotonic() == before

    run(story)


def test_only_the_watches_of_a_resource_are_lost() -> None:
    async def story(client: Client, way: FakeTransport) -> None:
        pods, maps = client.pods.watch_raw(), client.configmaps.watch_raw()
        assert way.watch_count == 2
        way.break_streams(GONE, resource="pods")
        assert way.watch_count == 1
        assert await reason(pods.read()) == "ServiceUnavailable"
        await client.configmaps.create(ConfigMap(metadata={"name": "c", "namespace": "default"}))
        assert await maps.read()

    run(story)


def test_a_watch_that_waits_is_told_of_its_loss() -> None:
    async def story(client: Client, way: FakeTransport) -> None:
        waiting = asyncio.create_task(client.pods.watch_raw().read())
        await asyncio.sleep(0)
        way.break_streams(None)
        assert await waiting is None

    run(story)


def test_what_is_held_up_comes_when_it_is_released() -> None:
    async def story(client: Client, way: FakeTransport) -> None:
        way.hold_watches(resource="pods")
        coming = asyncio.create_task(client.pods.watch_raw().read())
        await client.pods.create(pod("a"))
        await client.clock.sleep(3600)
        assert not coming.done()
        way.release_watches()
        assert [event.key for event in await coming or ()] == ["default/a"]

    run(story)


def test_single_items_of_a_bulk_write_fail_and_the_others_do_not() -> None:
    async def story(client: Client, way: FakeTransport) -> None:
        way.fail("create", GONE, times=1)
        way.fail("create", GONE, times=1, after=True)
        results = await client.bulk.write([items.create(pod(name)) for name in "abc"])
        assert [result.error and result.error.reason for result in results] == ["ServiceUnavailable", "ServiceUnavailable", None]
        assert [found.metadata.name for found in (await client.pods.list()).items] == ["b", "c"]
        assert [call.key for call in way.calls[:3]] == ["default/a", "default/b", "default/c"]

    run(story)


def test_an_atomic_bulk_write_fails_as_a_whole() -> None:
    async def story(client: Client, way: FakeTransport) -> None:
        way.fail("create", GONE)
        results = await client.bulk.write([items.create(pod(name)) for name in "abc"], atomic=True)
        assert all(result.error is not None for result in results)
        assert not (await client.pods.list()).items

    run(story)


def test_a_lost_answer_of_a_bulk_write_breaks_the_stream_after_the_write() -> None:
    async def story(client: Client, way: FakeTransport) -> None:
        way.fail("bulk", GONE, after=True)
        assert await reason(client.bulk.write([items.create(pod("a"))])) == "ServiceUnavailable"
        assert (await client.bulk.write([items.create(pod("b"))]))[0].error is None
        assert len((await client.pods.list()).items) == 2

    run(story)


def test_a_server_that_is_down_answers_nothing_until_it_is_up() -> None:
    async def story(client: Client, way: FakeTransport) -> None:
        watch = client.pods.watch_raw()
        way.go_down()
        assert await reason(watch.read()) == await reason(client.pods.watch_raw().read()) == "ServiceUnavailable"
        assert await reason(client.pods.create(pod("a"))) == "ServiceUnavailable"
        assert await reason(client.bulk.write([items.create(pod("a"))])) == "ServiceUnavailable"
        way.come_up()
        await client.pods.create(pod("a"))

    run(story)


def test_what_is_refused_from_outside_is_not_created() -> None:
    async def story(client: Client, way: FakeTransport) -> None:
        way._refusal = lambda resource, raw: status.forbidden(resource, "", "a", "no") if b"banned" in raw else None
        assert await reason(client.pods.create(pod("banned"))) == "Forbidden"
        results = await client.bulk.write([items.create(pod("banned")), items.create(pod("fine"))])
        assert [result.error is None for result in results] == [False, True]

    run(story)


def test_a_way_is_idle_when_nothing_is_asked_and_all_is_read() -> None:
    async def story(client: Client, way: FakeTransport) -> None:
        reading = asyncio.create_task(client.pods.watch_raw().read())
        assert not way.is_idle or not way.watch_count
        await asyncio.sleep(0)
        assert way.is_idle
        creating = asyncio.create_task(client.pods.create(pod("a")))
        await asyncio.sleep(0)
        assert not way.is_idle
        await creating
        await reading
        assert not way.is_idle

    run(story)


def test_the_oldest_calls_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TESTING_CALLS_KEPT_MAX", 4)

    async def story(client: Client, way: FakeTransport) -> None:
        for name in "abcdefg":
            await client.pods.create(pod(name))
        assert [call.key for call in way.calls] == ["default/c", "default/d", "default/e", "default/f", "default/g"][-len(way.calls) :]
        assert 2 <= len(way.calls) <= 4

    run(story)
