"""The key index equals its twin after any sequence of writes, rollbacks and compactions."""

from __future__ import annotations

import zlib
from random import Random
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kcore.store import _record
from kcore.store._index import KeyIndex
from kcore.store.storage import Mutation
from tests.reference.store.key_index_twin import Change, KeyIndexTwin

KEYS = st.sampled_from([b"a", b"a/", b"a/b", b"a\0", b"b", b"b/1", b"c", b"\xff", b"\xff\xff"])
BOUNDS = st.one_of(KEYS, st.sampled_from([b"", b"\0", b"0", b"zz"]))
EVER = 1 << 60


def pair_of(change: Change | None) -> tuple[Any, ...] | None:
    """What the index says of a change, but for the value, which it need not keep."""
    return None if change is None else (change.key, change.create_revision, change.revision, change.version, change.lease)


def without_value(pair: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    return None if pair is None else (pair[0], *pair[2:])


class IndexMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.index, self.twin = KeyIndex(), KeyIndexTwin()
        self.revision, self.floor = 1, 0
        self.marks: set[int] = set()
        self.chunk, self.offset = 1, 0

    def place(self, size: int) -> tuple[int, int]:
        if self.offset > 200:
            self.chunk, self.offset = self.chunk + 1, 0
        self.offset += size
        return self.chunk, self.offset - size

    @rule(key=KEYS, value=st.binary(max_size=3), lease=st.sampled_from([0, 0, 7, 8]))
    def put(self, key: bytes, value: bytes, lease: int) -> None:
        self.revision += 1
        size = _record.SIZE + len(key) + len(value)
        chunk, offset = self.place(size)
        got = self.index.put(key, value, self.revision, 0, lease, chunk, offset, size)
        assert got == self.twin.put(key, value, self.revision, 0, lease, chunk, size)
        assert self.index.place(key, self.revision) == (chunk, offset, size)
        newest = self.index.newest(key)
        assert newest is not None
        assert newest[1] == value

    @rule(key=KEYS)
    def delete(self, key: bytes) -> None:
        if self.twin.present(key, EVER) is None:
            with pytest.raises(KeyError):
                self.index.delete(key, self.revision + 1, 0, 1, 0, 60)
            return
        self.revision += 1
        chunk, offset = self.place(60)
        assert self.index.delete(key, self.revision, 0, chunk, offset, 60) == self.twin.delete(key, self.revision, 0, chunk, 60)

    @rule(keys=st.sets(KEYS), back=st.integers(0, 4))
    def rollback(self, keys: set[bytes], back: int) -> None:
        to = max(self.revision - back, self.floor)
        self.index.rollback(keys, to)
        self.twin.rollback(keys, to)

    @rule(back=st.integers(0, 4), keys_max=st.integers(1, 20))
    def compact(self, back: int, keys_max: int) -> None:
        floor = self.revision - back
        if floor <= self.floor:
            return
        self.floor = floor
        floors = [*sorted(mark for mark in self.marks if mark < floor), floor]
        dead: dict[int, int] = {}
        onward: bytes | None = b""
        while onward is not None:
            onward, some = self.index.compact(onward, floors, keys_max)
            for chunk, size in some.items():
                dead[chunk] = dead.get(chunk, 0) + size
        assert dead == self.twin.compact(floors)

    @rule()
    def mark(self) -> None:
        self.marks.add(self.revision)

    @rule()
    def take_a_copy(self) -> None:
        original, self.index = self.index, self.index.copy()
        original.put(b"only here", b"", self.revision + 1, 0, 0, 1, 0, 1)

    @rule(start=BOUNDS, end=BOUNDS, back=st.integers(0, 6), limit=st.integers(0, 4))
    def read(self, start: bytes, end: bytes, back: int, limit: int) -> None:
        at = max(self.revision - back, self.floor)
        pairs, count = self.index.range(start, end, at, limit)
        expected, expected_count = self.twin.range(start, end, at, limit)
        assert [without_value(pair) for pair in pairs] == [pair_of(change) for change in expected]
        assert count == expected_count == self.index.count(start, end, at)
        assert self.index.keys(start, end, at) == [change.key for change in self.twin.range(start, end, at, 0)[0]]
        rows = [
            (c.revision, c.sub, c.key, c.value is None, c.create_revision, c.version, c.lease)
            for c in self.twin.changes(start, end, at, EVER)
        ]
        assert self.index.changes(start, end, at, EVER) == rows
        assert self.index.touched(at) == sorted({c.key for c in self.twin.all if c.revision > at})

    @invariant()
    def every_key_is_the_same(self) -> None:
        for key in (b"a", b"a/", b"a\0", b"\xff", b"b/1"):
            newest = self.index.newest(key)
            assert without_value(newest) == pair_of(self.twin.present(key, EVER))
            was = self.twin.present(key, EVER)
            if newest is not None and newest[1] is not None:
                assert was is not None
                assert newest[1] == was.value
        assert len(self.index) == len([key for key in self.twin.all_keys() if self.twin.present(key, EVER)])
        assert self.index.leases() == self.twin.leases()


IndexMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestIndexEqualsTwin = IndexMachine.TestCase


@settings(max_examples=20)
@given(st.integers(0, 1 << 32).map(Random))
def test_thousands_of_keys_stay_in_order_in_whatever_order_they_come_and_go(random: Random) -> None:
    keys = [b"/registry/pods/ns-%d/%d" % (random.randrange(30), random.randrange(10_000)) for _ in range(3_000)]
    index = KeyIndex()
    for revision, key in enumerate(keys, 2):
        index.put(key, b"", revision, 0, 0, 1, 0, 1)
    assert index.keys(b"", b"\0", EVER) == sorted(set(keys))
    gone = set(random.sample(sorted(set(keys)), 1_000))
    for revision, key in enumerate(gone, 10_000):
        index.delete(key, revision, 0, 1, 0, 1)
    onward: bytes | None = b""
    while onward is not None:
        onward, _ = index.compact(onward, [20_000], 700)
    assert index.keys(b"", b"\0", EVER) == sorted(set(keys) - gone)
    assert index.copy().keys(b"", b"\0", EVER) == sorted(set(keys) - gone)


@given(st.binary(max_size=300))
def test_the_checksum_is_the_one_of_zlib(data: bytes) -> None:
    assert _record.checksum(data) == zlib.crc32(data)


MUTATIONS = st.builds(
    Mutation,
    revision=st.integers(1, EVER),
    sub=st.integers(0, 1 << 31),
    key=st.binary(min_size=1, max_size=40),
    value=st.one_of(st.none(), st.binary(max_size=60)),
    create_revision=st.integers(0, EVER),
    version=st.integers(0, EVER),
    lease=st.integers(0, EVER),
)


@given(st.lists(MUTATIONS, max_size=6))
def test_a_chunk_gives_back_what_was_packed(records: list[Mutation]) -> None:
    chunk = _record.pack(records)
    rows = _record.rows(chunk)
    assert [(key, revision) for key, revision, _, _ in rows] == [(record.key, record.revision) for record in records]
    assert sum(size for *_, size in rows) == len(chunk)
    for record, (key, revision, offset, size) in zip(records, rows, strict=True):
        assert _record.value_of(chunk, offset, size, key, revision) == (record.value or b"")


@given(MUTATIONS, st.data())
@example(Mutation(1, 0, b"k", b"", 1, 1, 0), None)
def test_one_changed_bit_anywhere_is_noticed(record: Mutation, data: Any) -> None:
    chunk = _record.pack([record])
    bit = 0 if data is None else data.draw(st.integers(0, 8 * len(chunk) - 1))
    damaged = bytearray(chunk)
    damaged[bit // 8] ^= 1 << bit % 8
    for read in (lambda: _record.rows(damaged), lambda: KeyIndex().load(1, damaged)):
        with pytest.raises(ValueError, match="does not hold"):
            read()
    with pytest.raises(ValueError, match=r"does not hold|no record|another record"):
        _record.value_of(damaged, 0, len(damaged), record.key, record.revision)


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_read_nowhere_beyond_its_end(data: bytes) -> None:
    if data:
        with pytest.raises(ValueError, match="does not hold"):
            _record.rows(data)
