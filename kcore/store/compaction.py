"""Compaction: forget what nobody can ask for any more, in memory at once for readers, on disk bit by bit.

A step looks at a bounded number of keys; then every chunk that holds dead records is rewritten without them, or removed, a bounded
number of bytes with each commit, between the commits of everybody else. What is left over (a failed commit, a crash) is found again
when the store is opened, and goes with the next compaction.

Chunks go strictly in the order of their ids, none left out. Otherwise a deletion could be gone from disk while an older put of the
key is still there, half forgotten in a chunk that was not worth a write: opened again, the store would bring the key back to life.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcore.base import limits, log
from kcore.store import _record
from kcore.store.group import Group
from kcore.store.storage import StoreError

LOG = log.get("store")

if TYPE_CHECKING:
    from kcore.store.engine import Engine


class Compactor:
    """The compaction of one store, which starts with what an earlier one left over in the index that was just read.

    `dead` has the bytes of each chunk that nothing needs any more.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.dead: dict[int, int] = {}
        self.floors: list[int] = []
        self.onward: bytes | None = None
        self.waiting: list[int] = []
        self.is_under_way = False
        if engine.compact_revision:
            self.begin(engine.floors)
            self.finish_keys()

    def begin(self, floors: list[int]) -> None:
        """Start over with new floors (see KeyIndex.compact)."""
        self.floors, self.onward = floors, b""

    def finish_keys(self) -> None:
        """Look at all keys now: nobody waits yet."""
        while self.onward is not None:
            self.look_at_keys(len(self.engine.index) + limits.COMPACTION_KEYS_MAX)

    def look_at_keys(self, keys_max: int) -> None:
        """Go on with the keys; at their end, list the chunks that are worth a write."""
        assert self.onward is not None
        self.onward, dead = self.engine.index.compact(self.onward, self.floors, keys_max)
        for chunk, size in dead.items():
            self.dead[chunk] = self.dead.get(chunk, 0) + size
        if self.onward is None:
            self.waiting = sorted(self.dead, reverse=True)

    @property
    def has_work(self) -> bool:
        """Whether there are keys or chunks to look at."""
        return self.onward is not None or bool(self.waiting)

    def step(self, group: Group) -> None:
        """Put the next bit of work into a commit."""
        if self.is_under_way:
            return
        if self.onward is not None:
            self.look_at_keys(limits.COMPACTION_KEYS_MAX)
            return
        freed = 0
        moved: list[tuple[bytes, int, int]] = []
        budget = limits.COMPACTION_BYTES_MAX
        chunks = 0
        while self.waiting and budget > 0 and chunks < limits.COMPACTION_CHUNKS_MAX:
            chunk = self.waiting.pop()
            chunks += 1
            try:
                data = self.engine.log.chunk(chunk)
                kept, places = self.survivors(chunk, data) if self.dead[chunk] < len(data) else (b"", [])
            except StoreError as error:
                LOG.error("compaction stops at a chunk that cannot be read", chunk=chunk, reason=str(error))
                self.waiting = []
                break
            if kept:
                group.rewritten.append((chunk, kept))
                moved += places
                budget -= len(data)
            else:
                group.dropped.append(chunk)
            freed += len(data) - len(kept)
        if freed:
            self.is_under_way = True
            group.when_done.append(lambda error: self.done(group, moved, freed, error))

    def survivors(self, chunk: int, data: memoryview) -> tuple[bytes, list[tuple[bytes, int, int]]]:
        """What of a chunk is still needed, and where: (key, revision, new offset). Raises StoreError (corrupt)."""
        try:
            rows = _record.rows(data)
        except ValueError as error:
            raise StoreError("corrupt", f"chunk {chunk} of the log: {error}") from error
        kept = bytearray()
        places = []
        for key, revision, offset, size in rows:
            if self.engine.index.has(key, revision):
                places.append((key, revision, len(kept)))
                kept += data[offset : offset + size]
        return bytes(kept), places

    def done(self, group: Group, moved: list[tuple[bytes, int, int]], freed: int, error: StoreError | None) -> None:
        """A commit with a bit of this work arrived, or did not: then the next compaction tries again."""
        self.is_under_way = False
        if error is not None:
            self.waiting = []
            return
        for chunk in group.dropped:
            self.dead.pop(chunk, None)
        for chunk, _ in group.rewritten:
            self.dead.pop(chunk, None)
        for key, revision, offset in moved:
            self.engine.index.relocate(key, revision, offset)
        self.engine.used_bytes -= freed
