"""What is committed together: the records of all transactions since the last commit was begun, and who waits for them.

A record's place on disk is known before it is written (`_head`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

from kcore.base import limits
from kcore.store._head import Pending
from kcore.store.log import Work
from kcore.store.storage import StoreError

if TYPE_CHECKING:
    from kcore.store.engine import Engine


class Group(Pending):
    """One commit in the making."""

    def __init__(self, first_chunk: int) -> None:
        super().__init__(first_chunk, limits.STORE_CHUNK_BYTES)
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

    @property
    def work(self) -> Work:
        """What the writer is to do."""
        bounds = [*self.starts, len(self.records)]
        chunks = [self.records[start:end] for start, end in pairwise(bounds)]
        leases = [(lease, new) for lease, new, _ in self.leases]
        return Work(self.first_chunk, chunks, self.dropped, self.rewritten, leases, self.compact_revision)

    async def settled(self) -> None:
        """Wait until it is on disk. Raises StoreError."""
        if not self.finished:
            waiter = asyncio.get_running_loop().create_future()
            self.waiters.append(waiter)
            await waiter
        if self.error is not None:
            raise StoreError(self.error.kind, str(self.error)) from self.error

    def finish(self, error: StoreError | None) -> None:
        """Tell those who wait."""
        self.finished, self.error = True, error
        for done in self.when_done:
            done(error)
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)


class OpenBatch:
    """The mark of a `batch()`, to which it can be reverted."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.group = engine, engine.open
        self.revision, self.count = engine.head_revision, len(engine.open.records)

    def revert(self) -> None:
        """Undo what was submitted since."""
        assert self.engine.open is self.group and self.engine.revision <= self.revision, "the batch was handed on: something was awaited"
        self.engine.take_back(self.group.cut(self.count), self.revision)
