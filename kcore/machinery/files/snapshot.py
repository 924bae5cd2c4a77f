"""A snapshot: all that a store holds at one revision, as a stream of records.

    header entry entry ... end        each a SnapshotRecord of admin_service.proto after its length

The end has the number of entries and the SHA-256 of everything before it.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from google.protobuf.message import DecodeError
from google.protobuf.proto import serialize_length_prefixed

from kcore.api.admin.v1 import admin_service_pb2 as pb
from kcore.base import limits

FORMAT: Final = "kcore-snapshot-1"


class SnapshotError(Exception):
    """A file that is no snapshot, or none that is whole; the text says which."""


class Writer:
    """Makes the bytes of one snapshot, piece by piece."""

    def __init__(self, revision: int) -> None:
        self.revision, self.entries, self.checksum = revision, 0, hashlib.sha256()

    def header(self) -> bytes:
        """The first piece."""
        return self.record(pb.SnapshotRecord(header=pb.SnapshotHeader(format=FORMAT, revision=self.revision)))

    def entry(self, **fields: Any) -> bytes:
        """A key; the fields are those of SnapshotEntry."""
        self.entries += 1
        return self.record(pb.SnapshotRecord(entry=pb.SnapshotEntry(**fields)))

    def end(self) -> bytes:
        """The last piece."""
        return self.record(pb.SnapshotRecord(end=pb.SnapshotEnd(entries=self.entries, checksum=self.checksum.digest())))

    def record(self, record: Any) -> bytes:
        buffer = io.BytesIO()
        serialize_length_prefixed(record, buffer)
        self.checksum.update(buffer.getvalue())
        return buffer.getvalue()


class Reader:
    """Reads a snapshot; what was read counts only when `entries` came to its end.

    Raises SnapshotError, at once if the file is no snapshot of this format.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.checksum, self.count = file, hashlib.sha256(), 0
        try:
            header = self.next().header
        except SnapshotError:
            header = pb.SnapshotHeader()
        if not str(header.format).startswith("kcore-snapshot-"):  # what is no UTF-8 comes as bytes
            raise SnapshotError("the file is no snapshot of kcore")
        if header.format != FORMAT:
            raise SnapshotError(f"the snapshot has the format {header.format}; this version reads {FORMAT}")
        self.revision: int = header.revision

    def entries(self) -> Iterator[Any]:
        """The entries in the order of their keys. Raises SnapshotError if the file is cut off or damaged."""
        before = self.checksum.digest()
        while (record := self.next()).HasField("entry"):
            self.count += 1
            yield record.entry
            before = self.checksum.digest()
        if not record.HasField("end") or record.end.entries != self.count or record.end.checksum != before:
            raise SnapshotError(f"the snapshot is damaged: its checksum does not hold over {self.count} entries")
        if self.file.read(1):
            raise SnapshotError("the snapshot is damaged: there is more after its end")

    def next(self) -> Any:
        """The next record. Raises SnapshotError at the end of the file, since a snapshot ends before it does."""
        prefix = b""
        while not prefix or prefix[-1] & 0x80:
            prefix += self.read(1)
            if len(prefix) > 5:
                raise self.damaged()
        size = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(prefix))
        if size > limits.SNAPSHOT_RECORD_BYTES_MAX:
            raise self.damaged()
        data = self.read(size)
        self.checksum.update(prefix + data)
        try:
            return pb.SnapshotRecord.FromString(data)
        except DecodeError as error:
            raise self.damaged() from error

    def damaged(self) -> SnapshotError:
        return SnapshotError(f"the snapshot is damaged: what follows entry {self.count} is no record")

    def read(self, size: int) -> bytes:
        data = self.file.read(size)
        if len(data) < size:
            raise SnapshotError(f"the snapshot is cut off after {self.count} entries: save it anew")
        return data
