"""The log on disk, in LMDB: each commit is one chunk of records, or several if it is large.

    db `log`    key    chunk id u64, big-endian, so that the order of keys is that of commits
                value  records in the order of revisions, as `_record` lays them out, each with its checksum
    db `meta`   `format`, `compact_revision`, `lease/<id>` -> ttl; numbers are u64, little-endian

Why chunks: py-lmdb lets go of the interpreter's lock around every call, and a writer thread that wants it back from a busy event
loop waits up to 5 ms each time. One call for many records instead of one for each makes a commit of 500 writes wait five times instead of
500; it also saves most of LMDB's own work.

A buffer from LMDB dies with its transaction, so only copies leave this module. A commit ends with one fsync.

LMDB begins a file with pages that it does not sync, and no program's new file is sure to have its name after a loss of power. So a new
file is made beside its place, signed, synced, moved, and the folders that lead to it are synced.
"""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

import lmdb

from kcore.base import limits
from kcore.base.folder import make_folder, sync_folder
from kcore.store import _record
from kcore.store._index import KeyIndex
from kcore.store.storage import Mutation, StoreError

FORMAT: Final = b"kcore-store-2"
DATA: Final = "data.mdb"
"""The name that LMDB gives to its file."""
_CHUNK: Final = struct.Struct(">Q")
_NUMBER: Final = struct.Struct("<Q")


class Work(NamedTuple):
    """What one commit writes.

    first_chunk       id of the first new chunk; the others follow
    chunks            records of each new chunk
    dropped           ids of chunks to remove
    rewritten         chunks to shorten to what is still needed: (id, new content)
    leases            leases granted (id, ttl) or ended (id, 0)
    compact_revision  the new floor; 0 leaves the old one
    """

    first_chunk: int
    chunks: Sequence[list[Mutation]] = ()
    dropped: Sequence[int] = ()
    rewritten: Sequence[tuple[int, bytes]] = ()
    leases: Sequence[tuple[int, int]] = ()
    compact_revision: int = 0


def translation(error: lmdb.Error | OSError, quota_bytes: int) -> StoreError:
    """What an error of LMDB means to the store."""
    if isinstance(error, lmdb.MapFullError):
        return StoreError("no space", f"the store is full (quota {quota_bytes} bytes): compact it, delete or raise the quota")
    if isinstance(error, lmdb.CorruptedError | lmdb.PageNotFoundError):
        return StoreError("corrupt", f"the store's file is damaged: {error}")
    if isinstance(error, lmdb.VersionMismatchError | lmdb.InvalidError):
        return StoreError("format", f"the store's file is none, or of another version of LMDB: {error}")
    if isinstance(error, lmdb.DiskError):
        return StoreError("no space", f"the disk took no more: {error}")
    return StoreError("failed", f"the store's file failed: {error}")


@contextmanager
def translated(quota_bytes: int) -> Iterator[None]:
    """Turn LMDB's errors into the store's."""
    try:
        yield
    except (lmdb.Error, OSError) as error:
        raise translation(error, quota_bytes) from error


def chunk_id(key: bytes | memoryview) -> int:
    """The id of a chunk. Raises StoreError (corrupt)."""
    if len(key) != _CHUNK.size:
        raise StoreError("corrupt", f"the log has a chunk by the name {bytes(key)!r}")
    (chunk,) = _CHUNK.unpack(key)
    return int(chunk)


def lease_name(lease: int) -> bytes:
    """The key of a lease in `meta`."""
    return b"lease/%d" % lease


class Log:
    """The file. Thread: `append` belongs to the writer, everything else to the event loop's; LMDB lets both go on at once."""

    def __init__(self, path: Path, quota_bytes: int, map_bytes: int = 0, sync: bool = True) -> None:
        """Open or make the file.

        map_bytes  address space, and the largest size of the file: above the quota, so that a full store can still be compacted; 0: enough
        sync       False: a commit is durable only after the operating system wrote it (tests, simulation)
        """
        self.path, self.quota_bytes, self.sync = path, quota_bytes, sync
        self.map_bytes = map_bytes or quota_bytes + quota_bytes // 4 + limits.STORE_MAP_MARGIN_BYTES
        if not (path / DATA).exists():
            self.make()
        self.open()
        # The transaction that reads see: the newest one that arrived and was reported as arrived.
        self.txn_id = self.env.info()["last_txnid"]

    def make(self) -> None:
        """Make an empty file, which after a loss of power is whole or not there. Raises StoreError."""
        fresh = self.path / f"{DATA}.new"
        with translated(self.quota_bytes):
            make_folder(self.path, 0o700, durably=self.sync)
            fresh.unlink(missing_ok=True)
            with lmdb.open(str(fresh), subdir=False, max_dbs=2, mode=0o600, sync=False) as env:
                env.open_db(b"log")
                meta = env.open_db(b"meta")
                with env.begin(write=True) as txn:
                    txn.put(b"format", FORMAT, db=meta)
                if self.sync:
                    env.sync(True)  # once for all three commits
            fresh.with_name(f"{fresh.name}-lock").unlink()
            os.replace(fresh, self.path / DATA)
            if self.sync:
                sync_folder(self.path)

    def open(self) -> None:
        """Open the environment and a view of its newest commit. Raises StoreError."""
        with translated(self.quota_bytes):
            self.env = lmdb.open(
                str(self.path),
                map_size=self.map_bytes,
                max_dbs=2,
                mode=0o600,
                sync=self.sync,
                metasync=self.sync,
                max_readers=limits.STORE_READERS_MAX,
            )
            with ExitStack() as undo:
                undo.callback(self.env.close)
                self.log = self.env.open_db(b"log")
                self.meta = self.env.open_db(b"meta")
                self.check_format()
                self.reader: lmdb.Transaction | None = self.env.begin(db=self.log, buffers=True)
                undo.pop_all()

    def check_format(self) -> None:
        """Refuse a file of another format."""
        with self.env.begin() as txn:
            found = txn.get(b"format", db=self.meta)
        if found is None:
            raise StoreError("format", f"{self.path} holds a file without a format")
        if found != FORMAT:
            raise StoreError("format", f"{self.path} has the format {found.decode(errors='replace')}; this version reads {FORMAT.decode()}")

    # writing

    def append(self, work: Work) -> None:
        """Write and sync. Raises StoreError; then nothing of it counts, and `recover` comes next."""
        try:
            self.commit(work)
        except StoreError as error:
            if error.kind == "failed" and not self.has_room():
                raise StoreError("no space", f"the disk of {self.path} is full: free some of it") from error
            raise

    def has_room(self) -> bool:
        """Whether the disk takes more; LMDB reports a write of which half arrived as any other failure."""
        with suppress(OSError), tempfile.TemporaryFile(dir=self.path, buffering=0) as file:
            return file.write(bytes(limits.STORE_PROBE_BYTES)) == limits.STORE_PROBE_BYTES
        return False

    def commit(self, work: Work) -> None:
        with translated(self.quota_bytes), self.env.begin(write=True, db=self.log) as txn:
            for chunk, records in enumerate(work.chunks, work.first_chunk):
                txn.put(_CHUNK.pack(chunk), _record.pack(records), append=True)
            for chunk in work.dropped:
                txn.delete(_CHUNK.pack(chunk))
            for chunk, data in work.rewritten:
                txn.put(_CHUNK.pack(chunk), data)
            for lease, ttl_s in work.leases:
                if ttl_s:
                    txn.put(lease_name(lease), _NUMBER.pack(ttl_s), db=self.meta)
                else:
                    txn.delete(lease_name(lease), db=self.meta)
            if work.compact_revision:
                txn.put(b"compact_revision", _NUMBER.pack(work.compact_revision), db=self.meta)

    def recover(self, chunk: int, leases: Mapping[int, int]) -> bool:
        """Open the file anew after a failed append, which may have left LMDB unusable, or have arrived after all: then undo it.

        LMDB writes a commit's pages, syncs, and then writes the page that makes them count; if that last write is reported as
        failed, it may still be there. The transaction id tells.

        chunk    the first id that must not be there
        leases   the leases as they must be: id -> ttl
        Returns  whether it had arrived: then chunks that it rewrote are not where the index has them
        Raises   StoreError if the file cannot be opened or written; call it again
        """
        self.close()
        self.open()
        with translated(self.quota_bytes):
            if self.env.info()["last_txnid"] == self.txn_id:
                return False
            with self.env.begin(write=True, db=self.log) as txn:
                cursor = txn.cursor()
                found = cursor.set_range(_CHUNK.pack(chunk))
                while found:
                    found = cursor.delete()
                for lease, _ in self.leases():
                    txn.delete(lease_name(lease), db=self.meta)
                for lease, ttl_s in leases.items():
                    txn.put(lease_name(lease), _NUMBER.pack(ttl_s), db=self.meta)
            self.refresh()
        return True

    # reading

    def refresh(self) -> None:
        """Let reads see the newest commit, and only that: later ones move records before the index knows."""
        if self.reader is not None:
            self.reader.abort()
        try:
            self.reader = self.env.begin(db=self.log, buffers=True)
            self.txn_id = self.reader.id()
        except lmdb.Error:
            self.reader = None  # reads from disk say so until the next commit

    def chunk(self, chunk: int) -> memoryview:
        """The content of a chunk, valid until `refresh`. Raises StoreError."""
        if self.reader is None:
            raise StoreError("failed", f"{self.path} cannot be read")
        try:
            found = self.reader.get(_CHUNK.pack(chunk))
        except lmdb.Error as error:  # a context manager would take as long as all else
            raise translation(error, self.quota_bytes) from error
        if found is None:
            raise StoreError("corrupt", f"chunk {chunk} of the log is missing")
        return memoryview(found)

    def value(self, place: tuple[int, int, int], key: bytes, revision: int) -> bytes:
        """The value that was put at a revision; its checksum is verified. Raises StoreError (corrupt)."""
        chunk, offset, size = place
        try:
            return _record.value_of(self.chunk(chunk), offset, size, key, revision)
        except ValueError as error:
            raise StoreError("corrupt", f"chunk {chunk} of the log, revision {revision}: {error}") from error

    def load(self, index: KeyIndex) -> tuple[int, int, int]:
        """Fill an index with all records. -> (newest revision, newest chunk, bytes). Raises StoreError (corrupt)."""
        revision = chunk = size = 0
        with translated(self.quota_bytes), self.env.begin(db=self.log, buffers=True) as txn:
            for key, data in txn.cursor():
                chunk = chunk_id(key)
                try:
                    revision = max(revision, index.load(chunk, data))
                except ValueError as error:
                    raise StoreError("corrupt", f"chunk {chunk} of the log, after revision {revision}: {error}") from error
                size += len(data)
        return revision, chunk, size

    def newest_chunk(self) -> int:
        """The id of the newest chunk on disk, 0 if there is none."""
        with translated(self.quota_bytes), self.env.begin(db=self.log) as txn:
            cursor = txn.cursor()
            return chunk_id(cursor.key()) if cursor.last() else 0

    def compact_revision(self) -> int:
        """The floor that was stored, 0 at first."""
        with translated(self.quota_bytes), self.env.begin(db=self.meta) as txn:
            found = txn.get(b"compact_revision")
            return int(_NUMBER.unpack(found)[0]) if found else 0

    def leases(self) -> Iterable[tuple[int, int]]:
        """(id, ttl in seconds) of all leases."""
        found = []
        with translated(self.quota_bytes), self.env.begin(db=self.meta) as txn:
            cursor = txn.cursor()
            if cursor.set_range(b"lease/"):
                for name, ttl_s in cursor:
                    if not name.startswith(b"lease/"):
                        break
                    found.append((int(name[6:]), int(_NUMBER.unpack(ttl_s)[0])))
        return found

    def copy(self, path: Path, compact: bool = True) -> None:
        """Write a copy of the newest commit into a new folder; a compact one holds no free pages and takes longer."""
        path.mkdir(mode=0o700, parents=True)
        with translated(self.quota_bytes):
            self.env.copy(str(path), compact=compact)

    def close(self) -> None:
        """Let go of the file."""
        if self.reader is not None:
            self.reader.abort()
            self.reader = None
        self.env.close()
