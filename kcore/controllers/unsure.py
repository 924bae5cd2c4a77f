"""Writes whose answers were lost: they may have happened, may happen yet, or never will.

A controller that decided anew at once could double them. It waits LOST_ANSWER_PAUSE_S, in which whatever is under way arrives, asks the API
server what is there, and takes back the expectations that will not be met. Thread: the event loop's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kcore.controllers.actions import Create, Delete, Write
from kcore.controllers.adoption import is_deleting


@dataclass(slots=True)
class Unsure:
    """The writes of one key; `since` is the monotonic time of the last lost answer."""

    since: float
    writes: list[Write] = field(default_factory=list)

    def never_happened(self, present: Iterable[Any]) -> list[Write]:
        """Return the writes that did not happen, given all objects that are there now.

        A create of which nothing is there did not happen, or no trace of it is left; a delete happened if its object is gone or going.
        """
        found = {object_.metadata.uid: object_ for object_ in present}
        names = {object_.metadata.name for object_ in found.values()}
        return [write for write in self.writes if not self._happened(write, names, found)]

    def _happened(self, write: Write, names: set[str], found: dict[str, Any]) -> bool:
        if isinstance(write, Create):
            return name_of(write) in names
        assert isinstance(write, Delete), f"{write} is neither a create nor a delete"
        return write.uid not in found or is_deleting(found[write.uid])


class UnsureWrites:
    """Unsure writes by key."""

    def __init__(self) -> None:
        self._unsure: dict[str, Unsure] = {}

    def note(self, key: str, writes: Iterable[Write], now: float) -> None:
        """Note writes whose answers were lost."""
        unsure = self._unsure.setdefault(key, Unsure(now))
        unsure.since = now
        unsure.writes.extend(writes)

    def of(self, key: str) -> Unsure | None:
        """Return the unsure writes of a key."""
        return self._unsure.get(key)

    def forget(self, key: str) -> None:
        """All is known."""
        self._unsure.pop(key, None)


def name_of(create: Create) -> str:
    """Return the name of what is created."""
    name: str = create.object.metadata.name
    return name


def uid_of(delete: Delete) -> str:
    """Return the uid of what is deleted."""
    return delete.uid
