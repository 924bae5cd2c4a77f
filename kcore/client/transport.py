"""What carries requests: bytes to a method and bytes back.

Two exist, so that nothing above knows where the API server is: ``kcore.client.channel`` (gRPC) and the direct one of ``kcore.serve``
(same process, no socket); tests have ``kcore.testing.fake_transport``. `Acting` leads over another as somebody else: who holds a token that
others' tokens are made of may act as each of them. The name goes along in the context of a call, so that what is in between need not know.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final, Protocol


class Stream(Protocol):
    """The answers to one request."""

    async def read(self) -> bytes | None:
        """Return the next answer, None when the server has ended the stream.

        Raises  StatusError if the stream broke, or ended with a failure
        """
        ...

    def cancel(self) -> None:
        """Give the stream up; a read that waits is cancelled. May be called again, and after the end."""
        ...


class DuplexStream(Stream, Protocol):
    """Requests and answers, each in order."""

    async def write(self, request: bytes) -> None:
        """Send a request; waits while the server does not take any.

        Raises  StatusError if the stream broke
        """
        ...


class Transport(Protocol):
    """The way to one API server. Methods are paths such as `/kcore.api.core.v1.PodService/Create`."""

    async def unary(self, method: str, request: bytes, timeout_s: float | None = None) -> bytes:
        """Send a request and return its answer.

        Raises  StatusError
        """
        ...

    def stream(self, method: str, request: bytes) -> Stream:
        """Send a request that has many answers; failures show at the first read."""
        ...

    def duplex(self, method: str) -> DuplexStream:
        """Open a stream in both directions; failures show at the first read or write."""
        ...

    async def close(self) -> None:
        """Give all up: calls that are under way fail or are cancelled, later ones raise StatusError (ServiceUnavailable)."""
        ...


_NAME: Final[ContextVar[str]] = ContextVar("acting", default="")


def token_of(token: str) -> str:
    """The token by which the present call is made."""
    name = _NAME.get()
    return f"{token}.{name}" if name else token


class Acting:
    """The way of another transport, as `name`. Closing it is left to the other."""

    def __init__(self, transport: Transport, name: str) -> None:
        self._transport, self._name = transport, name

    async def unary(self, method: str, request: bytes, timeout_s: float | None = None) -> bytes:
        """Send a request and return its answer."""
        before = _NAME.set(self._name)
        try:
            return await self._transport.unary(method, request, timeout_s)
        finally:
            _NAME.reset(before)

    def stream(self, method: str, request: bytes) -> Stream:
        """Send a request that has many answers."""
        before = _NAME.set(self._name)
        try:
            return self._transport.stream(method, request)
        finally:
            _NAME.reset(before)

    def duplex(self, method: str) -> DuplexStream:
        """Open a stream in both directions."""
        before = _NAME.set(self._name)
        try:
            return self._transport.duplex(method)
        finally:
            _NAME.reset(before)

    async def close(self) -> None:
        """Leave the transport to whom it belongs."""
