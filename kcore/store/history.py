"""What was: the changes since a revision, and the way back to a mark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcore.store.storage import Delete, Mutation, Operation, Put

if TYPE_CHECKING:
    from kcore.store.engine import Engine


def changes_of(engine: Engine, start: bytes, end: bytes, after: int) -> list[Mutation]:
    """The durable mutations of a range after a revision, in order. Cost: a look at every key of the range, a read of each change."""
    found = []
    for revision, sub, key, removed, create_revision, version, lease in engine.index.changes(start, end, after, engine.revision):
        value = None if removed else engine.read(key, revision)
        found.append(Mutation(revision, sub, key, value, create_revision, version, lease))
    return found


def ways_back(engine: Engine, mark: int) -> list[Operation]:
    """What one transaction has to do so that the keyspace is what it was at a mark; a key that ended as it began is left alone.

    Cost: a look at every key, a read of each changed one.
    """
    operations: list[Operation] = []
    for key in engine.index.touched(mark):
        was, now = engine.index.get(key, mark), engine.index.newest(key)
        if was is None and now is not None:
            operations.append(Delete(key))
        elif was is not None:
            before = engine.kv(was)
            lease = before.lease if before.lease in engine.leases.ttl_s else 0
            if now is None or now[5] != lease or engine.kv(now).value != before.value:
                operations.append(Put(key, before.value, lease))
    return operations
