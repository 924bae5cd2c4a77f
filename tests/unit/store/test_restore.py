"""A store made from a snapshot: the same keys at the same revision, and no history before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcore.base import limits
from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.store import Delete, Engine, KeyValue, Put, StoreError, Txn
from kcore.store import restore as restoring
from kcore.store.restore import restore


def open_store(path: Path) -> Engine:
    return Engine(path, VirtualClock(), SeededEntropy(1), threaded=False, sync=False)


def filled(path: Path) -> tuple[int, list[KeyValue], int]:
    """A store with keys of several lives, and of one transaction, larger ones among them."""
    engine = open_store(path)
    lease = engine.grant(60)
    engine.submit(Txn(success=[Put(b"/a", b"1"), Put(b"/b", b"1"), Put(b"/with-lease", b"", lease)]))
    engine.submit(Txn(success=[Put(b"/a", b"2"), Delete(b"/b")]))
    engine.submit(Txn(success=[Put(b"/b", b"again")]))
    for number in range(40):
        engine.submit(Txn(success=[Put(b"/large/%d" % number, bytes(number * 1_000))]))
    engine.submit(Txn(success=[Delete(b"/large/3")]))
    engine.flush()
    kvs = engine.range(b"", b"\0").kvs
    revision = engine.revision
    engine.close()
    return revision, kvs, lease


def test_a_restored_store_is_the_same_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RESTORE_CHUNKS_MAX", 2)
    revision, kvs, lease = filled(tmp_path / "old")
    restore(tmp_path / "new", revision, reversed(kvs), {lease: 60})
    engine = open_store(tmp_path / "new")
    assert engine.range(b"", b"\0").kvs == kvs
    assert (engine.revision, engine.compact_revision) == (revision, revision)
    with pytest.raises(StoreError, match=f"the floor is {revision}"):
        engine.get(b"/a", revision - 1)
    assert engine.changes(revision) == []
    assert engine.submit(Txn(success=[Put(b"/a", b"3")])).revision == revision + 1
    engine.revoke(lease)
    engine.flush()
    assert [mutation.key for mutation in engine.changes(revision)] == [b"/a", b"/with-lease"]
    engine.close()
    again = open_store(tmp_path / "new")
    newest = again.head(b"/a")
    assert newest is not None
    assert (newest.create_revision, newest.version) == (2, 3)
    again.close()


def test_a_store_of_nothing_keeps_its_revision(tmp_path: Path) -> None:
    restore(tmp_path / "new", 41, [], {})
    engine = open_store(tmp_path / "new")
    assert (engine.revision, engine.keys(b"", b"\0")) == (41, [])
    engine.close()


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    revision, kvs, _ = filled(tmp_path / "old")
    with pytest.raises(StoreError, match="is there already") as caught:
        restore(tmp_path / "old", revision, [], {})
    assert caught.value.kind == "exists"
    running = open_store(tmp_path / "old")
    assert running.range(b"", b"\0").kvs == kvs
    with pytest.raises(StoreError, match="held by process") as caught:
        restore(tmp_path / "old", revision, [], {})
    assert caught.value.kind == "locked"
    running.close()


def test_a_restoration_that_fails_leaves_nothing_to_open_and_can_be_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    revision, kvs, lease = filled(tmp_path / "old")
    append, appended = restoring.Log.append, []

    def fail_the_second(log: restoring.Log, work: restoring.Work) -> None:
        appended.append(work)
        if len(appended) == 2:
            raise StoreError("no space", "the disk is full")
        append(log, work)

    with monkeypatch.context() as patched:
        patched.setattr(restoring.Log, "append", fail_the_second)
        with pytest.raises(StoreError, match="the disk is full"):
            restore(tmp_path / "new", revision, kvs, {lease: 60})
    assert not (tmp_path / "new").exists()
    restore(tmp_path / "new", revision, kvs, {lease: 60})
    engine = open_store(tmp_path / "new")
    assert engine.range(b"", b"\0").kvs == kvs
    engine.close()
