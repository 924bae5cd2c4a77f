"""An API server with its real ports in this process, and a client of HTTP/1.1 that sends what it likes."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kcore.base.config import DataDir
from kcore.serve import apiserver
from kcore.serve.apiserver import ApiServerSettings, Opened

ACCOUNTS = 'flood-token,flood,10,"floods"\nquiet-token,quiet,11,"quiet"\n'
LOOK_PAUSE_S = 0.001
Object = dict[str, Any]


@dataclass(slots=True)
class Reply:
    """What came back; a header that came twice stands once."""

    code: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


async def until(condition: Callable[[], object]) -> None:
    """Wait until something holds; the test bounds the time."""
    loop = asyncio.get_running_loop()
    while not condition():
        turn: asyncio.Future[None] = loop.create_future()
        loop.call_later(LOOK_PAUSE_S, turn.set_result, None)
        await turn


@dataclass(slots=True)
class Line:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def send_without_end(self, piece: bytes) -> None:
        """Send the same over and over. Raises OSError when the server has ended the connection."""
        while True:
            await self.send(piece)
            await asyncio.sleep(0)  # writing to a socket that takes all lets nobody else, not even the news of its end, have a turn

    async def head(self) -> tuple[int, dict[str, str]]:
        """-> (code, headers) of an answer. Raises IncompleteReadError if the server ends the connection instead."""
        first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
        named = (line.partition(":") for line in lines if line)
        return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in named}

    async def answer(self) -> Reply:
        code, headers = await self.head()
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while piece := await self.chunk():
                body += piece
            return Reply(code, headers, body)
        return Reply(code, headers, await self.reader.readexactly(int(headers.get("content-length", "0"))))

    async def chunk(self) -> bytes:
        """A piece of an answer that comes in pieces; the empty one is the last."""
        size = int(await self.reader.readline(), 16)
        return (await self.reader.readexactly(size + 2))[:-2]

    async def ask(self, method: str, path: str, token: str = "", body: bytes = b"", headers: Mapping[str, str] = {}) -> Reply:
        await self.send(request(method, path, token, body, headers))
        return await self.answer()

    async def begin(self, method: str, path: str, token: str = "") -> int:
        """Ask, and read no more than the head; -> the code."""
        await self.send(request(method, path, token))
        return (await self.head())[0]

    async def is_ended(self) -> bool:
        """Wait until the server ends the connection; -> whether it says nothing more."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self.writer.close()


def request(method: str, path: str, token: str = "", body: bytes = b"", headers: Mapping[str, str] = {}) -> bytes:
    """A request as it is sent."""
    given = {"Host": "kcore", **({"Authorization": f"Bearer {token}"} if token else {}), **headers}
    if body or method in ("POST", "PUT", "PATCH"):
        given = {"Content-Length": str(len(body)), "Content-Type": "application/json", **given}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body


@dataclass
class Ports:
    """The server, where its ports are, and the connections made to it."""

    api: Opened
    directory: DataDir
    https: tuple[str, int]
    grpc: str
    admin: str
    lines: list[Line] = field(default_factory=list)

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.directory.pki / "ca.crt"))

    async def line(self, tls: bool = True) -> Line:
        """A new connection."""
        made = Line(*await asyncio.open_connection(*self.https, ssl=self.tls() if tls else None, limit=1 << 26))
        self.lines.append(made)
        return made

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """One request of the admin's, on a connection of its own."""
        line = await self.line()
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        found = await line.ask(method, path, self.admin, data, named)
        line.close()
        return found


@asynccontextmanager
async def open_ports(folder: Path) -> AsyncIterator[Ports]:
    """A server with an account for pods."""
    accounts = folder / "accounts.csv"
    accounts.write_text(ACCOUNTS)
    directory = DataDir.at(str(folder / "data"))
    async with apiserver.opened(directory, ApiServerSettings(port=0, grpc_port=0, token_auth_file=accounts), supervised=False) as api:
        found = json.loads(directory.endpoints.read_text())
        host, _, port = found["rest"].removeprefix("https://").rpartition(":")
        ports = Ports(api, directory, (host, int(port)), found["grpc"], found["token"])
        stop = asyncio.Event()
        serving = asyncio.create_task(api.run_until(stop))
        try:
            yield ports
        finally:
            stop.set()
            await serving
            for line in ports.lines:
                line.close()


def cluster_admins(group: str) -> Object:
    """A binding that lets a group do everything."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"all-{group}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "Group", "name": group, "apiGroup": "rbac.authorization.k8s.io"}],
    }
