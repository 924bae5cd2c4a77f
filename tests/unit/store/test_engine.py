"""The engine's promises that need a loop, a thread or a second look: what is seen when, and who is told what."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from kcore.base import limits
from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.store import Compare, Delete, Engine, Mutation, Put, Range, RangeResult, StoreError, Txn
from kcore.store.log import Work
from kcore.store.storage import create_txn, delete_txn, update_txn

MakeEngine = Callable[..., Engine]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[MakeEngine]:
    made: list[Engine] = []

    def make_engine(name: str = "store", **options: object) -> Engine:
        engine = Engine(tmp_path / name, VirtualClock(), SeededEntropy(1), **{"sync": False, **options})  # type: ignore[arg-type]
        made.append(engine)
        return engine

    yield make_engine
    for engine in made:
        engine.close()


def put(key: bytes, value: bytes = b"v", lease: int = 0) -> Txn:
    return Txn(success=[Put(key, value, lease)])


def bytes_in_file(engine: Engine) -> int:
    """The size of all chunks."""
    with engine.log.env.begin(db=engine.log.log) as txn:
        return sum(len(data) for _, data in txn.cursor())


@pytest.mark.parametrize("threaded", [False, True])
async def test_a_write_is_at_the_head_at_once_and_readable_when_durable(make: MakeEngine, threaded: bool) -> None:
    engine = make(threaded=threaded)
    submission = engine.submit(create_txn(b"/a", b"1"))
    assert (submission.succeeded, submission.revision) == (True, 2)
    assert (engine.head_revision, engine.revision) == (2, 1)
    assert engine.head(b"/a") is not None
    assert engine.get(b"/a") is None
    assert engine.keys(b"/", b"0") == []
    await submission.durable()
    assert engine.revision == 2
    assert engine.get(b"/a") == engine.head(b"/a")


@pytest.mark.parametrize("threaded", [False, True])
async def test_what_is_submitted_in_one_turn_is_one_commit_in_order(make: MakeEngine, threaded: bool) -> None:
    engine = make(threaded=threaded)
    batches: list[tuple[list[int], int]] = []
    engine.subscribe(lambda mutations, revision: batches.append(([m.revision for m in mutations], revision)))
    for number in range(3):
        last = engine.submit(put(b"/%d" % number))
    await last.durable()
    await engine.submit(put(b"/later")).durable()
    assert batches == [([2, 3, 4], 4), ([5], 5)]


async def test_subscribers_hear_before_the_writer_is_told(make: MakeEngine) -> None:
    engine = make(threaded=False)
    seen: list[int] = []
    engine.subscribe(lambda _, revision: seen.append(revision))
    await engine.submit(put(b"/a")).durable()
    assert seen == [2]


async def test_a_conflict_with_a_pending_write_waits_for_that_write(make: MakeEngine) -> None:
    engine = make(threaded=True)
    engine.submit(create_txn(b"/a", b"1"))
    conflict = engine.submit(create_txn(b"/a", b"2"))
    assert not conflict.succeeded
    await conflict.durable()
    assert engine.revision == 2


async def test_updates_and_deletes_compare_the_revision(make: MakeEngine) -> None:
    engine = make(threaded=False)
    created = engine.submit(create_txn(b"/a", b"1"))
    assert not engine.submit(update_txn(b"/a", b"2", created.revision + 1)).succeeded
    updated = engine.submit(update_txn(b"/a", b"2", created.revision))
    assert updated.succeeded
    assert not engine.submit(delete_txn(b"/a", created.revision)).succeeded
    assert engine.submit(delete_txn(b"/a", updated.revision)).responses == [1]
    assert engine.submit(Txn(success=[Delete(b"/a")])).revision == engine.head_revision == 4


async def test_a_missing_key_compares_as_zero_but_never_by_value(make: MakeEngine) -> None:
    engine = make(threaded=False)
    for target in ("mod", "create", "version", "lease"):
        assert engine.submit(Txn([Compare(b"/none", target, "=", 0)])).succeeded
    for result in ("=", "!=", "<", ">"):
        assert not engine.submit(Txn([Compare(b"/none", "value", result, b"")])).succeeded


async def test_reads_in_a_transaction_see_its_earlier_writes(make: MakeEngine) -> None:
    engine = make(threaded=False)
    got = engine.submit(Txn(success=[Put(b"/a", b"1"), Range(b"/", b"0"), Delete(b"/b"), Put(b"/c", b"3"), Range(b"/", b"0", limit=1)]))
    first, second = got.responses[1], got.responses[4]
    assert isinstance(first, RangeResult)
    assert isinstance(second, RangeResult)
    assert [kv.key for kv in first.kvs] == [b"/a"]
    assert ([kv.key for kv in second.kvs], second.count, second.more) == ([b"/a"], 2, True)
    await got.durable()
    changes = engine.changes(1)
    assert [(m.revision, m.sub, m.key) for m in changes] == [(2, 0, b"/a"), (2, 1, b"/c")]


def failing_once(engine: Engine, error: StoreError) -> None:
    """Let the next commit fail."""
    append = engine.log.append

    def fail(work: Work) -> None:
        engine.log.append = append  # type: ignore[method-assign]
        raise error

    engine.log.append = fail  # type: ignore[method-assign]


@pytest.mark.parametrize("threaded", [False, True])
async def test_a_failed_commit_takes_everything_after_it_back_and_tells_all(make: MakeEngine, threaded: bool) -> None:
    engine = make(threaded=threaded)
    await engine.submit(put(b"/a", b"old")).durable()
    heard: list[Sequence[Mutation]] = []
    engine.subscribe(lambda mutations, _: heard.append(mutations))
    failing_once(engine, StoreError("no space", "the disk is full"))
    first = engine.submit(put(b"/a", b"new"))
    waiting = asyncio.ensure_future(first.durable())
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # with a thread, the first group is with it now
    second = engine.submit(put(b"/b")) if threaded else first
    for refused in (waiting, asyncio.ensure_future(second.durable())):
        with pytest.raises(StoreError, match="the disk is full") as caught:
            await refused
        assert caught.value.kind == "no space"
    assert (engine.head_revision, engine.revision) == (2, 2)
    assert heard == []
    kept = engine.head(b"/a")
    assert kept is not None
    assert kept.value == b"old"
    assert engine.head(b"/b") is None
    again = engine.submit(put(b"/b", b"after"))
    assert again.revision == 3
    await again.durable()
    assert [m.key for m in heard[0]] == [b"/b"]


async def test_waiters_that_gave_up_disturb_nobody(make: MakeEngine) -> None:
    engine = make(threaded=True)
    submission = engine.submit(put(b"/a"))
    first, second = asyncio.ensure_future(submission.durable()), asyncio.ensure_future(submission.durable())
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert first.cancelled()


async def test_the_loop_goes_on_while_a_commit_is_on_its_way(make: MakeEngine) -> None:
    engine = make(threaded=True)
    append, may_go = engine.log.append, threading.Event()

    def slow(work: Work) -> None:
        may_go.wait(60)
        append(work)

    engine.log.append = slow  # type: ignore[method-assign]
    first = asyncio.ensure_future(engine.submit(put(b"/a")).durable())
    await asyncio.sleep(0)
    second = asyncio.ensure_future(engine.submit(put(b"/b")).durable())
    await asyncio.sleep(0)
    assert not first.done()
    assert engine.under_way is not None
    assert [record.key for record in engine.open.records] == [b"/b"]
    may_go.set()
    await asyncio.gather(first, second)
    assert engine.revision == 3


async def test_too_much_that_waits_for_the_disk_is_refused(make: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STORE_PENDING_BYTES_MAX", 1_000)
    engine = make(threaded=False)
    engine.submit(put(b"/a", bytes(2_000)))
    with pytest.raises(StoreError) as caught:
        engine.submit(put(b"/b"))
    assert caught.value.kind == "busy"
    engine.flush()
    assert engine.submit(put(b"/b")).succeeded


async def test_a_full_store_refuses_puts_serves_reads_and_recovers_by_compaction(make: MakeEngine) -> None:
    engine = make(threaded=False, quota_bytes=200_000)

    def fill() -> None:
        for number in range(1_000):
            engine.submit(put(b"/k%d" % (number % 50), bytes(1_000)))
            engine.flush()

    with pytest.raises(StoreError) as caught:
        fill()
    assert caught.value.kind == "no space"
    assert len(engine.range(b"/", b"0").kvs) == 50
    deleted = engine.submit(Txn(success=[Delete(b"/k1")]))
    await deleted.durable()
    engine.compact(engine.revision)
    engine.flush()
    assert engine.used_bytes == bytes_in_file(engine) < 60_000
    await engine.submit(put(b"/new")).durable()


async def test_a_full_file_fails_the_commit_and_the_store_goes_on(make: MakeEngine) -> None:
    engine = make(threaded=True, quota_bytes=1 << 30, map_bytes=1 << 20)
    await engine.submit(put(b"/kept")).durable()
    refused = engine.submit(put(b"/large", bytes(2 << 20)))
    with pytest.raises(StoreError) as caught:
        await refused.durable()
    assert caught.value.kind == "no space"
    assert engine.head(b"/large") is None
    assert engine.get(b"/kept") is not None
    await engine.submit(put(b"/small")).durable()
    assert engine.keys(b"/", b"0") == [b"/kept", b"/small"]


async def test_a_file_that_cannot_be_opened_again_stops_writes_until_it_can(make: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make(threaded=True)
    await engine.submit(put(b"/kept")).durable()
    failing_once(engine, StoreError("failed", "input/output error"))
    reopen = engine.log.open

    def unable() -> None:
        raise StoreError("failed", "the disk is gone")

    monkeypatch.setattr(engine.log, "open", unable)
    with pytest.raises(StoreError, match="input/output error"):
        await engine.submit(put(b"/lost")).durable()
    for _ in range(2):
        with pytest.raises(StoreError, match="the disk is gone"):
            engine.submit(put(b"/refused"))
    assert engine.head(b"/kept") == engine.get(b"/kept")
    assert engine.head(b"/kept") is not None
    engine.compact(engine.revision)
    engine.flush()
    monkeypatch.setattr(engine.log, "open", reopen)
    await engine.submit(put(b"/after")).durable()
    assert engine.keys(b"/", b"0") == [b"/after", b"/kept"]
    assert engine.log.compact_revision() == 2


async def test_old_revisions_are_readable_until_they_are_compacted(make: MakeEngine) -> None:
    engine = make(threaded=False)
    for value in (b"1", b"2", b"3"):
        engine.submit(put(b"/a", value))
    engine.flush()
    assert [kv.value for revision in (2, 3, 4) if (kv := engine.get(b"/a", revision))] == [b"1", b"2", b"3"]
    engine.compact(3)
    assert engine.get(b"/a", 3) is not None
    for call in (lambda: engine.get(b"/a", 2), lambda: engine.changes(2), lambda: engine.compact(3), lambda: engine.revert(2)):
        with pytest.raises(StoreError) as caught:
            call()
        assert caught.value.kind == "compacted"
    for call in (lambda: engine.get(b"/a", 5), lambda: engine.compact(5)):
        with pytest.raises(StoreError) as caught:
            call()
        assert caught.value.kind == "future revision"


async def test_a_mark_outlives_compaction_until_it_is_released(make: MakeEngine) -> None:
    engine = make(threaded=False)
    engine.submit(put(b"/a", b"then"))
    engine.submit(put(b"/gone", b"then"))
    mark = engine.mark()
    engine.submit(put(b"/a", b"now"))
    engine.submit(Txn(success=[Delete(b"/gone")]))
    engine.submit(put(b"/new"))
    engine.flush()
    engine.compact(engine.revision)
    engine.flush()
    back = engine.revert(mark)
    assert back.revision == engine.head_revision == 7
    await back.durable()
    assert {kv.key: kv.value for kv in engine.range(b"/", b"0").kvs} == {b"/a": b"then", b"/gone": b"then"}
    assert engine.revert(mark).revision == 7
    engine.release(mark)
    engine.compact(engine.revision)
    with pytest.raises(StoreError, match="compacted"):
        engine.revert(mark)


async def test_a_lease_takes_its_keys_with_it_in_one_revision(make: MakeEngine) -> None:
    engine = make(threaded=False)
    clock = engine.clock
    assert isinstance(clock, VirtualClock)
    lease = engine.grant(10)
    other = engine.grant(10)
    engine.submit(put(b"/a", b"", lease))
    engine.submit(put(b"/b", b"", lease))
    engine.submit(put(b"/c", b"", lease))
    engine.submit(put(b"/c", b"detached"))
    clock.step(6)
    assert engine.keep_alive(other) == 10
    clock.step(6)
    before = engine.head_revision
    engine.expire()
    assert engine.head_revision == before + 1
    engine.flush()
    assert engine.keys(b"/", b"0") == [b"/c"]
    with pytest.raises(StoreError) as caught:
        engine.keep_alive(lease)
    assert caught.value.kind == "lease not found"
    assert engine.revoke(other).revision == engine.head_revision == before + 1


async def test_leases_and_their_keys_survive_and_begin_anew(make: MakeEngine) -> None:
    engine = make(threaded=False)
    lease = engine.grant(10)
    engine.submit(put(b"/a", b"", lease))
    engine.close()
    again = make(threaded=False)
    with pytest.raises(StoreError, match="exists"):
        again.grant(5, lease)
    clock = again.clock
    assert isinstance(clock, VirtualClock)
    clock.step(11)
    again.expire()
    assert again.head(b"/a") is None


async def test_a_fork_is_independent_and_goes_on_at_the_same_revision(make: MakeEngine, tmp_path: Path) -> None:
    engine = make(threaded=False)
    engine.submit(put(b"/a", b"1"))
    engine.submit(put(b"/a", b"2"))
    fork = engine.fork(tmp_path / "fork", VirtualClock(), SeededEntropy(2))
    fork.submit(put(b"/only-in-the-fork"))
    fork.flush()
    engine.submit(put(b"/only-here"))
    engine.flush()
    assert fork.keys(b"/", b"0") == [b"/a", b"/only-in-the-fork"]
    assert engine.keys(b"/", b"0") == [b"/a", b"/only-here"]
    old = fork.get(b"/a", 2)
    assert old is not None
    assert old.value == b"1"
    assert fork.revision == engine.revision == 4
    fork.close()


async def test_a_copy_of_a_running_store_opens_with_what_was_durable(make: MakeEngine, tmp_path: Path) -> None:
    engine = make(threaded=True)
    await engine.submit(put(b"/a")).durable()
    engine.submit(put(b"/pending"))
    engine.copy(tmp_path / "copy")
    again = make("copy", threaded=False)
    assert (again.keys(b"/", b"0"), again.revision) == ([b"/a"], 2)


async def test_compaction_on_the_loop_comes_to_its_end(make: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COMPACTION_CHUNKS_MAX", 2)
    monkeypatch.setattr(limits, "COMPACTION_KEYS_MAX", 7)
    engine = make(threaded=True)
    for _ in range(5):
        for number in range(50):
            engine.submit(put(b"/%d" % number, bytes(3_000)))
        await engine.settled().durable()
    engine.compact(engine.revision)
    while engine.compactor.has_work or engine.under_way is not None:
        await engine.submit(put(b"/tick")).durable()
    assert engine.compactor.dead == {}
    assert engine.used_bytes == bytes_in_file(engine) < 100 * 3_200
    assert [kv.value for kv in engine.range(b"/", b"0").kvs] == 50 * [bytes(3_000)] + [b"v"]


async def test_what_was_submitted_is_durable_after_close(make: MakeEngine) -> None:
    engine = make(threaded=True)
    engine.submit(put(b"/a"))
    await asyncio.sleep(0)
    engine.submit(put(b"/b"))
    engine.close()
    assert make(threaded=False).keys(b"/", b"0") == [b"/a", b"/b"]


async def test_an_empty_key_and_a_key_written_twice_are_refused(make: MakeEngine) -> None:
    engine = make(threaded=False)
    for operations in ([Put(b"", b"")], [Put(b"/a", b""), Put(b"/a", b"")], [Put(b"/a", b""), Delete(b"/", b"0")]):
        with pytest.raises(StoreError) as caught:
            engine.submit(Txn(success=operations))
        assert caught.value.kind == "invalid"
    assert engine.head_revision == 1
