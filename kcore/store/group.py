"""What is committed together: the records of all transactions since the last commit was begun, and who waits for them.

A record's place on disk is known before it is written: chunks have ids in order, and a chunk ends when the next record would make
it larger than STORE_CHUNK_BYTES.

    records  r0 r1 r2 | r3 | r4 r5        starts [0, 3, 4]        chunks first_chunk, first_chunk + 1, first_chunk + 2
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

from kcore.base import limits
from kcore.store import _record
from kcore.store.log import Work
from kcore.store.storage import Mutation, RangeResult, StoreError

if TYPE_CHECKING:
    from kcore.store.engine import Engine

RECORD_BYTES = _record.SIZE
"""A record's bytes beside key and value."""


class Group:
    """One commit in the making."""

    def __init__(self, first_chunk: int) -> None:
        self.first_chunk = first_chunk
        self.records: list[Mutation] = []
        self.starts: list[int] = []
        self.chunk_bytes = 0
        self.size = 0
        # (lease, new ttl, old ttl); 0 is no lease
        self.leases: list[tuple[int, int, int]] = []
        self.dropped: list[int] = []
        self.rewritten: list[tuple[int, bytes]] = []
        self.compact_revision = 0
        self.when_done: list[Callable[[StoreError | None], None]] = []
        self.waiters: list[asyncio.Future[None]] = []
        self.finished = False
        self.error: StoreError | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not (self.records or self.leases or self.dropped or self.rewritten or self.compact_revision)

    @property
    def next_chunk(self) -> int:
        """The id of the first chunk after this group."""
        return self.first_chunk + len(self.starts)

    def place(self, size: int) -> tuple[int, int]:
        """(chunk, offset) of the next record, which the caller then appends to `records`."""
        offset = self.chunk_bytes
        if not self.starts or offset + size > limits.STORE_CHUNK_BYTES:
            self.starts.append(len(self.records))
            offset = 0
        self.chunk_bytes = offset + size
        self.size += size
        return self.first_chunk + len(self.starts) - 1, offset

    def cut(self, count: int) -> list[Mutation]:
        """Take back all but the first `count` records; -> those."""
        taken = self.records[count:]
        del self.records[count:]
        self.size -= sum(map(size_of, taken))
        while self.starts and self.starts[-1] >= count:
            self.starts.pop()
        last = self.records[self.starts[-1] :] if self.starts else []
        self.chunk_bytes = sum(map(size_of, last))
        return taken

    @property
    def work(self) -> Work:
        """What the writer is to do."""
        bounds = [*self.starts, len(self.records)]
        chunks = [self.records[start:end] for start, end in pairwise(bounds)]
        leases = [(lease, new) for lease, new, _ in self.leases]
        return Work(self.first_chunk, chunks, self.dropped, self.rewritten, leases, self.compact_revision)

    def finish(self, error: StoreError | None) -> None:
        """Tell those who wait."""
        self.finished, self.error = True, error
        for done in self.when_done:
            done(error)
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)


class EvaluatedTxn:
    """A Submission of the embedded store; `group` has its writes, else the newest writes that it saw and that are not durable yet."""

    __slots__ = ("group", "responses", "revision", "succeeded")

    def __init__(self, succeeded: bool, revision: int, responses: list[int | RangeResult], group: Group | None) -> None:
        self.succeeded = succeeded
        self.revision = revision
        self.responses = responses
        self.group = group

    async def durable(self) -> None:
        """Wait until it is on disk. Raises StoreError."""
        group = self.group
        if group is None:
            return
        if not group.finished:
            waiter = asyncio.get_running_loop().create_future()
            group.waiters.append(waiter)
            await waiter
        if group.error is not None:
            raise StoreError(group.error.kind, str(group.error)) from group.error


class OpenBatch:
    """The mark of a `batch()`, to which it can be reverted."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.group = engine, engine.open
        self.revision, self.count = engine.head_revision, len(engine.open.records)

    def revert(self) -> None:
        """Undo what was submitted since."""
        assert self.engine.open is self.group and self.engine.revision <= self.revision, "the batch was handed on: something was awaited"
        self.engine.take_back(self.group.cut(self.count), self.revision)


def size_of(record: Mutation) -> int:
    """The bytes of a record."""
    return RECORD_BYTES + len(record.key) + (0 if record.value is None else len(record.value))
