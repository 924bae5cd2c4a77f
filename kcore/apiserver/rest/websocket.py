"""Watches and logs over a web socket: each event is one text message, a log comes in pieces.

A browser cannot set headers on a web socket, so that a bearer token may come as a subprotocol.
Source: CONTRACT A6, A9; apiserver `pkg/endpoints/handlers/watch.go`, `pkg/authentication/request/websocket`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

from kcore.apiserver.rest.frontend import Answer, HttpRequest, RestFrontend, once
from kcore.apiserver.rest.media import JSON
from kcore.apiserver.rest.presence import Receive, while_present
from kcore.base import limits

Send = Callable[[dict[str, Any]], Awaitable[None]]
BEARER = "base64url.bearer.authorization.k8s.io."
BASE64 = "base64.binary.k8s.io"
NORMAL = 1000


async def serve(frontend: RestFrontend, http: HttpRequest, offered: Sequence[str], receive: Receive, send: Send) -> None:
    """Answer a web socket: a stream goes into it, any other answer refuses it."""
    await receive()
    accepted = prepare(http, offered)
    answer = await frontend.handle(http)
    if isinstance(answer.body, bytes):
        if answer.code != 200 or answer.content_type == JSON:
            await refuse(answer, answer.body, send)
            return
        answer.body = once(answer.body)
    await send({"type": "websocket.accept", "subprotocol": accepted})
    as_told = pump(answer.body, send) if answer.content_type == JSON else pump_bytes(answer.body, accepted, send)
    await while_present(as_told, receive, "websocket.disconnect")


def prepare(http: HttpRequest, offered: Sequence[str]) -> str | None:
    """Take the token out of the subprotocols and ask for JSON; -> the subprotocol to speak."""
    http.headers[b"accept"] = JSON.encode()
    for protocol in offered:
        if protocol.startswith(BEARER) and b"authorization" not in http.headers:
            http.headers[b"authorization"] = b"Bearer " + decoded(protocol.removeprefix(BEARER))
    return next((protocol for protocol in offered if not protocol.startswith(BEARER)), None)


def decoded(text: str) -> bytes:
    """A token from a subprotocol; what is none stays as it is, and belongs to nobody."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return text.encode()


async def refuse(answer: Answer, body: bytes, send: Send) -> None:
    """Answer without opening the socket."""
    headers = [(b"content-type", answer.content_type.encode()), (b"content-length", str(len(body)).encode()), *answer.headers]
    await send({"type": "websocket.http.response.start", "status": answer.code, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


async def pump(pieces: AsyncGenerator[bytes, None], send: Send) -> None:
    """Send each event; a client that takes nothing for too long is given up."""
    async with aclosing(pieces):
        async for piece in pieces:
            for event in piece.splitlines():
                async with asyncio.timeout(limits.HTTP_SEND_WAIT_S):
                    await send({"type": "websocket.send", "text": event.decode()})
    await send({"type": "websocket.close", "code": NORMAL})


async def pump_bytes(pieces: AsyncGenerator[bytes, None], protocol: str | None, send: Send) -> None:
    """Send text as it comes: in binary messages, or in base64 where that is the subprotocol."""
    async with aclosing(pieces):
        async for piece in pieces:
            told: dict[str, Any] = {"text": base64.b64encode(piece).decode()} if protocol == BASE64 else {"bytes": piece}
            async with asyncio.timeout(limits.HTTP_SEND_WAIT_S):
                await send({"type": "websocket.send", **told})
    await send({"type": "websocket.close", "code": NORMAL})
