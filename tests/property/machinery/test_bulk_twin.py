"""The frames of bulk writes against protobuf's own messages: the same bytes mean the same, and garbage is refused, never read beyond."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from google.protobuf.message import DecodeError as ProtobufError
from hypothesis import given

from kcore.api.bulk.v1 import bulk_service_pb2 as pb
from kcore.api.meta.v1 import meta_pb2
from kcore.apiserver.bulk import Item
from kcore.machinery._bulk import element, split_request, split_results
from kcore.machinery.codec import DecodeError

TEXTS = st.text(max_size=5) | st.sampled_from(["create", "pods", "é" * 200])
BYTES = st.binary(max_size=5) | st.just(b"x" * 300)
OPTIONS = st.none() | st.builds(meta_pb2.WriteOptions, field_manager=st.text(max_size=3))
DELETE_OPTIONS = st.none() | st.builds(meta_pb2.DeleteOptions, gracePeriodSeconds=st.integers(0, 9))
ITEMS = st.builds(
    pb.Item, verb=TEXTS, group=TEXTS, version=TEXTS, resource=TEXTS, subresource=TEXTS, namespace=TEXTS, name=TEXTS, object=BYTES,
    content_type=TEXTS, options=OPTIONS, delete_options=DELETE_OPTIONS,
)  # fmt: skip
REQUESTS = st.builds(pb.WriteRequest, items=st.lists(ITEMS, max_size=4), atomic=st.none() | st.booleans(), return_objects=st.booleans())
STATUSES = st.none() | st.builds(meta_pb2.Status, message=st.text(max_size=4))
RESULTS = st.builds(pb.ItemResult, status=STATUSES, name=TEXTS, resource_version=TEXTS, object=BYTES, uid=TEXTS)


def as_tuple(message: Any, present: tuple[str, ...]) -> tuple[Any, ...]:
    """A message's values in field order; those that may be absent as bytes, or None."""
    return tuple(
        (getattr(message, field.name).SerializeToString() if message.HasField(field.name) else None)
        if field.name in present
        else getattr(message, field.name)
        for field in message.DESCRIPTOR.fields
    )


@given(REQUESTS)
def test_a_request_is_split_into_its_items(request: pb.WriteRequest) -> None:
    items, atomic, return_objects = split_request(request.SerializeToString(), Item)
    assert [tuple(item) for item in items] == [as_tuple(item, ("options", "delete_options")) for item in request.items]
    assert (atomic, return_objects) == (request.atomic, request.return_objects)


@given(st.lists(RESULTS, max_size=4))
def test_a_response_is_split_into_its_results(results: list[pb.ItemResult]) -> None:
    found = split_results(pb.WriteResponse(results=results).SerializeToString())
    assert found == [as_tuple(result, ("status",)) for result in results]


@given(ITEMS)
def test_an_element_is_what_protobuf_reads(item: pb.Item) -> None:
    [read] = pb.WriteRequest.FromString(element(as_tuple(item, ("options", "delete_options")))).items
    assert as_tuple(read, ())[:9] == as_tuple(item, ())[:9]
    assert read.options == item.options and read.delete_options == item.delete_options


@given(REQUESTS.map(pb.WriteRequest.SerializeToString), st.integers(0, 400), st.binary(max_size=3))
def test_garbage_is_refused_or_read_as_protobuf_reads_it(data: bytes, place: int, garbage: bytes) -> None:
    broken = data[:place] + garbage + data[place + len(garbage) :]
    try:
        items = split_request(broken, Item)[0]
    except DecodeError:
        return
    try:
        known = pb.WriteRequest.FromString(broken)
    except ProtobufError:  # it reads the options, too
        return
    assert [item.object for item in items] == [item.object for item in known.items]


@pytest.mark.parametrize("data", [b"\x0a", b"\x0a\x05\x0a\x03ab", b"\x0a\x03\x0a\x01\xff", b"\x00\x00", b"\x0f", b"\xff" * 11])
def test_what_is_cut_short_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        split_request(data, Item)
    with pytest.raises(DecodeError):
        split_results(data + b"\x0a\x09")
