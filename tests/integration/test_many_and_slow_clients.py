"""Clients that stop reading, and very many of them, over gRPC: what they cost is bounded, and everybody is served."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from kcore.api.core.v1.config_map_pb2 import ConfigMap
from kcore.api.meta.v1 import meta_pb2
from kcore.apiserver.authentication import Authenticator
from kcore.apiserver.rpc_frontend import RpcFrontend
from kcore.base import limits
from kcore.client import failures, wire
from kcore.serve.ports.rpc import RpcPort
from tests.unit.apiserver.api import ADMIN, Api, configmap

TOKEN = (("authorization", "Bearer t"),)
WATCH, GET = (f"/kcore.api.core.v1.ConfigMapService/{name}" for name in ("Watch", "Get"))
QUEUE_BYTES = 1 << 20
EVENT_BYTES = 20_000
EVENTS = 2_000
CONNECTIONS = 2_000
AT_ONCE = 100
DEADLINE_S = 60.0


@dataclass
class Served:
    """An API server with a port, in this process."""

    api: Api
    address: str

    @property
    def watchers(self) -> list[Any]:
        return list(self.api.server.hub.resources["configmaps"].watchers)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    api = await Api(tmp_path / "store").start()
    port = RpcPort(RpcFrontend(api.pipeline, Authenticator({"t": ADMIN})))
    number = port.listen("127.0.0.1:0", None)
    await port.start()
    yield Served(api, f"127.0.0.1:{number}")
    await port.stop(0)
    api.close()


@pytest.fixture
def many_files() -> Iterator[None]:
    """Both ends of every connection are in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 3 * CONNECTIONS
    assert hard == resource.RLIM_INFINITY or hard >= needed, f"{needed} open files are needed, {hard} are allowed"
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft if soft == resource.RLIM_INFINITY else max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def read_to_the_end(call: Any) -> tuple[list[int], grpc.aio.AioRpcError]:
    """The numbers that the events of a watch have, and how it ended."""
    numbers: list[int] = []
    while True:
        try:
            events = wire.split_watch(await call.read())
        except grpc.aio.AioRpcError as error:
            return numbers, error
        numbers += [int(ConfigMap.FromString(event.raw).data["number"]) for event in events]


async def test_a_client_that_stops_reading_costs_a_bounded_queue_and_is_told_to_list_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WATCHER_QUEUE_BYTES_MAX", QUEUE_BYTES)
    await served.api.create("configmaps", configmap("c", number="0"))
    request = meta_pb2.WatchRequest(namespace="default", field_selector="metadata.name=c").SerializeToString()
    async with asyncio.timeout(DEADLINE_S), grpc.aio.insecure_channel(served.address) as channel:
        call: Any = channel.unary_stream(WATCH)(request, metadata=TOKEN)
        await call.read()
        [watcher] = served.watchers
        most = 0
        for number in range(1, EVENTS):
            await served.api.update("configmaps", configmap("c", number=str(number), filling="x" * EVENT_BYTES))
            most = max(most, watcher.queued_bytes)
        assert QUEUE_BYTES // 2 < most <= QUEUE_BYTES
        assert (watcher.queued_bytes, len(watcher.queue)) == (0, 0)
        numbers, error = await read_to_the_end(call)
    assert 0 < len(numbers) < EVENTS - 1 and numbers == list(range(1, len(numbers) + 1))
    trailing = dict(iter(error.trailing_metadata() or ()))
    failure = failures.from_call(error.code().name, "", trailing[failures.DETAILS_KEY])  # type: ignore[arg-type]
    assert (failure.code, failure.reason) == (410, "Expired")
    assert served.watchers == []


@pytest.mark.slow
async def test_two_thousand_connections_are_served_at_once(served: Served, many_files: None) -> None:
    await served.api.create("configmaps", configmap("c", number="7"))
    request = meta_pb2.GetRequest(namespace="default", name="c").SerializeToString()
    own = (("grpc.use_local_subchannel_pool", 1),)
    channels = [grpc.aio.insecure_channel(served.address, options=own) for _ in range(CONNECTIONS)]
    try:
        for _ in range(2):  # the second time all connections are there
            for start in range(0, CONNECTIONS, AT_ONCE):
                some = channels[start : start + AT_ONCE]
                calls = [channel.unary_unary(GET)(request, metadata=TOKEN, timeout=DEADLINE_S) for channel in some]
                for answer in await asyncio.gather(*calls):
                    assert ConfigMap.FromString(answer).data["number"] == "7"
    finally:
        for channel in channels:
            await channel.close()
