"""Follows a resource for ever and delivers its changes as one sequence without gaps (``kcore.client.cursor``), as bytes.

One stream gives the present objects and then the changes. A stream that ends is resumed where it was; when the history is gone, all
objects are read again, and the difference is delivered. Everything is delivered in the loop, batch by batch, before the next is read: a
slow receiver slows its own stream, never fills a queue. The scheduler and hollow nodes receive bytes; informers parse on top.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from kcore.base import limits, log, metrics
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.client.cursor import Cursor
from kcore.client.kinds import Resource
from kcore.client.objects import ResourceClient
from kcore.client.retry import Backoff
from kcore.client.wire import WatchEvent
from kcore.machinery.status import StatusError

Deliver = Callable[[list[WatchEvent]], None]
"""Takes changes, in order: ADDED of a key not known, MODIFIED or DELETED of a known one. The bytes of a DELETED may be missing. When the
list is empty nothing changed, but the reflector may have synced."""

_BACKOFF: Final = Backoff(limits.WATCH_BACKOFF_S, limits.WATCH_BACKOFF_S_MAX)
_LOG = log.get("client.reflector")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a resource, and how much of them."""

    namespace: str = ""
    label_selector: str = ""
    field_selector: str = ""
    metadata_only: bool = False

    def arguments(self) -> dict[str, Any]:
        """Return them as the arguments of `watch_raw`."""
        return {name: getattr(self, name) for name in self.__slots__}


EVERYTHING: Final = Selection()


class Reflector:
    """One resource's changes, for one receiver or several."""

    def __init__(self, calls: ResourceClient[Any], selection: Selection, clock: Clock, entropy: Entropy) -> None:
        self._calls = calls
        self._selection = selection
        self._clock = clock
        self._entropy = entropy
        self._cursor = Cursor()
        self._receivers: list[Deliver] = []
        self._synced = asyncio.Event()

    @property
    def resource(self) -> Resource:
        """What it follows."""
        return self._calls.resource

    @property
    def revision(self) -> int:
        """The newest revision that was delivered."""
        return self._cursor.revision

    @property
    def has_synced(self) -> bool:
        """Whether all objects that were there at first have been delivered."""
        return self._synced.is_set()

    async def wait_synced(self) -> None:
        """Wait until it has synced."""
        await self._synced.wait()

    def add_receiver(self, deliver: Deliver) -> None:
        """Deliver to one more; only before it runs, since there is no past to deliver."""
        assert not self._cursor.known and not self.has_synced, "a receiver is added before the reflector runs"
        self._receivers.append(deliver)

    async def run(self) -> None:
        """Follow until cancelled. What a receiver raises ends it."""
        failure_count = 0
        while True:
            started_at = self._clock.monotonic()
            error = await self._follow()
            if self._clock.monotonic() - started_at >= limits.WATCH_STABLE_S:
                failure_count = 0
            failure_count += 1
            await self._clock.sleep(self._recover(error, failure_count))

    def _recover(self, error: StatusError | None, failure_count: int) -> float:
        """Move the cursor as a stream's end demands; returns the pause before the next stream."""
        if error is None:
            return 0.0 if failure_count == 1 else _BACKOFF.pause_s(failure_count, self._entropy.random())
        metrics.REFLECTOR_WATCH_ERRORS.inc(str(self.resource))
        _LOG.info("watch ended", resource=self.resource, reason=error.reason, message=error.message, failure=failure_count)
        if error.reason in ("Expired", "Gone"):
            self._cursor.relist()
            if failure_count == 1:
                return 0.0
        elif error.reason == "Timeout" and is_too_new(error):
            self._cursor.forget()
        return _BACKOFF.pause_s(failure_count, self._entropy.random())

    async def _follow(self) -> StatusError | None:
        """Read one stream to its end; returns how it failed, None if it did not."""
        start = self._cursor.next()
        if start.send_initial_events:
            metrics.REFLECTOR_RELISTS.inc(str(self.resource))
        watch = self._calls.watch_raw(
            resource_version=start.resource_version,
            send_initial_events=start.send_initial_events,
            allow_bookmarks=True,
            **self._selection.arguments(),
        )
        try:
            while (events := await watch.read()) is not None:
                self._deliver(self._cursor.receive(events))
        except StatusError as error:
            return error
        finally:
            watch.cancel()
        return None

    def _deliver(self, changes: list[WatchEvent]) -> None:
        syncs = self._cursor.has_synced and not self._synced.is_set()
        if changes or syncs:
            for receiver in self._receivers:
                receiver(changes)
        if syncs:
            self._synced.set()


def is_too_new(error: StatusError) -> bool:
    """Tell whether the server has not seen the revision that was asked for."""
    causes = (error.status.get("details") or {}).get("causes", ())
    return any(cause.get("reason") == "ResourceVersionTooLarge" for cause in causes)
