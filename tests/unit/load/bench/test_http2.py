"""Frames of HTTP/2 and messages of gRPC, however the bytes are cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcore.load.bench import http2
from kcore.load.bench.http2 import ACK, DATA, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, Connection, frame


def message(size: int) -> bytes:
    return b"\x00" + size.to_bytes(4, "big") + b"x" * size


def test_a_frame_tells_its_size_kind_flags_and_stream() -> None:
    assert frame(DATA, END_STREAM, 5, b"abc") == b"\x00\x00\x03\x00\x01\x00\x00\x00\x05abc"
    assert frame(DATA, 0, 1, b"x" * 0x12345)[:3] == b"\x01\x23\x45"


@pytest.mark.parametrize(
    ("size", "head"),
    [(0, b"\x00"), (126, b"\x7e"), (127, b"\x7f\x00"), (254, b"\x7f\x7f"), (255, b"\x7f\x80\x01"), (1337, b"\x7f\xba\x09")],
)
def test_sizes_of_header_strings_have_a_prefix_of_seven_bits(size: int, head: bytes) -> None:
    assert http2.text("a" * size) == head + b"a" * size


def test_a_call_is_headers_and_one_message_that_ends_the_stream() -> None:
    assert http2.call(3, [("te", "trailers")], b"hi") == (
        frame(HEADERS, 4, 3, b"\x00\x02te\x08trailers") + frame(DATA, END_STREAM, 3, b"\x00\x00\x00\x00\x02hi")
    )


def test_an_opening_is_the_preface_settings_and_a_wide_window() -> None:
    said = http2.opening()
    assert said.startswith(http2.PREFACE) and len(said) == len(http2.PREFACE) + 9 + 6 + 9 + 4


@given(sizes=st.lists(st.integers(0, 40), max_size=8), cuts=st.lists(st.integers(0, 500), max_size=8), per_frame=st.integers(1, 50))
def test_messages_are_counted_however_they_are_cut(sizes: list[int], cuts: list[int], per_frame: int) -> None:
    body = b"".join(message(size) for size in sizes)
    said = b"".join(frame(DATA, 0, 1, body[place : place + per_frame]) for place in range(0, len(body), per_frame))
    connection, places = Connection([1, 3]), sorted({0, len(said), *(cut for cut in cuts if cut < len(said))})
    for start, end in pairwise(places):
        assert connection.feed(said[start:end]) == b""
    assert connection.messages[1].count == len(sizes) and connection.messages[3].count == 0 and not connection.ended


def test_settings_and_pings_are_answered_and_answers_are_not() -> None:
    connection = Connection([1])
    said = frame(SETTINGS, 0, 0, b"\x00\x04\x00\x00\x00\x01") + frame(PING, 0, 0, b"12345678") + frame(SETTINGS, ACK, 0)
    assert connection.feed(said) == frame(SETTINGS, ACK, 0) + frame(PING, ACK, 0, b"12345678")


@pytest.mark.parametrize("said", [frame(RST_STREAM, 0, 3, b"\x00" * 4), frame(HEADERS, END_STREAM, 3), frame(DATA, END_STREAM, 3)])
def test_a_stream_that_ends_is_told(said: bytes) -> None:
    connection = Connection([1, 3])
    connection.feed(said)
    assert connection.ended == {3}


def test_when_the_server_goes_away_all_streams_end() -> None:
    connection = Connection([1, 3])
    connection.feed(frame(GOAWAY, 0, 0, b"\x00" * 8))
    assert connection.ended == {1, 3}
