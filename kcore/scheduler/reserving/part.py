"""What a plugin reserves for a pod along with its node (Reserve), and what it has to write before the pod may be bound (PreBind)."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any, NamedTuple, Protocol

from kcore.scheduler.events import ClusterEvent
from kcore.scheduler.rows import NodeRow


class Write(NamedTuple):
    """A merge patch of an object; resource is group and plural, namespace is "" for an object without.

    creates  the kind of an object that does not exist yet: patch is all of it
    deletes  the uid of an object that is to go
    """

    resource: tuple[str, str]
    namespace: str
    name: str
    patch: dict[str, Any]
    subresource: str = ""
    creates: str = ""
    deletes: str = ""


class Progress(Enum):
    """How far it is."""

    WAITING = "waiting"
    DONE = "done"


class Part(Protocol):
    """What is assumed for one pod until it is there, or taken back."""

    @property
    def keys(self) -> Sequence[str]:
        """Return the names of what changes decide."""
        ...

    def writes(self, now: float) -> Iterator[Write]:
        """Yield what the API has yet to be told."""
        ...

    def progress(self, node: NodeRow) -> Progress | str:
        """Return how far it is, or why it cannot come to an end; DONE only when nothing is assumed any more."""
        ...

    def worded(self, problem: str) -> str:
        """Say whose step failed, and why."""
        ...

    def release(self) -> Sequence[ClusterEvent]:
        """Take back what is assumed and not there; Returns what that means to others."""
        ...
