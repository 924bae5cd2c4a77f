"""Which taints a pod tolerates.

The rule works on `Toleration` and `Taint`; `tolerations_of` and `taints_of` make them from dicts in JSON form.

Source: Kubernetes `component-helpers/scheduling/corev1`, `pkg/controller/tainteviction`.
"""
from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

NO_SCHEDULE: Final = "NoSchedule"
PREFER_NO_SCHEDULE: Final = "PreferNoSchedule"
NO_EXECUTE: Final = "NoExecute"
# Taints with these effects keep a pod off a node.
HARD_EFFECTS: Final = frozenset((NO_SCHEDULE, NO_EXECUTE))


class Toleration(NamedTuple):
    """A toleration; an empty key, operator or effect means any, Equal and any.

    seconds  how long a NoExecute taint is tolerated; None is for ever
    """

    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""
    seconds: int | None = None


class Taint(NamedTuple):
    """A taint of a node."""

    key: str
    value: str = ""
    effect: str = ""


def tolerations_of(items: Iterable[Mapping[str, Any]] | None) -> list[Toleration]:
    """Read `spec.tolerations`."""
    return [
        Toleration(
            item.get("key") or "", item.get("operator") or "", item.get("value") or "", item.get("effect") or "",
            item.get("tolerationSeconds"),
        )
        for item in items or ()
    ]


def taints_of(items: Iterable[Mapping[str, Any]] | None) -> list[Taint]:
    """Read a node's `spec.taints`."""
    return [Taint(item.get("key") or "", item.get("value") or "", item.get("effect") or "") for item in items or ()]


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Say whether one toleration covers one taint."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    return toleration.operator in ("", "Equal") and toleration.value == taint.value


def untolerated(tolerations: Collection[Toleration], taints: Iterable[Taint], effects: Collection[str] = HARD_EFFECTS) -> Taint | None:
    """Find the first taint with one of `effects` that nothing tolerates."""
    for taint in taints:
        if taint.effect in effects and not any(tolerates(toleration, taint) for toleration in tolerations):
            return taint
    return None


def intolerable_preferences(tolerations: Collection[Toleration], taints: Iterable[Taint]) -> int:
    """Count the PreferNoSchedule taints that nothing tolerates (what the scheduler scores)."""
    relevant = [toleration for toleration in tolerations if toleration.effect in ("", PREFER_NO_SCHEDULE)]
    return sum(
        taint.effect == PREFER_NO_SCHEDULE and not any(tolerates(toleration, taint) for toleration in relevant) for taint in taints
    )


def eviction_delay_s(tolerations: Collection[Toleration], taints: Iterable[Taint]) -> int | None:
    """Say after how many seconds the NoExecute taints of its node evict a pod: 0 at once, None never.

    Each taint must be tolerated by somebody; of all tolerations in use the shortest decides.
    """
    delays: list[int] = []
    for taint in taints:
        if taint.effect != NO_EXECUTE:
            continue
        used = [toleration for toleration in tolerations if tolerates(toleration, taint)]
        if not used:
            return 0
        delays += (max(toleration.seconds, 0) for toleration in used if toleration.seconds is not None)
    return min(delays) if delays else None
