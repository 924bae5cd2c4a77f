"""What was committed, in order, as the store tells it: the one thing that checkers look at. Whatever parts believe is not asked.

A change that was committed is there for good: when the API server is killed and opens its store again, that has to show what is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final

from kcore.base.clock import Clock
from kcore.client import kinds
from kcore.machinery import codec
from kcore.store.storage import KeyValue, Mutation

UNWATCHED: Final = frozenset(("Event", "Lease"))
"""Kinds that come and go all the time, and of which no checker knows anything."""


class Version:
    """An object as it was stored at a revision."""

    def __init__(self, value: bytes, revision: int) -> None:
        self.api_version, self.kind, self._raw = codec.open_envelope(value)
        self.value, self.revision = value, revision

    @cached_property
    def message(self) -> Any:
        """The object. Nobody changes it."""
        group, _, version = self.api_version.rpartition("/")
        return kinds.of_kind(group, version, self.kind).message.FromString(self._raw)

    @property
    def uid(self) -> str:
        """Its identity."""
        found: str = self.message.metadata.uid
        return found


class Change:
    """A committed change: `old` is None where the object appears, `new` where it goes."""

    def __init__(self, mutation: Mutation, old: Version | None, time: float) -> None:
        self.mutation, self.old, self.time = mutation, old, time
        self.revision = mutation.revision
        self.key = mutation.key.decode()
        self.new = None if mutation.value is None else Version(mutation.value, mutation.revision)

    @property
    def kind(self) -> str:
        """What it is about."""
        found = self.new or self.old
        return found.kind if found is not None else ""

    def __str__(self) -> str:
        what = "deleted" if self.new is None else "created" if self.old is None else "changed"
        return f"{self.time:9.3f} {self.revision:5d} {what} {self.key}"


class Checker:
    """A pure observer: takes changes in, and notes what should never be. Each looks after one promise."""

    def __init__(self) -> None:
        self.wrongs: list[str] = []

    def saw(self, change: Change, history: History) -> None:
        """Take a change in; the history holds it already."""
        raise NotImplementedError

    def wrong(self, change: Change, sentence: str) -> None:
        """Note what should never be."""
        self.wrongs.append(f"{type(self).__name__} at {change.time:.3f} s, revision {change.revision}: {sentence}")


class History:
    """All that was committed, and what is there by now."""

    def __init__(self, clock: Clock, checkers: Sequence[Checker]) -> None:
        self.checkers = checkers
        self.present: dict[str, Version] = {}
        self.log: list[Mutation] = []
        self.revision = 0
        self.changed_at = 0.0
        self.driven_at: dict[str, float] = {}
        self._clock = clock
        self._digest = blake2b(digest_size=16)

    def committed(self, mutations: Sequence[Mutation], revision: int) -> None:
        """Take a batch in, as a subscriber of the store."""
        now = self._clock.monotonic()
        for mutation in mutations:
            self.log.append(mutation)
            self._digest.update(f"{now:.6f} {mutation.revision} {mutation.sub} ".encode() + mutation.key + (mutation.value or b"-"))
            key = mutation.key.decode()
            change = Change(mutation, self.present.get(key), now)
            if change.new is None:
                self.present.pop(key, None)
            else:
                self.present[key] = change.new
            if change.kind not in UNWATCHED:
                self.changed_at = now
            if change.kind == "Node":
                self._note_drive(change)
            for checker in self.checkers:
                checker.saw(change, self)
        self.revision = revision

    def _note_drive(self, change: Change) -> None:
        """Note when a node drove pods away at last."""
        for version in (change.old, change.new):
            if version is not None and any(taint.effect == "NoExecute" for taint in version.message.spec.taints):
                self.driven_at[version.message.metadata.name] = change.time

    def all(self, kind: str) -> Iterator[Any]:
        """The present objects of a kind."""
        return (version.message for version in self.present.values() if version.kind == kind)

    def wrongs(self) -> list[str]:
        """What should not have been, in the words of the checkers."""
        return [wrong for checker in self.checkers for wrong in checker.wrongs]

    def reopened(self, kvs: Iterable[KeyValue]) -> list[str]:
        """What a store that was opened again does not show as it was committed."""
        found = {kv.key.decode(): kv.mod_revision for kv in kvs}
        known = {key: version.revision for key, version in self.present.items()}
        return [
            f"after the store was opened again {key} has revision {found.get(key)}, committed was {known.get(key)}"
            for key in sorted(found.keys() | known.keys())
            if found.get(key) != known.get(key)
        ]

    @property
    def digest(self) -> str:
        """A number for all of it, times included: equal histories have equal ones."""
        return self._digest.hexdigest()
