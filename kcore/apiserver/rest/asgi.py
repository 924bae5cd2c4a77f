"""Between the HTTP server (ASGI) and the front-end: bodies come in whole and bounded, streams end when their client does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from kcore.apiserver.rest import encoding, websocket
from kcore.apiserver.rest.frontend import Answer, Header, HttpRequest, RestFrontend, failed
from kcore.apiserver.rest.presence import Receive, while_present
from kcore.base import limits
from kcore.machinery import status

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Disconnected(Exception):
    """The client went before its request was there."""


class Application:
    """The ASGI application. Thread: the event loop's."""

    def __init__(self, frontend: RestFrontend) -> None:
        self.frontend = frontend

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await websocket.serve(self.frontend, read(scope), scope["subprotocols"], receive, send)
            return
        http = read(scope)
        try:
            http.body = await body_of(receive)
            answer = await self.frontend.handle(http)
        except Disconnected:
            return
        except status.StatusError as error:
            answer = failed(error, http, [])
            answer.headers.append((b"connection", b"close"))  # the rest of the body is not read
        if isinstance(answer.body, bytes):
            await send_whole(answer, answer.body, http, send)
            return
        await send({"type": "http.response.start", "status": answer.code, "headers": headers_of(answer, http)})
        pieces = answer.body
        del http, scope, answer  # a watch lasts for an hour, and there may be ten thousand
        await send_pieces(pieces, receive, send)


def read(scope: Scope) -> HttpRequest:
    """A request without its body."""
    client, headers = scope["client"], scope["headers"]
    acting = [(name, value) for name, value in headers if name.startswith(b"impersonate-")]
    return HttpRequest(
        scope.get("method", "GET"),
        scope["raw_path"].decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        dict(reversed(headers)),
        connection=f"{client[0]}:{client[1]}" if client else "",
        certificate=scope["state"].get("certificate"),
        impersonation=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in acting],
    )


async def body_of(receive: Receive) -> bytes:
    """The body. Raises StatusError (413, 504), Disconnected."""
    try:
        async with asyncio.timeout(limits.HTTP_BODY_WAIT_S):
            message = await receive()
            body: bytes = message.get("body", b"")
            while message.get("more_body"):
                message = await receive()
                body += message.get("body", b"")
                if len(body) > limits.REQUEST_BODY_BYTES_MAX:
                    raise status.body_too_large(limits.REQUEST_BODY_BYTES_MAX)
    except TimeoutError:
        raise status.timeout("the request's body did not arrive in time") from None
    if message["type"] != "http.request":
        raise Disconnected
    return body


async def send_whole(answer: Answer, body: bytes, http: HttpRequest, send: Send) -> None:
    """Send a body with its length, compressed if it is long and the client wishes."""
    headers = headers_of(answer, http)
    is_compressed = any(name == b"content-encoding" for name, _ in headers)
    if len(body) >= limits.GZIP_BODY_BYTES and not is_compressed and "gzip" in http.header(b"accept-encoding"):
        body = encoding.compressed(body)
        headers += [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": answer.code, "headers": headers})
    size = limits.HTTP_PIECE_BYTES
    for start in range(0, len(body) - size, size):  # a client that reads nothing is noticed between two pieces
        await send({"type": "http.response.body", "body": body[start : start + size], "more_body": True})
    await send({"type": "http.response.body", "body": body[(len(body) - 1) // size * size :] if len(body) > size else body})


def headers_of(answer: Answer, http: HttpRequest) -> list[Header]:
    """The headers of an answer; one that has no body says no type."""
    kind = [(b"content-type", answer.content_type.encode())] if answer.content_type else []
    return [*kind, *answer.headers, *http.flow]


async def send_pieces(pieces: AsyncGenerator[bytes, None], receive: Receive, send: Send) -> None:
    """Send pieces as they come, after the head at once, until they end or the client does."""
    await send({"type": "http.response.body", "body": b"", "more_body": True})
    await while_present(pump(pieces, send), receive, "http.disconnect")


async def pump(pieces: AsyncGenerator[bytes, None], send: Send) -> None:
    """Send pieces to the end. Whether a client takes them in time is the port's business."""
    async with aclosing(pieces):
        async for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
