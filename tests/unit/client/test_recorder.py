"""Events on their way to the server."""

import asyncio
from contextlib import asynccontextmanager

from kcore.api.core.v1.event_pb2 import Event
from kcore.base import limits
from kcore.client.correlator import Regarding
from kcore.client.recorder import NORMAL, WARNING, EventRecorder
from kcore.machinery import status
from tests.unit.client.virtual import pod, run


@asynccontextmanager
async def running(recorder):
    task = asyncio.create_task(recorder.run())
    try:
        yield
        await recorder.flush()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def events(world):
    return (await world.client.of(Event).list()).items


def test_an_event_tells_who_what_when_and_about_what():
    async def test(world):
        made = await world.client.pods.create(pod("a"))
        recorder = EventRecorder(world.client, "default-scheduler", host="n1")
        async with running(recorder):
            recorder.event(made, NORMAL, "Scheduled", "Successfully assigned default/a to n1", action="Binding")
        (event,) = await events(world)
        assert event.metadata.namespace == "default"
        assert event.metadata.name.startswith("a.")
        assert (event.type, event.reason, event.count, event.action) == ("Normal", "Scheduled", 1, "Binding")
        assert event.source.component == event.reportingComponent == "default-scheduler"
        assert event.source.host == event.reportingInstance == "n1"
        regarding = event.involvedObject
        assert (regarding.apiVersion, regarding.kind, regarding.name, regarding.uid) == ("v1", "Pod", "a", made.metadata.uid)
        assert regarding.resourceVersion == made.metadata.resourceVersion
        assert event.firstTimestamp.seconds == event.lastTimestamp.seconds == int(world.clock.now())

    run(test)


def test_equal_events_are_counted_in_one_object():
    async def test(world):
        recorder = EventRecorder(world.client, "c")
        async with running(recorder):
            for _ in range(5):
                recorder.event(pod("a"), WARNING, "BackOff", "again")
                await world.clock.sleep(10)
            recorder.event(pod("a"), WARNING, "BackOff", "again")
            recorder.event(pod("a"), WARNING, "BackOff", "again")
        (event,) = await events(world)
        assert event.count == 7
        assert event.lastTimestamp.seconds - event.firstTimestamp.seconds == 50
        assert [call.verb for call in world.transport.calls if call.resource == "events"] == ["create"] + ["patch"] * 5 + ["list"]

    run(test)


def test_an_event_that_was_deleted_is_made_again():
    async def test(world):
        recorder = EventRecorder(world.client, "c")
        async with running(recorder):
            recorder.event(pod("a"), WARNING, "BackOff", "again")
            await recorder.flush()
            await world.client.of(Event).delete_collection(namespace="default")
            recorder.event(pod("a"), WARNING, "BackOff", "again")
        assert [event.count for event in await events(world)] == [2]

    run(test)


def test_a_server_that_is_away_for_a_while_loses_nothing():
    async def test(world):
        recorder = EventRecorder(world.client, "c")
        world.transport.go_down()
        async with running(recorder):
            recorder.event(pod("a"), NORMAL, "R", "m")
            await world.clock.sleep(20)
            world.transport.come_up()
        assert len(await events(world)) == 1
        assert recorder.dropped_count == 0

    run(test)


def test_a_server_that_is_away_for_long_loses_events_and_they_are_counted():
    async def test(world):
        recorder = EventRecorder(world.client, "c")
        world.transport.go_down()
        async with running(recorder):
            recorder.event(pod("a"), NORMAL, "R", "m")
        assert recorder.dropped_count == 1
        world.transport.come_up()
        async with running(EventRecorder(world.client, "c")):
            pass

    run(test)


def test_an_event_that_is_refused_is_dropped_and_counted():
    async def test(world):
        world.transport.fail("create", status.forbidden("events", "", "a", "the namespace is going away"))
        recorder = EventRecorder(world.client, "c")
        async with running(recorder):
            recorder.event(pod("a"), NORMAL, "R", "m")
            recorder.event(pod("b"), NORMAL, "R", "m")
        assert recorder.dropped_count == 1
        assert len(await events(world)) == 1

    run(test)


def test_above_the_bound_events_are_dropped_and_counted(monkeypatch):
    monkeypatch.setattr(limits, "EVENTS_PENDING_MAX", 3)

    async def test(world):
        recorder = EventRecorder(world.client, "c")
        for number in range(5):
            recorder.event(pod(f"p{number}"), NORMAL, "R", "m")
        assert recorder.dropped_count == 2
        async with running(recorder):
            pass
        assert len(await events(world)) == 3

    run(test)


def test_many_events_leave_in_requests_of_bounded_size():
    async def test(world):
        recorder = EventRecorder(world.client, "c")
        async with running(recorder):
            for number in range(1200):
                recorder.event(pod(f"p{number}"), NORMAL, "Scheduled", "m")
        assert len(await events(world)) == 1200
        assert 2 * limits.EVENTS_INTERVAL_S <= world.clock.monotonic() < 1

    run(test)


def test_a_long_message_is_cut_and_a_long_name_still_makes_a_valid_one():
    async def test(world):
        recorder = EventRecorder(world.client, "c")
        async with running(recorder):
            recorder.event(Regarding("v1", "Pod", "default", "a" * 253), NORMAL, "R", "x" * 5000)
        (event,) = await events(world)
        assert len(event.message) == 1024
        assert len(event.metadata.name) <= 253

    run(test)


def test_components_of_one_process_share_a_sender_and_keep_their_names():
    async def test(world):
        recorder = EventRecorder(world.client, "manager")
        async with running(recorder):
            for component in ("node-controller", "endpoint-controller"):
                for _ in range(2):
                    recorder.named(component).event(pod("a"), NORMAL, "Looked", "at it")
            recorder.event(pod("a"), NORMAL, "Looked", "at it")
        found = sorted((event.source.component, event.reportingComponent, event.count) for event in await events(world))
        names = ("endpoint-controller", "manager", "node-controller")
        assert found == [(name, name, 1 if name == "manager" else 2) for name in names]

    run(test)
