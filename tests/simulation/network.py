"""The network between the parts and the API server: everything takes a time of its own, requests may come twice, and those under way
when their sender dies arrive. What a test breaks on purpose is on top of it (`kcore.testing.faulty_transport`).

    part -> FaultyTransport -> Network -> Server (the present incarnation's DirectTransport)
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, Protocol

from kcore.base.clock import Clock
from kcore.client.bulk import WRITE
from kcore.client.transport import DuplexStream, Stream, Transport
from kcore.machinery import status
from kcore.machinery.status import StatusError
from kcore.testing.calls import Call, call_of

LATENCY_S_MAX: Final = 0.25
"""The longest way there, or back. Both together stay below what controllers allow for a lost answer (LOST_ANSWER_PAUSE_S)."""

UNREPEATABLE: Final = ("list", "watch", "get")


class Observer(Protocol):
    """Sees what the server was asked and answered, before the network does anything to it."""

    def answered(self, sender: str, call: Call, request: bytes, answer: bytes) -> None:
        """A call succeeded."""

    def bulk_answered(self, sender: str, request: bytes, answer: bytes) -> None:
        """A request of bulk writes was answered."""

    def opened(self, sender: str, method: str, request: bytes) -> Callable[[bytes], None]:
        """A watch begins; returned is what to call with each of its answers."""
        ...


class Chance:
    """How bad the network is."""

    def __init__(self, source: random.Random, lag: float, doubling: float) -> None:
        """Draw from a source.

        lag       0 to 1: how slow
        doubling  how likely a call arrives twice
        """
        self._source, self._lag, self._doubling = source, lag, doubling
        self.is_calm = False

    def latency_s(self) -> float:
        """How long a message takes: mostly little, sometimes much."""
        if self.is_calm:
            return 0.001
        return 0.0005 + LATENCY_S_MAX * self._lag * self._source.random() ** 4

    def doubles(self) -> bool:
        """Whether a call arrives twice."""
        return not self.is_calm and self._source.random() < self._doubling


class Network:
    """One client's way. Thread: the event loop's."""

    def __init__(self, sender: str, way: Callable[[], Transport], clock: Clock, chance: Chance, observer: Observer) -> None:
        """Lead to where `way` says at the time of the call; it raises StatusError while there is no server."""
        self._sender, self._way, self._clock, self._chance, self._observer = sender, way, clock, chance, observer
        self._under_way: set[asyncio.Task[Any]] = set()

    async def unary(self, method: str, request: bytes, timeout_s: float | None = None) -> bytes:
        """Send a request; once it is under way it arrives, whatever becomes of its sender."""
        task = self._send(self._carry(method, request, timeout_s))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise status.service_unavailable("connection lost") from None
            raise

    def _send(self, carrying: Coroutine[Any, Any, bytes]) -> asyncio.Task[bytes]:
        task = asyncio.get_running_loop().create_task(carrying)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # a sender that died reads no failure
        return task

    async def _carry(self, method: str, request: bytes, timeout_s: float | None) -> bytes:
        await self._clock.sleep(self._chance.latency_s())
        call = call_of(method, request)
        if call.verb not in UNREPEATABLE and self._chance.doubles():
            with suppress(StatusError):
                await self._ask(call, method, request, timeout_s)
        try:
            return await self._ask(call, method, request, timeout_s)
        finally:
            await self._clock.sleep(self._chance.latency_s())

    async def _ask(self, call: Call, method: str, request: bytes, timeout_s: float | None) -> bytes:
        answer = await self._way().unary(method, request, timeout_s)
        self._observer.answered(self._sender, call, request, answer)
        return answer

    def stream(self, method: str, request: bytes) -> Stream:
        """Open a watch, whose answers come late but in order."""
        try:
            inner = self._way().stream(method, request)
        except StatusError as error:
            return _Refused(error)
        return _LateStream(inner, self._clock, self._chance, self._observer.opened(self._sender, method, request))

    def duplex(self, method: str) -> DuplexStream:
        """Open a stream of bulk writes."""
        assert method == WRITE, method
        try:
            inner = self._way().duplex(method)
        except StatusError as error:
            return _Refused(error)
        return _LateBulk(self._sender, inner, self._clock, self._chance, self._observer)

    async def close(self) -> None:
        """Nothing: what is under way arrives."""


class _Refused:
    """A stream to a server that is not there."""

    def __init__(self, error: StatusError) -> None:
        self._error = error

    async def read(self) -> bytes | None:
        """Fail."""
        raise self._error

    async def write(self, request: bytes) -> None:
        """Fail."""
        raise self._error

    def cancel(self) -> None:
        """There is nothing to give up."""


class _LateStream:
    """A stream whose answers take their time."""

    def __init__(self, inner: Stream, clock: Clock, chance: Chance, saw: Callable[[bytes], None]) -> None:
        self._inner, self._clock, self._chance, self._saw = inner, clock, chance, saw
        self.cancel = inner.cancel

    async def read(self) -> bytes | None:
        """Return the next answer, late."""
        answer = await self._inner.read()
        if answer is not None:
            self._saw(answer)
        await self._clock.sleep(self._chance.latency_s())
        return answer


class _LateBulk(_LateStream):
    """A stream of bulk writes: requests too take their time."""

    def __init__(self, sender: str, inner: DuplexStream, clock: Clock, chance: Chance, observer: Observer) -> None:
        super().__init__(inner, clock, chance, self._answered)
        self._duplex, self._sender, self._observer = inner, sender, observer
        self._requests: list[bytes] = []

    def _answered(self, answer: bytes) -> None:
        self._observer.bulk_answered(self._sender, self._requests.pop(0), answer)

    async def write(self, request: bytes) -> None:
        """Send a request, late."""
        await self._clock.sleep(self._chance.latency_s())
        self._requests.append(request)
        await self._duplex.write(request)
