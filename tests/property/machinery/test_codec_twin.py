"""The compiled codec against its twin, against protobuf's own runtime, and against garbage."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.machinery import codec
from tests.property.machinery.messages import MESSAGES, objects
from tests.reference.machinery import codec_twin

NAMED = st.sampled_from(MESSAGES).flatmap(lambda name: st.tuples(st.just(name), objects(name)))


@settings(max_examples=300)
@given(NAMED)
def test_encoding_equals_the_twin_and_protobuf_itself(named: tuple[str, dict[str, Any]]) -> None:
    name, obj = named
    raw = codec.encode(name, obj)
    assert raw == codec_twin.encode(name, obj)
    by_protobuf = codec_twin.message_class(name).FromString(raw).SerializeToString()
    assert (len(by_protobuf), codec.decode(name, by_protobuf)) == (len(raw), codec.decode(name, raw))


@settings(max_examples=300)
@given(NAMED)
def test_decoding_equals_the_twin_and_what_normalising_gives(named: tuple[str, dict[str, Any]]) -> None:
    name, obj = named
    raw = codec.encode(name, obj)
    decoded = codec.decode(name, raw)
    assert decoded == codec_twin.decode(name, raw)
    unknown: list[str] = []
    assert codec.normalise(name, obj, unknown) == decoded
    assert unknown == []


@settings(max_examples=200)
@given(NAMED)
def test_what_was_decoded_encodes_to_the_same_bytes(named: tuple[str, dict[str, Any]]) -> None:
    name, obj = named
    raw = codec.encode(name, codec.normalise(name, obj))
    assert codec.encode(name, codec.decode(name, raw)) == raw


@settings(max_examples=300)
@given(NAMED, st.data())
def test_damaged_bytes_decode_or_raise_and_nothing_else(named: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    name, obj = named
    raw = bytearray(codec.encode(name, obj))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw)))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        decoded = codec.decode(name, bytes(raw))
    except codec.DecodeError:
        return
    codec.encode(name, decoded)


@given(st.sampled_from(MESSAGES), st.binary(max_size=200))
def test_any_bytes_decode_or_raise_and_nothing_else(name: str, raw: bytes) -> None:
    with suppress(codec.DecodeError):
        codec.decode(name, raw)


@settings(max_examples=300)
@given(NAMED, st.data())
def test_a_value_of_any_type_is_taken_or_refused_and_nothing_else(named: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    name, obj = named
    replace_one(obj, data)
    with suppress(codec.DecodeError):
        codec.encode(name, copy.deepcopy(obj))
    with suppress(codec.DecodeError):
        codec.normalise(name, obj, [])


def replace_one(obj: dict[str, Any], data: st.DataObject) -> None:
    """Put a value of some other type somewhere into an object."""
    holder: Any = obj
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(holder[key], dict | list) and holder[key] and data.draw(st.booleans()):
            holder = holder[key]
            continue
        holder[key] = data.draw(st.sampled_from([1, 1.5, 2**70, "x", True, None, [], {}, [1], {"a": 1}, [None], [[]]]))
        return


@pytest.mark.parametrize("name", MESSAGES)
def test_an_empty_message_is_what_the_twin_says(name: str) -> None:
    assert codec.encode(name, {}) == codec_twin.encode(name, {})
    assert codec.decode(name, b"") == codec_twin.decode(name, b"")
