"""From a snapshot's file to a data directory: the file is read to its end before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kcore.base.config import DataDir
from kcore.machinery.files.snapshot import Reader
from kcore.serve.failure import PartError
from kcore.store.restore import restore
from kcore.store.storage import KeyValue, StoreError


@dataclass(frozen=True, slots=True)
class Contents:
    """What a snapshot holds."""

    revision: int
    kvs: list[KeyValue]
    leases: dict[int, int]


def read(path: Path) -> Contents:
    """Read a whole file. Raises SnapshotError, OSError."""
    with open(path, "rb") as file:
        reader = Reader(file)
        kvs, leases = [], {}
        for entry in reader.entries():
            kvs.append(KeyValue(entry.key, entry.value, entry.create_revision, entry.mod_revision, entry.version, entry.lease))
            if entry.lease:
                leases[entry.lease] = entry.lease_ttl_seconds
        return Contents(reader.revision, kvs, leases)


def write_store(contents: Contents, directory: DataDir) -> None:
    """Put a snapshot into a data directory that has no store yet. Raises PartError."""
    directory.make()
    try:
        restore(directory.store, contents.revision, contents.kvs, contents.leases)
    except StoreError as error:
        raise PartError(str(error)) from error
