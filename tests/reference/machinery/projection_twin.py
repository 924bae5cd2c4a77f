"""Projection as one would write it to be understood: decode everything, then follow the path."""

from __future__ import annotations

from typing import Any

from kcore.machinery import codec, timestamp
from kcore.machinery.codec import tables
from kcore.machinery.codec._table import Table
from kcore.machinery.codec.tables import FieldSpec

ZEROS = {
    tables.BOOL: False,
    tables.STRING: "",
    tables.BYTES: "",
    tables.OBJECT: {},
    tables.QUANTITY: "",
    tables.RAW: None,
    tables.WRAPPED: None,
}


def project(message: str, path: str, raw: bytes) -> Any:
    return follow(tables.table(message), codec.decode(message, raw), path.split("."))


def follow(table: Table, obj: dict[str, Any], parts: list[str]) -> Any:
    optional, present = parts[0].endswith("?"), parts[0].endswith("@present")
    name = parts[0].removesuffix("?").removesuffix("@present").removesuffix("[]")
    spec = find(table, name)
    value = obj.get(name)
    if len(parts) == 1:
        if present:
            return value is not None
        return value_of(spec, value, optional)
    assert spec.table is not None
    if spec.label == tables.LIST:
        return tuple(follow(spec.table, item, parts[1:]) for item in value or [])
    return follow(spec.table, value or {}, parts[1:])


def find(table: Table, name: str) -> FieldSpec:
    for spec in map(FieldSpec._make, table.describe()):
        if spec.name == name and not spec.inline:
            return spec
        if spec.inline and spec.table is not None and name in spec.table.slot_names():
            return find(spec.table, name)
    raise KeyError(name)


def value_of(spec: FieldSpec, value: Any, optional: bool) -> Any:
    if spec.label == tables.LIST:
        return tuple(of_kind(spec, item) for item in value or [])
    if spec.label == tables.MAP:
        return value or {}
    if value is None:
        return None if optional else ZEROS.get(spec.kind, 0)
    return of_kind(spec, value)


def of_kind(spec: FieldSpec, value: Any) -> Any:
    if spec.kind in (tables.TIME, tables.MICRO_TIME) and value is not None:
        seconds, nanos = timestamp.parse_parts(value)
        return seconds if spec.kind == tables.TIME else seconds * 1_000_000 + nanos // 1000
    return value
