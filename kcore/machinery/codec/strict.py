"""What is wrong with an object that came as JSON, in the words of Kubernetes' decoder: wrong types, unknown fields, doubled fields.

The slow half of decoding: the compiled pass says that something is wrong, this module says what. It walks in the order of the text, as Go's
decoder does: the first wrong type is remembered while decoding goes on; a value that refuses its own text (a time, a quantity) ends it.
Source: sigs.k8s.io/json `internal/golang/encoding/json`; observed answers of 1.37.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import orjson

from kcore.base.limits import STRICT_ERRORS_MAX
from kcore.machinery.codec import scalar_forms, tables
from kcore.machinery.codec._json_keys import count_keys, count_names
from kcore.machinery.codec._table import DecodeError, Table
from kcore.machinery.codec.tables import FieldSpec

_GO_SCALARS: Final = {
    tables.BOOL: "bool", tables.INT32: "int32", tables.INT64: "int64", tables.DOUBLE: "float64", tables.STRING: "string",
    tables.BYTES: "[]uint8", tables.QUANTITY: "resource.Quantity", tables.TIME: "v1.Time", tables.MICRO_TIME: "v1.MicroTime",
    tables.INT_OR_STRING: "intstr.IntOrString", tables.RAW: "runtime.RawExtension",
}  # fmt: skip
_INT_RANGES: Final = {tables.INT32: 2**31, tables.INT64: 2**63}


class _Refused(Exception):
    """A value refused its own text, which ends decoding."""


class _Number(float):
    """A number that remembers how it was written."""

    text: str


def explain(table: Table, obj: Any, cause: DecodeError, text: bytes | None = None) -> DecodeError:
    """Return the error of a dict that is no message, in Kubernetes' words where it has some; `cause` says it in kcore's own."""
    walk = _Walk()
    try:
        walk.message(table, _reread(text) if text is not None else obj, _go_name(table), ())
        detail = walk.saved
    except _Refused as refused:
        detail = str(refused)
    if detail is None:
        return cause
    table.describe()
    if not table.kind:
        return DecodeError(detail)
    version = table.api_version.rpartition("/")[2]
    return DecodeError(f'{table.kind} in version "{version}" cannot be handled as a {table.kind}: {detail}')


def unknown_fields(table: Table, obj: Any) -> list[str]:
    """Return a sentence such as `unknown field "spec.foo"` for each field that the message does not have."""
    walk = _Walk()
    try:
        walk.message(table, obj, _go_name(table), ())
    except _Refused:
        pass
    return [f'unknown field "{path}"' for path in walk.unknown]


def duplicates(text: bytes, value: Any = None) -> list[str]:
    """Return a sentence such as `duplicate field "spec.foo"` for each name that an object in JSON text has twice.

    value  what was read from the text, if it was, before anything changed it
    Cost   one pass over the text and one over its value where there is none, which is nearly always
    """
    if count_names(text) == count_keys(orjson.loads(text) if value is None else value):
        return []
    found = dict.fromkeys(_doubled(json.loads(text, object_pairs_hook=_Pairs), ""))
    return [f'duplicate field "{path}"' for path in found][:STRICT_ERRORS_MAX]


def in_order(text: bytes, complaints: list[str]) -> list[str]:
    """Return complaints about unknown and doubled fields in the order in which a text of JSON gives rise to them."""
    places: dict[str, int] = {}
    for path in _places(json.loads(text, object_pairs_hook=_Pairs), ""):
        sentence = f'unknown field "{path}"'
        places.setdefault(sentence if sentence not in places else f'duplicate field "{path}"', len(places))
    return sorted(complaints, key=lambda sentence: places.get(sentence, len(places)))


def _places(value: Any, path: str) -> Iterator[str]:
    """Yield the path of each member, as often as it is there."""
    if isinstance(value, _Pairs):
        for name, item in value:
            place = f"{path}.{name}" if path else name
            yield place
            yield from _places(item, place)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, f"{path}[{index}]")


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object in their order, doubled ones included."""


def _doubled(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, _Pairs):
        seen = set()
        for name, item in value:
            place = f"{path}.{name}" if path else name
            if name in seen:
                yield place
            seen.add(name)
            yield from _doubled(item, place)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _doubled(item, f"{path}[{index}]")


def _reread(text: bytes) -> Any:
    """Read JSON once more, so that each number is still known as it was written."""
    return json.loads(text, parse_float=_number, parse_int=lambda digits: int(digits) if len(digits) < 20 else _number(digits))


def _number(text: str) -> _Number:
    number = _Number(text)
    number.text = text
    return number


def _go_name(table: Table) -> str:
    return table.name.rpartition(".")[2]


def _go_type(table: Table) -> str:
    package, _, name = table.name.rpartition(".")
    return f"{package.rpartition('.')[2]}.{name}"


def _element_type(spec: FieldSpec) -> str:
    """Return the Go type of a value, or of an element of a list or map."""
    if spec.go_type and spec.label != tables.MAP:
        return spec.go_type
    if spec.go_type.startswith("map["):
        return spec.go_type.rpartition("]")[2]
    return _go_type(spec.table) if spec.table is not None else _GO_SCALARS[spec.kind]


def _field_type(spec: FieldSpec) -> str:
    """Return the Go type of a list or map."""
    if spec.label == tables.LIST:
        return f"[]{_element_type(spec)}"
    return spec.go_type or f"map[string]{_element_type(spec)}"


def _word(value: Any) -> str:
    """Name a JSON value as Go's decoder does."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else "number"


class _Walk:
    """One pass over an object: the first wrong type, and the unknown fields."""

    def __init__(self) -> None:
        self.saved: str | None = None
        self.unknown: list[str] = []

    def message(self, table: Table, obj: Any, struct: str, names: tuple[str, ...], place: str = "") -> None:
        """Check an object.

        struct  Go's name of the innermost struct
        names   the fields on the way, as Go's errors list them
        place   the path as unknown fields are reported
        """
        if not isinstance(obj, dict):
            return
        fields = _fields(table)
        for name, value in obj.items():
            found = fields.get(name)
            if found is not None:
                spec, embedded = found
                self.field(spec, value, struct, (*names, *embedded, name), f"{place}{name}")
            elif name not in ("apiVersion", "kind") or (place and not table.is_root):
                self.unknown.append(f"{place}{name}")

    def field(self, spec: FieldSpec, value: Any, struct: str, names: tuple[str, ...], place: str) -> None:
        if value is None:
            return
        if spec.label == tables.LIST:
            if not isinstance(value, list):
                self.mismatch(value, struct, names, _field_type(spec))
                return
            for index, item in enumerate(value):
                self.value(spec, item, struct, names, f"{place}[{index}]")
        elif spec.label == tables.MAP:
            if not isinstance(value, dict):
                self.mismatch(value, struct, names, _field_type(spec))
                return
            for key, item in value.items():
                self.value(spec, item, struct, names, f"{place}.{key}")
        else:
            self.value(spec, value, struct, names, place)

    def value(self, spec: FieldSpec, value: Any, struct: str, names: tuple[str, ...], place: str) -> None:
        if value is None or spec.kind == tables.RAW:
            return
        if spec.kind == tables.OBJECT and spec.table is not None:
            if isinstance(value, dict):
                self.message(spec.table, value, _go_name(spec.table), names, f"{place}.")
            else:
                self.mismatch(value, struct, names, _element_type(spec))
        elif spec.kind == tables.WRAPPED and spec.table is not None:
            self.wrapped(spec, spec.table, value, struct, names, place)
        elif spec.kind in _PARSERS:
            self.parsed(spec.kind, value, struct, names)
        else:
            self.scalar(spec, value, struct, names)

    def wrapped(self, spec: FieldSpec, table: Table, value: Any, struct: str, names: tuple[str, ...], place: str) -> None:
        try:
            inner = table.wrapped(value)
        except TypeError:
            self.mismatch(value, struct, names, _go_type(table))
        except ValueError as error:
            raise _Refused(str(error)) from error
        else:
            for name, item in inner.items():
                self.field(_fields(table)[name][0], item, struct, names, place)

    def parsed(self, kind: int, value: Any, struct: str, names: tuple[str, ...]) -> None:
        """Check a value whose type reads its own text; what it refuses ends decoding."""
        if kind != tables.QUANTITY and not isinstance(value, str):
            raise _Refused(_sentence(_word(value), struct, names, "string"))
        try:
            _PARSERS[kind](value)
        except ValueError as error:
            raise _Refused(str(error)) from error

    def scalar(self, spec: FieldSpec, value: Any, struct: str, names: tuple[str, ...]) -> None:
        kind, word = spec.kind, _word(value)
        if kind == tables.INT_OR_STRING:
            if word != "string" and (refusal := _integer_refusal(value, tables.INT32)):
                raise _Refused(_sentence(refusal, struct, names, "int32"))
        elif kind in _INT_RANGES:
            if refusal := _integer_refusal(value, kind):
                self.save(_sentence(refusal, struct, names, _GO_SCALARS[kind]))
        elif kind == tables.BYTES and word == "string":
            try:
                scalar_forms.base64_bytes(value)
            except ValueError as error:
                self.save(str(error))
        elif word != _WORDS[kind]:
            self.mismatch(value, struct, names, _element_type(spec))

    def mismatch(self, value: Any, struct: str, names: tuple[str, ...], wanted: str) -> None:
        self.save(_sentence(_word(value), struct, names, wanted))

    def save(self, sentence: str) -> None:
        if self.saved is None:
            self.saved = sentence


def _sentence(word: str, struct: str, names: tuple[str, ...], wanted: str) -> str:
    return f"json: cannot unmarshal {word} into Go struct field {struct}.{'.'.join(names)} of type {wanted}"


def _integer_refusal(value: Any, kind: int) -> str:
    """Return how Go names a value that is no integer of this width; empty if it is one."""
    word = _word(value)
    if word != "number":
        return word
    bound = _INT_RANGES[kind]
    if isinstance(value, int) and -bound <= value < bound:
        return ""
    return f"number {value.text if isinstance(value, _Number) else value}"


def _fields(table: Table) -> dict[str, tuple[FieldSpec, tuple[str, ...]]]:
    """Return the fields that a message's JSON object may have, each with the names of the inline messages it stands in."""
    found: dict[str, tuple[FieldSpec, tuple[str, ...]]] = {}
    for spec in map(FieldSpec._make, table.describe()):
        if spec.inline and spec.table is not None:
            for name, (inner, embedded) in _fields(spec.table).items():
                found[name] = inner, (_go_name(spec.table), *embedded)
        else:
            found[spec.name] = spec, ()
    return found


_WORDS: Final = {tables.BOOL: "bool", tables.DOUBLE: "number", tables.STRING: "string", tables.BYTES: "string"}
_PARSERS: Final[dict[int, Callable[[Any], object]]] = {
    tables.QUANTITY: scalar_forms.canonical_quantity,
    tables.TIME: lambda text: scalar_forms.moment(text, False),
    tables.MICRO_TIME: lambda text: scalar_forms.moment(text, True),
}
