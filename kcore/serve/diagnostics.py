"""The health and metrics port of a part: plain HTTP on loopback, its address in DIR/run/<part>.json.

`/healthz` and `/readyz` answer ok or 500, to everybody; `/metrics` is Prometheus text, for those who may get that path at the API server:
it is asked whose a bearer token is and what he may, as the parts of Kubernetes ask it. One small request a connection, without a body.
"""

from __future__ import annotations

import asyncio
import http
import os
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from kcore.base import limits, metrics
from kcore.base import metric as instruments
from kcore.base.config import DataDir, write_private_json
from kcore.machinery import status
from kcore.machinery.field_error import quote
from kcore.machinery.status import StatusError

TEXT = "text/plain; charset=utf-8"
METRICS = "/metrics"
TOKEN = re.compile(rb"\r\nauthorization: *bearer +([!-~]+)", re.IGNORECASE)

Judge = Callable[[str], Awaitable[None]]
"""Whether who has a token may get the metrics. Raises StatusError (401, 403) if not."""

if TYPE_CHECKING:
    from prometheus_client import Metric

    from kcore.client.client import Client


class Collector:
    """kcore's metrics in the form of the Prometheus client."""

    def collect(self) -> list[Metric]:
        """All metrics that were declared."""
        return [family(metric) for metric in metrics.declared()]


class Diagnostics:
    """The port of one part. Thread: the event loop's."""

    def __init__(self, part: str, directory: DataDir, judge: Judge) -> None:
        self.part, self.directory, self.judge = part, directory, judge
        self.ready = False
        self.server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a free port of loopback, and write where."""
        self.server = await asyncio.start_server(self.answer, "127.0.0.1", 0, limit=limits.DIAGNOSTICS_REQUEST_BYTES_MAX)
        port = self.server.sockets[0].getsockname()[1]
        asyncio.get_running_loop().call_later(limits.DIAGNOSTICS_IMPORT_AFTER_S, exposition)
        write_private_json(self.directory.part_state(self.part), {"pid": os.getpid(), "address": f"127.0.0.1:{port}"})

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        try:
            async with asyncio.timeout(limits.DIAGNOSTICS_TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
            code, body = await self.respond(head.split(b" ", 2)[1] if head.startswith(b"GET ") else b"", head)
            writer.write(
                f"HTTP/1.1 {code}\r\nContent-Type: {TEXT}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
            )
            await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass
        finally:
            writer.close()

    async def respond(self, path: bytes, head: bytes) -> tuple[str, bytes]:
        """-> (status line, body) for a path, and the head that it came in."""
        if path in (b"/healthz", b"/livez"):
            return "200 OK", b"ok\n"
        if path == b"/readyz":
            return ("200 OK", b"ok\n") if self.ready else ("500 Internal Server Error", b"not ready\n")
        if path == METRICS.encode():
            given = TOKEN.search(head)
            try:
                await self.judge(given[1].decode() if given else "")
            except StatusError as error:
                return f"{error.code} {http.HTTPStatus(error.code).phrase}", f"{error.message}\n".encode()
            return "200 OK", exposition()
        return "404 Not Found", b"not found\n"

    async def stop(self) -> None:
        """Close the port."""
        if self.server is not None:
            self.server.close()
            await self.server.wait_closed()


def by_reviews(client: Client) -> Judge:
    """The judge of a part that is a client of the API server."""

    async def judge(token: str) -> None:
        if not token:
            raise status.unauthorized()
        known = await client.dynamic.resource("authentication.k8s.io", "v1", "tokenreviews").create({"spec": {"token": token}})
        user = known.get("status") or {}
        if not user.get("authenticated"):
            raise status.unauthorized()
        asked = {"nonResourceAttributes": {"path": METRICS, "verb": "get"}, "user": user["user"].get("username", "")}
        asked["groups"] = user["user"].get("groups") or []
        found = await client.dynamic.resource("authorization.k8s.io", "v1", "subjectaccessreviews").create({"spec": asked})
        if not (found.get("status") or {}).get("allowed"):
            raise status.forbidden("", "", "", f"User {quote(asked['user'])} cannot get path {quote(METRICS)}")

    return judge


def exposition() -> bytes:
    """All metrics as Prometheus text."""
    from prometheus_client import CollectorRegistry, generate_latest  # dear: it comes soon after the start, before anybody asks

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector())
    return generate_latest(registry)


def family(metric: instruments.Metric) -> Metric:
    """One metric with its samples."""
    from prometheus_client import Metric

    found = Metric(metric.name.removesuffix("_total") if metric.kind == "counter" else metric.name, metric.help, metric.kind)
    for sample in metric.samples():
        found.add_sample(metric.name + sample.suffix, sample.labels, sample.value)
    return found
