"""Requests over HTTPS from this process, one at a time on a connection that is kept."""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.parse

from kcore.base import limits
from kcore.base.config import DataDir, Endpoints
from kcore.load.bench.plane import BenchError


def address(directory: DataDir) -> tuple[str, str]:
    """-> (where the HTTPS port is, the admin's token). Raises BenchError."""
    found = Endpoints.read(directory)
    if found is None or found.rest is None or found.token is None:
        raise BenchError("the API server has no HTTPS port")
    return found.rest, found.token


def get(directory: DataDir, path: str, accept: str) -> bytes:
    """What a path answers."""
    return timed(directory, path, accept, 1)[1]


def timed(directory: DataDir, path: str, accept: str, rounds: int) -> tuple[list[float], bytes]:
    """Ask `rounds` times; -> (seconds of each, the last answer). Raises BenchError."""
    url, token = address(directory)
    found = Endpoints.read(directory)
    where = urllib.parse.urlsplit(url)
    context = ssl.create_default_context(cafile=found.ca if found is not None else None)
    connection = http.client.HTTPSConnection(
        where.hostname or "", where.port, timeout=limits.BENCH_COMMAND_TIMEOUT_S, context=context
    )
    took_s: list[float] = []
    try:
        for _ in range(rounds):
            began = time.perf_counter()
            connection.request("GET", path, headers={"Accept": accept, "Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            body = answer.read()
            took_s.append(time.perf_counter() - began)
            if answer.status != http.client.OK:
                raise BenchError(f"GET {path} answered {answer.status}")
    finally:
        connection.close()
    return took_s, body
