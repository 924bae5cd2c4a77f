"""How the fields of a kind are merged by a strategic merge patch, read from the options in proto/.

Source: the options in `kcore/api/options/v1/options.proto`; apimachinery `third_party/forked/golang/json/fields.go` for the sentences.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from google.protobuf import descriptor_pb2

from kcore.api.options.v1 import options_pb2
from kcore.machinery import field_error, status
from kcore.machinery.codec import tables

MERGE, REPLACE, RETAIN_KEYS = "merge", "replace", "retainKeys"
Field = descriptor_pb2.FieldDescriptorProto


class Shape(NamedTuple):
    """What a value is in Kubernetes' types: a struct with the fields of `message`, a map, a slice or something else."""

    go_kind: str
    message: str = ""


class FieldMeta(NamedTuple):
    """How one field is merged.

    strategy  `merge`, `replace` or nothing, which merges objects and replaces lists
    below     the shape of the value; of an element if it is a list
    """

    strategy: str
    merge_key: str
    below: Shape


def struct(message: str) -> Shape:
    """The shape of a message."""
    return Shape("struct", message)


def lookup(shape: Shape, name: str) -> FieldMeta:
    """How the field of that name is merged. Raises StatusError (500) where Kubernetes finds no such field."""
    if shape.go_kind != "struct":
        raise status.unknown(f"merging an object in json but data type is not struct, instead is: {shape.go_kind}")
    found = _fields(shape.message).get(name)
    if found is None:
        go_name = shape.message.rpartition(".")[2]
        raise status.unknown(f"unable to find api field in struct {go_name} for the json field {field_error.quote(name)}")
    return found


@cache
def _fields(message: str) -> dict[str, FieldMeta]:
    """The fields that a message's JSON object may have."""
    declared = tables.messages()[message].message
    found: dict[str, FieldMeta] = {}
    if tables.form(declared) == options_pb2.JSON_FORM_UNSPECIFIED:
        for field in declared.field:
            rule = tables.rule(field)
            if rule.inline:
                found |= _fields(field.type_name[1:])
            else:
                strategies = [strategy for strategy in rule.patch_strategy if strategy != RETAIN_KEYS]
                found[field.json_name] = FieldMeta(strategies[0] if strategies else "", rule.patch_merge_key, _below(declared, field))
    return found


def _below(declared: descriptor_pb2.DescriptorProto, field: Field) -> Shape:
    if tables.map_value(declared, field) is not None:
        return Shape("map")
    if field.type != Field.TYPE_MESSAGE:
        return Shape("scalar")
    name = field.type_name[1:]
    return Shape("slice") if tables.form(tables.messages()[name].message) == options_pb2.JSON_FORM_LIST else struct(name)
