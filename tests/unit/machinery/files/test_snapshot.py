"""A snapshot's file: what goes in comes out, and nothing comes out of a part of it or of a damaged one."""

from __future__ import annotations

import io

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from kcore.api.admin.v1 import admin_service_pb2 as pb
from kcore.base import limits
from kcore.machinery.files.snapshot import Reader, SnapshotError, Writer

ENTRIES = [
    {"key": b"/a", "value": b"1", "create_revision": 2, "mod_revision": 5, "version": 3, "lease": 0},
    {"key": b"/b", "value": b"", "create_revision": 4, "mod_revision": 4, "version": 1, "lease": 7, "lease_ttl_seconds": 60},
    {"key": b"/c\xff\x00", "value": bytes(300), "create_revision": 6, "mod_revision": 6, "version": 1},
]


def written() -> bytes:
    writer = Writer(7)
    return b"".join([writer.header(), *(writer.entry(**entry) for entry in ENTRIES), writer.end()])


def read(data: bytes) -> tuple[int, list[pb.SnapshotEntry]]:
    reader = Reader(io.BytesIO(data))
    return reader.revision, list(reader.entries())


def test_what_was_written_is_read() -> None:
    assert read(written()) == (7, [pb.SnapshotEntry(**entry) for entry in ENTRIES])


def test_a_snapshot_of_nothing_is_one() -> None:
    writer = Writer(1)
    assert read(writer.header() + writer.end()) == (1, [])


def test_a_file_that_is_cut_off_is_refused_wherever_it_is_cut() -> None:
    data = written()
    said = set()
    for size in range(len(data)):
        with pytest.raises(SnapshotError) as caught:
            read(data[:size])
        said.add(str(caught.value))
    assert said == {"the file is no snapshot of kcore", *(f"the snapshot is cut off after {n} entries: save it anew" for n in range(4))}


@example(place=5, flipped=128)
@given(place=st.integers(0, len(written()) - 1), flipped=st.integers(1, 255))
def test_a_file_that_is_damaged_anywhere_is_refused(place: int, flipped: int) -> None:
    data = bytearray(written())
    data[place] ^= flipped
    with pytest.raises(SnapshotError):
        read(bytes(data))


def test_more_after_the_end_is_damage() -> None:
    with pytest.raises(SnapshotError, match="more after its end"):
        read(written() + b"\0")


@given(st.binary(max_size=50))
def test_anything_else_is_no_snapshot(data: bytes) -> None:
    with pytest.raises(SnapshotError, match="no snapshot of kcore"):
        read(data)


def test_another_format_is_named() -> None:
    header = pb.SnapshotRecord(header=pb.SnapshotHeader(format="kcore-snapshot-9")).SerializeToString()
    with pytest.raises(SnapshotError, match="the format kcore-snapshot-9; this version reads kcore-snapshot-1"):
        read(bytes((len(header),)) + header)


def test_a_length_beyond_any_record_is_not_read() -> None:
    class Watched(io.BytesIO):
        largest = 0

        def read(self, size: int | None = -1, /) -> bytes:
            self.largest = max(self.largest, size or 0)
            return super().read(size)

    file = Watched(Writer(1).header() + b"\xff\xff\xff\xff\x0f")
    with pytest.raises(SnapshotError, match="what follows entry 0 is no record"):
        list(Reader(file).entries())
    assert file.largest < limits.SNAPSHOT_RECORD_BYTES_MAX
