"""One watch: what it wants, and the queue between the hub and whoever sends.

The hub offers; the consumer awaits `next_batch`. The queue is bounded in events and bytes: a consumer that does not keep up is cut off
and must list again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from kcore.base import limits
from kcore.watch.change import ADDED, BOOKMARK, DELETED, INITIAL_END, MODIFIED, Change, Encode, Item, Projected, Selector


class WatchExpired(Exception):
    """The history that a watch needs is gone, or it did not keep up: its client lists again."""


@dataclass(frozen=True, slots=True)
class WatchSpec:
    """What a watch wants; an empty namespace or name means any, a selector of None everything."""

    namespace: str = ""
    name: str = ""
    labels: Selector | None = None
    fields: Selector | None = None
    bookmarks: bool = False

    def matches(self, projected: Projected) -> bool:
        """Whether it wants an object."""
        return (
            (not self.namespace or projected.namespace == self.namespace)
            and (not self.name or projected.name == self.name)
            and (self.labels is None or self.labels.matches(projected.labels))
            and (self.fields is None or self.fields.matches(projected.fields))
        )


class Watcher:
    """A watch. Thread: the event loop's."""

    __slots__ = (
        "closed",
        "encode",
        "end_marker",
        "expired",
        "idle_since",
        "initial",
        "queue",
        "queued_bytes",
        "revision",
        "selective",
        "spec",
        "waiter",
    )

    def __init__(self, spec: WatchSpec, encode: Encode, revision: int) -> None:
        self.spec, self.encode = spec, encode
        self.revision = revision
        self.initial: Iterator[tuple[str, Item]] | None = None
        self.end_marker = False
        # A change that is to this watch what it is to everybody, or with its own event type; a number is a bookmark. Nothing is made
        # for each watcher: with thousands of them, that is most of the time and of the garbage.
        self.queue: deque[Change | tuple[str, Change] | int] = deque()
        self.queued_bytes = 0
        self.waiter: asyncio.Future[None] | None = None
        self.expired = ""
        self.closed = False
        self.idle_since = 0.0
        self.selective = bool(spec.namespace or spec.name or spec.labels is not None or spec.fields is not None)

    def event_type(self, change: Change) -> str:
        """What the change is to this watch: '' if nothing."""
        if not self.selective:
            return change.event_type
        before = change.old is not None and self.spec.matches(change.old.projected)
        after = change.new is not None and self.spec.matches(change.new.projected)
        if after:
            return MODIFIED if before else ADDED
        return DELETED if before else ""

    def offer(self, change: Change) -> None:
        """Take a change if it is wanted."""
        if self.expired or self.closed:
            return
        event_type = self.event_type(change) if self.selective else change.event_type
        if not event_type:
            return
        queue = self.queue
        queue.append(change if event_type == change.event_type else (event_type, change))
        self.queued_bytes += change.size
        if len(queue) > limits.WATCHER_QUEUE_EVENTS_MAX or self.queued_bytes > limits.WATCHER_QUEUE_BYTES_MAX:
            self.cut(
                f"the watch did not keep up: more than {limits.WATCHER_QUEUE_EVENTS_MAX} events "
                f"or {limits.WATCHER_QUEUE_BYTES_MAX} bytes wait"
            )
        elif self.waiter is not None:
            self.wake()

    @property
    def is_idle(self) -> bool:
        """Whether its consumer waits for more, or will not come back."""
        return self.waiter is not None or self.closed

    def wake(self) -> None:
        """Let the consumer look again."""
        waiter, self.waiter = self.waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def cut(self, why: str) -> None:
        """End the watch; what waits is dropped."""
        self.expired = why
        self.queue.clear()
        self.queued_bytes = 0
        self.initial = None
        self.wake()

    def bookmark(self, revision: int) -> None:
        """Say that everything up to a revision was sent, unless something waits still."""
        if not self.queue and self.initial is None and not self.end_marker and not self.closed and not self.expired:
            self.queue.append(revision)
            self.wake()

    def close(self) -> None:
        """End the watch without an error, after what waits."""
        self.closed = True
        self.wake()

    async def next_batch(self) -> list[bytes]:
        """The next events, at most about a megabyte; empty when the watch is closed. Raises WatchExpired. For one consumer."""
        while True:
            if self.expired:
                raise WatchExpired(self.expired)
            if self.initial is not None or self.end_marker:
                found = self.take_initial()
                if found:
                    return found
            if self.queue:
                return self.take()
            if self.closed:
                return []
            self.waiter = asyncio.get_running_loop().create_future()
            await self.waiter

    def take_initial(self) -> list[bytes]:
        """Encode the next of the objects that were there at the start."""
        found: list[bytes] = []
        size = 0
        if self.initial is not None:
            for event_type, item in self.initial:
                found.append(self.encode(event_type, item.value, item.revision))
                size += len(found[-1])
                if size >= limits.WATCH_MESSAGE_BYTES:
                    return found
            self.initial = None
        if self.end_marker:
            self.end_marker = False
            found.append(self.encode(INITIAL_END, b"", self.revision))
        return found

    def take(self) -> list[bytes]:
        """Encode what waits."""
        found: list[bytes] = []
        size = 0
        while self.queue and size < limits.WATCH_MESSAGE_BYTES:
            entry = self.queue.popleft()
            if isinstance(entry, int):
                self.revision = entry
                data = self.encode(BOOKMARK, b"", entry)
            else:
                event_type, change = entry if isinstance(entry, tuple) else (entry.event_type, entry)
                self.revision = change.revision
                self.queued_bytes -= change.size
                data = change.encode(event_type, self.encode)
            found.append(data)
            size += len(data)
        return found
