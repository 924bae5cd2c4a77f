"""The durable memory of one node's address allocation: an append-only log with a checksum per line.

    kcore-ipam 1
    3d0b9a41 + 7c0d... 10.1.0.2,fd00::2          given
    9a1be07f + 51ee... 10.1.0.3,fd00::3
    c7712f90 - 7c0d... 10.1.0.2,fd00::2          released: it rests behind all that are free

`append` returns when the line is on disk (fsync). A crash can only tear the line that was not yet acknowledged, so a damaged last
line is cut off; a damaged line anywhere else is an error, since it may hide an address in use. After a failed fsync nothing is
known about the file: the record refuses to go on until it is opened again. When most lines are history the log is rewritten
beside itself and renamed over.

Source: containernetworking/plugins host-local keeps a file per address for the same purpose.
"""

import fcntl
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kcore.base import limits
from kcore.base.folder import sync_folder

HEADER = b"kcore-ipam 1\n"


class RecordError(Exception):
    """The record cannot be read, locked or written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Addresses given to an owner, or released by it."""

    owner: str
    addresses: tuple[str, ...]
    held: bool = True


class Record(Protocol):
    """Where a node's allocations outlive the process."""

    def entries(self) -> Sequence[Entry]:
        """What was released, in that order, then what is held, in the order it was given; each address once."""
        ...

    def append(self, entry: Entry) -> None:
        """Make an entry durable.

        Raises    RecordError; then the entry does not count
        """
        ...


class MemoryRecord:
    """Remembers nothing: a hollow node's addresses are adopted from the status of its pods, which the store keeps."""

    __slots__ = ()

    def entries(self) -> Sequence[Entry]:
        """Nothing was given before."""
        return ()

    def append(self, entry: Entry) -> None:
        """Nothing to do."""


class Ledger:
    """What a sequence of entries comes to."""

    __slots__ = ("_held", "_rested")

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, ...]] = {}
        self._rested: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._held) + len(self._rested)

    def add(self, entry: Entry) -> None:
        """Take one more entry into account."""
        self._held.pop(entry.owner, None)
        for address in entry.addresses:
            self._rested.pop(address, None)
            if not entry.held:
                self._rested[address] = entry.owner
        if entry.held:
            self._held[entry.owner] = entry.addresses

    def entries(self) -> list[Entry]:
        """The shortest sequence that comes to the same; each released address by itself, since the next pairs may be others."""
        rested = [Entry(owner, (address,), held=False) for address, owner in self._rested.items()]
        return rested + [Entry(owner, addresses) for owner, addresses in self._held.items()]


def encode(entry: Entry) -> bytes:
    """Line of an entry, with its checksum."""
    body = f"{'+' if entry.held else '-'} {entry.owner} {','.join(entry.addresses)}".encode()
    return b"%08x %s\n" % (zlib.crc32(body), body)


def decode(line: bytes) -> Entry | None:
    """Entry of a line without its end; None if the line is damaged."""
    checksum, _, body = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(body):
        return None
    fields = body.decode().split(" ")
    if len(fields) != 3 or fields[0] not in {"+", "-"}:
        return None
    return Entry(fields[1], tuple(fields[2].split(",")), held=fields[0] == "+")


class FileRecord:
    """The log in a file, held by one process at a time."""

    __slots__ = ("_broken", "_file", "_ledger", "_lines", "_lock", "_path", "_size")

    def __init__(self, path: Path) -> None:
        """Open or make the log, lock it, and read it.

        Raises    RecordError if another process holds it, it is of another format, or a line that was acknowledged is damaged
        """
        self._path = path
        self._broken = ""
        self._ledger = Ledger()
        self._lock = _locked(path.with_name(path.name + ".lock"))
        try:
            self._lines, self._size = self._read()
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND)
        except (OSError, RecordError):
            os.close(self._lock)
            raise

    def entries(self) -> list[Entry]:
        """What was released, then what is held."""
        return self._ledger.entries()

    def append(self, entry: Entry) -> None:
        """Make an entry durable.

        Cost      one fsync; now and then a rewrite of the log
        """
        if self._broken:
            raise RecordError(self._broken)
        line = encode(entry)
        self._write(line)
        self._size += len(line)
        self._lines += 1
        self._ledger.add(entry)
        if self._lines > limits.IPAM_RECORD_LINES_SPARE + 2 * len(self._ledger):
            self._compact()

    def close(self) -> None:
        """Let go of the file and its lock."""
        os.close(self._file)
        os.close(self._lock)

    def _write(self, line: bytes) -> None:
        try:
            written = os.write(self._file, line)
            if written != len(line):
                raise OSError(f"{written} of {len(line)} bytes were written")
        except OSError as error:
            self._undo()
            raise RecordError(f"cannot write {self._path}: {error}") from error
        try:
            os.fsync(self._file)
        except OSError as error:
            self._broken = f"{self._path} must be opened again: its last fsync failed: {error}"
            raise RecordError(self._broken) from error

    def _undo(self) -> None:
        """Cut off what a failed write may have left."""
        try:
            os.ftruncate(self._file, self._size)
        except OSError as error:
            self._broken = f"{self._path} must be opened again: a torn line cannot be cut off: {error}"

    def _read(self) -> tuple[int, int]:
        """Read the log into the ledger, cut off a torn end; returns the number of lines and the size."""
        data = self._path.read_bytes() if self._path.exists() else b""
        if len(data) < len(HEADER) and HEADER.startswith(data):
            _replace(self._path, HEADER)
            return 0, len(HEADER)
        if not data.startswith(HEADER):
            raise RecordError(f"{self._path} is not an address record of this version: it starts with {data[: len(HEADER)]!r}")
        size = len(HEADER)
        *whole, torn = data[size:].split(b"\n")
        count = 0
        for line in whole:
            entry = decode(line)
            if entry is None:
                if count + 1 < len(whole) or torn:
                    raise RecordError(f"line {count + 2} of {self._path} is damaged")
                break
            self._ledger.add(entry)
            count += 1
            size += len(line) + 1
        if size != len(data):
            _truncate(self._path, size)
        return count, size

    def _compact(self) -> None:
        """Rewrite the log without its history. After a failure the record must be opened again."""
        entries = self._ledger.entries()
        data = HEADER + b"".join(map(encode, entries))
        try:
            _replace(self._path, data)
            replaced = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        except OSError as error:
            self._broken = f"{self._path} must be opened again: it could not be rewritten: {error}"
            return
        os.close(self._file)
        self._file, self._size, self._lines = replaced, len(data), len(entries)


def _locked(path: Path) -> int:
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise RecordError(f"{path} is held by another process") from error
    return lock


def _replace(path: Path, data: bytes) -> None:
    """Put the data in the file's place, durably, or leave the file as it is."""
    beside = path.with_name(path.name + ".new")
    with open(beside, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    sync_folder(path.parent)


def _truncate(path: Path, size: int) -> None:
    with open(path, "r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())
