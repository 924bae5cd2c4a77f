"""The shape of a kind as apply sees it: which lists are sets or maps, which maps and objects are one value. Read from the descriptors.

A type is built when it is first used and lives as long as the process; a kind's types refer to each other (and a JSON schema to itself).
Source: kube-openapi `pkg/schemaconv`.
"""

from __future__ import annotations

import json
import sys
from functools import cache, cached_property
from typing import Any, Final, Literal

from google.protobuf import descriptor_pb2

from kcore.api.options.v1 import options_pb2
from kcore.machinery.codec import tables

Field = descriptor_pb2.FieldDescriptorProto
ScalarName = Literal["string", "numeric", "boolean", "untyped"]
SCALAR, MAP, LIST, ANY = range(4)


class Type:
    """What a value may be. `tag` says which of the four it is; `atomic`: it is owned as a whole."""

    tag = ANY
    atomic = True


class Scalar(Type):
    """A value without parts."""

    tag = SCALAR

    def __init__(self, name: ScalarName) -> None:
        self.name = name


class Map(Type):
    """Values by name: an object with declared fields, or a map whose values have one type."""

    tag = MAP

    def __init__(self, element: Type | None, atomic: bool) -> None:
        self.element, self.atomic = element, atomic
        self.fields: dict[str, Type] = {}


class Struct(Map):
    """The declared fields of a message."""

    def __init__(self, message: str, atomic: bool) -> None:
        self.element, self.atomic, self.message = None, atomic, message

    @cached_property
    def fields(self) -> dict[str, Type]:  # type: ignore[override]
        return dict(_fields(self.message))


class List(Type):
    """A list: one value, a set of scalars, or a map whose elements are known by the values of their keys.

    keys      names of the fields that identify an element, sorted; empty for a set
    defaults  what a key is where an element does not state it
    """

    tag = LIST

    def __init__(self, element: Type, atomic: bool, keys: tuple[str, ...] = (), defaults: dict[str, Any] | None = None) -> None:
        self.element, self.atomic, self.keys, self.defaults = element, atomic, keys, defaults or {}


STRING: Final = Scalar("string")
NUMERIC: Final = Scalar("numeric")
BOOLEAN: Final = Scalar("boolean")
UNTYPED: Final = Scalar("untyped")
ANYTHING: Final = Type()

_SCALARS: Final[dict[int, Scalar]] = {
    Field.TYPE_BOOL: BOOLEAN, Field.TYPE_INT32: NUMERIC, Field.TYPE_INT64: NUMERIC, Field.TYPE_DOUBLE: NUMERIC,
    Field.TYPE_STRING: STRING, Field.TYPE_BYTES: STRING,
}  # fmt: skip
_FORMS: Final[dict[int, Type]] = {
    options_pb2.JSON_FORM_TIME: UNTYPED,
    options_pb2.JSON_FORM_MICRO_TIME: UNTYPED,
    options_pb2.JSON_FORM_QUANTITY: UNTYPED,
    options_pb2.JSON_FORM_INT_OR_STRING: UNTYPED,
    options_pb2.JSON_FORM_DURATION: STRING,
    options_pb2.JSON_FORM_RAW: ANYTHING,
    options_pb2.JSON_FORM_SCHEMA_OR_ARRAY: ANYTHING,
    options_pb2.JSON_FORM_SCHEMA_OR_BOOL: ANYTHING,
    options_pb2.JSON_FORM_SCHEMA_OR_STRINGS: ANYTHING,
}
_EMPTY_BY_DEFAULT: Final = frozenset((("kcore.api.core.v1.LocalObjectReference", "name"),))
"""Keys whose default is the empty value although JSON leaves them out then."""


@cache
def type_of(message: str, atomic: bool = False) -> Type:
    """The type of a message such as `kcore.api.apps.v1.Deployment`; `atomic` where the field that holds it says so."""
    found = tables.messages()[message].message
    form = tables.form(found)
    if form == options_pb2.JSON_FORM_LIST:
        return List(_element(found.field[0]), True)
    if form in _FORMS:
        return _FORMS[form]
    return Struct(message, atomic)


def _fields(message: str) -> list[tuple[str, Type]]:
    """The fields of a message as its JSON shows them: those of an inlined message stand among them."""
    found = tables.messages()[message].message
    shown: list[tuple[str, Type]] = [("apiVersion", STRING), ("kind", STRING)] if tables.is_top_level(found) else []
    for field in found.field:
        if tables.rule(field).inline:
            shown.extend(_fields(field.type_name[1:]))
        else:
            shown.append((sys.intern(field.json_name), _type(found, field)))
    return shown


def _type(message: descriptor_pb2.DescriptorProto, field: Field) -> Type:
    rule = tables.rule(field)
    value = tables.map_value(message, field)
    if value is not None:
        return Map(_element(value), rule.map_type == "atomic")
    if field.label == Field.LABEL_REPEATED:
        return _list(field, rule)
    return _element(field, rule.map_type)


def _element(field: Field, map_type: str = "") -> Type:
    """The type of one value; the field's own word about a map goes before that of its message."""
    if field.type != Field.TYPE_MESSAGE:
        return _SCALARS[field.type]
    name = field.type_name[1:]
    stated = map_type or tables.map_type(tables.messages()[name].message)
    return type_of(name, stated == "atomic")


def _list(field: Field, rule: options_pb2.FieldRule) -> List:
    element = _element(field)
    merged = "merge" in rule.patch_strategy
    kind = rule.list_type or ("atomic" if not merged else "map" if rule.patch_merge_key else "set")
    if kind == "atomic":
        return List(element, True)
    if kind == "set":
        return List(element, False)
    keys = tuple(sorted(rule.map_keys or [rule.patch_merge_key]))
    return List(element, False, keys, _key_defaults(field.type_name[1:], keys))


def _key_defaults(message: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """What an element that omits a key is known by: the key's default, or its zero value if JSON always shows the key."""
    defaults: dict[str, Any] = {}
    for field in tables.messages()[message].message.field:
        rule = tables.rule(field)
        if rule.inline:
            defaults |= _key_defaults(field.type_name[1:], keys)
        elif field.json_name not in keys:
            continue
        elif rule.default_json:
            defaults[field.json_name] = json.loads(rule.default_json)
        elif rule.emit_empty or (message, field.json_name) in _EMPTY_BY_DEFAULT:
            defaults[field.json_name] = "" if field.type == Field.TYPE_STRING else 0
    return defaults
