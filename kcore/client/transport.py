"""What carries requests: bytes to a method and bytes back.

Two exist, so that nothing above knows where the API server is: ``kcore.client.channel`` (gRPC) and the direct one of ``kcore.serve``
(same process, no socket); tests have ``kcore.testing.fake_transport``.
"""

from __future__ import annotations

from typing import Protocol


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
