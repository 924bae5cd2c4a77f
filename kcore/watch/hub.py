"""From committed batches to watchers, and the present objects for reads.

    storage --subscribe--> Hub.publish: present objects and history of each resource --> fan-out index --> Watcher.offer --> next_batch

Reads and watches see only what is durable, all in the same order.

Source: DESIGN section 3; Kubernetes apiserver `pkg/storage/cacher`; CONTRACT A8, A9.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from kcore.base import limits
from kcore.store.storage import Mutation, Storage, StoreError
from kcore.watch._fanout import ANY, FIELD, LABEL, NAME, NAMESPACE, FanoutIndex
from kcore.watch.change import ADDED, Change, Encode, Item, Projected
from kcore.watch.watcher import Watcher, WatchExpired, WatchSpec


@dataclass(frozen=True, slots=True)
class ResourceView:
    """A resource as the hub sees it.

    Where its keys begin, how a stored value is projected, and the fields by which watchers are indexed.
    """

    prefix: bytes
    project: Callable[[bytes], Projected]
    indexed_fields: frozenset[str] = frozenset()


@dataclass(slots=True)
class ResourceState:
    """A resource: its present objects, its recent changes, its watchers.

    floor    the revision after which the history is whole
    changes  how many there were since the start
    """

    view: ResourceView
    present: dict[bytes, Item] = field(default_factory=dict)
    history: deque[Change] = field(default_factory=deque)
    history_bytes: int = 0
    floor: int = 0
    changes: int = 0
    index: FanoutIndex = field(default_factory=FanoutIndex)
    watchers: dict[Watcher, tuple[int, str, str]] = field(default_factory=dict)


def criterion(spec: WatchSpec, indexed: frozenset[str]) -> tuple[int, str, str]:
    """The criterion of the fan-out index that excludes most for a watch.

    An empty value is no criterion: a projection may leave it out.
    """
    fields = spec.fields.equalities() if spec.fields is not None else {}
    name, namespace = place_of(spec)
    if name:
        return NAME, namespace, name
    for path, value in fields.items():
        if path in indexed and value:
            return FIELD, path, value
    labels = spec.labels.equalities() if spec.labels is not None else {}
    for label, value in labels.items():
        if value:
            return LABEL, label, value
    return (NAMESPACE, namespace, "") if namespace else (ANY, "", "")


def place_of(spec: WatchSpec) -> tuple[str, str]:
    """(name, namespace) that a selection asks for, by itself or by its field selector; empty is any."""
    fields = spec.fields.equalities() if spec.fields is not None else {}
    return spec.name or fields.get("metadata.name", ""), spec.namespace or fields.get("metadata.namespace", "")


class Hub:
    """The watch hub over one store. Thread: the event loop's."""

    def __init__(self, storage: Storage, views: dict[str, ResourceView], origin: Hub | None = None) -> None:
        """Read the present objects of all resources, and follow the store from there.

        origin  the hub over the store that this one is a fork of: its objects, which nobody changes, are shared instead of read
        """
        self.storage = storage
        self.revision = storage.revision
        self.resources = {name: ResourceState(view, floor=storage.revision) for name, view in views.items()}
        self.by_prefix = {view.prefix: self.resources[name] for name, view in views.items()}
        self.depths = sorted({prefix.count(b"/") for prefix in self.by_prefix}, reverse=True)
        # The resource of each folder of keys, as far as any was asked for; a folder is a resource's namespace, or a whole resource.
        self.by_folder: dict[bytes, ResourceState | None] = {}
        for name, state in self.resources.items():
            if origin is not None:
                state.present = origin.resources[name].present.copy()
                continue
            for kv in storage.range(state.view.prefix, after_prefix(state.view.prefix)).kvs:
                state.present[kv.key] = Item(kv.value, kv.mod_revision, state.view.project)
        self.waiting: list[tuple[int, asyncio.Future[None]]] = []
        self.is_stopped = False
        storage.subscribe(self.publish)

    def state_of(self, key: bytes) -> ResourceState | None:
        """The resource that a key belongs to: that of the longest prefix."""
        folder = key[: key.rfind(b"/") + 1]
        try:
            return self.by_folder[folder]
        except KeyError:
            pass
        if len(self.by_folder) >= limits.HUB_FOLDERS_MAX:
            self.by_folder.clear()
        found = self.by_folder[folder] = self.longest_prefix_of(folder)
        return found

    def longest_prefix_of(self, key: bytes) -> ResourceState | None:
        parts = key.split(b"/", self.depths[0] if self.depths else 0)
        for depth in self.depths:
            if len(parts) > depth:
                found = self.by_prefix.get(b"/".join(parts[:depth]) + b"/")
                if found is not None:
                    return found
        return None

    @property
    def is_idle(self) -> bool:
        """Whether every watch has been sent all that it wants."""
        return all(watcher.is_idle for state in self.resources.values() for watcher in state.watchers)

    # writing side

    def publish(self, mutations: Sequence[Mutation], revision: int) -> None:
        """Take a committed batch in, and offer each change to the watchers that may want it."""
        for mutation in mutations:
            key, value = mutation.key, mutation.value
            state = self.state_of(key)
            if state is None:
                continue
            old = state.present.get(key)
            new: Item | None = None
            if value is not None:
                new = state.present[key] = Item(value, mutation.revision, state.view.project)
            elif old is not None:
                del state.present[key]
            else:
                continue
            change = Change(key, mutation.revision, old, new)
            self.remember(state, change)
            if state.watchers:
                index = state.index
                plain = index.is_plain
                before = None if old is None or plain else old.projected
                for watcher in index.interested(before, None if new is None or plain else new.projected):
                    watcher.offer(change)
        self.revision = revision
        for wanted, waiter in self.waiting:
            if wanted <= revision and not waiter.done():
                waiter.set_result(None)
        self.waiting = [entry for entry in self.waiting if not entry[1].done()]

    async def reached(self, revision: int) -> None:
        """Wait until a revision is durable; the caller bounds the wait."""
        if revision > self.revision:
            waiter = asyncio.get_running_loop().create_future()
            self.waiting.append((revision, waiter))
            await waiter

    def remember(self, state: ResourceState, change: Change) -> None:
        """Keep a change for watchers that come back, within bounds."""
        state.changes += 1
        state.history.append(change)
        state.history_bytes += change.size
        while len(state.history) > limits.WATCH_HISTORY_EVENTS_MAX or state.history_bytes > limits.WATCH_HISTORY_BYTES_MAX:
            dropped = state.history.popleft()
            state.history_bytes -= dropped.size
            state.floor = dropped.revision

    def tick(self, now: float) -> None:
        """Send bookmarks to the watchers whose time it is; `now` is monotonic."""
        for state in self.resources.values():
            for watcher in state.watchers:
                if watcher.spec.bookmarks and now - watcher.idle_since >= limits.BOOKMARK_PERIOD_S:
                    watcher.idle_since = now
                    watcher.bookmark(self.revision)

    def stop(self) -> None:
        """End every watch after what waits for it, and those that begin later at once."""
        self.is_stopped = True
        for state in self.resources.values():
            for watcher in state.watchers:
                watcher.close()

    # reading side

    def get(self, resource: str, key: bytes) -> Item | None:
        """The newest durable state of an object."""
        return self.resources[resource].present.get(key)

    def keys(self, resource: str, start: bytes, namespace: str) -> list[bytes]:
        """The present keys of a resource from `start` (b"" is the first), of one namespace or all, in order."""
        prefix = self.resources[resource].view.prefix + (f"{namespace}/".encode() if namespace else b"")
        return self.storage.keys(max(start, prefix), after_prefix(prefix))

    def select(self, resource: str, spec: WatchSpec, start: bytes = b"") -> Iterator[tuple[bytes, Item]]:
        """The present objects that a selection wants, in key order."""
        present = self.resources[resource].present
        name, namespace = place_of(spec)
        prefix = self.resources[resource].view.prefix
        if name and (key := prefix + (f"{namespace}/{name}" if namespace else name).encode()) in present:
            wanted = [key] if key >= start else []
        elif name and namespace:
            wanted = []
        else:
            wanted = self.keys(resource, start, namespace)
        plain = spec.labels is None and spec.fields is None and not spec.name
        for key in wanted:
            item = present[key]
            if plain or spec.matches(item.projected):
                yield key, item

    def select_at(self, resource: str, spec: WatchSpec, revision: int, start: bytes = b"") -> Iterator[tuple[bytes, Item]]:
        """The objects that a selection wants as they were at a revision, in key order. Raises StoreError: compacted, future revision."""
        view = self.resources[resource].view
        prefix = view.prefix + (f"{spec.namespace}/".encode() if spec.namespace else b"")
        start = max(start, prefix)
        while start:
            page = self.storage.range(start, after_prefix(prefix), revision, limits.HISTORY_READ_OBJECTS)
            for kv in page.kvs:
                item = Item(kv.value, kv.mod_revision, view.project)
                if spec.matches(item.projected):
                    yield kv.key, item
            start = page.kvs[-1].key + b"\0" if page.more else b""

    # watching

    def watch(self, resource: str, spec: WatchSpec, encode: Encode, after: int | None, initial_end: bool = False) -> Watcher:
        """Begin a watch.

        after        changes after this revision; None: the present objects first, as ADDED
        initial_end  a bookmark marks the end of the present objects
        Raises       WatchExpired if that history is gone
        """
        state = self.resources[resource]
        if len(state.watchers) >= limits.WATCHERS_PER_RESOURCE_MAX:
            raise WatchExpired(f"{resource} has {limits.WATCHERS_PER_RESOURCE_MAX} watchers already")
        watcher = Watcher(spec, encode, self.revision)
        if after is None:
            watcher.initial = iter([(ADDED, item) for _, item in self.select(resource, spec)])
            watcher.end_marker = initial_end
        else:
            for change in self.since(state, after):
                watcher.offer(change)
        if self.is_stopped:
            watcher.close()
        place = criterion(spec, state.view.indexed_fields)
        state.watchers[watcher] = place
        state.index.add(watcher, *place)
        return watcher

    def unwatch(self, resource: str, watcher: Watcher) -> None:
        """End a watch; nothing is offered to it any more."""
        state = self.resources[resource]
        place = state.watchers.pop(watcher, None)
        if place is not None:
            state.index.remove(watcher, *place)
        watcher.close()

    def since(self, state: ResourceState, after: int) -> list[Change]:
        """The changes of a resource after a revision, from memory, else from the store. Raises WatchExpired."""
        if after >= state.floor:
            return [change for change in state.history if change.revision > after]
        try:
            mutations = self.storage.changes(after, state.view.prefix, after_prefix(state.view.prefix))
            if len(mutations) > limits.WATCHER_QUEUE_EVENTS_MAX:
                raise WatchExpired(f"{len(mutations)} changes since {after}: it is quicker to list")
            return [self.rebuilt(state, mutation) for mutation in mutations if self.state_of(mutation.key) is state]
        except StoreError as error:
            raise WatchExpired(f"too old resource version: {after} ({self.storage.compact_revision})") from error

    def rebuilt(self, state: ResourceState, mutation: Mutation) -> Change:
        """A change that memory has forgotten."""
        before = self.storage.get(mutation.key, mutation.revision - 1) if mutation.revision - 1 >= self.storage.compact_revision else None
        old = None if before is None else Item(before.value, before.mod_revision, state.view.project)
        new = None if mutation.value is None else Item(mutation.value, mutation.revision, state.view.project)
        return Change(mutation.key, mutation.revision, old, new)


def after_prefix(prefix: bytes) -> bytes:
    """The end of the range of all keys with a prefix."""
    return prefix[:-1] + bytes((prefix[-1] + 1,))
