"""The hub's promises: bounds, bookmarks, who is woken, and what is encoded how often."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from kcore.base import limits
from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.store import Delete, Engine, Put, Txn
from kcore.watch import Hub, ResourceView, WatchExpired, WatchSpec
from kcore.watch._fanout import ANY, FIELD, LABEL, NAME, NAMESPACE
from kcore.watch.hub import criterion
from tests.reference.watch.watch_twin import Equal, project

PODS = ResourceView(b"/registry/pods/", project, frozenset(("spec.nodeName",)))
NODES = ResourceView(b"/registry/minions/", project)


class Plane:
    """A store and a hub, and the encodings that were made."""

    def __init__(self, path: Path) -> None:
        self.engine = Engine(path, VirtualClock(), SeededEntropy(1), threaded=False, sync=False)
        self.hub = Hub(self.engine, {"pods": PODS, "nodes": NODES})
        self.encoded: list[tuple[str, int]] = []

    def encode(self, event_type: str, value: bytes, revision: int) -> bytes:
        self.encoded.append((event_type, revision))
        return b"%s %d %s" % (event_type.encode(), revision, value)

    def write(self, *objects: str) -> int:
        for obj in objects:
            namespace, name, *_ = obj.split("|")
            self.engine.submit(Txn(success=[Put(f"/registry/pods/{namespace}/{name}".encode(), obj.encode())]))
        self.engine.flush()
        return self.engine.revision


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Plane]:
    plane = Plane(tmp_path / "s")
    yield plane
    plane.engine.close()


async def test_an_event_is_encoded_once_for_all_watchers_of_a_form(plane: Plane) -> None:
    watchers = [plane.hub.watch("pods", WatchSpec(), plane.encode, 1) for _ in range(5)]
    plane.write("a|x||")
    batches = [await watcher.next_batch() for watcher in watchers]
    assert batches == 5 * [[b"ADDED 2 a|x||"]]
    assert plane.encoded == [("ADDED", 2)]


async def test_a_consumer_that_waits_is_woken_by_what_it_wants_and_by_nothing_else(plane: Plane) -> None:
    mine = plane.hub.watch("pods", WatchSpec(fields=Equal((("spec.nodeName", "n1"),))), plane.encode, 1)
    waiting = asyncio.ensure_future(mine.next_batch())
    await asyncio.sleep(0)
    plane.write("a|x||n2", "a|y||")
    await asyncio.sleep(0)
    assert not waiting.done()
    plane.write("a|y||n1")
    assert await waiting == [b"ADDED 4 a|y||n1"]


async def test_an_object_that_leaves_a_selection_is_deleted_as_it_was_at_the_new_revision(plane: Plane) -> None:
    watcher = plane.hub.watch("pods", WatchSpec(labels=Equal((("app", "web"),))), plane.encode, 1)
    plane.write("a|x|web|", "a|x|db|", "a|x|db|n1", "a|x|web|n1")
    plane.engine.submit(Txn(success=[Delete(b"/registry/pods/a/x")]))
    plane.engine.flush()
    assert await watcher.next_batch() == [b"ADDED 2 a|x|web|", b"DELETED 3 a|x|web|", b"ADDED 5 a|x|web|n1", b"DELETED 6 a|x|web|n1"]


async def test_one_commit_is_one_batch_and_a_large_one_is_several(plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = plane.hub.watch("pods", WatchSpec(), plane.encode, 1)
    plane.write("a|x||", "a|y||", "b|x||")
    assert len(await watcher.next_batch()) == 3
    monkeypatch.setattr(limits, "WATCH_MESSAGE_BYTES", 20)
    plane.write("a|x||", "a|y||", "b|x||")
    assert [len(await watcher.next_batch()) for _ in range(2)] == [2, 1]


async def test_a_slow_watcher_is_cut_off_and_costs_nothing_more(plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WATCHER_QUEUE_EVENTS_MAX", 3)
    slow, quick = (plane.hub.watch("pods", WatchSpec(), plane.encode, 1) for _ in range(2))
    plane.write("a|x||", "a|y||")
    assert len(await quick.next_batch()) == 2
    plane.write("a|x||", "a|y||")
    assert len(await quick.next_batch()) == 2
    assert not slow.queue
    with pytest.raises(WatchExpired, match="did not keep up: more than 3 events"):
        await slow.next_batch()


async def test_a_watcher_of_large_objects_is_cut_off_by_bytes(plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WATCHER_QUEUE_BYTES_MAX", 1_000)
    watcher = plane.hub.watch("pods", WatchSpec(), plane.encode, 1)
    plane.write(f"a|x|{'w' * 900}|")
    assert watcher.queue
    plane.write(f"a|y|{'w' * 900}|")
    with pytest.raises(WatchExpired):
        await watcher.next_batch()


async def test_bookmarks_come_when_they_are_due_and_never_before_events(plane: Plane) -> None:
    watcher = plane.hub.watch("pods", WatchSpec(bookmarks=True), plane.encode, 1)
    without = plane.hub.watch("pods", WatchSpec(), plane.encode, 1)
    plane.hub.tick(limits.BOOKMARK_PERIOD_S - 1)
    assert not watcher.queue
    revision = plane.write("a|x||")
    plane.hub.tick(limits.BOOKMARK_PERIOD_S)
    assert await watcher.next_batch() == [b"ADDED 2 a|x||"]
    plane.engine.submit(Txn(success=[Put(b"/elsewhere", b"")]))
    plane.engine.flush()
    plane.hub.tick(3 * limits.BOOKMARK_PERIOD_S)
    assert await watcher.next_batch() == [b"BOOKMARK %d " % (revision + 1)]
    assert len(without.queue) == 1


async def test_initial_events_of_nothing_end_with_their_bookmark_and_the_watch_goes_on(plane: Plane) -> None:
    marked = plane.hub.watch("pods", WatchSpec(), plane.encode, None, initial_end=True)
    assert await marked.next_batch() == [b"INITIAL_END 1 "]
    plain = asyncio.ensure_future(plane.hub.watch("pods", WatchSpec(), plane.encode, None).next_batch())
    await asyncio.sleep(0)
    assert not plain.done()
    plane.write("a|x||")
    assert await plain == await marked.next_batch() == [b"ADDED 2 a|x||"]


async def test_initial_events_are_of_one_moment_and_what_comes_after_follows(plane: Plane) -> None:
    plane.write("a|x||", "a|y||", "b|x||")
    watcher = plane.hub.watch("pods", WatchSpec("a"), plane.encode, None, initial_end=True)
    plane.write("a|x|new|")
    assert await watcher.next_batch() == [b"ADDED 2 a|x||", b"ADDED 3 a|y||", b"INITIAL_END 4 "]
    assert await watcher.next_batch() == [b"MODIFIED 5 a|x|new|"]


async def test_a_closed_watch_ends_after_what_waits(plane: Plane) -> None:
    watcher = plane.hub.watch("pods", WatchSpec(), plane.encode, 1)
    plane.write("a|x||")
    plane.hub.unwatch("pods", watcher)
    plane.write("a|y||")
    assert len(await watcher.next_batch()) == 1
    assert await watcher.next_batch() == []
    assert len(plane.hub.resources["pods"].index) == 0
    plane.hub.unwatch("pods", watcher)


async def test_history_too_old_for_memory_comes_from_the_store_until_it_is_compacted(plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WATCH_HISTORY_EVENTS_MAX", 2)
    plane.write("a|x||", "a|x|web|", "a|x|db|", "a|x|db|n1")
    assert plane.hub.resources["pods"].floor == 3
    watcher = plane.hub.watch("pods", WatchSpec(labels=Equal((("app", "web"),))), plane.encode, 1)
    assert await watcher.next_batch() == [b"ADDED 3 a|x|web|", b"DELETED 4 a|x|web|"]
    plane.engine.compact(4)
    plane.engine.flush()
    assert len(await plane.hub.watch("pods", WatchSpec(), plane.encode, 3).next_batch()) == 2
    with pytest.raises(WatchExpired, match=r"too old resource version: 2 \(4\)"):
        plane.hub.watch("pods", WatchSpec(), plane.encode, 2)


async def test_more_history_than_a_queue_holds_is_expired(plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WATCH_HISTORY_EVENTS_MAX", 2)
    plane.write("a|x||", "a|x|web|", "a|x|db|", "a|x|db|n1")
    monkeypatch.setattr(limits, "WATCHER_QUEUE_EVENTS_MAX", 3)
    with pytest.raises(WatchExpired, match="4 changes since 1"):
        plane.hub.watch("pods", WatchSpec(), plane.encode, 1)


async def test_waiting_for_a_revision_ends_when_it_is_durable(plane: Plane) -> None:
    await plane.hub.reached(1)
    waiting = asyncio.ensure_future(plane.hub.reached(3))
    plane.write("a|x||")
    await asyncio.sleep(0)
    assert not waiting.done()
    plane.write("a|x||")
    await waiting


async def test_too_many_watchers_of_a_resource_are_refused(plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WATCHERS_PER_RESOURCE_MAX", 1)
    plane.hub.watch("pods", WatchSpec(), plane.encode, 1)
    with pytest.raises(WatchExpired, match="has 1 watchers already"):
        plane.hub.watch("pods", WatchSpec(), plane.encode, 1)
    plane.hub.watch("nodes", WatchSpec(), plane.encode, 1)


def test_the_criterion_is_the_one_that_excludes_most() -> None:
    indexed = frozenset(("spec.nodeName",))
    web, node = Equal((("app", "web"),)), Equal((("status.phase", "Running"), ("spec.nodeName", "n1")))
    assert criterion(WatchSpec("a", "x", web, node), indexed) == (NAME, "a", "x")
    assert criterion(WatchSpec(fields=Equal((("metadata.name", "x"),))), indexed) == (NAME, "", "x")
    assert criterion(WatchSpec("a", "", web, node), indexed) == (FIELD, "spec.nodeName", "n1")
    assert criterion(WatchSpec("a", "", web, Equal((("spec.nodeName", ""),))), indexed) == (LABEL, "app", "web")
    assert criterion(WatchSpec("a", "", Equal((("app", "web"),), negated=True)), indexed) == (NAMESPACE, "a", "")
    assert criterion(WatchSpec(), indexed) == (ANY, "", "")


def test_keys_of_other_resources_and_of_none_are_kept_apart(plane: Plane) -> None:
    plane.engine.submit(
        Txn(success=[Put(b"/registry/minions/n1", b"|n1||"), Put(b"/registry/podsandmore/a/x", b"?"), Put(b"compact_rev_key", b"")])
    )
    plane.write("a|x||")
    assert list(plane.hub.resources["pods"].present) == [b"/registry/pods/a/x"]
    assert list(plane.hub.resources["nodes"].present) == [b"/registry/minions/n1"]
    assert [key for key, _ in plane.hub.select("nodes", WatchSpec(fields=Equal((("metadata.name", "n1"),))))] == [b"/registry/minions/n1"]
    assert [key for key, _ in plane.hub.select("pods", WatchSpec("a", "nobody"))] == []
