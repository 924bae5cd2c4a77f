"""Informers against the fake server, with everything that can go wrong on the way."""

import asyncio
from contextlib import asynccontextmanager

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.client import kinds
from kcore.client.informer import Informers
from kcore.client.reflector import Selection
from kcore.machinery import labels, status
from tests.unit.client.virtual import pod, run


@asynccontextmanager
async def running(informers):
    task = asyncio.create_task(informers.run())
    try:
        await informers.wait_synced()
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Told:
    """A handler that notes what it is told."""

    def __init__(self, informer):
        self.notes = []
        informer.add_handler(
            on_add=lambda new: self.notes.append(("add", new.metadata.name)),
            on_update=lambda old, new: self.notes.append(("update", new.metadata.name, old.metadata.resourceVersion)),
            on_delete=lambda old: self.notes.append(("delete", old.metadata.name)),
        )


async def settle(world, seconds=1.0):
    await world.clock.sleep(seconds)


def test_an_informer_knows_what_was_there_and_what_changes():
    async def test(world):
        await world.client.pods.create(pod("a"))
        informers = Informers(world.client)
        pods = informers.informer(Pod)
        told = Told(pods)
        async with running(informers):
            assert told.notes == [("add", "a")]
            made = await world.client.pods.create(pod("b"))
            made.metadata.labels["app"] = "x"
            await world.client.pods.update(made)
            await world.client.pods.delete("a", namespace="default")
            await settle(world)
            assert told.notes[1:] == [("add", "b"), ("update", "b", "2"), ("update", "a", "1"), ("delete", "a")]
            assert [found.metadata.name for found in pods.lister.list()] == ["b"]
            assert pods.lister.get("b", namespace="default").metadata.labels["app"] == "x"
            assert pods.revision == 5

    run(test)


def test_all_who_ask_for_the_same_share_one_watch():
    async def test(world):
        informers = Informers(world.client)
        assert informers.informer(Pod) is informers.informer(Pod)
        names = informers.informer_of(kinds.find("po"), parse=bytes)
        async with running(informers):
            assert world.transport.watch_count == 1
            await world.client.pods.create(pod("a"))
            await settle(world)
            assert isinstance(names.lister.by_key("default/a"), bytes)

    run(test)


def test_a_late_handler_and_a_late_informer_learn_what_is_there():
    async def test(world):
        await world.client.pods.create(pod("a"))
        informers = Informers(world.client)
        pods = informers.informer(Pod)
        async with running(informers):
            assert Told(pods).notes == [("add", "a")]
            raw = informers.informer_of(kinds.find("po"), parse=bytes)
            await raw.wait_synced()
            assert len(raw.lister) == 1

    run(test)


def test_a_lost_connection_does_not_show():
    async def test(world):
        informers = Informers(world.client)
        told = Told(informers.informer(Pod))
        _, other = world.new_client()
        async with running(informers):
            await other.pods.create(pod("a"))
            await settle(world)
            world.transport.go_down()
            await other.pods.create(pod("b"))
            await other.pods.delete("a", namespace="default")
            await settle(world, 60)
            world.transport.come_up()
            await settle(world, 20)
            assert told.notes == [("add", "a"), ("add", "b"), ("update", "a", "1"), ("delete", "a")]
            assert world.server.compact_revision == 0

    run(test)


def test_lost_history_shows_as_the_difference():
    async def test(world):
        informers = Informers(world.client)
        told = Told(informers.informer(Pod))
        _, other = world.new_client()
        await other.pods.create(pod("a"))
        await other.pods.create(pod("b"))
        async with running(informers):
            world.transport.go_down()
            await other.pods.delete("a", namespace="default")
            await other.pods.create(pod("c"))
            world.server.compact()
            world.transport.come_up()
            await settle(world, 20)
            assert told.notes == [("add", "a"), ("add", "b"), ("add", "c"), ("delete", "a")]

    run(test)


def test_a_stream_whose_time_is_up_is_resumed_at_once():
    async def test(world):
        informers = Informers(world.client)
        told = Told(informers.informer(Pod))
        async with running(informers):
            await settle(world, 100)
            before = world.clock.monotonic()
            world.transport.break_streams(None)
            await world.client.pods.create(pod("a"))
            await settle(world, 0.01)
            assert told.notes == [("add", "a")]
            assert world.clock.monotonic() - before < 0.02

    run(test)


def test_a_server_that_went_back_in_time_is_read_anew():
    async def test(world):
        await world.client.pods.create(pod("a"))
        informers = Informers(world.client)
        told = Told(informers.informer(Pod))
        async with running(informers):
            world.transport.fail("watch", status.expired("compacted"))
            world.transport.fail("watch", status.too_large_resource_version(9, 5))
            world.transport.break_streams(None)
            await settle(world, 20)
            assert told.notes == [("add", "a"), ("update", "a", "1")]

    run(test)


def test_failures_slow_down_but_never_stop_it():
    async def test(world):
        informers = Informers(world.client)
        pods = informers.informer(Pod)
        world.transport.fail("watch", status.service_unavailable("no"), times=20)
        async with running(informers):
            assert pods.has_synced
            assert 60 < world.clock.monotonic() < 200
            assert sum(call.verb == "watch" for call in world.transport.calls) == 21

    run(test)


def test_indexes_and_selectors_find_objects():
    async def test(world):
        informers = Informers(world.client)
        pods = informers.informer(Pod)
        by_node = lambda found: [found.spec.nodeName] if found.spec.nodeName else []  # noqa: E731
        pods.add_index("node", by_node)
        pods.add_index("node", by_node)
        async with running(informers):
            await world.client.pods.create(pod("a", app="x"))
            await world.client.pods.create(pod("b", namespace="other", node="n1"))
            await world.client.pods.bind("a", "n1", namespace="default")
            await settle(world)
            lister = pods.lister
            assert sorted(lister.keys_by_index("node", "n1")) == ["default/a", "other/b"]
            assert [found.metadata.name for found in lister.list(namespace="other")] == ["b"]
            assert [found.metadata.name for found in lister.list(selector=labels.parse("app=x"))] == ["a"]
            await world.client.pods.delete("b", namespace="other", grace_period_seconds=0)
            await settle(world)
            assert lister.keys_by_index("node", "n1") == ["default/a"]
            assert pods.store.index_values("node") == ["n1"]
            assert pods.store.index_values("namespace") == ["default"]

    run(test)


def test_a_selection_sees_objects_come_and_go_with_their_labels():
    async def test(world):
        informers = Informers(world.client)
        told = Told(informers.informer(Pod, Selection(label_selector="app=x")))
        async with running(informers):
            made = await world.client.pods.create(pod("a"))
            made.metadata.labels["app"] = "x"
            made = await world.client.pods.update(made)
            del made.metadata.labels["app"]
            await world.client.pods.update(made)
            await settle(world)
            assert told.notes == [("add", "a"), ("delete", "a")]

    run(test)


def test_receivers_of_bytes_get_batches_as_they_were_committed():
    async def test(world):
        batches = []
        informers = Informers(world.client)
        reflector = informers.receive(kinds.find("po"), batches.append)
        async with running(informers):
            assert batches == [[]]
            world.server.commit(lambda: [world.server.create(kinds.find("po"), pod(name)) for name in "ab"])
            await settle(world)
            assert [(e.type, e.key, e.revision) for e in batches[1]] == [("ADDED", "default/a", 1), ("ADDED", "default/b", 2)]
            assert Pod.FromString(batches[1][0].raw).metadata.name == "a"
            assert reflector.revision == 2

    run(test)


def test_bookmarks_move_the_place_to_resume_from():
    async def test(world):
        informers = Informers(world.client)
        told = Told(informers.informer(Pod))
        async with running(informers):
            for number in range(5):
                await world.client.nodes.create(world.client.nodes.resource.message(metadata={"name": f"n{number}"}))
            world.transport.send_bookmarks()
            await settle(world)
            world.server.compact()
            world.transport.break_streams(status.service_unavailable("lost"))
            await world.client.pods.create(pod("a"))
            await settle(world)
            assert told.notes == [("add", "a")]
            assert sum(call.verb == "watch" for call in world.transport.calls) == 2

    run(test)


def test_who_says_what_it_reads_is_told_of_nothing_else():
    async def test(world):
        informers = Informers(world.client)
        pods = informers.informer(Pod)
        everything = Told(pods)
        told, indexed = [], []

        def by_phase(found):
            indexed.append(found.metadata.name)
            return [found.status.phase]

        pods.add_handler(
            on_add=lambda new: told.append("add"),
            on_update=lambda old, new: told.append(f"labels {dict(new.metadata.labels)}"),
            on_delete=lambda old: told.append("delete"),
            reads=("metadata.labels",),
        )
        pods.add_index("phase", by_phase, ("status.phase",))
        async with running(informers):
            made = await world.client.pods.create(pod("a"))
            made.metadata.annotations["x"] = "1"
            made = await world.client.pods.update(made)
            made.metadata.labels["app"] = "x"
            made = await world.client.pods.update(made)
            made.status.phase = "Running"
            await world.client.pods.update_status(made)
            await settle(world)
            assert len(everything.notes) == 4
            assert told == ["add", "labels {'app': 'x'}"]
            assert indexed == ["a", "a"]
            assert pods.store.keys_by_index("phase", "Running") == ["default/a"]
            assert pods.lister.get("a", namespace="default").metadata.annotations["x"] == "1"
            await world.client.pods.delete("a", namespace="default")
            await settle(world)
            assert told[2:] == ["delete"] and pods.store.keys_by_index("phase", "Running") == []

    run(test)


def test_what_is_read_of_owned_objects_tells_nothing_of_others():
    async def test(world):
        informers = Informers(world.client)
        pods = informers.informer(Pod)
        told = []
        pods.add_handler(
            on_update=lambda old, new: told.append((new.metadata.name, new.status.phase)),
            reads=("metadata.labels",),
            reads_if_owned=("status.phase",),
        )
        async with running(informers):
            owned = pod("owned")
            owned.metadata.ownerReferences.add(apiVersion="v1", kind="Thing", name="x", uid="u")
            for each in (pod("free"), owned):
                made = await world.client.pods.create(each)
                made.status.phase = "Running"
                await world.client.pods.update_status(made)
            await settle(world)
            assert told == [("owned", "Running")]

    run(test)


def test_another_object_of_the_same_name_is_news_to_all():
    async def test(world):
        informers = Informers(world.client)
        pods = informers.informer(Pod)
        told = []
        pods.add_handler(on_update=lambda old, new: told.append(old.metadata.uid != new.metadata.uid), reads=())
        _, other = world.new_client()
        await other.pods.create(pod("a"))
        async with running(informers):
            world.transport.go_down()
            await other.pods.delete("a", namespace="default")
            await other.pods.create(pod("a"))
            world.server.compact()
            world.transport.come_up()
            await settle(world, 20)
            assert told == [True]

    run(test)
