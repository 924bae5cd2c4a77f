"""From descriptors to the tables that drive codec, projection, defaulting and validation.

The descriptor set is parsed once (about 7 ms) and indexed by message; the table of a message is built when it is first used, since a
process works with few of the 700. Immutable afterwards; any thread may use it.
Source: the options in `kcore/api/options/v1/options.proto`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from google.protobuf import descriptor_pb2

from kcore.api.options.v1 import options_pb2
from kcore.machinery.codec import scalar_forms
from kcore.machinery.codec._table import Table
from kcore.machinery.gvk import join_api_version

DESCRIPTORS: Final = "descriptors.binpb"
PACKAGE: Final = "kcore.api."

# The kinds and labels of `ext/kcore/machinery/_table.pxd`.
BOOL, INT32, INT64, DOUBLE, STRING, BYTES, OBJECT, TIME, MICRO_TIME, QUANTITY, INT_OR_STRING, RAW, WRAPPED = range(13)
SINGULAR, LIST, MAP = range(3)

Message = descriptor_pb2.DescriptorProto
Field = descriptor_pb2.FieldDescriptorProto

_SCALARS: Final = {
    Field.TYPE_BOOL: BOOL,
    Field.TYPE_INT32: INT32,
    Field.TYPE_INT64: INT64,
    Field.TYPE_DOUBLE: DOUBLE,
    Field.TYPE_STRING: STRING,
    Field.TYPE_BYTES: BYTES,
}
_FORMS: Final[dict[int, int]] = {
    options_pb2.JSON_FORM_TIME: TIME,
    options_pb2.JSON_FORM_MICRO_TIME: MICRO_TIME,
    options_pb2.JSON_FORM_QUANTITY: QUANTITY,
    options_pb2.JSON_FORM_INT_OR_STRING: INT_OR_STRING,
    options_pb2.JSON_FORM_RAW: RAW,
    options_pb2.JSON_FORM_UNSPECIFIED: OBJECT,
}
_LIST_META: Final = ".kcore.api.meta.v1.ListMeta"

Wrap = Callable[[Any], dict[str, Any]]
Unwrap = Callable[[dict[str, Any]], Any]


class FieldSpec(NamedTuple):
    """One field as the codec knows it; the order is what `Table` expects."""

    number: int
    kind: int
    label: int
    always: bool
    emit: bool
    inline: bool
    typed: bool
    name: str
    table: Table | None
    go_type: str
    keep_empty: bool


class Index(NamedTuple):
    """Where a message is declared."""

    package: str
    message: Message


@cache
def descriptor_set() -> descriptor_pb2.FileDescriptorSet:
    """Everything that proto/ declares."""
    return descriptor_pb2.FileDescriptorSet.FromString(resources.files("kcore.api").joinpath(DESCRIPTORS).read_bytes())


@cache
def messages() -> dict[str, Index]:
    """The top-level messages by full name."""
    return {
        f"{file.package}.{message.name}": Index(file.package, message)
        for file in descriptor_set().file
        if file.package.startswith(PACKAGE)
        for message in file.message_type
    }


@cache
def table(name: str) -> Table:
    """Return the table of a message, such as `kcore.api.core.v1.Pod`.

    Raises  KeyError if there is no such message
    """
    if name not in messages():
        raise KeyError(name)
    return Table(name, _resolve)


def rule(field: Field) -> options_pb2.FieldRule:
    """Return what the options say of a field."""
    stated: options_pb2.FieldRule = _extensions(field.options)[options_pb2.field]
    return stated


def form(message: Message) -> int:
    """Return the JSON form of a message, JSON_FORM_UNSPECIFIED for an object."""
    stated: int = _extensions(message.options)[options_pb2.json_form]
    return stated


def map_type(message: Message) -> str:
    """Return how server-side apply merges a message: `atomic`, `granular`, or nothing where the options do not say."""
    stated: str = _extensions(message.options)[options_pb2.map_type]
    return stated


def is_top_level(message: Message) -> bool:
    """Say whether objects of a message have `apiVersion` and `kind` in JSON."""
    return type_meta(message) is not None


def _extensions(options: Any) -> Any:
    """Return the extensions of options, which the generated stubs give no types."""
    return options.Extensions


def map_value(message: Message, field: Field) -> Field | None:
    """Return the value field of a map's entry message, None if the field is no map."""
    if field.type != Field.TYPE_MESSAGE or field.label != Field.LABEL_REPEATED:
        return None
    name = field.type_name.rpartition(".")[2]
    entry = next((nested for nested in message.nested_type if nested.name == name and nested.options.map_entry), None)
    return entry.field[1] if entry is not None else None


def _resolve(name: str) -> tuple[list[FieldSpec], tuple[str, str] | None, Wrap | None, Unwrap | None]:
    message = messages()[name].message
    specs = [_spec(message, field) for field in message.field]
    wrap, unwrap = _WRAPPERS.get(form(message), _no_wrapper)(specs)
    return specs, type_meta(message), wrap, unwrap


def _spec(message: Message, field: Field) -> FieldSpec:
    rules, value = rule(field), map_value(message, field)
    label = MAP if value is not None else LIST if field.label == Field.LABEL_REPEATED else SINGULAR
    kind, sub = _kind(value if value is not None else field)
    inline = rules.inline and kind == OBJECT
    typed = label == LIST and kind == OBJECT and type_meta(message) is None and _has_resource(field.type_name[1:])
    name = sys.intern(field.json_name)
    return FieldSpec(field.number, kind, label, rules.always, rules.emit_empty, inline, typed, name, sub, rules.go_type, rules.keep_empty)


def _kind(field: Field) -> tuple[int, Table | None]:
    if field.type != Field.TYPE_MESSAGE:
        return _SCALARS[field.type], None
    name = field.type_name[1:]
    kind = _FORMS.get(form(messages()[name].message), WRAPPED)
    return kind, table(name) if kind in (OBJECT, WRAPPED) else None


def type_meta(message: Message) -> tuple[str, str] | None:
    """Return `apiVersion` and `kind` of a message whose objects have these in JSON (empty for a list), None for another."""
    kind = _extensions(message.options)[options_pb2.kind]
    if kind.version:
        return join_api_version(kind.group, kind.version), message.name
    return ("", "") if any(field.type_name == _LIST_META for field in message.field) else None


def _has_resource(name: str) -> bool:
    """Say whether objects of a message are resources: a claim inside of a StatefulSet is one, and says so."""
    return bool(_extensions(messages()[name].message.options)[options_pb2.kind].resource)


def _no_wrapper(_specs: list[FieldSpec]) -> tuple[None, None]:
    return None, None


def _list_wrapper(specs: list[FieldSpec]) -> tuple[Wrap, Unwrap]:
    items = specs[0].name

    def wrap(value: Any) -> dict[str, Any]:
        return {items: _expect(list, value)} if value is not None else {}

    def unwrap(message: dict[str, Any]) -> Any:
        return message.get(items) or []

    return wrap, unwrap


def _schema_or_list_wrapper(specs: list[FieldSpec]) -> tuple[Wrap, Unwrap]:
    schema, items = specs[0].name, specs[1].name

    def wrap(value: Any) -> dict[str, Any]:
        return {schema if isinstance(value, dict) else items: _expect((dict, list), value)} if value is not None else {}

    def unwrap(message: dict[str, Any]) -> Any:
        return message.get(items) or message.get(schema)

    return wrap, unwrap


def _schema_or_bool_wrapper(specs: list[FieldSpec]) -> tuple[Wrap, Unwrap]:
    allows, schema = specs[0].name, specs[1].name

    def wrap(value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            return {allows: True, schema: value}
        if value is not None and not isinstance(value, bool):
            raise ValueError("boolean or JSON schema expected")
        return {allows: value} if value is not None else {}

    def unwrap(message: dict[str, Any]) -> Any:
        found = message.get(schema)
        return found if found is not None else message.get(allows, False)

    return wrap, unwrap


def _duration_wrapper(_specs: list[FieldSpec]) -> tuple[Wrap, Unwrap]:
    return scalar_forms.wrap_duration, scalar_forms.unwrap_duration


def _expect(types: type | tuple[type, ...], value: Any) -> Any:
    if not isinstance(value, types):
        raise TypeError(f"{type(value).__name__} is not what this message has in JSON")
    return value


_WRAPPERS: Final[dict[int, Callable[[list[FieldSpec]], tuple[Wrap | None, Unwrap | None]]]] = {
    options_pb2.JSON_FORM_LIST: _list_wrapper,
    options_pb2.JSON_FORM_SCHEMA_OR_ARRAY: _schema_or_list_wrapper,
    options_pb2.JSON_FORM_SCHEMA_OR_BOOL: _schema_or_bool_wrapper,
    options_pb2.JSON_FORM_SCHEMA_OR_STRINGS: _schema_or_list_wrapper,
    options_pb2.JSON_FORM_DURATION: _duration_wrapper,
}
