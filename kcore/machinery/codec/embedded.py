"""JSON inside of a message (RawExtension, JSON, FieldsV1): a value in the dict, its text on the wire.

Kubernetes keeps the text that a client sent, with its blanks. A value whose text is not what orjson would write remembers it, so that
decoding and encoding an object changes no byte of it; once the value is changed, it is written anew.
"""

from __future__ import annotations

from typing import Any

import orjson


class EmbeddedObject(dict[str, Any]):
    """A JSON object that remembers the text it was read from."""

    text: bytes


class EmbeddedList(list[Any]):
    """A JSON list that remembers the text it was read from."""

    text: bytes


def parse_embedded(text: bytes) -> Any:
    """Return the value of JSON text.

    Raises  ValueError if it is none
    """
    value = orjson.loads(text)
    if not isinstance(value, (dict, list)) or orjson.dumps(value) == text:
        return value
    keeper = EmbeddedObject(value) if isinstance(value, dict) else EmbeddedList(value)
    keeper.text = text
    return keeper


def write_embedded(value: Any) -> bytes:
    """Return the JSON text of a value: the one it was read from, unless it was changed since.

    Raises  TypeError if it is no JSON value
    """
    if isinstance(value, (EmbeddedObject, EmbeddedList)) and orjson.loads(value.text) == value:
        return value.text
    return orjson.dumps(value)
