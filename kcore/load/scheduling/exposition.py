"""What the scheduler counts: its metrics as text, read, and what they tell of the time between two looks."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from typing import Any, Final

from kcore.base import limits
from kcore.base.config import DataDir, Endpoints, read_json
from kcore.load.bench.plane import BenchError

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]
"""The value of each name and its labels."""

LINE: Final = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
ATTEMPTS: Final = "scheduler_schedule_attempts_total"
POINTS: Final = "scheduler_framework_extension_point_duration_seconds"
ATTEMPT: Final = "scheduler_scheduling_attempt_duration_seconds"


def read(text: str) -> Values:
    """The values of an exposition."""
    return {(name, frozenset(LABEL.findall(labels))): float(value) for name, labels, value in LINE.findall(text)}


def fetch(directory: DataDir, part: str) -> Values:
    """The present values of a part. Raises BenchError."""
    address = (read_json(directory.part_state(part)) or {}).get("address", "")
    found = Endpoints.read(directory)
    connection = http.client.HTTPConnection(address, timeout=limits.BENCH_COMMAND_TIMEOUT_S)
    try:
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {found.token if found else ''}"})
        answer = connection.getresponse()
        text = answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        raise BenchError(f"the metrics of {part} are not to be had: {error}") from error
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise BenchError(f"the metrics of {part} are not to be had: {answer.status} {text.strip()}")
    return read(text)


def grown(before: Values, after: Values, name: str, label: str) -> dict[str, float]:
    """By how much the values of a name grew, summed for each value of a label; without those that did not. A part that was started again
    counts anew."""
    found: dict[str, float] = {}
    for (each, labels), value in after.items():
        if each == name:
            of, counted = dict(labels).get(label, ""), before.get((each, labels), 0.0)
            found[of] = found.get(of, 0.0) + (value - counted if value >= counted else value)
    return {of: value for of, value in sorted(found.items()) if value}


def told(before: Values, after: Values) -> dict[str, Any]:
    """Attempts by their result, and what each extension point and each attempt took, in microseconds."""
    return {
        "attempts": {result: round(count) for result, count in grown(before, after, ATTEMPTS, "result").items()},
        "attempt_us": dict(means(before, after, ATTEMPT, "result")),
        "extension_point_us": dict(means(before, after, POINTS, "extension_point")),
    }


def means(before: Values, after: Values, name: str, label: str) -> Iterator[tuple[str, float]]:
    """The mean of what a histogram counted meanwhile."""
    sums, counts = (grown(before, after, f"{name}_{suffix}", label) for suffix in ("sum", "count"))
    for of, count in counts.items():
        yield of, round(sums.get(of, 0.0) / count * 1e6, 1)
