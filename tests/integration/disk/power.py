"""What a disk may hold of a folder after the power went: the trace of recorder.c, replayed up to a moment.

What was synced is there. Of what was written later, each sector may be there or not, or be as it was in between; a name (of a new or
renamed file) is there once its folder was synced. A synchronous write (O_DSYNC) holds for its own sectors only.
"""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

SECTOR = 512
IGNORED = ("lock.mdb", "-lock", ".lock")
"""Files that mean nothing after a restart."""

OPEN, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, MKDIR, MAP, TELL = range(1, 10)
_EVENT = struct.Struct("<IIQQ")


class Event(NamedTuple):
    kind: int
    handle: int
    at: int
    data: bytes


def read_trace(path: Path) -> list[Event]:
    """The events of a trace, in their order."""
    data, found, place = path.read_bytes(), [], 0
    while place < len(data):
        kind, handle, at, size = _EVENT.unpack_from(data, place)
        place += _EVENT.size
        found.append(Event(kind, handle, at, data[place : place + size]))
        place += size
    return found


@dataclass
class Folder:
    """A folder, by its present name; None stands for it where a file's content would."""

    path: str


@dataclass
class File:
    """A file: as programs see it, as it is on disk for sure, and what was written since: (event, [(sector, content)])."""

    now: bytearray
    durable: bytearray
    pending: list[tuple[int, list[tuple[int, bytes]]]] = field(default_factory=list)

    def write(self, number: int, at: int, data: bytes, is_sync: bool) -> None:
        if len(self.now) < at + len(data):
            self.now.extend(bytes(at + len(data) - len(self.now)))
        self.now[at : at + len(data)] = data
        touched = range(at // SECTOR, (at + len(data) - 1) // SECTOR + 1)
        sectors = [(sector, bytes(self.now[sector * SECTOR : (sector + 1) * SECTOR])) for sector in touched]
        if is_sync:
            self.pending = [(event, [pair for pair in pairs if pair[0] not in touched]) for event, pairs in self.pending]
            put_sectors(self.durable, sectors)
        else:
            self.pending.append((number, sectors))

    def sync(self, complete: int) -> None:
        """Everything written by events before number `complete` is on disk."""
        for number, sectors in self.pending:
            if number < complete:
                put_sectors(self.durable, sectors)
        self.pending = [write for write in self.pending if write[0] >= complete]

    def after_loss(self, chance: random.Random) -> bytes:
        """What the disk may hold of it."""
        disk = bytearray(self.durable)
        for sectors in chance.choice(LOSSES)([sectors for _, sectors in self.pending], chance):
            put_sectors(disk, sectors)
        return bytes(disk)


Writes = list[list[tuple[int, bytes]]]


def put_sectors(disk: bytearray, sectors: list[tuple[int, bytes]]) -> None:
    for sector, content in sectors:
        at = sector * SECTOR
        if len(disk) < at + len(content):
            disk.extend(bytes(at + len(content) - len(disk)))
        disk[at : at + len(content)] = content


def dropped(writes: Writes, chance: random.Random) -> Writes:
    return []


def arrived(writes: Writes, chance: random.Random) -> Writes:
    return writes


def torn(writes: Writes, chance: random.Random) -> Writes:
    """In order, up to somewhere within one."""
    if not writes:
        return []
    whole = chance.randrange(len(writes))
    return [*writes[:whole], writes[whole][: chance.randrange(len(writes[whole]) + 1)]]


def reordered(writes: Writes, chance: random.Random) -> Writes:
    """Each write or not, whatever came before it."""
    return [write for write in writes if chance.random() < 0.5]


def scattered(writes: Writes, chance: random.Random) -> Writes:
    """Each sector or not."""
    share = chance.choice((0.1, 0.5, 0.9))
    return [[pair for pair in write if chance.random() < share] for write in writes]


LOSSES: tuple[Callable[[Writes, random.Random], Writes], ...] = (dropped, arrived, torn, reordered, scattered)
Entry = File | Folder


@dataclass(eq=False)
class Naming:
    """A name that stands for something from now on, or (None) for nothing; `before` is the name that it had in the same folder."""

    name: str
    entry: Entry | None
    before: str = ""

    @property
    def folder(self) -> str:
        return os.path.dirname(self.name)

    def apply(self, names: dict[str, Entry]) -> None:
        if self.before:
            assert os.path.dirname(self.before) == self.folder, "moves between folders are not modelled"
            names.pop(self.before, None)
            for inner in [name for name in names if name.startswith(f"{self.before}/")]:
                names[self.name + inner.removeprefix(self.before)] = names.pop(inner)
        if self.entry is None:
            names.pop(self.name, None)
        else:
            names[self.name] = self.entry


class Disk:
    """A folder's disk while a trace is replayed."""

    def __init__(self, root: Path) -> None:
        """Begin with what is there now, all of it durable."""
        self.root = str(root)
        self.names: dict[str, Entry] = {}
        for path in sorted(root.rglob("*")):
            content = path.read_bytes() if path.is_file() else b""
            self.names[str(path)] = Folder(str(path)) if path.is_dir() else File(bytearray(content), bytearray(content))
        self.durable_names = dict(self.names)
        self.pending_names: list[tuple[int, Naming]] = []
        self.handles: dict[int, tuple[Entry, int]] = {}
        self.told: list[str] = []
        self.number = 0

    def name(self, naming: Naming) -> None:
        self.pending_names.append((self.number, naming))
        naming.apply(self.names)

    def replay(self, event: Event) -> None:
        """Go on by one event."""
        text = event.data.decode() if event.kind in (OPEN, RENAME, UNLINK, MKDIR, TELL) else ""
        if event.kind == TELL:
            self.told.append(text)
        elif event.kind == OPEN:
            self.open(event.handle, text, event.at)
        elif event.kind == MKDIR:
            self.name(Naming(text, Folder(text)))
        elif event.kind == UNLINK:
            self.name(Naming(text, None))
        elif event.kind == RENAME:
            before, after = text.split("\0")
            pending = [naming.name for _, naming in self.pending_names if naming.folder == before]
            assert pending == [], f"a folder is moved before these names in it are synced: {pending}"
            entry = self.names[before]
            if isinstance(entry, Folder):
                entry.path = after
            self.name(Naming(after, entry, before))
        else:
            self.change(event)
        self.number += 1

    def open(self, handle: int, path: str, flags: int) -> None:
        if flags & os.O_TMPFILE == os.O_TMPFILE or os.path.basename(path).endswith(IGNORED):
            return
        if path not in self.names and path != self.root:
            self.name(Naming(path, File(bytearray(), bytearray())))
        self.handles[handle] = self.names.get(path, Folder(path)), flags

    def change(self, event: Event) -> None:
        if event.handle not in self.handles:
            return
        entry, flags = self.handles[event.handle]
        if event.kind == SYNC and isinstance(entry, Folder):
            synced = [(number, naming) for number, naming in self.pending_names if naming.folder == entry.path and number < event.at]
            for _, naming in synced:
                naming.apply(self.durable_names)
            self.pending_names = [row for row in self.pending_names if row not in synced]
        elif event.kind == SYNC:
            assert isinstance(entry, File)
            entry.sync(event.at)
        elif event.kind == WRITE and isinstance(entry, File):
            entry.write(self.number, event.at, event.data, bool(flags & os.O_DSYNC))
        else:
            raise AssertionError(f"event {event.kind} is not modelled: what it does to a file is not known here")

    def after_loss(self, chance: random.Random) -> dict[str, bytes | None]:
        """What may be there if the power goes now: names, each with a file's content, or None for a folder."""
        names = dict(self.durable_names)
        for _, naming in self.pending_names[: chance.randrange(len(self.pending_names) + 1)]:
            naming.apply(names)
        found: dict[str, bytes | None] = {}
        for name, entry in sorted(names.items()):
            parent = os.path.dirname(name)
            if parent == self.root or found.get(parent, b"") is None:
                found[name] = None if isinstance(entry, Folder) else entry.after_loss(chance)
        return found


def lay_out(image: dict[str, bytes | None], before: Path, after: Path) -> None:
    """Write what is left of a folder into another one."""
    after.mkdir()
    for name, content in image.items():
        path = after / os.path.relpath(name, before)
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content)
