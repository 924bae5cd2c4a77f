"""Hypothesis strategies for objects of any message, straight from its table."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from kcore.machinery.codec import tables
from kcore.machinery.codec._table import Table
from kcore.machinery.codec.tables import FieldSpec

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
TIMES = st.datetimes(min_value=datetime(1000, 1, 1))  # noqa: DTZ001 - written as UTC below

MESSAGES = [
    "kcore.api.core.v1.Pod", "kcore.api.core.v1.Service", "kcore.api.core.v1.Node", "kcore.api.core.v1.Secret", "kcore.api.core.v1.PodList",
    "kcore.api.core.v1.Event", "kcore.api.apps.v1.Deployment", "kcore.api.apps.v1.StatefulSet", "kcore.api.coordination.v1.Lease",
    "kcore.api.apiextensions.v1.CustomResourceDefinition", "kcore.api.apiextensions.v1.JSONSchemaProps", "kcore.api.meta.v1.Status",
    "kcore.api.resource.v1.ResourceSlice", "kcore.api.admissionregistration.v1.ValidatingWebhookConfiguration",
    "kcore.api.authentication.v1.TokenReview", "kcore.api.autoscaling.v2.HorizontalPodAutoscaler", "kcore.api.meta.v1.APIResourceList",
]  # fmt: skip


def objects(name: str, depth: int = 5) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of a message as a client may send them, with nulls and empty values."""
    return _message(tables.table(name), depth)


def _message(table: Table, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for spec in map(FieldSpec._make, table.describe()):
        if spec.inline and spec.table is not None:
            continue
        if spec.table is not None and depth <= 0:
            continue
        fields[spec.name] = _field(spec, depth)
    inlined = [spec.table for spec in map(FieldSpec._make, table.describe()) if spec.inline and spec.table is not None]
    own = _some(fields)
    if not inlined:
        return own
    return st.tuples(own, *(_message(inner, depth) for inner in inlined)).map(_joined)


def _joined(parts: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    return {key: value for part in parts for key, value in part.items()}


def _some(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    if not fields:
        return st.just({})
    names = st.lists(st.sampled_from(sorted(fields)), max_size=5, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: fields[name] for name in chosen}))


def _field(spec: FieldSpec, depth: int) -> st.SearchStrategy[Any]:
    value = st.deferred(lambda: _value(spec, depth))
    if spec.label == tables.LIST:
        return st.none() | st.lists(value, min_size=int(spec.keep_empty), max_size=3)
    if spec.label == tables.MAP:
        return st.none() | st.dictionaries(TEXT, value, max_size=3)
    return st.none() | value if spec.kind != tables.RAW else value


def _value(spec: FieldSpec, depth: int) -> st.SearchStrategy[Any]:
    if spec.kind == tables.OBJECT and spec.table is not None:
        return _message(spec.table, depth - 1)
    if spec.kind == tables.WRAPPED and spec.table is not None:
        return _wrapped(spec.table, depth - 1)
    return _SCALARS[spec.kind]


def _wrapped(table: Table, depth: int) -> st.SearchStrategy[Any]:
    """Values of a message that is a list, or a schema or something else."""
    specs = [FieldSpec._make(spec) for spec in table.describe()]
    if len(specs) == 1 and specs[0].label == tables.LIST:
        return st.lists(TEXT, max_size=3)
    schema = next((spec.table for spec in specs if spec.table is not None), None)
    other = next(spec for spec in specs if spec.table is None or spec.label == tables.LIST)
    schemas = _message(schema, depth) if schema is not None and depth > 0 else st.just({})
    if other.kind == tables.BOOL:
        return st.booleans() | schemas
    return st.lists(TEXT if other.kind == tables.STRING else schemas, min_size=1, max_size=2) | schemas


_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    tables.BOOL: st.booleans(),
    tables.INT32: st.integers(-(2**31), 2**31 - 1) | st.just(0),
    tables.INT64: st.integers(-(2**63), 2**63 - 1) | st.just(0),
    tables.DOUBLE: st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000),
    tables.STRING: TEXT,
    tables.BYTES: st.binary(max_size=12).map(lambda data: base64.b64encode(data).decode()),
    tables.TIME: TIMES.map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ")),
    tables.MICRO_TIME: TIMES.map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")),
    tables.QUANTITY: st.sampled_from(["0", "1", "100m", "1500m", "128Mi", "1Gi", "1023", "999999999", "1k", "9E", "1e3"]),
    tables.INT_OR_STRING: st.integers(-(2**31), 2**31 - 1) | TEXT,
    tables.RAW: JSON.filter(lambda value: value is not None),
}
