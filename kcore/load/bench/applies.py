"""Rows about server-side apply: so many Deployments, each applied over and over on a connection of its own."""

from __future__ import annotations

import itertools
import time
from typing import Any, Final

import orjson

from kcore.load.bench import http1, plane
from kcore.load.bench.http1 import Answers, Lines
from kcore.load.bench.plane import NAMESPACE, BenchError
from kcore.load.bench.rows import Applies

Figures = dict[str, Any]
DEPLOYMENTS: Final = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
APPLY: Final = "application/apply-patch+yaml"
OK: Final = 200


def run(row: Applies) -> Figures:
    """Apply, and hold what became of the objects against what was applied."""
    with plane.api_server() as directory:
        lines = Lines(directory)
        try:
            for _ in range(row.in_flight):
                place = lines.open()
                lines.ask(place, patch(lines, place, 0))
            before = generations(lines, row)
            began = time.perf_counter()
            apply_all(lines, row)
            took_s = time.perf_counter() - began
            grown = generations(lines, row) - before
        finally:
            lines.close()
    if grown != (row.count if row.changed else 0):
        raise BenchError(f"{row.count} applies made {grown} changes")
    return {"in_flight": row.in_flight, "calls": row.count, "calls_per_s": round(row.count / took_s, 1)}


def apply_all(lines: Lines, row: Applies) -> None:
    """Apply so often, one configuration under way on each connection. Raises BenchError if one is refused."""
    turns, answers = itertools.count(1), [Answers() for _ in range(row.in_flight)]
    answered = 0
    for place in range(row.in_flight):
        lines.send(place, patch(lines, place, next(turns) if row.changed else 0))
    while answered < row.count:
        for place, data in lines.read():
            for answer in answers[place].feed(data):
                if answer.status != OK:
                    raise BenchError(f"an apply was answered {answer.status}: {answer.body[:200].decode('latin-1')}")
                answered += 1
                if answered <= row.count - row.in_flight:
                    lines.send(place, patch(lines, place, next(turns) if row.changed else 0))


def patch(lines: Lines, place: int, turn: int) -> bytes:
    """The request that applies a connection's Deployment as it is at a turn."""
    obj = deployment(f"web-{place}", turn)
    return http1.request("PATCH", f"{DEPLOYMENTS}/web-{place}?fieldManager=bench", lines.token, orjson.dumps(obj), APPLY)


def generations(lines: Lines, row: Applies) -> int:
    """How often all Deployments together have been changed."""
    answer = lines.ask(0, http1.request("GET", DEPLOYMENTS, lines.token))
    items = orjson.loads(answer.body)["items"]
    if len(items) != row.in_flight:
        raise BenchError(f"there are {len(items)} Deployments instead of {row.in_flight}")
    return sum(item["metadata"]["generation"] for item in items)


def deployment(name: str, turn: int) -> dict[str, Any]:
    """A usual Deployment; each turn rolls out another image."""
    container = {
        "name": "web",
        "image": f"nginx:1.{turn}",
        "ports": [{"containerPort": 80}],
        "env": [{"name": "MODE", "value": "production"}, {"name": "LEVEL", "value": "info"}],
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        "readinessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5},
    }
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 3, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": labels}, "spec": spec}
