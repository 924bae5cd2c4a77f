"""An open watch: the changes as the server sends them, in batches of bytes or one by one as objects.

These end when the connection does. ``kcore.client.reflector`` is what goes on for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Generic, NamedTuple, Self, TypeVar

from kcore.client import wire
from kcore.client.transport import Stream
from kcore.client.wire import WatchEvent

T = TypeVar("T")


class RawWatch:
    """Changes in the batches in which they were committed."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def read(self) -> list[WatchEvent] | None:
        """Return the next batch, None when the server has ended the watch (its time was up).

        Raises  StatusError: Expired when history is gone, ServiceUnavailable when the connection is
        """
        response = await self._stream.read()
        return None if response is None else wire.split_watch(response)

    def cancel(self) -> None:
        """Give the watch up."""
        self._stream.cancel()


class Change(NamedTuple, Generic[T]):
    """One change.

    type     ADDED, MODIFIED, DELETED or BOOKMARK
    object_  of a bookmark it has only metadata
    """

    type: str
    object_: T


class Watch(Generic[T]):
    """Changes one by one."""

    def __init__(self, raw: RawWatch, parse: Callable[[bytes], T]) -> None:
        self._raw = raw
        self._parse = parse
        self._batch: deque[WatchEvent] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change[T]:
        while not self._batch:
            batch = await self._raw.read()
            if batch is None:
                raise StopAsyncIteration
            self._batch.extend(batch)
        event = self._batch.popleft()
        return Change(event.type, self._parse(event.raw))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.cancel()

    def cancel(self) -> None:
        """Give the watch up."""
        self._raw.cancel()
