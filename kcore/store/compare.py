"""Conditions of a transaction, and what makes one invalid. Source: etcd `server/etcdserver/txn` (applyCompare), CONTRACT E4."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from kcore.store.storage import Compare, Delete, KeyValue, Operation, Put, StoreError

_RESULTS: dict[str, Callable[[Any, Any], bool]] = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt}
_TARGETS: dict[str, Callable[[KeyValue], int | bytes]] = {
    "mod": lambda kv: kv.mod_revision,
    "create": lambda kv: kv.create_revision,
    "version": lambda kv: kv.version,
    "lease": lambda kv: kv.lease,
    "value": lambda kv: kv.value,
}


def holds(compare: Compare, kv: KeyValue | None) -> bool:
    """Whether a condition holds for a key's newest value.

    Of a key that is not there every number is 0, and no condition on its value holds.
    """
    if kv is None:
        return compare.target != "value" and _RESULTS[compare.result](0, compare.operand)
    return _RESULTS[compare.result](_TARGETS[compare.target](kv), compare.operand)


def refuse_duplicates(operations: Sequence[Operation]) -> None:
    """Raise StoreError if a transaction writes a key twice."""
    if len(operations) == 1:
        return
    puts = [operation.key for operation in operations if isinstance(operation, Put)]
    if len(set(puts)) < len(puts):
        raise StoreError("invalid", "a transaction puts a key twice")
    for operation in operations:
        if isinstance(operation, Delete):
            both = next((key for key in puts if is_within(key, operation.key, operation.range_end)), None)
            if both is not None:
                raise StoreError("invalid", f"a transaction puts and deletes {both.decode(errors='replace')}")


def is_within(key: bytes, start: bytes, end: bytes) -> bool:
    """Whether a key is in a range: [start, end); an end of b"" means start alone, of b"\\0" everything from start on."""
    if not end:
        return key == start
    return key >= start and (end == b"\0" or key < end)
