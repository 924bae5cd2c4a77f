"""A committed change of an object as the hub hands it round.

What was there before, what is there now, and its encodings, each made once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

ADDED: Final = "ADDED"
MODIFIED: Final = "MODIFIED"
DELETED: Final = "DELETED"
BOOKMARK: Final = "BOOKMARK"
# The bookmark that ends the initial events.
INITIAL_END: Final = "INITIAL_END"


class Projected(NamedTuple):
    """What selectors can ask of an object."""

    namespace: str
    name: str
    labels: dict[str, str]
    fields: dict[str, str]


class Item:
    """An object that is there: its stored value, the revision it was written at, and its projection, made when somebody asks for it."""

    __slots__ = ("_project", "_projected", "revision", "value")

    def __init__(self, value: bytes, revision: int, project: Callable[[bytes], Projected]) -> None:
        self.value, self.revision, self._project = value, revision, project
        self._projected: Projected | None = None

    @property
    def projected(self) -> Projected:
        """What selectors can ask of it."""
        found = self._projected
        if found is None:
            found = self._projected = self._project(self.value)
        return found


Encode = Callable[[str, bytes, int], bytes]


class Selector(Protocol):
    """Labels or fields that an object must have."""

    def matches(self, values: dict[str, str]) -> bool:
        """Whether they are there."""
        ...

    def equalities(self) -> dict[str, str]:
        """The values that must be equal, for the index."""
        ...


class Change:
    """A change: `old` is None where the object appears, `new` where it goes.

    event_type  what it is to a watch that wants every object
    size        about how many bytes it holds
    """

    __slots__ = ("_encode", "_encoded", "_encoded_type", "_others", "event_type", "key", "new", "old", "revision", "size")

    def __init__(self, key: bytes, revision: int, old: Item | None, new: Item | None) -> None:
        self.key, self.revision, self.old, self.new = key, revision, old, new
        self.event_type = ADDED if old is None else DELETED if new is None else MODIFIED
        self.size = (0 if new is None else len(new.value)) + (0 if old is None else len(old.value))
        # The first form that is asked for, which is nearly always the only one, and the others.
        self._encode: Encode | None = None
        self._encoded_type = ""
        self._encoded = b""
        self._others: dict[tuple[Encode, str], bytes] | None = None

    def encode(self, event_type: str, encode: Encode) -> bytes:
        """The event in a form, made once; a deletion shows the object as it was, at the revision of the deletion."""
        if self._encode == encode and self._encoded_type == event_type:
            return self._encoded
        if self._encode is None:
            self._encoded = self._encoded_by(event_type, encode)
            self._encode, self._encoded_type = encode, event_type
            return self._encoded
        if self._others is None:
            self._others = {}
        found = self._others.get((encode, event_type))
        if found is None:
            found = self._others[encode, event_type] = self._encoded_by(event_type, encode)
        return found

    def _encoded_by(self, event_type: str, encode: Encode) -> bytes:
        item = self.old if event_type == DELETED or self.new is None else self.new
        assert item is not None
        return encode(event_type, item.value, self.revision)
