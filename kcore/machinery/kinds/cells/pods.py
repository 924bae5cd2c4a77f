"""Cells of pods.

Source: Kubernetes `pkg/printers/internalversion/printers.go`, recorded tables of 1.37.
"""

from __future__ import annotations

from typing import Final

from kcore.machinery import ages, timestamp
from kcore.machinery.kinds.cells.forms import NONE, Cells, Object, at, plain


def pod_ready(obj: Object) -> str:
    """Ready containers of all."""
    sidecars = [each for each in (obj.get("spec") or {}).get("initContainers") or () if each.get("restartPolicy") == "Always"]
    total = len((obj.get("spec") or {}).get("containers") or ()) + len(sidecars)
    status = obj.get("status") or {}
    names = {each["name"] for each in sidecars}
    ready = sum(bool(each.get("ready")) for each in status.get("containerStatuses") or ())
    ready += sum(bool(each.get("ready")) for each in status.get("initContainerStatuses") or () if each.get("name") in names)
    return f"{ready}/{total}"


def pod_status(obj: Object) -> str:
    """The word that says most about a pod: why a container waits or ended, else its phase."""
    status = obj.get("status") or {}
    reason: str = status.get("reason") or status.get("phase") or ""
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
    initializing = init_reason(obj)
    if initializing:
        reason = initializing
    else:
        reason = container_reason(status, reason)
    if obj["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            return "Unknown"
        return reason if status.get("phase") in ("Succeeded", "Failed") else "Terminating"
    return reason


def container_reason(status: Object, reason: str) -> str:
    """Why the last container that does not run does not."""
    has_running = False
    for each in reversed(status.get("containerStatuses") or ()):
        state = each.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated")
        if waiting.get("reason"):
            reason = waiting["reason"]
        elif ended is not None:
            reason = end_reason(ended)
        elif each.get("ready") and state.get("running") is not None:
            has_running = True
    if reason == "Completed" and has_running:
        ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in status.get("conditions") or ())
        return "Running" if ready else "NotReady"
    return reason


def end_reason(ended: Object) -> str:
    """Why a container ended."""
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def init_reason(obj: Object) -> str:
    """What the first init container that is not done says; '' if all are."""
    declared = (obj.get("spec") or {}).get("initContainers") or ()
    sidecars = {each["name"] for each in declared if each.get("restartPolicy") == "Always"}
    for index, each in enumerate((obj.get("status") or {}).get("initContainerStatuses") or ()):
        state = each.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended is not None and not ended.get("exitCode"):
            continue
        if each.get("name") in sidecars and each.get("started"):
            continue
        if ended is not None:
            return f"Init:{end_reason(ended)}"
        if waiting.get("reason") and waiting["reason"] != "PodInitializing":
            return f"Init:{waiting['reason']}"
        return f"Init:{index}/{len(declared)}"
    return ""


def pod_restarts(obj: Object, now: float) -> str:
    """Restarts of the containers that count, and how long ago the last one was.

    While init containers run these are theirs and those of sidecars; afterwards those of sidecars and containers.
    """
    status = obj.get("status") or {}
    declared = (obj.get("spec") or {}).get("initContainers") or ()
    sidecars = {each["name"] for each in declared if each.get("restartPolicy") == "Always"}
    begun = status.get("initContainerStatuses") or ()
    counted = list(begun) if init_reason(obj) else [each for each in begun if each.get("name") in sidecars]
    if not init_reason(obj):
        counted += status.get("containerStatuses") or ()
    count, last = 0, 0.0
    for each in counted:
        count += each.get("restartCount", 0)
        finished = ((each.get("lastState") or {}).get("terminated") or {}).get("finishedAt")
        if finished:
            last = max(last, timestamp.parse_time(finished))
    if not count or not last:
        return str(count)
    return f"{count} ({ages.duration(now - last)} ago)"


def pod_gates(obj: Object) -> str:
    """Readiness gates that hold, of all."""
    gates = (obj.get("spec") or {}).get("readinessGates") or ()
    if not gates:
        return NONE
    true = {c["type"] for c in (obj.get("status") or {}).get("conditions") or () if c.get("status") == "True"}
    return f"{sum(gate.get('conditionType') in true for gate in gates)}/{len(gates)}"


OVER: Final = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}


def row_conditions(obj: Object) -> list[Object]:
    """What a row says of a pod that is over."""
    phase = (obj.get("status") or {}).get("phase") or ""
    if phase not in OVER:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": OVER[phase]}]


CELLS: Final[Cells] = {
    ("", "Pod", "Ready"): plain(pod_ready),
    ("", "Pod", "Status"): plain(pod_status),
    ("", "Pod", "Restarts"): pod_restarts,
    ("", "Pod", "IP"): at("status.podIP", NONE),
    ("", "Pod", "Readiness Gates"): plain(pod_gates),
}
