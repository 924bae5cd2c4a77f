"""Makes a new store from all keys of another one, as they were at a revision: what came before is as if compacted.

It is made beside its place and moved there when all of it is on disk, so that no half of it can ever be opened.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path

from kcore.base import limits, lock
from kcore.base.folder import sync_folder
from kcore.store import _record
from kcore.store.log import Log, Work
from kcore.store.storage import KeyValue, Mutation, StoreError


def restore(path: Path, revision: int, kvs: Iterable[KeyValue], leases: Mapping[int, int]) -> None:
    """Make the store's folder.

    kvs     every key that is there at the revision
    leases  the leases of keys, id -> time to live in seconds
    Raises  StoreError: locked, exists, no space, failed
    """
    held = lock.take(path.with_name(f"{path.name}.lock"))
    if isinstance(held, lock.Holder):
        raise StoreError("locked", f"{path} is held by process {held.pid}")
    try:
        if path.exists():
            raise StoreError("exists", f"{path} is there already: a snapshot is restored into a new folder")
        fresh = path.with_name(f"{path.name}.restored")
        shutil.rmtree(fresh, ignore_errors=True)
        fill(fresh, revision, kvs, leases)
        os.rename(fresh, path)
        sync_folder(path.parent)
    finally:
        held.release()


def fill(path: Path, revision: int, kvs: Iterable[KeyValue], leases: Mapping[int, int]) -> None:
    """Write all into a folder that is not in its place yet."""
    log = Log(path, limits.STORE_QUOTA_BYTES)
    try:
        chunk = 1
        for chunks in commits(mutations(kvs)):
            log.append(Work(chunk, chunks))
            chunk += len(chunks)
        log.append(Work(chunk, leases=list(leases.items()), compact_revision=revision))
    finally:
        log.close()


def mutations(kvs: Iterable[KeyValue]) -> list[Mutation]:
    """The puts that made the keys what they are, in their order."""
    ordered = sorted(kvs, key=lambda kv: kv.mod_revision)
    places = count()
    found: list[Mutation] = []
    for kv in ordered:
        if not found or found[-1].revision != kv.mod_revision:
            places = count()
        found.append(Mutation(kv.mod_revision, next(places), kv.key, kv.value, kv.create_revision, kv.version, kv.lease))
    return found


def commits(records: list[Mutation]) -> Iterator[list[list[Mutation]]]:
    """Chunks of the log, as many as a commit may write."""
    chunks: list[list[Mutation]] = []
    size = 0
    for record in records:
        size_of = _record.SIZE + len(record.key) + len(record.value or b"")
        if not chunks or size + size_of > limits.STORE_CHUNK_BYTES:
            if len(chunks) == limits.RESTORE_CHUNKS_MAX:
                yield chunks
                chunks = []
            chunks.append([])
            size = 0
        chunks[-1].append(record)
        size += size_of
    yield chunks
