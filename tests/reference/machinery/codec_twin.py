"""The codec as one would write it to be understood: straight from descriptors and options, a branch for each JSON form.

`encode` writes forwards and measures by writing; `decode` lets protobuf parse and walks the message; `project` decodes everything.
"""

from __future__ import annotations

import base64
import json
import struct
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message

from kcore.api.options.v1 import options_pb2
from kcore.machinery import timestamp
from kcore.machinery.codec import tables

Field = descriptor_pb2.FieldDescriptorProto
FORM = options_pb2


@cache
def pool() -> DescriptorPool:
    made = DescriptorPool()
    for file in tables.descriptor_set().file:
        made.Add(file)
    return made


def message_class(name: str) -> type[Message]:
    return message_factory.GetMessageClass(pool().FindMessageTypeByName(name))


def form_of(field: Field) -> int | None:
    """The JSON form of a field's message, None for a scalar."""
    return tables.form(tables.messages()[field.type_name[1:]].message) if field.type == Field.TYPE_MESSAGE else None


def is_typed(parent: str, field: Field) -> bool:
    """Whether elements show apiVersion and kind: whole objects that are no items of a list."""
    return (parent, field.name) == ("kcore.api.apps.v1.StatefulSetSpec", "volumeClaimTemplates")


# encode


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def delimited(number: int, payload: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def encode(name: str, obj: dict[str, Any] | None) -> bytes:
    message = tables.messages()[name].message
    out = b""
    for field in sorted(message.field, key=lambda field: field.number):
        rule, entry = tables.rule(field), tables.map_value(message, field)
        value = (obj or {}).get(field.json_name)
        if rule.inline and field.type == Field.TYPE_MESSAGE:
            out += delimited(field.number, encode(field.type_name[1:], obj))
        elif entry is not None:
            for key in sorted(value or {}):
                out += delimited(field.number, delimited(1, key.encode()) + with_number(entry, 2, value[key]))
        elif field.label == Field.LABEL_REPEATED:
            out += b"".join(with_number(field, field.number, item) for item in value or [])
        elif value is not None or rule.always:
            out += with_number(field, field.number, value)
    return out


def with_number(field: Field, number: int, value: Any) -> bytes:
    if field.type == Field.TYPE_DOUBLE:
        return varint(number << 3 | 1) + struct.pack("<d", value or 0)
    if field.type in (Field.TYPE_BOOL, Field.TYPE_INT32, Field.TYPE_INT64):
        return varint(number << 3) + varint(int(value or 0))
    return delimited(number, payload(field, value))


def payload(field: Field, value: Any) -> bytes:
    form = form_of(field)
    if field.type == Field.TYPE_STRING:
        return (value or "").encode()
    if field.type == Field.TYPE_BYTES:
        return base64.b64decode(value or "")
    name = field.type_name[1:]
    if form == FORM.JSON_FORM_QUANTITY:
        return delimited(1, (value or "0").encode())
    if form in (FORM.JSON_FORM_TIME, FORM.JSON_FORM_MICRO_TIME):
        seconds, nanos = timestamp.parse_parts(value) if value else (0, 0)
        return varint(8) + varint(seconds) + varint(16) + varint(nanos if form == FORM.JSON_FORM_MICRO_TIME else 0) if value else b""
    if form == FORM.JSON_FORM_INT_OR_STRING:
        text, number = (value, 0) if isinstance(value, str) else ("", value or 0)
        return varint(8) + varint(isinstance(value, str)) + varint(16) + varint(number) + delimited(3, text.encode())
    if form == FORM.JSON_FORM_RAW:
        return delimited(1, json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()) if value is not None else b""
    return encode(name, value if form == FORM.JSON_FORM_UNSPECIFIED else tables.table(name).wrapped(value))


# decode


def decode(name: str, raw: bytes) -> dict[str, Any]:
    return shown(message_class(name).FromString(raw), name, {})


def shown(message: Message, name: str, out: dict[str, Any]) -> dict[str, Any]:
    """Put a parsed message into a dict."""
    declared = tables.messages()[name].message
    for field in declared.field:
        rule, value = tables.rule(field), getattr(message, field.name)
        if rule.inline and field.type == Field.TYPE_MESSAGE:
            shown(value, field.type_name[1:], out)
        elif field.label == Field.LABEL_REPEATED:
            entry = tables.map_value(declared, field)
            if entry is not None and value:
                out[field.json_name] = {key: element(entry, value[key], name) for key in value}
            elif value:
                out[field.json_name] = [element(field, item, name) for item in value]
            elif rule.emit_empty:
                out[field.json_name] = None
        elif message.HasField(field.name) or rule.always:
            found = element(field, value, name)
            if rule.emit_empty or not is_left_out(field, rule.always, found):
                out[field.json_name] = found
        elif rule.emit_empty:
            out[field.json_name] = None
    return out


def is_left_out(field: Field, always: bool, value: Any) -> bool:
    """Whether JSON leaves an empty value out: a pointer to zero is shown, zero without presence is not."""
    if value is None or (field.type == Field.TYPE_BYTES and value == ""):
        return True
    return always and form_of(field) is None and value in ("", 0, False)


def element(field: Field, value: Any, parent: str) -> Any:
    form = form_of(field)
    if form is None:
        if field.type == Field.TYPE_BYTES:
            return base64.b64encode(value).decode()
        return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value
    if form == FORM.JSON_FORM_QUANTITY:
        return value.string or "0"
    if form in (FORM.JSON_FORM_TIME, FORM.JSON_FORM_MICRO_TIME):
        if not value.ByteSize():
            return None
        return timestamp.format_parts(value.seconds, value.nanos, form == FORM.JSON_FORM_MICRO_TIME)
    if form == FORM.JSON_FORM_INT_OR_STRING:
        return value.strVal if value.type == 1 else value.intVal
    if form == FORM.JSON_FORM_RAW:
        text = value.ListFields()[0][1] if value.ListFields() else b""
        return json.loads(text) if text else None
    name = field.type_name[1:]
    inner = shown(value, name, {})
    if is_typed(parent, field):
        return {"kind": "PersistentVolumeClaim", "apiVersion": "v1", **inner}
    return inner if form == FORM.JSON_FORM_UNSPECIFIED else unwrapped(form, value, inner)


def unwrapped(form: int, message: Message, inner: dict[str, Any]) -> Any:
    if form == FORM.JSON_FORM_LIST:
        return inner.get("items") or []
    if form == FORM.JSON_FORM_SCHEMA_OR_BOOL:
        return inner["schema"] if "schema" in inner else bool(inner.get("allows"))
    names = [field.json_name for field in message.DESCRIPTOR.fields]
    return inner.get(names[1]) or inner.get(names[0])


# normalise, in the sense of the package's guarantee


def normal(name: str, obj: dict[str, Any]) -> dict[str, Any]:
    return decode(name, encode(name, obj))
