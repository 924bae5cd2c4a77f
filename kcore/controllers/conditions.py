"""Conditions in the status of any kind, as messages: found, put, removed, compared.

The transition time moves only when the status does; a condition that says the same is left as it is.
"""

from __future__ import annotations

from typing import Any

from kcore.controllers.pod_state import seconds, set_seconds


def find(conditions: Any, type_: str) -> Any | None:
    """Return the condition of a type."""
    for condition in conditions:
        if condition.type == type_:
            return condition
    return None


def put(conditions: Any, type_: str, status: str, reason: str, message: str, now: float, *, updates: bool = False) -> bool:
    """Put a condition in, last; one with the same status and reason stays, as it is.

    updates  the kind's conditions have a `lastUpdateTime` too
    Returns  whether anything changed
    """
    old = find(conditions, type_)
    if old is not None and old.status == status and old.reason == reason:
        return False
    replace(conditions, type_, status, reason, message, now, updates=updates)
    return True


def replace(conditions: Any, type_: str, status: str, reason: str, message: str, now: float, *, updates: bool = False) -> None:
    """Put a condition in, last, whatever was there; the transition time moves only when the status does."""
    old = find(conditions, type_)
    since = seconds(old.lastTransitionTime) if old is not None and old.status == status else now
    remove(conditions, type_)
    new = conditions.add(type=type_, status=status, reason=reason, message=message)
    set_seconds(new.lastTransitionTime, since)
    if updates:
        set_seconds(new.lastUpdateTime, now)


def remove(conditions: Any, type_: str) -> bool:
    """Take the condition of a type out; returns whether there was one."""
    for index, condition in enumerate(conditions):
        if condition.type == type_:
            del conditions[index]
            return True
    return False


def same(left: Any, right: Any) -> bool:
    """Tell whether two lists of conditions say the same, in whatever order and at whatever times."""
    return {_said(condition) for condition in left} == {_said(condition) for condition in right}


def _said(condition: Any) -> tuple[str, str, str, str]:
    return condition.type, condition.status, condition.reason, condition.message
