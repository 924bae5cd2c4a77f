"""The store's records on disk, in LMDB: one entry for each write, in the order of revisions.

    db `log`    key    revision u64, sub u32 (big-endian, so that the order of keys is that of writes)
                value  checksum u32, flags u8, key size u32, create revision u64, version u64, lease u64; then the key, then the value
    db `meta`   `format`, `compact_revision`, `revision`; `lease/<id>` -> ttl

The checksum (CRC-32) covers everything after it. A buffer from LMDB dies with its transaction, so only copies leave this module. An append commits with one fsync.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import lmdb

from kcore.base import limits
from kcore.store.storage import Mutation, StoreError

FORMAT: Final = b"kcore-store-1"
DELETED: Final = 1
_KEY: Final = struct.Struct(">QI")
_HEAD: Final = struct.Struct("<BIQQQ")
_CHECKSUM: Final = struct.Struct("<I")
_NUMBER: Final = struct.Struct("<Q")


class Work(NamedTuple):
    """What one commit writes: records in order, records to remove, leases granted (id, ttl) or ended (ttl 0), a new floor (0: the old one)."""

    records: Sequence[Mutation]
    dead: Sequence[tuple[int, int]] = ()
    leases: Sequence[tuple[int, int]] = ()
    compact_revision: int = 0


def pack(record: Mutation) -> bytes:
    """A record's bytes."""
    deleted = record.value is None
    body = _HEAD.pack(DELETED if deleted else 0, len(record.key), record.create_revision, record.version, record.lease) + record.key + (record.value or b"")
    return _CHECKSUM.pack(zlib.crc32(body)) + body


def unpack(place: bytes, data: bytes) -> Mutation:
    """A record from its bytes. Raises StoreError (corrupt)."""
    revision, sub = _KEY.unpack(place)
    if len(data) < _CHECKSUM.size + _HEAD.size or zlib.crc32(data[_CHECKSUM.size :]) != _CHECKSUM.unpack_from(data)[0]:
        raise StoreError("corrupt", f"the record of revision {revision} has a wrong checksum")
    flags, key_size, create_revision, version, lease = _HEAD.unpack_from(data, _CHECKSUM.size)
    start = _CHECKSUM.size + _HEAD.size
    value = None if flags & DELETED else data[start + key_size :]
    return Mutation(revision, sub, data[start : start + key_size], value, create_revision, version, lease)


@contextmanager
def translated(quota_bytes: int) -> Iterator[None]:
    """LMDB's errors as the store's."""
    try:
        yield
    except lmdb.MapFullError as error:
        raise StoreError("no space", f"the store has reached its quota of {quota_bytes} bytes; compact it, delete objects or raise the quota") from error
    except lmdb.CorruptedError as error:
        raise StoreError("corrupt", f"the store's file is damaged: {error}") from error
    except lmdb.DiskError as error:
        raise StoreError("no space", f"the disk took no more: {error}") from error
    except lmdb.Error as error:
        kind: Final = "no space" if "No space left" in str(error) else "failed"
        raise StoreError(kind, f"the store's file failed: {error}") from error


class Log:
    """The file. Thread: `append` belongs to the writer, everything else to the event loop's; LMDB lets both go on at once."""

    def __init__(self, path: Path, quota_bytes: int, sync: bool = True) -> None:
        self.quota_bytes = quota_bytes
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with translated(quota_bytes):
            self.env = lmdb.open(str(path), map_size=quota_bytes, max_dbs=2, mode=0o600, sync=sync, metasync=sync, max_readers=limits.STORE_READERS_MAX)
            self.log = self.env.open_db(b"log")
            self.meta = self.env.open_db(b"meta")
            self.check_format(path)
            self.reader = self.env.begin(db=self.log)

    def check_format(self, path: Path) -> None:
        """Sign an empty folder; refuse one of another format."""
        with self.env.begin(write=True) as txn:
            found = txn.get(b"format", db=self.meta)
            if found is None:
                if txn.stat(self.log)["entries"]:
                    raise StoreError("format", f"{path} holds records but no format")
                txn.put(b"format", FORMAT, db=self.meta)
            elif found != FORMAT:
                raise StoreError("format", f"{path} has the format {found.decode(errors='replace')}, this kcore reads {FORMAT.decode()}")

    def append(self, work: Work) -> None:
        """Write and sync. Raises StoreError; then nothing of it is there."""
        with translated(self.quota_bytes), self.env.begin(write=True) as txn:
            if work.records:
                cursor = txn.cursor(self.log)
                cursor.putmulti([(_KEY.pack(record.revision, record.sub), pack(record)) for record in work.records], append=True)
                txn.put(b"revision", _NUMBER.pack(work.records[-1].revision), db=self.meta)
            for place in work.dead:
                txn.delete(_KEY.pack(*place), db=self.log)
            for lease, ttl in work.leases:
                name = b"lease/%d" % lease
                if ttl:
                    txn.put(name, _NUMBER.pack(ttl), db=self.meta)
                else:
                    txn.delete(name, db=self.meta)
            if work.compact_revision:
                txn.put(b"compact_revision", _NUMBER.pack(work.compact_revision), db=self.meta)

    def refresh(self) -> None:
        """Let reads see the newest commit."""
        self.reader.abort()
        self.reader = self.env.begin(db=self.log)

    def read(self, revision: int, sub: int) -> Mutation:
        """One record. Raises StoreError (corrupt)."""
        place = _KEY.pack(revision, sub)
        data = self.reader.get(place)
        if data is None:
            raise StoreError("corrupt", f"the record of revision {revision} is missing")
        return unpack(place, data)

    def scan(self) -> Iterator[Mutation]:
        """All records in order. Raises StoreError (corrupt)."""
        with self.env.begin(db=self.log) as txn:
            for place, data in txn.cursor():
                yield unpack(place, data)

    def number(self, name: bytes) -> int:
        """A number of `meta`, 0 if it is not there."""
        with self.env.begin(db=self.meta) as txn:
            found = txn.get(name)
            return _NUMBER.unpack(found)[0] if found else 0

    def leases(self) -> Iterable[tuple[int, int]]:
        """(id, ttl) of all leases."""
        with self.env.begin(db=self.meta) as txn:
            cursor = txn.cursor()
            found = []
            if cursor.set_range(b"lease/"):
                for name, ttl in cursor:
                    if not name.startswith(b"lease/"):
                        break
                    found.append((int(name[6:]), _NUMBER.unpack(ttl)[0]))
            return found

    def copy(self, path: Path) -> None:
        """Write a copy of the newest commit, without free pages, into a new folder."""
        path.mkdir(mode=0o700, parents=True)
        self.env.copy(str(path), compact=True)

    def close(self) -> None:
        """Let go of the file."""
        self.reader.abort()
        self.env.close()
