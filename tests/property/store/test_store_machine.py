"""The store equals a dict for each revision, whatever is submitted, and whatever fails, is compacted, reverted or opened again."""

from __future__ import annotations

import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.store import Compare, Delete, Engine, KeyValue, Mutation, Put, Range, RangeResult, StoreError, Txn
from kcore.store.log import Work

KEYS = st.sampled_from([b"/a", b"/a/b", b"/a/c", b"/b", b"/c/d"])
RANGES = st.sampled_from([(b"/a", b""), (b"/a/", b"/a0"), (b"/a", b"/c"), (b"/", b"0"), (b"/b", b"\0")])
VALUES = st.binary(max_size=4) | st.just(150_000).map(bytes)  # two of the large ones fill a chunk
State = dict[bytes, KeyValue]
TARGETS = {"mod": "mod_revision", "create": "create_revision", "version": "version", "lease": "lease", "value": "value"}


def within(key: bytes, start: bytes, end: bytes) -> bool:
    return key == start if not end else key >= start and (end == b"\0" or key < end)


COMPARES = st.builds(
    lambda keys, target, result, number, value: Compare(keys[0], target, result, value if target == "value" else number, keys[1]),
    RANGES,
    st.sampled_from(["mod", "create", "version", "value", "lease"]),
    st.sampled_from(["=", "!=", "<", ">"]),
    st.integers(0, 6),
    VALUES,
)
OPERATIONS = st.one_of(
    st.builds(Put, KEYS, VALUES),
    st.builds(Put, KEYS, VALUES, st.just(-1)),  # -1: with the newest lease
    st.builds(lambda keys: Delete(*keys), RANGES),
    st.builds(lambda keys, limit: Range(*keys, limit), RANGES, st.integers(0, 2)),
)


class Model:
    """One dict for each revision, and the one to come."""

    def __init__(self) -> None:
        self.states: dict[int, State] = {1: {}}
        self.revision = 1
        self.log: list[Mutation] = []

    @property
    def head(self) -> State:
        return self.states[self.revision]

    def holds(self, compare: Compare) -> bool:
        found = [kv for key, kv in sorted(self.head.items()) if within(key, compare.key, compare.range_end)]
        if not found:
            found = [KeyValue(compare.key, b"", 0, 0, 0, 0)]
            if compare.target == "value":
                return False
        for kv in found:
            had = getattr(kv, TARGETS[compare.target])
            verdict = {"=": had == compare.operand, "!=": had != compare.operand, "<": had < compare.operand, ">": had > compare.operand}
            if not verdict[compare.result]:
                return False
        return True

    def apply(self, txn: Txn) -> tuple[bool, list[int | list[KeyValue]]]:
        succeeded = all(self.holds(compare) for compare in txn.compares)
        state, revision = dict(self.head), self.revision + 1
        responses: list[int | list[KeyValue]] = []
        written: list[Mutation] = []
        for operation in txn.success if succeeded else txn.failure:
            if isinstance(operation, Put):
                was = state.get(operation.key)
                create, version = (revision, 1) if was is None else (was.create_revision, was.version + 1)
                state[operation.key] = KeyValue(operation.key, operation.value, create, revision, version, operation.lease)
                written.append(Mutation(revision, len(written), operation.key, operation.value, create, version, operation.lease))
                responses.append(1)
                continue
            keys = sorted(key for key in state if within(key, operation.key, operation.range_end))
            if isinstance(operation, Delete):
                for key in keys:
                    del state[key]
                    written.append(Mutation(revision, len(written), key, None))
                responses.append(len(keys))
            else:
                responses.append([state[key] for key in keys[: operation.limit or None]])
        if written:
            self.states[revision], self.revision = state, revision
            self.log += written
        return succeeded, responses

    def back_to(self, revision: int) -> None:
        """Forget the revisions that never became durable."""
        self.states = {r: state for r, state in self.states.items() if r <= revision}
        self.log = [mutation for mutation in self.log if mutation.revision <= revision]
        self.revision = revision


class StoreMachine(RuleBasedStateMachine):
    @initialize(keep_values=st.booleans())
    def begin(self, keep_values: bool) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock, self.keep_values = VirtualClock(), keep_values
        self.model, self.floor = Model(), 0
        self.marks: list[int] = []
        self.seen: list[Mutation] = []
        self.leases: dict[int, float] = {}
        self.durable_leases: dict[int, float] = {}
        self.count = 0
        self.open("0")

    def open(self, name: str) -> None:
        path = Path(self.folder.name) / name
        self.engine = Engine(path, self.clock, SeededEntropy(1), threaded=False, sync=False, keep_values=self.keep_values)
        self.engine.subscribe(lambda mutations, _: self.seen.extend(mutations))
        self.leases = {lease: self.clock.monotonic() + ttl_s for lease, ttl_s in self.engine.leases.ttl_s.items()}
        self.marks = []

    def teardown(self) -> None:
        self.engine.close()
        self.folder.cleanup()

    # what people do

    def with_lease(self, operations: list[Put | Delete | Range]) -> list[Put | Delete | Range]:
        lease = max(self.leases, default=0)
        return [Put(o.key, o.value, lease) if isinstance(o, Put) and o.lease else o for o in operations]

    @rule(compares=st.lists(COMPARES, max_size=2), success=st.lists(OPERATIONS, max_size=3), failure=st.lists(OPERATIONS, max_size=2))
    def submit(self, compares: list[Compare], success: list[Put | Delete | Range], failure: list[Put | Delete | Range]) -> None:
        txn = Txn(compares, self.with_lease(success), self.with_lease(failure))
        taken = txn.success if all(self.model.holds(compare) for compare in compares) else txn.failure
        puts = [operation.key for operation in taken if isinstance(operation, Put)]
        deletes = [operation for operation in taken if isinstance(operation, Delete)]
        if len(set(puts)) < len(puts) or any(within(key, delete.key, delete.range_end) for key in puts for delete in deletes):
            with pytest.raises(StoreError, match="a transaction puts"):
                self.engine.submit(txn)
            return
        got = self.engine.submit(txn)
        succeeded, responses = self.model.apply(txn)
        assert got.succeeded == succeeded
        assert got.revision == self.model.revision == self.engine.head_revision
        assert [list(r.kvs) if isinstance(r, RangeResult) else r for r in got.responses] == responses

    @rule(key=KEYS, lease=st.integers(100, 200))
    def an_unknown_lease_is_refused(self, key: bytes, lease: int) -> None:
        with pytest.raises(StoreError) as caught:
            self.engine.submit(Txn(success=[Put(key, b"", lease)]))
        assert caught.value.kind == "lease not found"

    @rule(operations=st.lists(st.builds(Put, KEYS, VALUES) | st.builds(Delete, KEYS), max_size=4))
    def revert_a_batch(self, operations: list[Put | Delete]) -> None:
        with self.engine.batch() as batch:
            for operation in operations:
                self.engine.submit(Txn(success=[operation]))
            batch.revert()
        assert self.engine.head_revision == self.model.revision

    @rule(ttl_s=st.integers(1, 5))
    def grant(self, ttl_s: int) -> None:
        lease = self.engine.grant(ttl_s, self.count + 1_000)
        self.count += 1
        self.leases[lease] = self.clock.monotonic() + ttl_s

    @rule(seconds=st.integers(1, 3))
    def let_leases_expire(self, seconds: int) -> None:
        self.clock.step(seconds)
        self.engine.expire()
        now = self.clock.monotonic()
        for lease in sorted((lease for lease, end in self.leases.items() if end <= now), key=lambda lease: (self.leases[lease], lease)):
            del self.leases[lease]
            attached = sorted(key for key, kv in self.model.head.items() if kv.lease == lease)
            self.model.apply(Txn(success=[Delete(key) for key in attached]))
        assert self.engine.head_revision == self.model.revision

    @rule()
    def mark(self) -> None:
        self.marks.append(self.engine.mark())

    @precondition(lambda self: self.marks)
    @rule(data=st.data())
    def revert(self, data: st.DataObject) -> None:
        mark = data.draw(st.sampled_from(self.marks))
        got = self.engine.revert(mark)
        was, now = self.model.states[mark], self.model.head
        operations: list[Put | Delete | Range] = []
        for key in sorted({*was, *now}):
            lease = was[key].lease if key in was and was[key].lease in self.leases else 0
            if key not in was:
                operations.append(Delete(key))
            elif key not in now or (now[key].mod_revision > mark and (now[key].value, now[key].lease) != (was[key].value, lease)):
                operations.append(Put(key, was[key].value, lease))
        self.model.apply(Txn(success=operations))
        assert got.revision == self.model.revision

    # what befalls a store

    @rule()
    def flush(self) -> None:
        self.engine.flush()
        assert self.engine.revision == self.model.revision
        self.durable_leases = dict(self.leases)

    @rule(arrives=st.booleans())
    def fail_a_commit(self, arrives: bool) -> None:
        append = self.engine.log.append

        def failing(work: Work) -> None:
            if arrives:
                append(work)
            raise StoreError("no space", "the disk is full")

        if self.engine.open.is_empty and not self.engine.compactor.has_work:
            return
        self.engine.log.append = failing  # type: ignore[method-assign]
        self.engine.flush()
        self.engine.log.append = append  # type: ignore[method-assign]
        self.after_loss()

    def after_loss(self) -> None:
        self.model.back_to(self.engine.revision)
        self.marks = [mark for mark in self.marks if mark <= self.engine.revision]
        self.leases = {lease: self.clock.monotonic() + ttl_s for lease, ttl_s in self.engine.leases.ttl_s.items()}
        for lease in self.leases:
            self.engine.keep_alive(lease)

    @rule(back=st.integers(0, 3))
    def compact(self, back: int) -> None:
        revision = self.engine.revision - back
        if revision <= self.floor:
            with pytest.raises(StoreError) as caught:
                self.engine.compact(revision)
            assert caught.value.kind == "compacted"
            return
        self.engine.compact(revision)
        self.floor = revision

    @rule()
    def open_again(self) -> None:
        self.engine.close()
        self.open(self.engine.path.name)
        assert self.engine.revision == self.model.revision

    @rule()
    def crash(self) -> None:
        """What is not durable is lost, and all that is only in memory."""
        self.engine.is_closed = True
        self.engine.log.close()
        self.engine.lock.release()
        durable = self.engine.revision
        self.open(self.engine.path.name)
        assert self.engine.revision == durable
        self.floor = self.engine.compact_revision
        self.model.back_to(durable)

    @rule()
    def go_on_with_a_fork(self) -> None:
        before = self.engine
        self.count += 1
        path = before.path.with_name(str(self.count))
        before.flush()
        self.engine = before.fork(path, self.clock, SeededEntropy(self.count))
        before.close()
        self.engine.close()
        self.open(path.name)
        assert self.engine.revision == self.model.revision

    # what must hold

    @invariant()
    def the_head_is_the_newest(self) -> None:
        for key in (b"/a", b"/a/b", b"/c/d", b"/none"):
            assert self.engine.head(key) == self.model.head.get(key)

    @invariant()
    def every_readable_revision_is_as_it_was(self) -> None:
        newest = self.engine.revision
        for revision in range(max(self.floor, newest - 5, 1), newest + 1):
            state = self.model.states[revision]
            assert {kv.key: kv for kv in self.engine.range(b"/", b"0", revision).kvs} == state
            assert self.engine.get(b"/a", revision) == state.get(b"/a")
        after = max(self.floor, 1)
        expected = [mutation for mutation in self.model.log if after < mutation.revision <= newest]
        assert self.engine.changes(after) == expected

    @invariant()
    def subscribers_saw_all_that_is_durable_and_no_more(self) -> None:
        assert self.seen == [mutation for mutation in self.model.log if mutation.revision <= self.engine.revision]

    @invariant()
    def leases_know_their_keys(self) -> None:
        attached = {lease: keys for lease, keys in self.engine.leases.keys.items() if keys}
        expected: dict[int, set[bytes]] = {}
        for key, kv in self.model.head.items():
            if kv.lease:
                expected.setdefault(kv.lease, set()).add(key)
        assert attached == expected


StoreMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40)
TestStoreEqualsDicts = StoreMachine.TestCase
