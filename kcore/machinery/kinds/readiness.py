"""Phase and conditions of a pod: ready, available, finished, active, and the conditions a node reports.

Source: Kubernetes `pkg/api/v1/pod`, `pkg/kubelet/status/generate.go`, `pkg/controller/controller_utils.go`.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kcore.machinery.timestamp import parse_time

Json = Mapping[str, Any]

PENDING: Final = "Pending"
RUNNING: Final = "Running"
SUCCEEDED: Final = "Succeeded"
FAILED: Final = "Failed"
UNKNOWN: Final = "Unknown"
TERMINAL_PHASES: Final = frozenset((SUCCEEDED, FAILED))

READY: Final = "Ready"
CONTAINERS_READY: Final = "ContainersReady"
INITIALIZED: Final = "Initialized"
POD_SCHEDULED: Final = "PodScheduled"
READY_TO_START: Final = "PodReadyToStartContainers"


def find_condition(conditions: Iterable[Json] | None, kind: str) -> Json | None:
    """Find a condition by its type."""
    for condition in conditions or ():
        if condition.get("type") == kind:
            return condition
    return None


def is_true(conditions: Iterable[Json] | None, kind: str) -> bool:
    """Say whether a condition is there and True."""
    condition = find_condition(conditions, kind)
    return condition is not None and condition.get("status") == "True"


def is_ready(pod: Json) -> bool:
    """Say whether a pod is ready to serve."""
    return is_true((pod.get("status") or {}).get("conditions"), READY)


def is_available(pod: Json, min_ready_s: float, now: float) -> bool:
    """Say whether a pod has been ready for `min_ready_s` at `now` (unix seconds)."""
    condition = find_condition((pod.get("status") or {}).get("conditions"), READY)
    if condition is None or condition.get("status") != "True":
        return False
    since = condition.get("lastTransitionTime")
    return min_ready_s <= 0 or (since is not None and parse_time(since) + min_ready_s <= now)


def is_terminal(pod: Json) -> bool:
    """Say whether a pod has finished."""
    return (pod.get("status") or {}).get("phase") in TERMINAL_PHASES


def is_active(pod: Json) -> bool:
    """Say whether a controller counts a pod: neither finished nor being deleted."""
    return not is_terminal(pod) and not (pod.get("metadata") or {}).get("deletionTimestamp")


def set_condition(conditions: list[dict[str, Any]], new: dict[str, Any], now: str) -> bool:
    """Put a condition into a list, in place; its transition time moves only when its status does.

    now      RFC 3339
    Returns  whether anything changed
    """
    for index, old in enumerate(conditions):
        if old.get("type") == new.get("type"):
            moved = old.get("status") != new.get("status")
            since = now if moved else old.get("lastTransitionTime")
            merged = {**new, "lastTransitionTime": since}
            if merged == old:
                return False
            conditions[index] = merged
            return True
    conditions.append({**new, "lastTransitionTime": now})
    return True


def containers_ready_condition(containers: Iterable[Json], statuses: Iterable[Json] | None, phase: str) -> dict[str, Any]:
    """Say whether the containers of a pod are ready; `containers` are those that run together, sidecars included."""
    if statuses is None:
        return _not_true(CONTAINERS_READY, "UnknownContainerStatuses")
    if phase in TERMINAL_PHASES:
        return _not_true(CONTAINERS_READY, "PodCompleted" if phase == SUCCEEDED else "PodFailed")
    by_name = {status.get("name"): status for status in statuses}
    names = [str(container.get("name")) for container in containers]
    unknown = [name for name in names if name not in by_name]
    unready = [name for name in names if name in by_name and not by_name[name].get("ready")]
    parts = []
    if unknown:
        parts.append(f"containers with unknown status: [{' '.join(unknown)}]")
    if unready:
        parts.append(f"containers with unready status: [{' '.join(unready)}]")
    if parts:
        return _not_true(CONTAINERS_READY, "ContainersNotReady", ", ".join(parts))
    return {"type": CONTAINERS_READY, "status": "True"}


def pod_ready_condition(containers_ready: Json, gates: Iterable[str], conditions: Iterable[Json] | None) -> dict[str, Any]:
    """Say whether a pod is ready: its containers are, and so are the conditions that its readiness gates name."""
    if containers_ready.get("status") != "True":
        return {**containers_ready, "type": READY}
    known = list(conditions or ())
    problems = []
    for gate in gates:
        condition = find_condition(known, gate)
        if condition is None:
            problems.append(f'corresponding condition of pod readiness gate "{gate}" does not exist.')
        elif condition.get("status") != "True":
            problems.append(f'the status of pod readiness gate "{gate}" is not "True", but {condition.get("status")}')
    if problems:
        return _not_true(READY, "ReadinessGatesNotReady", ", ".join(problems))
    return {"type": READY, "status": "True"}


def _not_true(kind: str, reason: str, message: str = "") -> dict[str, Any]:
    condition = {"type": kind, "status": "False", "reason": reason}
    if message:
        condition["message"] = message
    return condition
