"""Rows about single requests, through gRPC or HTTPS: h2load, a client written in C, sends one request over and over.

h2load counts every answer with HTTP status 200 as success, and gRPC's errors are such. So a row counts only if what it should have done was
done: creates of generated names left as many objects, gets brought as many bytes.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any, Final

import orjson

from kcore.api.core.v1 import pod_service_pb2
from kcore.api.meta.v1 import meta_pb2
from kcore.base.config import DataDir
from kcore.client import connect
from kcore.client.client import Client
from kcore.load.bench import http, plane
from kcore.load.bench.plane import NAMESPACE, BenchError
from kcore.load.bench.rows import JSON, Requests
from kcore.load.pods import plain_template
from kcore.machinery import codec

Figures = dict[str, Any]
SERVICE: Final = "kcore.api.core.v1.PodService"
PREFIX, ONE = "calls-", "one"
PODS_PATH: Final = f"/api/v1/namespaces/{NAMESPACE}/pods"
POD_PATH: Final = f"{PODS_PATH}/{ONE}"
CONNECTIONS_MAX: Final = 4
MISSING: Final = "h2load is not installed (Debian: nghttp2-client)"
FRAME: Final = struct.Struct(">BI")
"""Before each message of gRPC: whether it is compressed, and its size."""


@dataclass(frozen=True, slots=True)
class Told:
    """What h2load tells."""

    per_s: float
    succeeded: int
    data_bytes: int
    mean_ms: float
    max_ms: float


UNITS_MS: Final = {"us": 1e-3, "ms": 1.0, "s": 1e3}
RATE: Final = re.compile(r"finished in \S+, ([\d.]+) req/s")
SUCCEEDED: Final = re.compile(r"requests: .* (\d+) succeeded")
DATA: Final = re.compile(r"traffic: .* \((\d+)\) data")
TIMES: Final = re.compile(r"time for request:\s+\S+\s+([\d.]+)(us|ms|s)\s+([\d.]+)(us|ms|s)")


def read(output: str) -> Told:
    """What h2load printed. Raises BenchError if it is not understood."""
    rate, succeeded, data, times = (pattern.search(output) for pattern in (RATE, SUCCEEDED, DATA, TIMES))
    if not (rate and succeeded and data and times):
        raise BenchError(f"h2load says what nobody understands: {output.strip()[-200:]}")
    longest, longest_unit, mean, mean_unit = times.groups()
    return Told(
        float(rate[1]), int(succeeded[1]), int(data[1]), float(mean) * UNITS_MS[mean_unit], float(longest) * UNITS_MS[longest_unit]
    )


def run(row: Requests) -> Figures:
    """Call an API server that has nothing else to do."""
    if which("h2load") is None:
        return {"not_measured": MISSING}
    with plane.api_server() as directory:
        size = plane.ask(directory, make_one)
        if row.https:
            size = len(http.get(directory, POD_PATH, JSON))
        told = read(h2load(directory, row))
        found = plane.ask(directory, count_made)
    check(row, told, found, size)
    return {
        "in_flight": row.in_flight,
        "calls": row.count,
        "calls_per_s": told.per_s,
        "mean_ms": round(told.mean_ms, 3),
        "max_ms": round(told.max_ms, 3),
    }


def check(row: Requests, told: Told, found: int, size: int) -> None:
    """Hold what was done against what was asked. Raises BenchError."""
    wanted = row.count if row.verb == "create" else 0
    if told.succeeded != row.count or found != wanted:
        raise BenchError(f"of {row.count} calls {told.succeeded} succeeded, and {found} objects were made instead of {wanted}")
    if row.verb == "get" and told.data_bytes != row.count * (size if row.https else FRAME.size + size):
        raise BenchError(f"{row.count} gets of {size} bytes brought {told.data_bytes} bytes")


async def make_one(client: Client) -> int:
    """Make the pod that is got; -> its size."""
    pod = plain_template()
    pod.metadata.name, pod.metadata.namespace = ONE, NAMESPACE
    await client.pods.create(pod)
    got = await client.transport.unary(f"/{SERVICE}/Get", body("get"))
    return len(got)


async def count_made(client: Client) -> int:
    """How many objects the calls made."""
    pods = (await client.pods.list(namespace=NAMESPACE, metadata_only=True)).items
    return sum(pod.metadata.name.startswith(PREFIX) for pod in pods)


def body(verb: str) -> bytes:
    """The message of a call."""
    if verb == "get":
        return meta_pb2.GetRequest(namespace=NAMESPACE, name=ONE).SerializeToString()
    pod = plain_template()
    pod.metadata.generateName, pod.metadata.namespace = PREFIX, NAMESPACE
    return pod_service_pb2.PodWriteRequest(namespace=NAMESPACE, object=pod).SerializeToString()


def h2load(directory: DataDir, row: Requests) -> str:
    """Let h2load send; -> what it prints."""
    file = Path(directory.path, "h2load.body")
    arguments = over_https(directory, row, file) if row.https else over_grpc(directory, row, file)
    return plane.program("h2load", "-n", str(row.count), *arguments, name="h2load").stdout


def over_grpc(directory: DataDir, row: Requests, file: Path) -> list[str]:
    """The command line for gRPC: many streams on a few connections."""
    where, message = connect.read_endpoint(directory.path), body(row.verb)
    file.write_bytes(FRAME.pack(0, len(message)) + message)
    connections = min(CONNECTIONS_MAX, row.in_flight)
    headers = {"content-type": "application/grpc", "te": "trailers", "authorization": f"Bearer {where.token}"}
    url = f"https://{where.server}/{SERVICE}/{row.verb.capitalize()}"
    return ["-c", str(connections), "-m", str(row.in_flight // connections), "-d", str(file), *headed(headers), url]


def over_https(directory: DataDir, row: Requests, file: Path) -> list[str]:
    """The command line for HTTP/1.1: a connection for each request in flight."""
    rest, token = http.address(directory)
    sent = ["-d", str(file)] if row.verb == "create" else []
    pod = plain_template()
    pod.metadata.generateName = PREFIX
    file.write_bytes(orjson.dumps(codec.decode("kcore.api.core.v1.Pod", pod.SerializeToString(), "v1", "Pod")))
    headers = {"content-type": JSON, "accept": JSON, "authorization": f"Bearer {token}"}
    url = rest + (PODS_PATH if row.verb == "create" else POD_PATH)
    return ["--h1", "-c", str(row.in_flight), *sent, *headed(headers), url]


def headed(headers: dict[str, str]) -> list[str]:
    """Headers as h2load takes them."""
    return [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
