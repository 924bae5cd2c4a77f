"""The HTTPS port of an API server: TLS with client certificates taken if they come, HTTP/1.1 keep-alive, and the front-end behind it."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kcore.apiserver.rest.asgi import Application
from kcore.apiserver.rest.frontend import RestFrontend
from kcore.base import limits
from kcore.serve.ports.rpc import Tls

M_MMAP_THRESHOLD = -3
"""Of malloc.h."""
TOO_LARGE = b"431 Request Header Fields Too Large"
TOO_LONG = b"414 URI Too Long"


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 that tells the application with which certificate a client came.

    A head is bounded in size and in the time that it takes; a client that takes nothing of what is sent to it is given up.
    """

    # Beside the attributes of its base these would be more than CPython shares the names of among objects: 1.5 kB for each connection.
    __slots__ = ("head_bytes", "head_timer", "is_in_head", "is_refused", "patience")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note the certificate, which the handshake has verified; wait for a request."""
        super().connection_made(transport)
        ssl_object = transport.get_extra_info("ssl_object")
        certificate = ssl_object.getpeercert(binary_form=True) if ssl_object is not None else None
        if certificate:
            self.app_state = {**self.app_state, "certificate": certificate}
        self.head_bytes = 0
        self.is_in_head, self.is_refused = True, False
        self.head_timer: asyncio.TimerHandle | None = None
        self.patience: asyncio.TimerHandle | None = None
        self.await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self.stop_waiting()
        self.wait_no_more()
        super().connection_lost(exc)

    # what comes in

    def await_head(self) -> None:
        """Give a client that is new, or a head that has begun, some time."""
        if self.head_timer is None:
            self.head_timer = self.loop.call_later(limits.HTTP_HEAD_WAIT_S, self.transport.abort)

    def stop_waiting(self) -> None:
        """Wait for no head."""
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None

    def data_received(self, data: bytes) -> None:
        """Read on; a head that has become too large is refused, and nothing more is read."""
        if self.is_refused:
            return
        if self.is_in_head:
            self.await_head()
            self.head_bytes += len(data)
        super().data_received(data)
        if self.is_in_head and self.head_bytes > limits.HTTP_HEAD_BYTES_MAX:
            self.refuse(TOO_LARGE)

    def refuse(self, why: bytes) -> None:
        """Say what is wrong with a head, and end."""
        self.is_refused = True
        self.stop_waiting()
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + why + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self.transport.close()

    def on_headers_complete(self) -> None:
        """The head is there."""
        size, self.head_bytes, self.is_in_head = self.head_bytes, 0, False
        self.stop_waiting()
        if len(self.url) > limits.HTTP_URL_BYTES_MAX:
            self.refuse(TOO_LONG)
        elif size > limits.HTTP_HEAD_BYTES_MAX or len(self.headers) > limits.HTTP_HEADERS_MAX:
            self.refuse(TOO_LARGE)
        elif not self.is_refused:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body is there."""
        if not self.is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is there; what follows is the head of another."""
        self.is_in_head = True
        if not self.is_refused:
            super().on_message_complete()

    # what goes out

    def pause_writing(self) -> None:
        """The client is behind with what is sent to it: only then there is a timer, and a watch sends each of its events without one."""
        super().pause_writing()
        self.patience = self.loop.call_later(limits.HTTP_SEND_WAIT_S, self.transport.abort)

    def resume_writing(self) -> None:
        """The client takes what is sent to it."""
        self.wait_no_more()
        super().resume_writing()

    def wait_no_more(self) -> None:
        """Stop the timer."""
        if self.patience is not None:
            self.patience.cancel()
            self.patience = None


def web_socket(**given: Any) -> asyncio.Protocol:
    """The protocol of a web socket, imported when the first client asks for one."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    return WebSocketsSansIOProtocol(**given)


class Server(uvicorn.Server):
    """A server that leaves signals to the process that it is a part of, and bounds the time of a TLS handshake."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve on sockets that listen."""
        await self.lifespan.startup()
        loop, tls = asyncio.get_running_loop(), self.config.ssl

        def protocol() -> asyncio.Protocol:
            return Protocol(self.config, self.server_state, self.lifespan.state)

        wait_s = None if tls is None else limits.HTTP_TLS_WAIT_S
        self.servers = [
            await loop.create_server(protocol, sock=each, ssl=tls, backlog=limits.HTTP_BACKLOG, ssl_handshake_timeout=wait_s)
            for each in sockets or ()
        ]
        self.started = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class RestPort:
    """The port. Thread: the event loop's."""

    def __init__(self, frontend: RestFrontend) -> None:
        self.application = Application(frontend)
        self.server: Server | None = None
        self.task: asyncio.Task[None] | None = None

    async def listen(self, bind: str, port: int, tls: Tls | None, client_ca: Path | None) -> int:
        """Open a port and serve; -> its number. Raises OSError if it is taken."""
        keep_buffers_apart()
        family = socket.AF_INET6 if ":" in bind else socket.AF_INET
        listener = socket.create_server((bind, port), family=family, backlog=limits.HTTP_BACKLOG)
        config = uvicorn.Config(
            self.application,
            ws=web_socket,  # type: ignore[arg-type]
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=limits.HTTP_KEEP_ALIVE_S,
            timeout_graceful_shutdown=limits.HTTP_STOP_GRACE_S,
            backlog=limits.HTTP_BACKLOG,
            **tls_options(tls, client_ca),
        )
        self.server = Server(config)
        self.task = asyncio.create_task(self.server.serve(sockets=[listener]), name="https")
        while not self.server.started:
            if self.task.done():
                self.task.result()
                raise OSError("the HTTP server ended")
            await asyncio.sleep(0)
        number: int = listener.getsockname()[1]
        return number

    async def stop(self) -> None:
        """Refuse new requests and end those that are there within a time."""
        if self.server is not None and self.task is not None:
            self.server.should_exit = True
            await self.task


def keep_buffers_apart() -> None:
    """Let the C library map large blocks by themselves, however many it has seen, where it can be told so.

    The event loop has a buffer of 256 KiB for each TLS connection, of which little is ever touched. In the heap, where such blocks go once
    one was freed, they take the touched pages of others: an idle connection then costs 20 kB more.
    Source: mallopt(3), M_MMAP_THRESHOLD
    """
    tell = getattr(ctypes.CDLL(None), "mallopt", None)
    if tell is not None:
        tell(M_MMAP_THRESHOLD, limits.MAPPED_BLOCK_BYTES)


def tls_options(tls: Tls | None, client_ca: Path | None) -> dict[str, Any]:
    """The server's TLS settings."""
    if tls is None:
        return {}
    found: dict[str, Any] = {"ssl_certfile": str(tls.certificate), "ssl_keyfile": str(tls.key)}
    if client_ca is not None:
        found |= {"ssl_ca_certs": str(client_ca), "ssl_cert_reqs": ssl.CERT_OPTIONAL}
    return found
