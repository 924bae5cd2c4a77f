"""Conditions of a transaction. Source: etcd `server/etcdserver/txn` (applyCompare), CONTRACT E4."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from kcore.store.storage import Compare, KeyValue

_RESULTS: dict[str, Callable[[Any, Any], bool]] = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt}
_TARGETS: dict[str, Callable[[KeyValue], int | bytes]] = {
    "mod": lambda kv: kv.mod_revision,
    "create": lambda kv: kv.create_revision,
    "version": lambda kv: kv.version,
    "lease": lambda kv: kv.lease,
    "value": lambda kv: kv.value,
}


def holds(compare: Compare, kv: KeyValue | None) -> bool:
    """Whether a condition holds for a key's newest value; of a key that is not there every number is 0, and no condition on its value holds."""
    if kv is None:
        return compare.target != "value" and _RESULTS[compare.result](0, compare.operand)
    return _RESULTS[compare.result](_TARGETS[compare.target](kv), compare.operand)
