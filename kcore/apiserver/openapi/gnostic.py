"""An OpenAPI 2 document in the protobuf form that kubectl asks for. Pure.

Tables of field numbers, one a message; a document is written as it stands in JSON, key by key. What OpenAPI leaves open (`default`, `enum`,
extensions) is text in this form: JSON is YAML.

Source: the field numbers of gnostic's `openapiv2/OpenAPIv2.proto`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from kcore.apiserver.views import varint

MEDIA_TYPE: Final = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
OLDER_MEDIA_TYPE: Final = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
"""How clients write it; the answer says the other."""

EXTENSION: Final = "x-"
NAME, VALUE, YAML = 1, 2, 2

Write = Callable[[int, Any], bytes]


@dataclass(slots=True)
class Message:
    """A message: field number and way of writing by key, and the number of its extensions."""

    extensions: int = 0
    fields: dict[str, tuple[int, Write]] = field(default_factory=dict)

    def encode(self, obj: Mapping[str, Any]) -> bytes:
        """Raises KeyError for a key that the message has not."""
        return b"".join(self._field(key, value) for key, value in obj.items())

    def _field(self, key: str, value: Any) -> bytes:
        if key.startswith(EXTENSION):
            return delimited(self.extensions, text(NAME, key) + anything(VALUE, value))
        number, write = self.fields[key]
        return write(number, value)


def encoded(document: Mapping[str, Any]) -> bytes:
    """The bytes of a document."""
    return DOCUMENT.encode(document)


def delimited(number: int, data: bytes) -> bytes:
    """A field that is bytes, a text or a message."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def text(number: int, value: str) -> bytes:
    """A text."""
    return delimited(number, value.encode())


def flag(number: int, value: bool) -> bytes:
    """A boolean."""
    return varint(number << 3) + (b"\x01" if value else b"\x00")


def anything(number: int, value: Any) -> bytes:
    """Any value, as text."""
    return delimited(number, delimited(YAML, orjson.dumps(value) + b"\n"))


def each(write: Write) -> Write:
    """A repeated field."""
    return lambda number, values: b"".join(write(number, value) for value in values)


def one(message: Message) -> Write:
    """A message."""
    return lambda number, value: delimited(number, message.encode(value))


def within(inner: int, write: Write) -> Write:
    """A message around a field."""
    return lambda number, value: delimited(number, write(inner, value))


def named(write: Write, inner: int = 1) -> Write:
    """A message that stands for a map: names and values, in a repeated field."""
    entry = each(lambda number, item: delimited(number, text(NAME, item[0]) + write(VALUE, item[1])))
    return lambda number, values: delimited(number, entry(inner, values.items()))


def parameter(number: int, value: Mapping[str, Any]) -> bytes:
    """A parameter, whose form depends on where it stands."""
    if value["in"] == "body":
        found = delimited(1, BODY_PARAMETER.encode(value))
    else:
        query = value["in"] == "query"
        found = delimited(2, delimited(3 if query else 4, (QUERY_PARAMETER if query else PATH_PARAMETER).encode(value)))
    return delimited(number, delimited(1, found))


SCHEMA: Final = Message(extensions=31)
SCHEMA.fields |= {
    "$ref": (1, text),
    "format": (2, text),
    "description": (4, text),
    "default": (5, anything),
    "required": (19, each(text)),
    "enum": (20, each(anything)),
    "additionalProperties": (21, within(1, one(SCHEMA))),
    "type": (22, within(1, text)),
    "items": (23, within(1, one(SCHEMA))),
    "properties": (25, named(one(SCHEMA))),
}
BODY_PARAMETER: Final = Message(
    fields={"description": (1, text), "name": (2, text), "in": (3, text), "required": (4, flag), "schema": (5, one(SCHEMA))}
)
PATH_PARAMETER: Final = Message(
    fields={
        "required": (1, flag), "in": (2, text), "description": (3, text), "name": (4, text), "type": (5, text), "uniqueItems": (19, flag),
    }
)  # fmt: skip
QUERY_PARAMETER: Final = Message(fields=PATH_PARAMETER.fields | {"type": (6, text), "uniqueItems": (20, flag)})
RESPONSE: Final = Message(fields={"description": (1, text), "schema": (2, within(1, one(SCHEMA)))})
OPERATION: Final = Message(
    extensions=13,
    fields={
        "tags": (1, each(text)),
        "description": (3, text),
        "operationId": (5, text),
        "produces": (6, each(text)),
        "consumes": (7, each(text)),
        "parameters": (8, each(parameter)),
        "responses": (9, named(within(1, one(RESPONSE)))),
        "schemes": (10, each(text)),
    },
)
PATH_ITEM: Final = Message(
    fields={
        **{
            method: (number, one(OPERATION))
            for number, method in enumerate(("get", "put", "post", "delete", "options", "head", "patch"), start=2)
        },
        "parameters": (9, each(parameter)),
    }
)
INFO: Final = Message(fields={"title": (1, text), "version": (2, text)})
KEY_SECURITY: Final = Message(fields={"type": (1, text), "name": (2, text), "in": (3, text), "description": (4, text)})
DOCUMENT: Final = Message(
    fields={
        "swagger": (1, text),
        "info": (2, one(INFO)),
        "paths": (8, named(one(PATH_ITEM), inner=2)),
        "definitions": (9, named(one(SCHEMA))),
        "security": (12, each(named(within(1, each(text))))),
        "securityDefinitions": (13, named(within(2, one(KEY_SECURITY)))),
    }
)
