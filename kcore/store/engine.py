"""The embedded store: transactions are evaluated at once in memory, and made durable in groups.

    submit ----> head (index and newest values) ----> open group --flush--> writer thread: LMDB, fsync
                                                                                  |
    subscribers, waiters <---- publish (committed revision moves) <---------------+

One group is with the writer while the next one fills; whatever is submitted in one turn of the loop is in one group. If a group
fails, it and everything after it is rolled back, in memory as on disk, and all who wait for it are told; reads go on, and so do
later writes.

Source: DESIGN section 3; etcd `server/storage/mvcc`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from kcore.base import limits, lock
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.store._head import EvaluatedTxn, Head
from kcore.store._index import KeyIndex
from kcore.store.compaction import Compactor
from kcore.store.compare import holds, refuse_duplicates
from kcore.store.group import Group, OpenBatch
from kcore.store.history import changes_of, ways_back
from kcore.store.keylease import KeyLeases
from kcore.store.log import Log
from kcore.store.storage import Compare, Delete, KeyValue, Mutation, Operation, Put, Range, RangeResult, StoreError, Txn, compacted
from kcore.store.writer import Writer, commit

Pair = tuple[bytes, bytes | None, int, int, int, int]
Subscriber = Callable[[Sequence[Mutation], int], None]


class Engine(Head):
    """The embedded store over LMDB. Thread: the event loop's."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        entropy: Entropy,
        *,
        quota_bytes: int = limits.STORE_QUOTA_BYTES,
        map_bytes: int = 0,
        sync: bool = True,
        threaded: bool = True,
        keep_values: bool = True,
        origin: Engine | None = None,
    ) -> None:
        """Open or make a store.

        map_bytes    largest size of the file; 0: the quota and a margin
        threaded     commit in a thread of its own; else in the loop, at its next turn (virtual time)
        keep_values  keep the newest value of each key in memory: free where a hub holds the same objects
        origin       the store of which the folder is a copy: its index is taken over instead of read
        Raises       StoreError: locked, format, corrupt, failed
        """
        held = lock.take(path.with_name(f"{path.name}.lock"))
        if isinstance(held, lock.Holder):
            raise StoreError("locked", f"{path} is held by process {held.pid}")
        self.lock, self.path, self.clock, self.entropy = held, path, clock, entropy
        self.quota_bytes, self.threaded, self.keep_values = quota_bytes, threaded, keep_values
        self.leases = KeyLeases()
        self.subscribers: list[Subscriber] = []
        self.marks: list[int] = []
        self.under_way: Group | None = None
        self.under_way_bytes = 0
        self.writer: Writer | None = None
        self.is_index_stale = self.is_closed = False
        with ExitStack() as undo:
            undo.callback(held.release)
            self.log = Log(path, quota_bytes, map_bytes, sync)
            undo.callback(self.log.close)
            self.load(origin)
            undo.pop_all()

    def load(self, origin: Engine | None) -> None:
        """Rebuild the index, or take it over."""
        self.compact_revision = self.stored_floor = self.log.compact_revision()
        if origin is None:
            self.index = KeyIndex()
            newest, chunk, self.used_bytes = self.log.load(self.index)
            self.revision = max(newest, self.compact_revision, 1)
        else:
            self.index, self.revision = origin.index.copy(), origin.revision
            chunk, self.used_bytes = origin.open.first_chunk - 1, origin.used_bytes
        self.head_revision = self.revision
        self.open: Group = Group(chunk + 1)
        self.measure_room()
        self.compactor = Compactor(self)
        now = self.clock.monotonic()
        for lease, ttl_s in self.log.leases():
            self.leases.grant(lease, ttl_s, now)
        self.leases.attach(self.index.leases())

    @property
    def floors(self) -> list[int]:
        """What compaction has to keep readable: marks, and the compacted revision."""
        return [*sorted({mark for mark in self.marks if mark < self.compact_revision}), self.compact_revision]

    # reading

    def kv(self, pair: Pair) -> KeyValue:
        """The key's value of a pair, from memory or from disk."""
        if pair[1] is not None:
            return tuple.__new__(KeyValue, pair)  # twice as fast as to call it
        key, _, create_revision, mod_revision, version, lease = pair
        value = self.read(key, mod_revision)
        if self.keep_values:
            self.index.keep(key, mod_revision, value)
        return KeyValue(key, value, create_revision, mod_revision, version, lease)

    def read(self, key: bytes, revision: int) -> bytes:
        """The value that was put at a revision, from disk, or from a group that is on its way there."""
        place = self.index.place(key, revision)
        if place[0] < (self.under_way or self.open).first_chunk:
            return self.log.value(place, key, revision)
        group = self.open if place[0] >= self.open.first_chunk else self.under_way
        assert group is not None
        return next(record.value or b"" for record in group.records if record.revision == revision and record.key == key)

    def head(self, key: bytes) -> KeyValue | None:
        """The newest value of a key, durable or not."""
        pair = self.index.newest(key)
        return None if pair is None else self.kv(pair)

    def get(self, key: bytes, revision: int = 0) -> KeyValue | None:
        """The value of a key at a durable revision."""
        pair = self.index.get(key, self.readable(revision) if revision else self.revision)
        if pair is None or pair[1] is None:
            return None if pair is None else self.kv(pair)
        return tuple.__new__(KeyValue, pair)

    def range(self, start: bytes, end: bytes, revision: int = 0, limit: int = 0) -> RangeResult:
        """The keys in [start, end) at a durable revision."""
        return self.range_at(start, end, self.readable(revision), limit)

    def range_at(self, start: bytes, end: bytes, revision: int, limit: int) -> RangeResult:
        pairs, count = self.index.range(start, end, revision, limit)
        return RangeResult([self.kv(pair) for pair in pairs], count, count > len(pairs), revision)

    def keys(self, start: bytes, end: bytes) -> list[bytes]:
        """The keys in [start, end) at the newest durable revision, in order."""
        return self.index.keys(start, end, self.revision)

    def count(self, start: bytes, end: bytes, revision: int = 0) -> int:
        """How many keys are in [start, end) at a durable revision."""
        return self.index.count(start, end, self.readable(revision))

    def readable(self, revision: int) -> int:
        """The revision that a read means. Raises StoreError: compacted, future revision."""
        if revision <= 0:
            return self.revision
        if revision > self.revision:
            raise StoreError("future revision", f"revision {revision} is in the future; the newest is {self.revision}")
        if revision < self.compact_revision:
            raise compacted(revision, self.compact_revision)
        return revision

    def changes(self, after: int, start: bytes = b"", end: bytes = b"\0") -> list[Mutation]:
        """All durable mutations of a range after a revision, in order. Raises StoreError: compacted."""
        if after < self.compact_revision:
            raise compacted(after, self.compact_revision)
        return changes_of(self, start, end, after)

    # writing

    def evaluate(self, txn: Txn) -> EvaluatedTxn:
        """Evaluate a transaction that is not just a put. Raises StoreError: lease not found, no space, busy, invalid, failed."""
        succeeded = all(map(self.holds, txn.compares))
        operations = txn.success if succeeded else txn.failure
        self.admit()
        refuse_duplicates(operations)
        for operation in operations:
            if isinstance(operation, Put):
                self.admit_put(operation)
        return self.carry_out(succeeded, operations)

    def measure_room(self) -> None:
        """How many bytes the open group may hold before a put is looked at more closely."""
        self.room_bytes = min(self.quota_bytes - self.used_bytes, limits.STORE_PENDING_BYTES_MAX) - self.under_way_bytes

    def admit(self) -> None:
        """Raise StoreError if nothing can be written now."""
        if self.failure is not None:
            self.revive()
        pending = self.open.size + self.under_way_bytes
        if pending > limits.STORE_PENDING_BYTES_MAX:
            raise StoreError("busy", f"{pending} bytes wait for the disk; the most is {limits.STORE_PENDING_BYTES_MAX}")

    def admit_put(self, put: Put) -> None:
        """Raise StoreError if a value cannot be written."""
        if not put.key:
            raise StoreError("invalid", "a key is empty")
        if put.lease:
            self.leases.check(put.lease)
        used = self.used_bytes + self.under_way_bytes + self.open.size
        if used + len(put.value) > self.quota_bytes:
            raise StoreError("no space", f"the store holds {used} of {self.quota_bytes} bytes; compact it, delete or raise the quota")

    def carry_out(self, succeeded: bool, operations: Sequence[Operation]) -> EvaluatedTxn:
        """Do the operations at the next revision, which is used up only if they write."""
        group = self.open
        before = len(group.records)
        revision = self.head_revision + 1
        responses: list[int | RangeResult] = []
        for operation in operations:
            if isinstance(operation, Put):
                self.write(operation, revision, len(group.records) - before)
                responses.append(1)
            else:
                responses.append(self.apply(operation, revision, before))
        if len(group.records) > before:
            self.head_revision = revision
            if not self.flush_planned:
                self.plan_flush()
            return EvaluatedTxn(succeeded, revision, responses, group)
        return EvaluatedTxn(succeeded, self.head_revision, responses, self.newest_group())

    def newest_group(self) -> Group | None:
        """The last group that is not durable yet."""
        return self.under_way if self.open.is_empty else self.open

    def holds(self, compare: Compare) -> bool:
        if not compare.range_end:
            pair = self.index.newest(compare.key)
            if compare.target == "mod" and compare.result == "=":
                return (0 if pair is None else pair[3]) == compare.operand
            if pair is not None and pair[1] is None and compare.target == "value":
                return holds(compare, self.kv(pair))
            return holds(compare, None if pair is None else KeyValue(*pair))  # type: ignore[arg-type]
        kvs = self.range_at(compare.key, compare.range_end, self.head_revision, 0).kvs
        return all(holds(compare, kv) for kv in kvs) if kvs else holds(compare, None)

    def apply(self, operation: Operation, revision: int, before: int) -> int | RangeResult:
        """Carry out a deletion or a read. -> the number of keys deleted, or what was read."""
        if isinstance(operation, Delete):
            keys = self.index.keys(operation.key, operation.range_end, revision)
            for key in keys:
                self.erase(key, revision, len(self.open.records) - before)
            return len(keys)
        assert isinstance(operation, Range)
        return self.range_at(operation.key, operation.range_end, revision, operation.limit)

    def write(self, put: Put, revision: int, sub: int) -> None:
        previous_lease = self.open.write(self.index, put, revision, sub)
        if put.lease or previous_lease:
            self.leases.move(put.key, previous_lease, put.lease)

    def erase(self, key: bytes, revision: int, sub: int) -> None:
        previous_lease = self.open.erase(self.index, key, revision, sub)
        if previous_lease:
            self.leases.move(key, previous_lease, 0)

    @contextmanager
    def batch(self) -> Iterator[OpenBatch]:
        """Commit what is submitted inside together: nothing is awaited inside, so that it is one turn of the loop anyway."""
        yield OpenBatch(self)

    # from the head to the disk

    def plan_flush(self) -> None:
        """Hand the open group over at the end of this turn of the loop, or when the writer is free."""
        if self.flush_planned or self.under_way is not None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # no loop runs: `flush` or `close` makes it durable
        self.flush_planned = True
        loop.call_soon(self.flush_now)

    def flush_now(self) -> None:
        self.flush_planned = False
        group = self.next_group()
        if group is None:
            return
        if not self.threaded:
            self.finish(group, commit(self.log, group.work))
            return
        if self.writer is None:
            self.writer = Writer(self.log, asyncio.get_running_loop())
        self.writer.hand_over(group.work, lambda error: self.finish(group, error))

    def next_group(self) -> Group | None:
        """Close the open group for the writer, with a bit of compaction; None if there is nothing to do."""
        if self.under_way is not None or self.failure is not None or self.is_closed:
            return None
        if self.compactor.has_work:
            self.compactor.step(self.open)
        self.open.compact_revision = self.compact_revision if self.compact_revision > self.stored_floor else 0
        if self.open.is_empty:
            if self.compactor.has_work:
                self.plan_flush()
            return None
        group = self.under_way = self.open
        self.under_way_bytes = group.size
        self.open = Group(group.next_chunk)
        self.measure_room()
        return group

    def flush(self) -> None:
        """Make durable what was submitted, in this thread; for use without a running loop."""
        assert self.under_way is None, "a commit is with the writer"
        while (group := self.next_group()) is not None or (self.compactor.has_work and self.failure is None):
            if group is not None:
                self.finish(group, commit(self.log, group.work))
                if group.error is not None:
                    return

    def finish(self, group: Group, error: StoreError | None) -> None:
        """A group is durable, or failed: publish it, or roll it and everything after it back."""
        if self.under_way is not group:
            return  # `close` was quicker
        self.under_way, self.under_way_bytes = None, 0
        if error is not None:
            self.fail(group, error)
            return
        self.log.refresh()
        self.used_bytes += group.size
        self.measure_room()
        self.stored_floor = max(self.stored_floor, group.compact_revision)
        records = group.records
        if not self.keep_values:
            self.index.let_go(records)
        try:
            if records:
                self.revision = records[-1].revision
                for subscriber in self.subscribers:
                    subscriber(records, self.revision)
        finally:
            group.finish(None)
            if not self.open.is_empty or self.compactor.has_work:
                self.plan_flush()

    def fail(self, group: Group, error: StoreError) -> None:
        """Roll a group that failed, and the open one after it, back, and open the file anew."""
        lost, self.open = self.open, Group(group.first_chunk)
        self.take_back([*group.records, *lost.records], self.revision)
        self.leases.take_back([*group.leases, *lost.leases], self.clock.monotonic())
        self.leases.attach(self.index.leases())
        self.failure = StoreError("failed", f"the last commit failed: {error}")
        with suppress(StoreError):  # then `failure` says so to every later write, which tries again
            self.revive()
        group.finish(error)
        lost.finish(error)

    def revive(self) -> None:
        """Open the file anew after a failure. Raises StoreError if it still cannot be opened; what is in memory can be read."""
        self.is_index_stale |= self.log.recover(self.open.first_chunk, self.leases.ttl_s)
        if self.is_index_stale:
            index = KeyIndex()
            _, _, self.used_bytes = self.log.load(index)
            self.index, self.is_index_stale = index, False
            self.compactor = Compactor(self)
        self.measure_room()
        self.failure = None

    def take_back(self, records: Sequence[Mutation], revision: int) -> None:
        """Take records that will never be durable out of the head."""
        keys = {record.key for record in records}
        self.index.rollback(keys, revision)
        for record in records:
            if record.lease:
                self.leases.move(record.key, record.lease, 0)
        for key in keys:
            pair = self.index.newest(key)
            if pair is not None and pair[5]:
                self.leases.move(key, 0, pair[5])
        self.marks = [mark for mark in self.marks if mark <= revision]
        self.head_revision = revision

    def settled(self) -> EvaluatedTxn:
        """All that was submitted so far, to wait for."""
        return EvaluatedTxn(True, self.head_revision, [], self.newest_group())

    def subscribe(self, callback: Subscriber) -> None:
        """Call back with each committed group."""
        self.subscribers.append(callback)

    # history

    def compact(self, revision: int) -> None:
        """Forget what no read at `revision` or later can see; marks stay readable by `revert`."""
        if revision > self.revision:
            raise StoreError("future revision", f"revision {revision} is in the future; the newest is {self.revision}")
        if revision <= self.compact_revision:
            raise compacted(revision, self.compact_revision)
        self.compact_revision = self.open.compact_revision = revision
        self.compactor.begin(self.floors)
        self.plan_flush()

    def mark(self) -> int:
        """A revision to go back to; it costs what has changed since, until it is released."""
        self.marks.append(self.head_revision)
        return self.head_revision

    def release(self, mark: int) -> None:
        """Let a mark go."""
        self.marks.remove(mark)

    def revert(self, mark: int) -> EvaluatedTxn:
        """Put the keyspace back to a mark, in one transaction at a new revision. Raises StoreError: compacted."""
        if mark < self.compact_revision and mark not in self.marks:
            raise compacted(mark, self.compact_revision)
        self.admit()
        return self.carry_out(True, ways_back(self, mark))

    # leases

    def grant(self, ttl_s: int, lease: int = 0) -> int:
        """Make a lease of keys. Raises StoreError: lease exists, busy, failed."""
        self.admit()
        while not lease:
            chosen = self.entropy.randrange(1 << 62) + 1
            lease = 0 if chosen in self.leases.ttl_s else chosen
        self.leases.grant(lease, ttl_s, self.clock.monotonic())
        self.open.leases.append((lease, ttl_s, 0))
        self.plan_flush()
        return lease

    def revoke(self, lease: int) -> EvaluatedTxn:
        """End a lease and delete its keys. Raises StoreError: lease not found, busy, failed."""
        self.admit()
        self.leases.check(lease)
        self.open.leases.append((lease, 0, self.leases.ttl_s[lease]))
        keys = sorted(self.leases.drop(lease))
        self.plan_flush()
        return self.carry_out(True, [Delete(key) for key in keys])

    def keep_alive(self, lease: int) -> int:
        """Let a lease begin again."""
        return self.leases.renew(lease, self.clock.monotonic())

    def lease_ttl_s(self, lease: int) -> int:
        """The time to live of a lease. Raises StoreError: lease not found."""
        self.leases.check(lease)
        return self.leases.ttl_s[lease]

    def expire(self) -> None:
        """Revoke the leases whose time is up; one that cannot be revoked now is due again."""
        now = self.clock.monotonic()
        for lease in self.leases.ended(now):
            try:
                self.revoke(lease)
            except StoreError:
                self.leases.put_off(lease, now + limits.KEY_LEASE_RETRY_S)

    # the folder

    def copy(self, path: Path) -> None:
        """Write a copy of what is durable into a new folder."""
        self.log.copy(path)

    def fork(self, path: Path, clock: Clock, entropy: Entropy) -> Engine:
        """An independent store with the same content, in a new folder; it commits without a thread. Raises StoreError: busy."""
        if not self.threaded:
            self.flush()
        if self.newest_group() is not None:
            raise StoreError("busy", "a fork has to wait until all writes are durable")
        self.log.copy(path, compact=False)
        return Engine(path, clock, entropy, quota_bytes=self.quota_bytes, sync=self.log.sync, threaded=False, origin=self)

    def close(self) -> None:
        """Make durable what was submitted, then let go of the folder; the loop runs no more or does nothing else meanwhile."""
        if self.is_closed:
            return
        if self.writer is not None:
            self.writer.stop()
            self.writer = None
        if self.under_way is not None:
            group = self.under_way
            has_arrived = not group.records or self.log.newest_chunk() >= group.next_chunk - 1
            self.finish(group, None if has_arrived else StoreError("failed", "the store was closed"))
        self.compactor.onward, self.compactor.waiting = None, []
        if self.failure is None:
            self.flush()
        self.is_closed = True
        self.log.close()
        self.lock.release()
