"""Rows about a long list in one response."""

from __future__ import annotations

import statistics
import time
from itertools import islice
from typing import Any, Final

import orjson

from kcore.api.core.v1 import pod_pb2
from kcore.api.meta.v1 import meta_pb2
from kcore.base import limits
from kcore.client import items, kinds, wire
from kcore.client.client import Client
from kcore.load.bench import http, plane
from kcore.load.bench.plane import NAMESPACE, BenchError
from kcore.load.bench.rows import PROTOBUF, HttpList, List
from kcore.load.pods import Plan, plain_template, pods
from kcore.machinery import codec

Figures = dict[str, Any]
ENV: Final = 18
"""Environment variables of each pod, so that one takes about 1,360 bytes: what pods of real clusters take."""


def run(row: List) -> Figures:
    """Fill an API server, and ask it for everything, several times."""

    async def act(client: Client) -> tuple[list[float], bytes]:
        await fill(client, row.pods)
        request = meta_pb2.ListRequest(namespace=NAMESPACE, bytes_max=limits.RESPONSE_BYTES_MAX).SerializeToString()
        took_s = []
        for _ in range(row.rounds):
            began = time.perf_counter()
            got = await client.transport.unary("/kcore.api.core.v1.PodService/List", request)
            took_s.append(time.perf_counter() - began)
        return took_s, got

    with plane.api_server() as directory:
        took_s, got = plane.ask(directory, act)
    found = len(wire.split_list(got).items)
    if found != row.pods:
        raise BenchError(f"the list has {found} pods instead of {row.pods}")
    median_s, best_s = round(statistics.median(took_s), 4), round(min(took_s), 4)
    return {"pods": row.pods, "megabytes": round(len(got) / 1e6, 2), "list_s": median_s, "best_s": best_s}


def run_http(row: HttpList) -> Figures:
    """The same over HTTPS."""
    with plane.api_server() as directory:
        plane.ask(directory, lambda client: fill(client, row.pods))
        path = f"/api/v1/namespaces/{NAMESPACE}/pods" + (f"?limit={row.limit}" if row.limit else "")
        took_s, got = http.timed(directory, path, row.accept, row.rounds)
        found = items_in(got, row.accept)
    if found != (row.limit or row.pods):
        raise BenchError(f"the list has {found} pods instead of {row.limit or row.pods}")
    median_s, best_s = round(statistics.median(took_s), 4), round(min(took_s), 4)
    return {"pods": found, "megabytes": round(len(got) / 1e6, 2), "list_s": median_s, "best_s": best_s}


def items_in(answer: bytes, accept: str) -> int:
    """How many pods an answer holds."""
    if accept == PROTOBUF:
        return len(wire.split_list(codec.open_envelope(answer)[2]).items)
    found = orjson.loads(answer)
    return len(found["rows" if found["kind"] == "Table" else "items"])


def template() -> pod_pb2.Pod:
    """A pod of a usual size."""
    pod = plain_template()
    for index in range(ENV):
        pod.spec.containers[0].env.add(name=f"VARIABLE_{index}", value="a value of its own")
    return pod


async def fill(client: Client, count: int) -> None:
    """Make the pods. Raises BenchError if one is refused."""
    plan, handle = Plan("list", NAMESPACE, count, templates=(template(),)), kinds.resource("", "v1", "pods")
    made = islice(pods(plan, client.entropy), count)
    for result in await client.bulk.write([items.raw("create", handle, raw, namespace=NAMESPACE, name=name) for name, raw, _ in made]):
        if result.error is not None:
            raise BenchError(f"a pod was refused: {result.error.message}")
