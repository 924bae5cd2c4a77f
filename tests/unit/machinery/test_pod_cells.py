"""Cells of pods in states that few pods are in: init containers that fail again, sidecars, containers of which nothing is known."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.machinery.kinds.cells.pods import pod_ready, pod_restarts, pod_status

RUNNING = {"running": {}}
DONE = {"terminated": {"exitCode": 0, "reason": "Completed"}}
FAILED = {"terminated": {"exitCode": 1}}
CRASHING = {"waiting": {"reason": "CrashLoopBackOff"}}
INITIALIZED = {"type": "Initialized", "status": "True"}


def state(name: str, now: dict[str, Any], restarts: int = 0, **more: Any) -> dict[str, Any]:
    return {"name": name, "state": now, "restartCount": restarts, **more}


def pod(inits: list[Any], containers: list[Any], *conditions: dict[str, str], sidecars: tuple[str, ...] = ()) -> dict[str, Any]:
    declared = [{"name": each["name"], **({"restartPolicy": "Always"} if each["name"] in sidecars else {})} for each in inits]
    spec = {"initContainers": declared, "containers": [{"name": each["name"]} for each in containers]}
    status = {"phase": "Pending", "initContainerStatuses": inits, "containerStatuses": containers, "conditions": list(conditions)}
    return {"metadata": {}, "spec": spec, "status": status}


@pytest.mark.parametrize(
    ("found", "ready", "status", "restarts"),
    [
        (pod([state("a", DONE, 1), state("b", FAILED, 2), state("c", {}, 4)], [state("x", {}, 8)]), "0/1", "Init:ExitCode:1", "3"),
        (pod([state("a", CRASHING, 2)], [state("x", RUNNING, 1, ready=True)], INITIALIZED), "1/1", "Init:CrashLoopBackOff", "1"),
        (pod([state("a", CRASHING, 2)], [state("x", CRASHING, 1)], INITIALIZED, sidecars=("a",)), "0/2", "CrashLoopBackOff", "3"),
        (pod([state("a", RUNNING, 2, started=True, ready=True)], [state("x", DONE)], sidecars=("a",)), "1/2", "Completed", "2"),
        (pod([state("a", RUNNING, 1, started=False, ready=True)], [state("x", {})], sidecars=("a",)), "0/2", "Init:0/1", "1"),
        (pod([], [state("x", {}, ready=True)]), "0/1", "Pending", "0"),
    ],
)
def test_a_row_shows_what_holds_a_pod_up(found: dict[str, Any], ready: str, status: str, restarts: str) -> None:
    assert (pod_ready(found), pod_status(found), pod_restarts(found, 0.0)) == (ready, status, restarts)
