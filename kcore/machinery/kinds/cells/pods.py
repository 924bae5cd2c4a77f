"""Cells of pods.

Source: Kubernetes `pkg/printers/internalversion/printers.go`, recorded tables of 1.37.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from kcore.machinery import ages, timestamp
from kcore.machinery.kinds.cells.forms import NONE, Cells, Object, at, plain


class Begun(NamedTuple):
    """How far the init containers are.

    reason    what the first one says that is not done; '' if all are
    statuses  of all up to that one
    sidecars  names of those that run beside the containers
    """

    reason: str
    statuses: Sequence[Object]
    sidecars: frozenset[str]


NONE_BEGUN: Final = Begun("", (), frozenset())


def begun(obj: Object) -> Begun:
    """Look at the init containers up to the first that is not done; a sidecar that has started is done."""
    declared = (obj.get("spec") or {}).get("initContainers")
    if not declared:
        return NONE_BEGUN
    sidecars = frozenset(each["name"] for each in declared if each.get("restartPolicy") == "Always")
    statuses: list[Object] = (obj.get("status") or {}).get("initContainerStatuses") or []
    for index, each in enumerate(statuses):
        reason = init_reason(each, each.get("name") in sidecars, f"{index}/{len(declared)}")
        if reason:
            return Begun(reason, statuses[: index + 1], sidecars)
    return Begun("", statuses, sidecars)


def init_reason(each: Object, is_sidecar: bool, place: str) -> str:
    """What an init container says that is not done; '' if it is."""
    state = each.get("state") or {}
    ended, waiting = state.get("terminated"), state.get("waiting") or {}
    if (ended is not None and not ended.get("exitCode")) or (is_sidecar and each.get("started")):
        return ""
    if ended is not None:
        return f"Init:{end_reason(ended)}"
    if waiting.get("reason") and waiting["reason"] != "PodInitializing":
        return f"Init:{waiting['reason']}"
    return f"Init:{place}"


def has_containers(obj: Object, found: Begun) -> bool:
    """Whether the containers say how the pod is: nothing is left to be done before them, or it was done once."""
    if not found.reason:
        return True
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((each.get("status") == "True" for each in conditions if each.get("type") == "Initialized"), False)


def pod_ready(obj: Object) -> str:
    """Ready containers of all."""
    found, status = begun(obj), obj.get("status") or {}
    total = len((obj.get("spec") or {}).get("containers") or ()) + len(found.sidecars)
    ready = sum(
        bool(each.get("ready") and each.get("started")) for each in found.statuses
        if each.get("name") in found.sidecars and not is_done((each.get("state") or {}).get("terminated"))
    )
    if has_containers(obj, found):
        ready += sum(map(is_running, status.get("containerStatuses") or ()))
    return f"{ready}/{total}"


def is_done(ended: Object | None) -> bool:
    """Whether a container has ended well."""
    return ended is not None and not ended.get("exitCode")


def is_running(each: Object) -> bool:
    """Whether a container runs and is ready."""
    state = each.get("state") or {}
    runs = state.get("running") is not None and state.get("terminated") is None and not (state.get("waiting") or {}).get("reason")
    return bool(each.get("ready")) and runs


def pod_status(obj: Object) -> str:
    """The word that says most about a pod: why a container waits or ended, else its phase."""
    status, found = obj.get("status") or {}, begun(obj)
    reason: str = status.get("reason") or status.get("phase") or ""
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
    reason = found.reason or reason
    if has_containers(obj, found):
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
        elif is_running(each):
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


def pod_restarts(obj: Object, now: float) -> str:
    """Restarts of the containers that count, and how long ago the last one was.

    While init containers run these are theirs and those of sidecars; afterwards those of sidecars and containers.
    """
    found = begun(obj)
    if has_containers(obj, found):
        counted = [each for each in found.statuses if each.get("name") in found.sidecars]
        counted += (obj.get("status") or {}).get("containerStatuses") or ()
    else:
        counted = list(found.statuses)
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
