"""The embedded store: transactions are evaluated at once in memory, and made durable in groups.

    submit ----> head (index and pending values) ----> open group --flush--> writer thread: LMDB, fsync
                                                                                  |
    subscribers, waiters <---- publish (committed revision moves) <---------------+

One group is with the writer while the next one fills; whatever is submitted in one turn of the loop is in one group. If a group fails, it and everything after it is
rolled back, in memory as on disk, and all who wait for it are told; reads go on, and so do later writes.

Source: DESIGN section 3; etcd `server/storage/mvcc`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kcore.base import limits, lock
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.store.compare import holds
from kcore.store.keylease import KeyLeases
from kcore.store.log import Log, Work
from kcore.store.storage import Compare, Delete, KeyValue, Mutation, Operation, Put, Range, RangeResult, StoreError, Txn
from kcore.store.writer import Writer, commit

Subscriber = Callable[[Sequence[Mutation], int], None]


class Group:
    """What is committed together, and who waits for it."""

    def __init__(self) -> None:
        self.records: list[Mutation] = []
        self.leases: list[tuple[int, int]] = []
        self.dead: list[tuple[int, int]] = []
        self.compact_revision = 0
        self.waiters: list[asyncio.Future[None]] = []
        self.finished = False
        self.error: StoreError | None = None

    @property
    def empty(self) -> bool:
        return not (self.records or self.leases or self.dead or self.compact_revision)

    @property
    def work(self) -> Work:
        return Work(self.records, self.dead, self.leases, self.compact_revision)

    def finish(self, error: StoreError | None) -> None:
        """Tell those who wait."""
        self.finished, self.error = True, error
        for waiter in self.waiters:
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)


class EvaluatedTxn:
    """A Submission of the embedded store."""

    __slots__ = ("group", "responses", "revision", "succeeded")

    def __init__(self, succeeded: bool, revision: int, responses: list[int | RangeResult], group: Group | None) -> None:
        self.succeeded, self.revision, self.responses, self.group = succeeded, revision, responses, group

    async def durable(self) -> None:
        """Wait until it is on disk. Raises StoreError."""
        group = self.group
        if group is None:
            return
        if not group.finished:
            waiter = asyncio.get_running_loop().create_future()
            group.waiters.append(waiter)
            await waiter
        elif group.error is not None:
            raise group.error


class OpenBatch:
    """The mark of a `batch()`, to which it can be reverted."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.revision, self.records = engine.head_revision, len(engine.open.records)

    def revert(self) -> None:
        """Undo what was submitted since."""
        self.engine.undo(self.engine.open.records[self.records :], self.revision)
        del self.engine.open.records[self.records :]


class Engine:
    """The embedded store over LMDB. Thread: the event loop's."""

    def __init__(self, path: Path, clock: Clock, entropy: Entropy, *, quota_bytes: int = limits.STORE_QUOTA_BYTES, sync: bool = True, threaded: bool = True) -> None:
        """Open or make a store.

        threaded  commit in a thread of its own; else in the loop, at its next turn (virtual time)
        Raises    StoreError: locked, format, corrupt
        """
        held = lock.take(path.with_name(f"{path.name}.lock"))
        if isinstance(held, lock.Holder):
            raise StoreError("locked", f"{path} is held by process {held.pid}")
        self.lock = held
        try:
            self.log = Log(path, quota_bytes, sync)
        except StoreError:
            held.release()
            raise
        from kcore.store._index import KeyIndex

        self.clock, self.entropy = clock, entropy
        self.index = KeyIndex()
        self.leases = KeyLeases()
        self.pending: dict[tuple[int, int], Mutation] = {}
        self.subscribers: list[Subscriber] = []
        self.open = Group()
        self.under_way: Group | None = None
        self.flush_planned = False
        self.threaded = threaded
        self.writer: Writer | None = None
        self.compact_revision = self.log.number(b"compact_revision")
        self.revision = self.head_revision = self.load()

    def load(self) -> int:
        """Rebuild the index; -> the newest revision."""
        now = self.clock.monotonic()
        for lease, ttl in self.log.leases():
            self.leases.grant(lease, ttl, now)
        newest = max(self.log.number(b"revision"), 1)
        for record in self.log.scan():
            deleted = record.value is None
            self.index.restore(record.key, record.revision, record.sub, record.create_revision, record.version, record.lease, deleted)
            if record.lease and record.lease in self.leases.ttl_s:
                self.leases.move(record.key, 0, record.lease)
        return newest

    # reading

    def value(self, key: bytes, place: tuple[int, int, int, int, int]) -> KeyValue:
        """The value at a place, from memory while it is not durable, else from disk."""
        revision, sub, create_revision, version, lease = place
        record = self.pending.get((revision, sub)) or self.log.read(revision, sub)
        assert record.value is not None
        return KeyValue(key, record.value, create_revision, revision, version, lease)

    def head(self, key: bytes) -> KeyValue | None:
        """The newest value of a key, durable or not."""
        place = self.index.latest(key)
        return None if place is None else self.value(key, place)

    def get(self, key: bytes, revision: int = 0) -> KeyValue | None:
        """The value of a key at a durable revision."""
        place = self.index.find(key, self.readable(revision))
        return None if place is None else self.value(key, place)

    def range(self, start: bytes, end: bytes, revision: int = 0, limit: int = 0) -> RangeResult:
        """The keys in [start, end) at a durable revision."""
        return self.range_at(start, end, self.readable(revision), limit)

    def range_at(self, start: bytes, end: bytes, revision: int, limit: int) -> RangeResult:
        found, count = self.index.range(start, end, revision, limit)
        return RangeResult([self.value(key, place) for key, place in found], count, bool(limit) and count > limit, revision)

    def keys(self, start: bytes, end: bytes) -> list[bytes]:
        """The keys in [start, end) at the newest durable revision, in order."""
        return [key for key, _ in self.index.range(start, end, self.revision, 0)[0]]

    def readable(self, revision: int) -> int:
        """The revision that a read means. Raises StoreError: compacted, future revision."""
        if revision <= 0:
            return self.revision
        if revision > self.revision:
            raise StoreError("future revision", f"revision {revision} is in the future; the newest is {self.revision}")
        if revision < self.compact_revision:
            raise StoreError("compacted", f"revision {revision} is compacted; the floor is {self.compact_revision}")
        return revision

    def changes(self, after: int) -> list[Mutation]:
        """All durable mutations after a revision, in order."""
        if after < self.compact_revision:
            raise StoreError("compacted", f"revision {after} is compacted; the floor is {self.compact_revision}")
        found = []
        for revision, sub, key, deleted, create_revision, version, lease in self.index.history(after, self.revision):
            value = None if deleted else self.log.read(revision, sub).value
            found.append(Mutation(revision, sub, key, value, create_revision, version, lease))
        return found

    # writing

    def submit(self, txn: Txn) -> EvaluatedTxn:
        """Evaluate a transaction."""
        succeeded = all(self.holds(compare) for compare in txn.compares)
        operations = txn.success if succeeded else txn.failure
        for operation in operations:
            if isinstance(operation, Put) and operation.lease:
                self.leases.check(operation.lease)
        before = len(self.open.records)
        responses = [self.apply(operation, self.head_revision + 1) for operation in operations]
        wrote = len(self.open.records) > before
        if wrote:
            self.head_revision += 1
            self.plan_flush()
        return EvaluatedTxn(succeeded, self.head_revision, responses, self.open if wrote else None)

    def holds(self, compare: Compare) -> bool:
        if not compare.range_end:
            if compare.target == "mod":
                place = self.index.latest(compare.key)
                return holds(compare, None if place is None else KeyValue(compare.key, b"", place[2], place[0], place[3], place[4]))
            return holds(compare, self.head(compare.key))
        return all(holds(compare, kv) for kv in self.range_at(compare.key, compare.range_end, self.head_revision + 1, 0).kvs)

    def apply(self, operation: Operation, revision: int) -> int | RangeResult:
        """Carry out one operation; -> the number of keys written, or what was read."""
        if isinstance(operation, Put):
            self.write(operation.key, operation.value, operation.lease, revision)
            return 1
        if isinstance(operation, Delete):
            return sum(self.erase(key, revision) for key in self.keys_of(operation.key, operation.range_end))
        if operation.range_end:
            return self.range_at(operation.key, operation.range_end, revision, operation.limit)
        kv = self.head(operation.key)
        return RangeResult([] if kv is None else [kv], 0 if kv is None else 1, False, revision)

    def keys_of(self, key: bytes, range_end: bytes) -> list[bytes]:
        if not range_end:
            return [key]
        return [found for found, _ in self.index.range(key, range_end, self.head_revision + 1, 0)[0]]

    def write(self, key: bytes, value: bytes, lease: int, revision: int) -> None:
        sub = len(self.open.records)
        place = self.index.latest(key) if lease or self.leases.ttl_s else None
        create_revision, version = self.index.put(key, revision, sub, lease)
        self.record(Mutation(revision, sub, key, value, create_revision, version, lease))
        if place is not None or lease:
            self.leases.move(key, place[4] if place else 0, lease)

    def erase(self, key: bytes, revision: int) -> bool:
        sub = len(self.open.records)
        place = self.index.latest(key)
        if not self.index.delete(key, revision, sub):
            return False
        self.record(Mutation(revision, sub, key, None))
        if place is not None and place[4]:
            self.leases.move(key, place[4], 0)
        return True

    def record(self, mutation: Mutation) -> None:
        self.open.records.append(mutation)
        self.pending[mutation.revision, mutation.sub] = mutation

    @contextmanager
    def batch(self) -> Iterator[OpenBatch]:
        """Commit what is submitted inside together: nothing is awaited inside, so that it is one turn of the loop anyway."""
        yield OpenBatch(self)

    # from the head to the disk

    def plan_flush(self) -> None:
        """Hand the open group over at the end of this turn of the loop, or when the writer is free."""
        if self.flush_planned or self.under_way is not None:
            return
        self.flush_planned = True
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush_planned = False
            return  # no loop runs: `flush` or `close` makes it durable
        loop.call_soon(self.flush_now)

    def flush_now(self) -> None:
        self.flush_planned = False
        if self.under_way is not None or self.open.empty:
            return
        group, self.open = self.open, Group()
        self.under_way = group
        if not self.threaded:
            self.finish(group, commit(self.log, group.work))
            return
        if self.writer is None:
            self.writer = Writer(self.log, asyncio.get_running_loop())
        self.writer.hand_over(group.work, lambda error: self.finish(group, error))

    def flush(self) -> None:
        """Make durable what was submitted, in this thread; for use without a running loop."""
        assert self.under_way is None
        while not self.open.empty:
            group, self.open = self.open, Group()
            self.under_way = group
            self.finish(group, commit(self.log, group.work))

    def finish(self, group: Group, error: StoreError | None) -> None:
        """A group is durable, or failed: publish it, or roll it and everything after it back."""
        self.under_way = None
        if error is not None:
            failed, self.open = self.open, Group()
            self.undo([*group.records, *failed.records], self.revision)
            group.finish(error)
            failed.finish(error)
            return
        self.log.refresh()
        for record in group.records:
            del self.pending[record.revision, record.sub]
        if group.records:
            self.revision = group.records[-1].revision
            for subscriber in self.subscribers:
                subscriber(group.records, self.revision)
        group.finish(None)
        if not self.open.empty:
            self.plan_flush()

    def undo(self, records: Sequence[Mutation], revision: int) -> None:
        """Take records that will never be durable out of the head."""
        for record in records:
            self.index.rollback(record.key, revision)
            self.pending.pop((record.revision, record.sub), None)
            place = self.index.latest(record.key)
            self.leases.move(record.key, record.lease, place[4] if place else 0)
        self.head_revision = revision

    def subscribe(self, callback: Subscriber) -> None:
        """Call back with each committed group."""
        self.subscribers.append(callback)

    # history

    def compact(self, revision: int) -> None:
        """Forget what no read at `revision` or later can see."""
        if revision > self.revision:
            raise StoreError("future revision", f"revision {revision} is in the future; the newest is {self.revision}")
        if revision <= self.compact_revision:
            raise StoreError("compacted", f"revision {revision} is compacted; the floor is {self.compact_revision}")
        self.compact_revision = self.open.compact_revision = revision
        self.open.dead += self.index.compact(revision)
        self.plan_flush()

    def mark(self) -> int:
        """A revision to go back to."""
        return self.head_revision

    def revert(self, mark: int) -> EvaluatedTxn:
        """Put the keyspace back to a mark, in one transaction at a new revision. Raises StoreError: compacted."""
        if mark < self.compact_revision:
            raise StoreError("compacted", f"revision {mark} is compacted; the floor is {self.compact_revision}")
        operations: list[Operation] = []
        for key in self.index.touched(mark):
            place = self.index.find(key, mark)
            operations.append(Delete(key) if place is None else Put(key, self.value(key, place).value, place[4]))
        return self.submit(Txn(success=operations))

    # leases

    def grant(self, ttl_s: int, lease: int = 0) -> int:
        """Make a lease of keys."""
        while not lease or lease in self.leases.ttl_s:
            if lease:
                raise StoreError("lease exists", f"lease {lease:x} exists")
            lease = self.entropy.randrange(1 << 62) + 1
        self.leases.grant(lease, ttl_s, self.clock.monotonic())
        self.open.leases.append((lease, ttl_s))
        self.plan_flush()
        return lease

    def revoke(self, lease: int) -> EvaluatedTxn:
        """End a lease and delete its keys."""
        keys = sorted(self.leases.drop(lease))
        self.open.leases.append((lease, 0))
        self.plan_flush()
        return self.submit(Txn(success=[Delete(key) for key in keys]))

    def keep_alive(self, lease: int) -> int:
        """Let a lease begin again."""
        return self.leases.renew(lease, self.clock.monotonic())

    def expire(self) -> None:
        """Revoke the leases whose time is up."""
        for lease in self.leases.ended(self.clock.monotonic()):
            self.revoke(lease)

    def copy(self, path: Path) -> None:
        """Write a copy of what is durable into a new folder."""
        self.log.copy(path)

    def close(self) -> None:
        """Make durable what was submitted, then let go of the folder; in the thread of the loop, which runs no more or does nothing else."""
        if self.writer is not None:
            self.writer.stop()
            self.writer = None
        if self.under_way is not None:
            group, self.under_way = self.under_way, None
            self.finish(group, None if self.on_disk(group) else StoreError("failed", "the store was closed"))
        self.flush()
        self.log.close()
        self.lock.release()

    def on_disk(self, group: Group) -> bool:
        """Whether a group whose writer is gone arrived."""
        self.log.refresh()
        return not group.records or self.log.number(b"revision") >= group.records[-1].revision
