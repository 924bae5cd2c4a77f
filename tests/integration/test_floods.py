"""One client that sends ten times what the server has room for, and a quiet one beside it: over gRPC and over HTTPS.

What a quiet client waits is counted in requests of the flood that are served meanwhile, not in time; refusals come by the clock.
"""

from __future__ import annotations

import asyncio
import statistics
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from kcore.api.core.v1.config_map_service_pb2 import ConfigMapWriteRequest
from kcore.api.meta.v1 import meta_pb2
from tests.integration.ports import Ports, cluster_admins, open_ports

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
FLOWS = "/apis/flowcontrol.apiserver.k8s.io/v1"
GET = "/kcore.api.core.v1.ConfigMapService/Get"
CREATE = "/kcore.api.core.v1.ConfigMapService/Create"
WAITING = 32
TENFOLD = 10 * WAITING
QUIET_CALLS = 10
DEADLINE_S = 60.0
Ask = Callable[[], Awaitable[None]]


@pytest.fixture
async def ports(tmp_path: Path) -> AsyncIterator[Ports]:
    """A server with a level for the flood, in which one runs and a few wait."""
    queuing = {"queues": 4, "handSize": 2, "queueLengthLimit": WAITING // 2}
    limited = {"nominalConcurrencyShares": 1, "borrowingLimitPercent": 0, "limitResponse": {"type": "Queue", "queuing": queuing}}
    level = {"metadata": {"name": "floods"}, "spec": {"type": "Limited", "limited": limited}}
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"], "clusterScope": True}
    rule = {"subjects": [{"kind": "User", "user": {"name": "flood"}}], "resourceRules": [everything]}
    spec = {
        "matchingPrecedence": 50, "priorityLevelConfiguration": {"name": "floods"}, "distinguisherMethod": {"type": "ByUser"},
        "rules": [rule],
    }  # fmt: skip
    async with asyncio.timeout(DEADLINE_S), open_ports(tmp_path) as found:
        for path, obj in (
            (f"{FLOWS}/prioritylevelconfigurations", level),
            (f"{FLOWS}/flowschemas", {"metadata": {"name": "floods"}, "spec": spec}),
            ("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", cluster_admins("floods")),
            ("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", cluster_admins("quiet")),
            (CONFIGMAPS, {"metadata": {"name": "c"}, "data": {"a": "1"}}),
        ):
            assert (await found.ask("POST", path, obj)).code == 201
        yield found


async def uids(ports: Ports) -> tuple[str, str]:
    """Of the flood's schema and level."""
    schema, level = [(await ports.ask("GET", f"{FLOWS}/{each}/floods")).json() for each in ("flowschemas", "prioritylevelconfigurations")]
    return schema["metadata"]["uid"], level["metadata"]["uid"]


@asynccontextmanager
async def going_on(acts: list[Ask]) -> AsyncIterator[None]:
    """Each of them is done over and over meanwhile."""

    async def over_and_over(act: Ask) -> None:
        while True:
            await act()

    tasks = [asyncio.create_task(over_and_over(act)) for act in acts]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def waits_of(quiet: Ask, answered: Counter[Any]) -> list[int]:
    """How many of the flood are served while each quiet call is under way, from when some were refused."""
    found = []
    async with asyncio.timeout(DEADLINE_S):
        while not all(answered[each] for each in (200, 429)):
            await quiet()
        for _ in range(QUIET_CALLS):
            before = answered[200]
            await quiet()
            found.append(answered[200] - before)
    return found


async def test_over_https_a_flood_is_refused_and_a_quiet_client_is_served_at_once(ports: Ports) -> None:
    answered: Counter[Any] = Counter()
    told = await uids(ports)

    async def flood_on(line: Any) -> None:
        reply = await line.ask("GET", f"{CONFIGMAPS}/c", "flood-token")
        answered[reply.code] += 1
        headers = reply.headers
        assert (headers["x-kubernetes-pf-flowschema-uid"], headers["x-kubernetes-pf-prioritylevel-uid"]) == told
        if reply.code == 429:
            assert headers["retry-after"] == "1" and reply.json()["reason"] == "TooManyRequests"

    quiet_line = await ports.line()

    async def quiet() -> None:
        assert (await quiet_line.ask("GET", f"{CONFIGMAPS}/c", "quiet-token")).code == 200

    lines = [await ports.line() for _ in range(TENFOLD)]
    async with going_on([lambda line=line: flood_on(line) for line in lines]):  # type: ignore[misc]
        waits = await waits_of(quiet, answered)
    assert statistics.median(waits) <= TENFOLD / 2, waits
    assert answered[200] and answered[429] and set(answered) == {200, 429}


async def test_over_grpc_a_flood_is_refused_and_a_quiet_client_is_served_at_once(ports: Ports) -> None:
    answered: Counter[Any] = Counter()
    refusals: list[grpc.aio.AioRpcError] = []
    told = await uids(ports)
    request = meta_pb2.GetRequest(namespace="default", name="c").SerializeToString()
    # A write keeps its seat until it is durable, so that others come meanwhile, however fast calls are read and answered.
    made = ConfigMapWriteRequest()
    made.namespace, made.object.metadata.generateName = "default", "flood-"
    write = made.SerializeToString()
    credentials = grpc.ssl_channel_credentials((ports.directory.pki / "ca.crt").read_bytes())
    async with grpc.aio.secure_channel(ports.grpc, credentials) as noisy, grpc.aio.secure_channel(
        ports.grpc, credentials, options=(("grpc.use_local_subchannel_pool", 1),)
    ) as silent:
        flooding, asking = noisy.unary_unary(CREATE), silent.unary_unary(GET)

        async def flood() -> None:
            call = flooding(write, metadata=(("authorization", "Bearer flood-token"),))
            try:
                await call
            except grpc.aio.AioRpcError as error:
                refusals.append(error)
                answered[429] += 1
            else:
                answered[200] += 1

        async def quiet() -> None:
            await asking(request, metadata=(("authorization", "Bearer quiet-token"),))

        async with going_on([flood] * TENFOLD):
            waits = await waits_of(quiet, answered)
    assert statistics.median(waits) <= TENFOLD / 2, waits
    for error in refusals:
        trailing: Any = dict(error.trailing_metadata() or ())
        assert (error.code(), trailing["grpc-retry-pushback-ms"]) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "1000")
        assert (trailing["x-kubernetes-pf-flowschema-uid"], trailing["x-kubernetes-pf-prioritylevel-uid"]) == told


async def test_an_open_watch_takes_no_seat(ports: Ports) -> None:
    for _ in range(WAITING + 8):
        assert await (await ports.line()).begin("GET", f"{CONFIGMAPS}?watch=1", "flood-token") == 200
    assert ports.api.plane.server.pipeline.gate.levels["floods"].executing == 0
    assert (await (await ports.line()).ask("GET", f"{CONFIGMAPS}/c", "flood-token")).code == 200
