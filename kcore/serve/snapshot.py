"""From a snapshot's file to a data directory: the file is read to its end before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kcore.base.config import DataDir
from kcore.machinery import codec
from kcore.machinery.files.snapshot import Reader
from kcore.serve import parts
from kcore.serve.failure import PartError
from kcore.serve.running import LEASE_NAMESPACE
from kcore.store.restore import restore
from kcore.store.storage import KeyValue, StoreError

ELECTIONS: Final = f"/registry/leases/{LEASE_NAMESPACE}/".encode()
LEASE_MESSAGE: Final = "kcore.api.coordination.v1.Lease"


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
        restore(directory.store, contents.revision, map(given_up, contents.kvs), contents.leases)
    except StoreError as error:
        raise PartError(str(error)) from error


def given_up(kv: KeyValue) -> KeyValue:
    """A Lease by which a part of the saved plane led, without its holder; anything else as it is.

    Where the snapshot is restored nobody renews it, and nobody need wait until it has run out.
    """
    if not kv.key.startswith(ELECTIONS):
        return kv
    api_version, kind, raw = codec.open_envelope(kv.value)
    lease = codec.decode(LEASE_MESSAGE, raw)
    holder = lease.get("spec", {}).pop("holderIdentity", "")
    if holder.partition("_")[0] not in parts.PARTS:
        return kv
    return kv._replace(value=codec.envelope(api_version, kind, codec.encode(LEASE_MESSAGE, lease)))
