"""Rows about watches over HTTPS, each on a connection of its own: one event that all want, and what many cost while nothing happens."""

from __future__ import annotations

import resource
import time
from typing import Any, Final

import numpy as np
import orjson

from kcore.base.config import DataDir
from kcore.load import processes
from kcore.load.bench import calls, http1, plane
from kcore.load.bench.http1 import Answers, Lines, Marks
from kcore.load.bench.plane import BenchError
from kcore.load.bench.rest import megabytes
from kcore.load.bench.rows import HttpWatches, IdleWatches
from kcore.load.pods import plain_template
from kcore.machinery import codec

Figures = dict[str, Any]
WATCH: Final = "/api/v1/pods?watch=1&allowWatchBookmarks=true"
OPENED: Final = b"HTTP/1.1 200 "
EVENT: Final = b'{"type":"ADDED"'
CREATED: Final = 201
FILES_BESIDE: Final = 200
"""Descriptors that either side has open besides its connections, at most."""


def run(row: HttpWatches) -> Figures:
    """Create one pod after the other, and look when every watch has seen it."""
    if why := too_many(row.watches):
        return {"not_measured": why}
    with plane.api_server() as directory:
        took_ms = measure(directory, row)
    p50, p99 = (round(float(each), 2) for each in np.percentile(took_ms, (50, 99)))
    return {"watches": row.watches, "events": row.events, "p50_ms": p50, "p99_ms": p99}


def run_idle(row: IdleWatches) -> Figures:
    """Open watches, and look how much more the API server's memory is."""
    if why := too_many(row.watches):
        return {"not_measured": why}
    with plane.api_server() as directory:
        lines = Lines(directory)
        try:
            open_watches(lines, 1)
            before = sum(processes.pss_bytes(directory).values())
            began = time.perf_counter()
            open_watches(lines, row.watches)
            took_s = time.perf_counter() - began
            more = sum(processes.pss_bytes(directory).values()) - before
        finally:
            lines.close()
    each_kb = round(more / 1024 / row.watches, 1)
    return {"watches": row.watches, "more_mb": megabytes(more), "each_kb": each_kb, "opened_s": round(took_s, 1)}


def too_many(count: int) -> str:
    """Why so many connections cannot be opened, '' if they can; the soft bound of this process, and of those it starts, is raised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = count + FILES_BESIDE
    if needed > hard:
        return f"a process may have {hard} files open, and needs {needed}"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    return ""


def open_watches(lines: Lines, count: int) -> list[int]:
    """Open so many watches, one after the other; -> their places. Raises BenchError if one is refused."""
    request, places = http1.request("GET", WATCH, lines.token), []
    for _ in range(count):
        place = lines.open()
        lines.send(place, request)
        marks = Marks(OPENED)
        while not marks.count:
            for _, data in lines.read():
                marks.feed(data)
        places.append(place)
    return places


def measure(directory: DataDir, row: HttpWatches) -> list[float]:
    """Milliseconds from sending each create until the last watch has its event."""
    lines = Lines(directory)
    try:
        marks = {place: Marks(EVENT) for place in open_watches(lines, row.watches)}
        writer = lines.open()
        took_ms = [one_event(lines, writer, marks, index) for index in range(1, row.events + 1)]
        counts = {each.count for each in marks.values()}
    finally:
        lines.close()
    if counts != {row.events}:
        raise BenchError(f"watches have {sorted(counts)} events, and {row.events} were sent")
    return took_ms


def one_event(lines: Lines, writer: int, marks: dict[int, Marks], number: int) -> float:
    """Create a pod; -> milliseconds until every watch has so many events."""
    pod = plain_template()
    pod.metadata.name = f"event-{number}"
    body = orjson.dumps(codec.decode("kcore.api.core.v1.Pod", pod.SerializeToString(), "v1", "Pod"))
    answers, missing, answered = Answers(), set(marks), False
    began = time.perf_counter()
    lines.send(writer, http1.request("POST", calls.PODS_PATH, lines.token, body))
    while missing or not answered:
        for place, data in lines.read():
            if place == writer:
                for answer in answers.feed(data):
                    if answer.status != CREATED:
                        raise BenchError(f"a create was answered {answer.status}")
                    answered = True
            else:
                marks[place].feed(data)
                if marks[place].count >= number:
                    missing.discard(place)
    return (time.perf_counter() - began) * 1e3
