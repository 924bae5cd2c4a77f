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


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 that tells the application with which certificate a client came, and gives a client up that takes nothing for too long.

    Only where something waits to be taken there is a timer: a watch sends each of its events without one.
    """

    patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note the certificate, which the handshake has verified."""
        super().connection_made(transport)
        ssl_object = transport.get_extra_info("ssl_object")
        certificate = ssl_object.getpeercert(binary_form=True) if ssl_object is not None else None
        if certificate:
            self.app_state = {**self.app_state, "certificate": certificate}

    def pause_writing(self) -> None:
        """Begin to wait for the client."""
        super().pause_writing()
        self.patience = self.loop.call_later(limits.HTTP_SEND_WAIT_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        self.wait_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        super().connection_lost(exc)
        self.wait_no_more()

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
    """A server that leaves signals to the process that it is a part of."""

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
            http=Protocol,
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
