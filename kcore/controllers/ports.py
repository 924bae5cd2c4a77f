"""What controllers need from outside: small protocols, which ``kcore.client`` and the fakes of the tests both have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from kcore.client.bulk import BulkResult
from kcore.client.items import Item
from kcore.client.kinds import Resource

T = TypeVar("T")


class LabelMatcher(Protocol):
    """What decides by labels."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether labels match."""
        ...


class Lister(Protocol[T]):
    """What is known of one resource; as old as its last change. Objects are shared: whoever changes one copies it first."""

    def get(self, name: str, *, namespace: str = "") -> T | None:
        """Return an object by name."""
        ...

    def by_index(self, index: str, value: str) -> list[T]:
        """Return the objects that have a value in an index."""
        ...

    def by_any(self, index: str, values: Iterable[str]) -> list[T]:
        """Return the objects that have any of some values in an index; one that has two of them stands there twice."""
        ...

    def list(self, *, namespace: str = "", selector: LabelMatcher | None = None) -> list[T]:
        """Return the objects of a namespace, or of all, whose labels match."""
        ...


class Informer(Protocol[T]):
    """Keeps a lister up to date and tells of changes."""

    @property
    def lister(self) -> Lister[T]:
        """What it knows."""
        ...

    def add_index(self, name: str, values: Callable[[T], Iterable[str]], reads: Iterable[str] | None = None) -> None:
        """Index the objects; `reads` are the fields that `values` looks at."""
        ...

    def add_handler(
        self,
        *,
        on_add: Callable[[T], None] | None = None,
        on_update: Callable[[T, T], None] | None = None,
        on_delete: Callable[[T], None] | None = None,
        reads: Iterable[str] | None = None,
        reads_if_owned: Iterable[str] = (),
    ) -> None:
        """Tell of changes; `reads` are the fields that decide what is made of an update, and `reads_if_owned` further ones of objects that
        have an owner."""
        ...


class Writes(Protocol):
    """Sends writes; the failure of one is a value in its result."""

    async def write(self, items: Sequence[Item]) -> list[BulkResult]:
        """Carry writes out in order and return their results in order."""
        ...

    def submit(self, item: Item) -> asyncio.Future[BulkResult]:
        """Hand one write in, to travel with what others hand in at the same time."""
        ...


class Recorder(Protocol):
    """Notes Events."""

    def event(self, regarding: Any, type_: str, reason: str, message: str) -> None:
        """Note that something happened to an object; never waits, never fails."""
        ...


class Reads(Protocol):
    """Reads of one resource that go to the API server, for what a lister may not know yet."""

    async def get(self, name: str, *, namespace: str = "", metadata_only: bool = False) -> Any:
        """Return an object; StatusError (NotFound) if there is none."""
        ...


class Api(Protocol):
    """The API server, as far as controllers ask it directly."""

    @property
    def bulk(self) -> Writes:
        """Its writes."""
        ...

    def resource(self, resource: Resource) -> Any:
        """Return the calls of a resource."""
        ...
