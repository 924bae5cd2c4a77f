"""The ASGI application over an API server in this process: requests without sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from kcore.apiserver.rest.asgi import Application
from kcore.apiserver.rest.frontend import RestFrontend
from kcore.base.entropy import SeededEntropy
from kcore.machinery.request import User
from kcore.serve.diagnostics import exposition
from tests.unit.apiserver.api import Api

TOKENS = {"admin": User("admin", "1", ("system:masters",)), "alice": User("alice", "2", ("developers",))}


@dataclass
class Reply:
    """What came back."""

    code: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Http:
    """Sends requests as whoever holds a token."""

    def __init__(self, api: Api) -> None:
        server = api.server
        self.frontend = RestFrontend(api.pipeline, server.authenticator(TOKENS), api.clock, SeededEntropy(1), server.tokens.key, exposition)
        self.application = Application(self.frontend)

    def scope(self, kind: str, method: str, path: str, query: str, headers: dict[str, str]) -> dict[str, Any]:
        named = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        found = {"type": kind, "raw_path": path.encode(), "query_string": query.encode(), "headers": named, "state": {}, "subprotocols": []}
        return found | {"client": ("127.0.0.1", 1)} | ({"method": method} if kind == "http" else {})

    async def __call__(
        self, method: str, path: str, body: Any = b"", query: str = "", token: str = "admin", **headers: str
    ) -> Reply:
        """A request and its answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent: list[dict[str, Any]] = []
        received = iter([{"type": "http.request", "body": data, "more_body": False}])

        async def receive() -> dict[str, Any]:
            return next(received, {"type": "http.disconnect"})

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            given["authorization"] = f"Bearer {token}"
        await self.application(self.scope("http", method, path, query, given), receive, send)
        found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Reply(sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:]))

    @asynccontextmanager
    async def watch(self, path: str, query: str = "watch=1", kind: str = "http", **headers: str) -> AsyncIterator[asyncio.Queue[Any]]:
        """What the server sends to a watch, until the client leaves."""
        sent: asyncio.Queue[Any] = asyncio.Queue()
        gone = asyncio.Event()
        first = [{"type": "http.request", "body": b""} if kind == "http" else {"type": "websocket.connect"}]

        async def receive() -> dict[str, Any]:
            if first:
                return first.pop()
            await gone.wait()
            return {"type": "http.disconnect" if kind == "http" else "websocket.disconnect"}

        given = {"authorization": "Bearer admin"} | {name.replace("_", "-"): value for name, value in headers.items()}
        task = asyncio.ensure_future(self.application(self.scope(kind, "GET", path, query, given), receive, sent.put))
        try:
            yield sent
        finally:
            gone.set()
            await task
