"""A committed change of an object as the hub hands it round.

What was there before, what is there now, and its encodings, each made once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class Change:
    """A change: `old` is None where the object appears, `new` where it goes."""

    key: bytes
    revision: int
    old: Item | None
    new: Item | None
    encoded: dict[tuple[Encode, str], bytes] = field(default_factory=dict)
    # What it is to a watch that wants every object.
    event_type: str = field(init=False)
    # About how many bytes it holds.
    size: int = field(init=False)

    def __post_init__(self) -> None:
        old, new = self.old, self.new
        self.event_type = ADDED if old is None else DELETED if new is None else MODIFIED
        self.size = (0 if new is None else len(new.value)) + (0 if old is None else len(old.value))

    def encode(self, event_type: str, encode: Encode) -> bytes:
        """The event in a form; a deletion shows the object as it was, at the revision of the deletion."""
        found = self.encoded.get((encode, event_type))
        if found is None:
            item = self.old if event_type == DELETED or self.new is None else self.new
            assert item is not None
            found = self.encoded[encode, event_type] = encode(event_type, item.value, self.revision)
        return found
