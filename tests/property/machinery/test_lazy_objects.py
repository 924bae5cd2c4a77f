"""Objects that are decoded as they are asked, against those that are decoded at once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.machinery import codec
from tests.property.machinery.messages import MESSAGES, objects

NAMED = st.sampled_from(MESSAGES).flatmap(lambda name: st.tuples(st.just(name), objects(name)))
POD = "kcore.api.core.v1.Pod"


def read(lazy: Any, whole: Any, data: st.DataObject) -> None:
    """Ask for what the whole object has, in some order, and for what it has not."""
    if isinstance(lazy, codec.LazyObject):
        assert bool(lazy) == bool(whole)
        assert lazy.get("nothing") is None and "nothing" not in lazy and lazy.get("nothing", 7) == 7
        for name in data.draw(st.permutations(sorted(whole))):
            assert name in lazy
            read(lazy.get(name), whole[name], data)
        assert lazy == whole
    elif isinstance(lazy, list) and lazy and isinstance(lazy[0], codec.LazyObject):
        assert len(lazy) == len(whole)
        for one, other in zip(lazy, whole, strict=True):
            read(one, other, data)
    else:
        assert type(lazy) is type(whole) and lazy == whole


@settings(max_examples=200)
@given(NAMED, st.data())
def test_what_is_asked_for_is_what_decoding_gives(named: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    name, obj = named
    raw = codec.encode(name, obj)
    read(codec.lazy(name, raw), codec.decode(name, raw), data)


@settings(max_examples=200)
@given(NAMED, NAMED, st.data())
def test_what_comes_twice_is_merged_and_what_is_damaged_raises_a_value_error(
    named: tuple[str, dict[str, Any]], other: tuple[str, dict[str, Any]], data: st.DataObject
) -> None:
    name, obj = named
    raw = bytearray(codec.encode(name, obj) + codec.encode(*other))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(raw)))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        whole = codec.decode(name, bytes(raw))
    except codec.DecodeError:
        with pytest.raises(ValueError):  # DecodeError, or that a string is not UTF-8
            len(codec.lazy(name, bytes(raw)))
    else:
        read(codec.lazy(name, bytes(raw)), whole, data)


def test_a_lazy_object_is_read_as_a_dict() -> None:
    obj = {"metadata": {"name": "a", "labels": {"b": "c"}}, "spec": {"containers": [{"name": "d"}]}}
    lazy = codec.lazy(POD, codec.encode(POD, obj))
    assert lazy["metadata"]["labels"] == {"b": "c"}
    assert list(lazy) == list(lazy.keys()) == ["metadata", "spec", "status"] and len(lazy) == 3
    assert dict(lazy["spec"]["containers"][0].items())["name"] == "d"
    assert "d" in repr(lazy["spec"]["containers"]) and {} in lazy.values()
    with pytest.raises(KeyError, match="hostname"):
        lazy["spec"]["hostname"]


@pytest.mark.parametrize("wrong", [b"\x0a", b"\x0a\x05ab", b"\x08\x01", b"\x0c"])
def test_what_is_malformed_is_refused_when_it_is_asked_for(wrong: bytes) -> None:
    lazy = codec.lazy(POD, wrong)
    with pytest.raises(codec.DecodeError):
        lazy.get("metadata")
