"""What is known of a resource, kept up to date, and who is told of changes.

    informers = Informers(client)
    pods = informers.informer(Pod)                     the same informer for all who ask for the same
    pods.add_index("node", by_node)
    pods.add_handler(on_add=..., on_update=..., on_delete=...)
    async with asyncio.TaskGroup() as group:
        group.create_task(informers.run())
        await informers.wait_synced()

A handler is told after the store has changed, in the loop, in the order of the changes; it puts a key into a workqueue and returns. The
object of a deletion is the one that was known last. Objects are what `parse` makes of their bytes: the kind's message, unless an informer
is asked for with a parse of its own (a projection, for a resource with many objects of which little is read).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import compress
from operator import ne
from typing import Any, Final, Generic, TypeVar, cast

from google.protobuf.message import Message

from kcore.base import limits
from kcore.client import kinds
from kcore.client.client import Client
from kcore.client.kinds import Resource
from kcore.client.lister import NAMESPACE, Lister, Store, Values
from kcore.client.reflector import EVERYTHING, Deliver, Reflector, Selection
from kcore.client.wire import DELETED, WatchEvent
from kcore.machinery.projection import Projection

T = TypeVar("T")
M = TypeVar("M", bound=Message)

Parse = Callable[[bytes], Any]

UID: Final = "metadata.uid"
OWNERS: Final = "metadata.ownerReferences[]@raw"
NOTHING: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Handler(Generic[T]):
    """Who is told of changes, and which fields it looks at in an update (None: any), and further ones in one of an object with an owner."""

    on_add: Callable[[T], None] | None
    on_update: Callable[[T, T], None] | None
    on_delete: Callable[[T], None] | None
    reads: frozenset[str] | None
    reads_if_owned: frozenset[str]

    def looks(self, changed: frozenset[str], owned: bool) -> bool:
        """Tell whether it looks at an update of these fields."""
        if self.reads is None or not self.reads.isdisjoint(changed):
            return True
        return owned and not self.reads_if_owned.isdisjoint(changed)


class Informer(Generic[T]):
    """The objects of one resource and selection.

    Whoever says what it `reads` (paths of `kcore.machinery.projection`: the fields that decide what it makes of a change) is not asked
    again by a change of anything else; what it `reads_if_owned` counts only of an object that has an owner, or had one before. An object of
    another uid, one that comes and one that goes is told to all.
    """

    def __init__(self, reflector: Reflector, parse: Callable[[bytes], T], packed: bool = False) -> None:
        self.store: Store[T] = Store(parse if packed else None)
        self.lister = Lister(self.store)
        self._reflector = reflector
        self._parse = parse
        self._handlers: list[Handler[T]] = []
        self._index_reads: dict[str, frozenset[str]] = {NAMESPACE: frozenset()}
        self._paths: tuple[str, ...] = (OWNERS, UID)
        self._project: Projection | None = None
        self._read: dict[str, tuple[Any, ...]] = {}
        # By whether the object has an owner, then for each path whether it changed.
        self._concerned: dict[tuple[bool, ...], tuple[frozenset[str], list[Handler[T]]]] = {}
        reflector.add_receiver(self._receive)

    @property
    def resource(self) -> Resource:
        """What it knows."""
        return self._reflector.resource

    @property
    def revision(self) -> int:
        """The newest revision that the store shows."""
        return self._reflector.revision

    @property
    def has_synced(self) -> bool:
        """Whether the store shows all objects that were there at first, and the handlers know them."""
        return self._reflector.has_synced

    async def wait_synced(self) -> None:
        """Wait until it has synced."""
        await self._reflector.wait_synced()

    def add_index(self, name: str, values: Values[T], reads: Iterable[str] | None = None) -> None:
        """Index the objects; at any time."""
        self.store.add_index(name, values)
        if reads is not None:
            self._index_reads[name] = self._follow(reads)

    def add_handler(
        self,
        *,
        on_add: Callable[[T], None] | None = None,
        on_update: Callable[[T, T], None] | None = None,
        on_delete: Callable[[T], None] | None = None,
        reads: Iterable[str] | None = None,
        reads_if_owned: Iterable[str] = (),
    ) -> None:
        """Tell of changes; a handler that comes late is told of the present objects at once, as added.

        on_update  takes the old and the new object
        """
        looked_at = None if reads is None else self._follow(reads)
        of_owned = self._follow(reads_if_owned) if reads_if_owned else NOTHING
        self._handlers.append(Handler(on_add, on_update, on_delete, looked_at, of_owned))
        self._concerned.clear()
        if on_add is not None:
            for object_ in self.store.objects():
                on_add(object_)

    def _follow(self, reads: Iterable[str]) -> frozenset[str]:
        """From now on know of these fields whether they change."""
        wanted = frozenset(reads)
        self._paths = tuple(dict.fromkeys((*self._paths, *sorted(wanted))))
        self._project = Projection(self.resource.message.DESCRIPTOR.full_name, self._paths)
        self._read.clear()
        self._concerned.clear()
        return wanted

    def _receive(self, changes: list[WatchEvent]) -> None:
        for type_, raw, key, _ in changes:
            if type_ == DELETED:
                self._read.pop(key, None)
                gone = self.store.delete(key)
                if gone is not None:
                    self._tell_deleted(gone)
                continue
            object_ = self._parse(raw)
            standing, handlers = self._who_looks(key, raw)
            old = self.store.put(key, object_, raw, standing)
            if old is None:
                self._tell_added(object_)
            else:
                self._tell_updated(old, object_, handlers)

    def _who_looks(self, key: str, raw: bytes) -> tuple[frozenset[str], list[Handler[T]]]:
        """Return the indexes that need no look at an object, and the handlers that do."""
        if self._project is None:
            return NOTHING, self._handlers
        now = self._project(raw)
        before = self._read.get(key)
        self._read[key] = now
        if before is None:
            return NOTHING, self._handlers
        owned = bool(before[0] or now[0])
        changes = (owned, *map(ne, before, now))
        found = self._concerned.get(changes)
        if found is None:
            if len(self._concerned) >= limits.INFORMER_CHANGES_MAX:
                self._concerned.clear()
            found = self._concerned[changes] = self._work_out(frozenset(compress(self._paths, changes[1:])), owned)
        return found

    def _work_out(self, changed: frozenset[str], owned: bool) -> tuple[frozenset[str], list[Handler[T]]]:
        """Return the same for any object in which these fields changed."""
        if UID in changed:
            return NOTHING, self._handlers
        standing = frozenset(name for name, reads in self._index_reads.items() if reads.isdisjoint(changed))
        return standing, [each for each in self._handlers if each.looks(changed, owned)]

    def _tell_added(self, object_: T) -> None:
        for handler in self._handlers:
            if handler.on_add is not None:
                handler.on_add(object_)

    def _tell_updated(self, old: T, new: T, handlers: list[Handler[T]]) -> None:
        for handler in handlers:
            if handler.on_update is not None:
                handler.on_update(old, new)

    def _tell_deleted(self, object_: T) -> None:
        for handler in self._handlers:
            if handler.on_delete is not None:
                handler.on_delete(object_)


class Informers:
    """The reflectors and informers of one process: one reflector for each resource and selection, however many ask."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._reflectors: list[Reflector] = []
        self._waiting: dict[tuple[Resource, Selection], Reflector] = {}
        self._informers: dict[tuple[Resource, Selection, Parse | None], Informer[Any]] = {}
        self._changed = asyncio.Event()

    def informer(self, message: type[M], selection: Selection = EVERYTHING) -> Informer[M]:
        """Return the informer of a kind by its message class."""
        return cast(Informer[M], self.informer_of(kinds.of_message(message), selection))

    def informer_of(
        self, resource: Resource, selection: Selection = EVERYTHING, parse: Parse | None = None, *, packed: bool = False
    ) -> Informer[Any]:
        """Return the informer of a resource; one with a parse of its own is shared with those who ask for the same function.

        One that is asked for while `run` runs starts at once. Whoever asks first says whether it keeps bytes (`packed`, see Store).
        """
        name = (resource, selection, parse)
        if name not in self._informers:
            reflector = self._reflector(resource, selection)
            self._informers[name] = Informer(reflector, parse or resource.message.FromString, packed)
        return self._informers[name]

    def receive(self, resource: Resource, deliver: Deliver, selection: Selection = EVERYTHING) -> Reflector:
        """Deliver a resource's changes as bytes; returns what knows whether it has synced."""
        reflector = self._reflector(resource, selection)
        reflector.add_receiver(deliver)
        return reflector

    @property
    def has_synced(self) -> bool:
        """Whether all have synced."""
        return all(reflector.has_synced for reflector in self._reflectors)

    async def wait_synced(self) -> None:
        """Wait until all that were asked for by now have synced."""
        for reflector in list(self._reflectors):
            await reflector.wait_synced()

    async def run(self) -> None:
        """Follow all resources until cancelled; what a handler raises ends it."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                for reflector in self._waiting.values():
                    group.create_task(reflector.run(), name=f"reflector-{reflector.resource}")
                self._waiting.clear()
                await self._changed.wait()

    def _reflector(self, resource: Resource, selection: Selection) -> Reflector:
        """Return a reflector that does not run yet: one that does has delivered what a new receiver would miss."""
        name = (resource, selection)
        if name not in self._waiting:
            calls = self._client.resource(resource)
            reflector = self._waiting[name] = Reflector(calls, selection, self._client.clock, self._client.entropy)
            self._reflectors.append(reflector)
            self._changed.set()
        return self._waiting[name]
