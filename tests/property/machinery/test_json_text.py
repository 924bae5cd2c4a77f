"""JSON text straight from the wire against the way over the dict."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kcore.apiserver.views import varint
from kcore.base import limits
from kcore.machinery import codec
from kcore.machinery.codec import embedded
from kcore.machinery.codec.tables import FieldSpec
from tests.property.machinery.messages import MESSAGES, objects

NAMED = st.sampled_from(MESSAGES).flatmap(lambda name: st.tuples(st.just(name), objects(name)))
POD, SCHEMA = "kcore.api.core.v1.Pod", "kcore.api.apiextensions.v1.JSONSchemaProps"


@settings(max_examples=300)
@given(NAMED)
@example((POD, {"metadata": {"name": "\x00\x1f\x7f\"\\\b\t\n\f\r/\u2028\U0001f600é", "labels": {"é": "", "": "x", "ﬀ": "\ud7ff"}}}))
@example((SCHEMA, {"default": None, "minimum": -1.5, "maximum": 1e300, "example": [None], "maxLength": -(2**63)}))
def test_text_is_what_the_dict_gives(named: tuple[str, dict[str, Any]]) -> None:
    name, obj = named
    raw = codec.encode(name, obj)
    assert codec.json_text(name, raw) == orjson.dumps(codec.decode(name, raw))
    shown = codec.decode(name, raw, "g/v1", "Kind")
    assert codec.json_text(name, raw, "g/v1", "Kind", b"\n") == orjson.dumps(shown) + b"\n"


@settings(max_examples=300)
@given(NAMED, st.data())
def test_what_comes_twice_or_is_damaged_gives_the_text_of_its_dict(named: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    name, obj = named
    raw = bytearray(codec.encode(name, obj) * data.draw(st.integers(1, 2)))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(raw)))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    decoded: dict[str, Any] | None = None
    with suppress(codec.DecodeError):
        decoded = codec.decode(name, bytes(raw))
    if decoded is not None:
        assert orjson.loads(codec.json_text(name, bytes(raw))) == orjson.loads(orjson.dumps(decoded))


@pytest.mark.parametrize("cut", [b"\x0a", b"\x0a\x05ab", b"\x0a\x02\x0a\x04", b"\x12\x02\x3a\x03", b"\x08\x01", b"\x0a\x02\x5a\x05"])
def test_bytes_that_are_no_message_are_refused(cut: bytes) -> None:
    with pytest.raises(codec.DecodeError):
        codec.json_text(POD, cut)


def test_text_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(codec.DecodeError, match="UTF-8"):
        codec.json_text(POD, b"\x0a\x04\x0a\x02\xed\xa0")


def test_nesting_is_bounded() -> None:
    number = next(field.number for field in map(FieldSpec._make, codec.table(SCHEMA).describe()) if field.name == "not")
    raw = b""
    for _ in range(limits.MESSAGE_DEPTH_MAX + 1):
        raw = codec.splice(b"", [((number,), varint(number << 3 | 2) + varint(len(raw)) + raw)])
    with pytest.raises(codec.DecodeError, match="nested more than"):
        codec.json_text(SCHEMA, raw)


def test_embedded_json_keeps_its_blanks() -> None:
    blanks = b'{"a": 1}'
    default = embedded.parse_embedded(blanks)
    assert codec.json_text(SCHEMA, codec.encode(SCHEMA, {"default": default})) == b'{"default":' + blanks + b"}"
