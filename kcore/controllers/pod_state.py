"""What controllers read of a Pod message: active, ready, available. ``kcore.machinery.kinds.readiness`` says the same of dicts.

Cost: 0.2 to 1 us a pod; nothing is copied.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kcore.machinery.kinds.readiness import READY, TERMINAL_PHASES


def is_finished(pod: Any) -> bool:
    """Tell whether all containers of a pod have ended for good."""
    return pod.status.phase in TERMINAL_PHASES


def is_active(pod: Any) -> bool:
    """Tell whether a controller counts a pod: neither finished nor being deleted."""
    return pod.status.phase not in TERMINAL_PHASES and not pod.metadata.HasField("deletionTimestamp")


def is_terminating(pod: Any) -> bool:
    """Tell whether a pod is being deleted and has not finished."""
    return pod.status.phase not in TERMINAL_PHASES and pod.metadata.HasField("deletionTimestamp")


def ready_condition(pod: Any) -> Any | None:
    """Return the Ready condition of a pod."""
    for condition in pod.status.conditions:
        if condition.type == READY:
            return condition
    return None


def is_ready(pod: Any) -> bool:
    """Tell whether a pod is ready to serve."""
    condition = ready_condition(pod)
    return condition is not None and condition.status == "True"


def ready_since(pod: Any) -> float | None:
    """Return since when a pod is ready, in unix seconds; 0.0 if that is not known, None if it is not ready."""
    condition = ready_condition(pod)
    if condition is None or condition.status != "True":
        return None
    return seconds(condition.lastTransitionTime)


def available_in_s(since: float | None, min_ready_s: int, now: float) -> float | None:
    """Return after how many seconds a pod that is ready since then is available; 0.0 if it is, None if it is not ready."""
    if since is None:
        return None
    if min_ready_s <= 0:
        return 0.0
    return None if since == 0.0 else max(0.0, since + min_ready_s - now)


def next_available_s(pods: Iterable[Any], min_ready_s: int, now: float) -> float | None:
    """Return after how many seconds the next pod becomes available by mere waiting; None if there is no such pod."""
    if min_ready_s <= 0:
        return None
    waits = (available_in_s(ready_since(pod), min_ready_s, now) for pod in pods)
    return min((wait for wait in waits if wait), default=None)


def seconds(time: Any) -> float:
    """Return a Time in unix seconds; 0.0 if it is not set."""
    whole: int = time.seconds
    nanos: int = time.nanos
    return whole + nanos / 1e9


def set_seconds(time: Any, now: float) -> None:
    """Set a Time to whole seconds, which is all that its text form carries."""
    time.seconds = int(now)
    time.ClearField("nanos")
