"""Rows about one event that many watches want: how long until the last of them has it."""

from __future__ import annotations

import asyncio
import ssl
import time
from functools import partial
from typing import Any, Final

import numpy as np

from kcore.api.core.v1 import config_map_pb2
from kcore.api.meta.v1 import meta_pb2
from kcore.base import limits
from kcore.base.config import DataDir
from kcore.client import connect
from kcore.client.client import Client
from kcore.client.connect import Endpoint
from kcore.load.bench import http2, plane
from kcore.load.bench.plane import NAMESPACE, BenchError
from kcore.load.bench.rows import Watches

Figures = dict[str, Any]
PATH: Final = "/kcore.api.core.v1.ConfigMapService/Watch"


class Watching(asyncio.Protocol):
    """One connection with many watches. `told` is called whenever something came."""

    def __init__(self, streams: int, headers: list[http2.Header], message: bytes, told: asyncio.Event) -> None:
        self.streams = range(1, 2 * streams, 2)
        self.connection = http2.Connection(self.streams)
        self.headers, self.message, self.told = headers, message, told
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open all watches."""
        self.transport = transport
        calls = b"".join(http2.call(stream, self.headers, self.message) for stream in self.streams)
        self.transport.write(http2.opening() + calls)

    def data_received(self, data: bytes) -> None:
        """Count what came."""
        if answer := self.connection.feed(data):
            self.transport.write(answer)
        self.told.set()

    def connection_lost(self, _error: Exception | None) -> None:
        """All watches are over."""
        self.connection.ended.update(self.streams)
        self.told.set()

    @property
    def least(self) -> int:
        """How many messages each watch has at least."""
        return min(each.count for each in self.connection.messages.values())


class Crowd:
    """All watches of a row."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.connections: list[Watching] = []

    async def open(self, where: Endpoint, row: Watches) -> None:
        """Open the watches, and wait until each has seen what is there now.

        One connection after the other: gRPC's core turns away at random what comes while a thousand calls wait to be looked at.
        """
        host, _, port = where.server.rpartition(":")
        headers = [(":method", "POST"), (":scheme", "https"), (":path", PATH), (":authority", where.server)]
        headers += [("content-type", "application/grpc"), ("te", "trailers"), ("authorization", f"Bearer {where.token}")]
        request = meta_pb2.WatchRequest(namespace=NAMESPACE, send_initial_events=True, resource_version_match="NotOlderThan")
        request.allow_bookmarks = True
        context = ssl.create_default_context(cadata=(where.ca or b"").decode())
        context.set_alpn_protocols(["h2"])
        loop = asyncio.get_running_loop()
        for _ in range(row.connections):
            open_one = partial(Watching, row.watches // row.connections, headers, request.SerializeToString(), self.told)
            _, opened = await loop.create_connection(open_one, host, int(port), ssl=context)
            self.connections.append(opened)
            await self.until(1)

    async def until(self, messages: int) -> None:
        """Wait until every watch has so many messages. Raises BenchError if one ends or nothing comes."""
        try:
            async with asyncio.timeout(limits.BENCH_WATCH_TIMEOUT_S):
                while any(each.least < messages for each in self.connections):
                    if any(each.connection.ended for each in self.connections):
                        raise BenchError("a watch ended")
                    self.told.clear()
                    await self.told.wait()
        except TimeoutError:
            raise BenchError(f"an event did not reach every watch within {limits.BENCH_WATCH_TIMEOUT_S:g} s") from None

    def counts(self) -> set[int]:
        """How many messages watches have."""
        return {each.count for one in self.connections for each in one.connection.messages.values()}

    def close(self) -> None:
        """Close the connections."""
        for each in self.connections:
            each.transport.close()


def run(row: Watches) -> Figures:
    """Watch an API server, and change one object again and again."""
    with plane.api_server() as directory:
        took_ms = plane.ask(directory, lambda client: measure(client, directory, row))
    p50, p99 = (round(float(each), 2) for each in np.percentile(took_ms, (50, 99)))
    return {"watches": row.watches, "connections": row.connections, "events": row.events, "p50_ms": p50, "p99_ms": p99}


async def measure(client: Client, directory: DataDir, row: Watches) -> list[float]:
    """Milliseconds from sending each write until all watches have its event."""
    crowd = Crowd()
    try:
        await crowd.open(connect.read_endpoint(directory.path), row)
        took_ms = []
        for index in range(row.events):
            made = config_map_pb2.ConfigMap(data={"index": str(index)})
            made.metadata.name, made.metadata.namespace = f"event-{index}", NAMESPACE
            began = time.perf_counter()
            await client.configmaps.create(made)
            await crowd.until(index + 2)
            took_ms.append((time.perf_counter() - began) * 1e3)
        if crowd.counts() != {1 + row.events}:
            raise BenchError(f"watches have {sorted(crowd.counts())} messages, and {row.events} events were sent after the first")
        return took_ms
    finally:
        crowd.close()
