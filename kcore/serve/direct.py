"""The transport within one process: a call goes to the handler that the gRPC front-end has for its method, and no socket is opened.

Guarantees: a call is authenticated, judged and answered as one that came through gRPC, errors included; answers of a stream wait in a
bounded queue, so that a slow reader holds up its own stream alone. Thread: the event loop's.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, NoReturn

import grpc

from kcore.apiserver.rpc_frontend import RpcFrontend
from kcore.base import limits
from kcore.client import failures
from kcore.client.transport import token_of
from kcore.machinery import status
from kcore.machinery.status import StatusError


class DirectContext:
    """What a handler sees of a call: who it is from, and how it fails."""

    def __init__(self, token: str) -> None:
        self.metadata = (("authorization", f"Bearer {token}"),)

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """What the client sent along."""
        return self.metadata

    def peer(self) -> str:
        """Where the call comes from; all clients in this process are one connection."""
        return "in-process"

    async def send_initial_metadata(self, metadata: tuple[tuple[str, str], ...]) -> None:
        """Send the headers: here the client has its stream at once."""

    async def abort(self, code: grpc.StatusCode, message: str, trailing: tuple[tuple[str, bytes], ...] = ()) -> NoReturn:
        """End the call; the client gets the same error as through gRPC."""
        raise failures.from_call(code.name, message, dict(trailing).get(failures.DETAILS_KEY))


class DirectTransport:
    """The way to an API server in this process."""

    def __init__(self, frontend: RpcFrontend, token: str) -> None:
        self.frontend, self.token = frontend, token
        self.streams: set[DirectStream] = set()
        self.calls: set[asyncio.Task[bytes]] = set()
        self.is_closed = False

    def handler(self, method: str) -> grpc.RpcMethodHandler[Any, Any]:
        """The handler of a method. Raises StatusError if the client is closed or there is no such method."""
        if self.is_closed:
            raise status.service_unavailable("the client is closed")
        found = self.frontend.handlers.get(method)
        if found is None:
            raise failures.from_call("UNIMPLEMENTED", f"there is no method {method}", None)
        return found

    async def unary(self, method: str, request: bytes, timeout_s: float | None = None) -> bytes:
        """Call a method with one answer."""
        act: Any = self.handler(method).unary_unary
        call = asyncio.ensure_future(act(request, DirectContext(token_of(self.token))))
        self.calls.add(call)
        call.add_done_callback(self.calls.discard)
        wanted_s = timeout_s or limits.CALL_TIMEOUT_S
        try:
            async with asyncio.timeout(wanted_s):
                answer: bytes = await call
        except TimeoutError:
            raise status.timeout(f"the call was not answered within {wanted_s:g} s") from None
        return answer

    def stream(self, method: str, request: bytes) -> DirectStream:
        """Call a method with many answers."""
        act: Any = self.handler(method).unary_stream
        return DirectStream(self, act(request, DirectContext(token_of(self.token))), None)

    def duplex(self, method: str) -> DirectStream:
        """Call a method with many requests and answers."""
        act: Any = self.handler(method).stream_stream
        requests: asyncio.Queue[bytes] = asyncio.Queue(limits.DIRECT_MESSAGES_WAITING_MAX)
        return DirectStream(self, act(taken(requests), DirectContext(token_of(self.token))), requests)

    async def close(self) -> None:
        """Cancel what is under way, and refuse what comes later."""
        self.is_closed = True
        under_way = [*self.calls, *(stream.pump for stream in self.streams)]
        for stream in list(self.streams):
            stream.cancel()
        for call in list(self.calls):
            call.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def taken(requests: asyncio.Queue[bytes]) -> AsyncIterator[bytes]:
    """The requests of a stream, for ever: its end comes by cancelling."""
    while True:
        yield await requests.get()


class DirectStream:
    """A stream in one or both directions; a task of its own drives the handler."""

    def __init__(self, transport: DirectTransport, answers: AsyncGenerator[bytes], requests: asyncio.Queue[bytes] | None) -> None:
        self.requests = requests
        self.waiting: deque[bytes] = deque()
        self.room = asyncio.Semaphore(limits.DIRECT_MESSAGES_WAITING_MAX)
        self.changed = asyncio.Event()
        self.failure: StatusError | None = None
        self.has_ended = False
        self.pump = asyncio.create_task(self.drive(answers), name="direct-stream")
        transport.streams.add(self)
        self.pump.add_done_callback(lambda _: transport.streams.discard(self))
        self.pump.add_done_callback(self.end)

    async def drive(self, answers: AsyncGenerator[bytes]) -> None:
        """Carry answers over until there are no more."""
        async with aclosing(answers):
            async for answer in answers:
                await self.room.acquire()
                self.waiting.append(answer)
                self.changed.set()

    def end(self, pump: asyncio.Task[None]) -> None:
        """The handler is done: say so to who reads, behind the answers that wait, and to who writes."""
        if pump.cancelled():
            self.failure = status.service_unavailable("the stream is cancelled")
        elif (error := pump.exception()) is not None:
            self.failure = error if isinstance(error, StatusError) else status.internal(f"the stream broke: {error!r}")
        self.has_ended = True
        self.changed.set()
        while self.requests is not None and not self.requests.empty():
            self.requests.get_nowait()

    async def read(self) -> bytes | None:
        """Return the next answer, None at the end."""
        while not self.waiting:
            if self.has_ended:
                if self.failure is not None:
                    raise self.failure
                return None
            self.changed.clear()
            await self.changed.wait()
        self.room.release()
        return self.waiting.popleft()

    async def write(self, request: bytes) -> None:
        """Send a request; waits while the server does not take any."""
        assert self.requests is not None, "a stream of answers takes no requests"
        if not self.has_ended:
            await self.requests.put(request)
        if self.has_ended:
            raise self.failure or status.service_unavailable("the stream has ended")

    def cancel(self) -> None:
        """Give the stream up."""
        self.waiting.clear()
        self.pump.cancel()
