"""What is wrong with a strategically merged object, in the words of the converter that Kubernetes makes objects of maps with.

The slow half: the compiled codec says that a value has the wrong type, this module says which one, in the order of the kind's fields.
Source: apimachinery `pkg/runtime/converter.go` (fromUnstructured).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kcore.machinery.codec import DecodeError, Table, scalar_forms, tables
from kcore.machinery.codec.tables import FieldSpec
from kcore.machinery.patch.printed import type_name

_GO_KINDS: Final = {dict: "map", list: "slice", str: "string", bool: "bool", int: "int64", float: "float64"}
_SCALARS: Final = {
    tables.BOOL: (bool, "bool"), tables.STRING: (str, "string"), tables.INT32: (int, "int32"), tables.INT64: (int, "int64"),
    tables.DOUBLE: (int, "float64"),
}  # fmt: skip
_WORDS: Final = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}
_READERS: Final[dict[int, Callable[[Any], object]]] = {
    tables.QUANTITY: scalar_forms.canonical_quantity,
    tables.TIME: lambda text: scalar_forms.moment(text, False),
    tables.MICRO_TIME: lambda text: scalar_forms.moment(text, True),
}


class _Refused(Exception):
    """The first value that cannot be converted; says why."""


def explain(table: Table, obj: Any, cause: DecodeError) -> str:
    """The sentence about an object that is no message of a table; `cause` says it in kcore's own words."""
    try:
        _message(table, obj)
    except _Refused as refused:
        return str(refused)
    return str(cause)


def _message(table: Table, obj: Any) -> None:
    if not isinstance(obj, dict):
        raise _Refused(f"cannot restore struct from: {_GO_KINDS[type(obj)]}")
    for spec in map(FieldSpec._make, table.describe()):
        if spec.inline and spec.table is not None:
            _message(spec.table, obj)
        elif obj.get(spec.name) is not None:
            _field(spec, obj[spec.name])


def _field(spec: FieldSpec, value: Any) -> None:
    if spec.label == tables.LIST:
        if not isinstance(value, list):
            raise _Refused(f"cannot restore slice from {_GO_KINDS[type(value)]}")
        items = value
    elif spec.label == tables.MAP:
        if not isinstance(value, dict):
            raise _Refused(f"cannot restore map from {_GO_KINDS[type(value)]}")
        items = list(value.values())
    else:
        items = [value]
    for item in items:
        if item is not None:
            _value(spec, item)


def _value(spec: FieldSpec, value: Any) -> None:
    if spec.kind == tables.OBJECT and spec.table is not None:
        _message(spec.table, value)
    elif spec.kind in _SCALARS:
        _scalar(spec, value)
    elif spec.kind == tables.BYTES:
        _content(value)
    elif spec.kind in _READERS:
        _text(spec.kind, value)
    elif spec.kind == tables.INT_OR_STRING and not isinstance(value, str | int):
        raise _Refused(f"json: cannot unmarshal {_WORDS[type(value)]} into Go value of type int32")


def _scalar(spec: FieldSpec, value: Any) -> None:
    """Check a simple type: Go converts between numbers, and would make a string of an integer, which is refused by name."""
    wanted, name = _SCALARS[spec.kind]
    if type(value) is wanted or (wanted is int and isinstance(value, float) and (value.is_integer() or spec.kind == tables.DOUBLE)):
        return
    if (wanted is str and type(value) is int) or (wanted is int and isinstance(value, float)):
        raise _Refused(f"cannot convert {type_name(value)} to {spec.go_type or name}")
    raise _Refused(f"unrecognized type: {name}")


def _content(value: Any) -> None:
    if not isinstance(value, str):
        raise _Refused(f"cannot restore slice from {_GO_KINDS[type(value)]}")
    try:
        scalar_forms.base64_bytes(value)
    except ValueError as error:
        raise _Refused(f"error decoding from json: {error}") from error


def _text(kind: int, value: Any) -> None:
    if kind != tables.QUANTITY and not isinstance(value, str):
        raise _Refused(f"json: cannot unmarshal {_WORDS[type(value)]} into Go value of type string")
    try:
        _READERS[kind](value)
    except (TypeError, ValueError) as error:
        raise _Refused(str(error)) from error
