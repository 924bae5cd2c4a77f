"""What a store is: the values that go in and out, the errors, and the protocol that every engine obeys.

Semantics are etcd's: one revision for all keys, transactions of compares and operations, watch from any revision that is not compacted.
Source: CONTRACT E; etcd `server/storage/mvcc`.

The values that are made for every write are compiled (`_values`), the others are plain classes with slots: freezing them would cost three
times as much. Nobody changes one that was handed on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple, Protocol

from kcore.store._values import Compare, Delete, Mutation, Put, Range, Txn

__all__ = [
    "Batch",
    "Compare",
    "Delete",
    "ErrorKind",
    "KeyValue",
    "Mutation",
    "Operation",
    "Put",
    "Range",
    "RangeResult",
    "Storage",
    "StoreError",
    "Submission",
    "Txn",
    "compacted",
    "create_txn",
    "delete_txn",
    "update_txn",
]

ErrorKind = Literal[
    "compacted",
    "future revision",
    "no space",
    "busy",
    "corrupt",
    "format",
    "locked",
    "lease not found",
    "lease exists",
    "exists",
    "invalid",
    "failed",
]


class StoreError(Exception):
    """An operation of the store that failed for a reason of operation; `kind` is what a caller decides by, the text is for people."""

    def __init__(self, kind: ErrorKind, text: str) -> None:
        super().__init__(text)
        self.kind: Final = kind


class KeyValue(NamedTuple):
    """A key's value in one revision. `version` counts the writes of its present life, from 1."""

    key: bytes
    value: bytes
    create_revision: int
    mod_revision: int
    version: int
    lease: int = 0


def compacted(revision: int, floor: int) -> StoreError:
    """The error of a read below the floor."""
    return StoreError("compacted", f"revision {revision} is compacted; the floor is {floor}")


Operation = Put | Delete | Range


@dataclass(slots=True)
class RangeResult:
    """Keys in order; `count` is how many there are whatever the limit, `more` whether the limit cut some off."""

    kvs: list[KeyValue]
    count: int
    more: bool
    revision: int


class Submission(Protocol):
    """A transaction that was evaluated: what it came to, and when that is durable."""

    succeeded: bool
    revision: int
    responses: list[int | RangeResult]

    async def durable(self) -> None:
        """Wait until it is on disk. Raises StoreError if it never will be: then it was rolled back."""
        ...


class Batch(Protocol):
    """The transactions submitted while it is open; they are committed together."""

    def revert(self) -> None:
        """Undo them, as long as nothing of them was handed on."""
        ...


class Storage(Protocol):
    """A store. All methods belong to one thread, the event loop's.

    revision          newest revision that is durable
    head_revision     newest revision, durable or not
    compact_revision  oldest revision that can be read
    used_bytes        what is stored takes so much
    """

    revision: int
    head_revision: int
    compact_revision: int
    used_bytes: int

    def head(self, key: bytes) -> KeyValue | None:
        """The newest value of a key, durable or not."""
        ...

    def get(self, key: bytes, revision: int = 0) -> KeyValue | None:
        """The value of a key at a durable revision; 0 is the newest."""
        ...

    def range(self, start: bytes, end: bytes, revision: int = 0, limit: int = 0) -> RangeResult:
        """The keys in [start, end) at a durable revision, in order; 0 is the newest. Raises StoreError: compacted, future revision."""
        ...

    def keys(self, start: bytes, end: bytes) -> list[bytes]:
        """The keys in [start, end) at the newest durable revision, in order."""
        ...

    def submit(self, txn: Txn) -> Submission:
        """Evaluate a transaction at once, after all that were submitted before. Raises StoreError: lease not found, no space."""
        ...

    def batch(self) -> AbstractContextManager[Batch]:
        """Commit what is submitted inside together; inside, nothing is awaited."""
        ...

    def changes(self, after: int, start: bytes = b"", end: bytes = b"\0") -> list[Mutation]:
        """All durable mutations of [start, end) after a revision, in order. Raises StoreError: compacted."""
        ...

    def subscribe(self, callback: Callable[[Sequence[Mutation], int], None]) -> None:
        """Call back in the loop's thread with each committed batch and its last revision, in order."""
        ...

    def compact(self, revision: int) -> None:
        """Forget what no read at `revision` or later can see. Raises StoreError: compacted, future revision."""
        ...

    def grant(self, ttl_s: int, lease: int = 0) -> int:
        """Make a lease of keys; 0 chooses an id. Raises StoreError: lease exists."""
        ...

    def revoke(self, lease: int) -> Submission:
        """End a lease and delete its keys in one revision. Raises StoreError: lease not found."""
        ...

    def keep_alive(self, lease: int) -> int:
        """Let a lease begin again; -> its time to live in seconds. Raises StoreError: lease not found."""
        ...

    def lease_ttl_s(self, lease: int) -> int:
        """The time to live of a lease in seconds. Raises StoreError: lease not found."""
        ...

    def expire(self) -> None:
        """Revoke the leases whose time is up."""
        ...

    def mark(self) -> int:
        """A revision to go back to by `revert`, for as long as it is not compacted."""
        ...

    def revert(self, mark: int) -> Submission:
        """Put the keyspace back to a mark, in one transaction at a new revision."""
        ...

    def copy(self, path: Path) -> None:
        """Write a copy of what is durable into a new folder."""
        ...

    def close(self) -> None:
        """Make durable what was submitted, then let go of the folder."""
        ...


def create_txn(key: bytes, value: bytes, lease: int = 0) -> Txn:
    """Put a key that must not exist."""
    return Txn((Compare(key, "mod", "=", 0),), (Put(key, value, lease),))


def update_txn(key: bytes, value: bytes, mod_revision: int, lease: int = 0) -> Txn:
    """Put a key that must still have a revision."""
    return Txn((Compare(key, "mod", "=", mod_revision),), (Put(key, value, lease),))


def delete_txn(key: bytes, mod_revision: int) -> Txn:
    """Delete a key that must still have a revision."""
    return Txn((Compare(key, "mod", "=", mod_revision),), (Delete(key),))
