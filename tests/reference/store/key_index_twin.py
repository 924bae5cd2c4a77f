"""The key index, slow and obvious: a list of all changes ever made, looked through for every question."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Change:
    key: bytes
    value: bytes | None
    revision: int
    sub: int
    create_revision: int
    version: int
    lease: int
    chunk: int
    size: int


def within(key: bytes, start: bytes, end: bytes) -> bool:
    return key == start if not end else key >= start and (end == b"\0" or key < end)


class KeyIndexTwin:
    def __init__(self) -> None:
        self.all: list[Change] = []

    def at(self, key: bytes, revision: int) -> Change | None:
        """The change that a read at a revision meets, deletion or not."""
        return max((c for c in self.all if c.key == key and c.revision <= revision), key=lambda c: c.revision, default=None)

    def present(self, key: bytes, revision: int) -> Change | None:
        found = self.at(key, revision)
        return None if found is None or found.value is None else found

    def all_keys(self) -> list[bytes]:
        return sorted({c.key for c in self.all})

    def put(self, key: bytes, value: bytes, revision: int, sub: int, lease: int, chunk: int, size: int) -> tuple[int, int, int]:
        was = self.present(key, revision)
        create_revision, version = (revision, 1) if was is None else (was.create_revision, was.version + 1)
        self.all.append(Change(key, value, revision, sub, create_revision, version, lease, chunk, size))
        return create_revision, version, 0 if was is None else was.lease

    def delete(self, key: bytes, revision: int, sub: int, chunk: int, size: int) -> int:
        was = self.present(key, revision)
        if was is None:
            raise KeyError(key)
        self.all.append(Change(key, None, revision, sub, 0, 0, 0, chunk, size))
        return was.lease

    def range(self, start: bytes, end: bytes, revision: int, limit: int) -> tuple[list[Change], int]:
        found = [c for key in self.all_keys() if within(key, start, end) and (c := self.present(key, revision)) is not None]
        return (found[:limit] if limit else found), len(found)

    def changes(self, start: bytes, end: bytes, after: int, upto: int) -> list[Change]:
        found = [c for c in self.all if within(c.key, start, end) and after < c.revision <= upto]
        return sorted(found, key=lambda c: (c.revision, c.sub))

    def rollback(self, keys: set[bytes], revision: int) -> None:
        self.all = [c for c in self.all if c.key not in keys or c.revision <= revision]

    def compact(self, floors: list[int]) -> dict[int, int]:
        needed: list[Change] = []
        for key in self.all_keys():
            seen_by_floors = [self.present(key, floor) for floor in floors]
            kept: list[Change] = []
            for c in sorted((c for c in self.all if c.key == key), key=lambda c: c.revision):
                ends_a_kept_life = c.value is None and bool(kept) and kept[-1].value is not None
                if c.revision > floors[-1] or c in seen_by_floors or ends_a_kept_life or (c.value is None and c.revision == floors[-1]):
                    kept.append(c)
            needed += kept
        dead: dict[int, int] = {}
        for c in self.all:
            if c not in needed:
                dead[c.chunk] = dead.get(c.chunk, 0) + c.size
        self.all = [c for c in self.all if c in needed]
        return dead

    def leases(self) -> dict[int, set[bytes]]:
        attached: dict[int, set[bytes]] = {}
        for key in self.all_keys():
            found = self.present(key, 1 << 60)
            if found is not None and found.lease:
                attached.setdefault(found.lease, set()).add(key)
        return attached
