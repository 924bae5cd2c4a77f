"""The compiled cutter of watch responses against protobuf, on responses of any shape and on bytes that are none."""

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.api.core.v1.pod_service_pb2 import PodWatchResponse
from kcore.client._frames import split_watch
from kcore.client.wire import WatchEvent
from tests.reference.client import frames_twin

TEXT = st.text(max_size=20)
PODS = st.fixed_dictionaries(
    {},
    optional={
        "metadata": st.fixed_dictionaries(
            {},
            optional={
                "name": TEXT,
                "namespace": TEXT,
                "uid": TEXT,
                "resourceVersion": st.integers(0, 10**18 - 1).map(str),
                "generation": st.integers(-5, 2**40),
                "labels": st.dictionaries(TEXT, TEXT, max_size=3),
            },
        ),
        "spec": st.fixed_dictionaries({}, optional={"nodeName": TEXT, "priority": st.integers(-(2**31), 2**31 - 1)}),
    },
)
EVENTS = st.lists(
    st.fixed_dictionaries(
        {}, optional={"type": st.sampled_from(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR", ""]), "object": PODS}
    ),
    max_size=5,
)


def make(*event):
    return WatchEvent(*event[0])


@given(EVENTS)
def test_any_response_is_cut_as_protobuf_cuts_it(events):
    raw = PodWatchResponse(events=events).SerializeToString()
    assert split_watch(raw, WatchEvent) == frames_twin.split_watch(raw, make)


@settings(max_examples=300)
@given(EVENTS, st.data())
def test_bytes_that_were_damaged_are_refused_or_read_without_harm(events, data):
    raw = bytearray(PodWatchResponse(events=events).SerializeToString())
    for _ in range(data.draw(st.integers(0, 3))):
        if raw:
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    try:
        found = split_watch(damaged, WatchEvent)
    except ValueError:
        return
    for event in found:
        assert event.raw in damaged


@pytest.mark.parametrize("raw", [b"\x0a", b"\x0a\x05ab", b"\x0b", b"\xff" * 11, b"\x09\x01", b"\x0a\x04\x12\x02\x0a\x05"])
def test_cut_off_bytes_are_refused_by_both(raw):
    with pytest.raises(ValueError):
        split_watch(raw, WatchEvent)
    with pytest.raises((ValueError, DecodeError)):
        frames_twin.split_watch(raw, make)


def test_an_object_whose_metadata_comes_in_pieces_is_read_as_a_whole():
    halves = b"\x0a\x05\x0a\x03one" + b"\x0a\x05\x1a\x03two" + b"\x0a\x03\x32\x0142"[:5]
    raw = b"\x0a" + bytes([len(halves) + 2]) + b"\x12" + bytes([len(halves)]) + halves
    assert split_watch(raw, WatchEvent) == frames_twin.split_watch(raw, make)


def test_a_revision_that_is_no_number_is_refused():
    for text in ("x", "1" * 19):
        raw = PodWatchResponse(events=[{"object": {"metadata": {"resourceVersion": text}}}]).SerializeToString()
        with pytest.raises(ValueError, match="malformed"):
            split_watch(raw, WatchEvent)
