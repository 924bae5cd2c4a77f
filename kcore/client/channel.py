"""The transport over gRPC: one or several HTTP/2 connections, bytes in and bytes out.

The token goes along as metadata of each call, not as call credentials, which grpc would ask for in a thread of its own at every call.
Several connections help a client whose one connection is limited by the server's or its own HTTP/2 thread.

Source: gRPC core's channel arguments; measured on loopback.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from itertools import count
from typing import Any

import grpc
import grpc.aio

from kcore.base import limits, metrics
from kcore.client.failures import DETAILS_KEY, PUSHBACK_KEY, from_call
from kcore.client.transport import token_of
from kcore.machinery import status
from kcore.machinery.status import StatusError


class GrpcTransport:
    """The way to an API server's gRPC port. Thread: the event loop it was made in."""

    def __init__(
        self,
        server: str,
        *,
        ca: bytes | None = None,
        token: str = "",
        insecure: bool = False,
        connections: int = 1,
        agent: str = "kcore",
    ) -> None:
        """Prepare connections; nothing is opened before the first call.

        server  `host:port`
        ca      PEM certificates that vouch for the server; None means those that the system trusts
        agent   who is calling, for the server's log
        """
        if insecure and not is_loopback(server):
            raise ValueError(f"plain connections are for loopback only, not for {server}")
        options = _options(server, agent, connections > 1)
        credentials = None if insecure else grpc.ssl_channel_credentials(root_certificates=ca)
        self._channels: list[Any] = [
            grpc.aio.insecure_channel(server, options=options)
            if credentials is None
            else grpc.aio.secure_channel(server, credentials, options=options)
            for _ in range(connections)
        ]
        self._token = token
        self._metadata: dict[str, Any] = {}
        self._is_closed = False
        self._turn = count()
        self._unary: dict[tuple[int, str], Any] = {}

    async def ready(self, timeout_s: float = limits.CONNECT_TIMEOUT_S) -> None:
        """Wait until the server can be reached.

        Raises  StatusError (Timeout) if it cannot be in time
        """
        try:
            async with asyncio.timeout(timeout_s):
                for channel in self._channels:
                    await channel.channel_ready()
        except TimeoutError:
            raise status.timeout(f"the server could not be reached within {timeout_s:g} s") from None

    async def unary(self, method: str, request: bytes, timeout_s: float | None = None) -> bytes:
        """Call a method with one answer."""
        self._check_open()
        index = next(self._turn) % len(self._channels)
        caller = self._unary.get((index, method))
        if caller is None:
            caller = self._unary[index, method] = self._channels[index].unary_unary(method)
        answer: bytes = await _translated(caller(request, timeout=timeout_s or limits.CALL_TIMEOUT_S, metadata=self._headers()))
        metrics.REST_CLIENT_REQUESTS.inc("OK")
        return answer

    def stream(self, method: str, request: bytes) -> GrpcStream:
        """Call a method with many answers."""
        return GrpcStream(self._next().unary_stream(method)(request, metadata=self._headers()))

    def duplex(self, method: str) -> GrpcStream:
        """Call a method with many requests and answers."""
        return GrpcStream(self._next().stream_stream(method)(metadata=self._headers()))

    async def close(self) -> None:
        """Close the connections; calls that are under way are cancelled, later ones are refused."""
        self._is_closed = True
        for channel in self._channels:
            await channel.close()

    def _headers(self) -> Any:
        """What every call of who makes this one says."""
        if not self._token:
            return None
        token = token_of(self._token)
        found = self._metadata.get(token)
        if found is None:
            found = self._metadata[token] = grpc.aio.Metadata(("authorization", f"Bearer {token}"))
        return found

    def _check_open(self) -> None:
        if self._is_closed:
            raise status.service_unavailable("the client is closed")

    def _next(self) -> Any:
        self._check_open()
        return self._channels[next(self._turn) % len(self._channels)]


class GrpcStream:
    """A stream in one or both directions."""

    def __init__(self, call: Any) -> None:
        self._call = call

    async def read(self) -> bytes | None:
        """Return the next answer, None at the end."""
        answer = await _translated(self._call.read())
        return answer if isinstance(answer, bytes) else None

    async def write(self, request: bytes) -> None:
        """Send a request."""
        await _translated(self._call.write(request))

    def cancel(self) -> None:
        """Give the stream up."""
        self._call.cancel()


def is_loopback(server: str) -> bool:
    """Tell whether a `host:port` is this machine."""
    host = server.rpartition(":")[0].strip("[]")
    return host in ("localhost", "::1") or host.startswith("127.") or server.startswith("unix:")


def _options(server: str, agent: str, several: bool) -> Sequence[tuple[str, Any]]:
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", limits.RESPONSE_BYTES_MAX),
        ("grpc.max_send_message_length", limits.RESPONSE_BYTES_MAX),
        ("grpc.initial_reconnect_backoff_ms", limits.RECONNECT_BACKOFF_MS),
        ("grpc.min_reconnect_backoff_ms", limits.RECONNECT_BACKOFF_MS),
        ("grpc.max_reconnect_backoff_ms", limits.RECONNECT_BACKOFF_MS_MAX),
        ("grpc.primary_user_agent", agent),
        ("grpc.enable_http_proxy", 0 if is_loopback(server) else 1),
        ("grpc.use_local_subchannel_pool", 1 if several else 0),
    ]
    if not is_loopback(server):
        options += [("grpc.keepalive_time_ms", limits.KEEPALIVE_MS), ("grpc.keepalive_timeout_ms", limits.KEEPALIVE_TIMEOUT_MS)]
    return options


async def _translated(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise _failure(error) from None
    except asyncio.InvalidStateError as error:
        raise status.service_unavailable(f"the stream has ended: {error}") from error


def _failure(error: grpc.aio.AioRpcError) -> StatusError:
    metadata: Any = error.trailing_metadata()
    trailing: dict[str, Any] = dict(iter(metadata or ()))
    details = trailing.get(DETAILS_KEY)
    code = error.code().name
    metrics.REST_CLIENT_REQUESTS.inc(code)
    return from_call(code, error.details() or code, details if isinstance(details, bytes) else None, trailing.get(PUSHBACK_KEY, ""))


