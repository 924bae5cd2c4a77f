"""The way back to a mark: what one transaction has to do so that the keyspace is what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcore.store.storage import Delete, Operation, Put

if TYPE_CHECKING:
    from kcore.store.engine import Engine


def ways_back(engine: Engine, mark: int) -> list[Operation]:
    """The operations, by key; a key that ended as it began is left alone. Cost: a look at every key, a read of each changed one."""
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
