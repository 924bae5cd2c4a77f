"""The taints that a node's conditions ask for, and labels that follow from others: what node lifecycle writes into a node's spec.

A taint that keeps pods away (NoSchedule) follows from the conditions at once. One that evicts (NoExecute) is given when the caller says
that it may, changes with the Ready condition, and goes when the node is ready, or when everything seems to be down. Taints of others stay.

Source: Kubernetes `pkg/controller/nodelifecycle`.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from kcore.client import kinds
from kcore.controllers import conditions
from kcore.controllers.actions import Action, Patch
from kcore.machinery.kinds.readiness import READY
from kcore.machinery.timestamp import format_time

NODES: Final = kinds.resource("", "v1", "nodes")
NOT_READY: Final = "node.kubernetes.io/not-ready"
UNREACHABLE: Final = "node.kubernetes.io/unreachable"
UNSCHEDULABLE: Final = "node.kubernetes.io/unschedulable"
NO_SCHEDULE: Final = "NoSchedule"
NO_EXECUTE: Final = "NoExecute"
CONDITION_TAINTS: Final[dict[tuple[str, str], str]] = {
    (READY, "False"): NOT_READY,
    (READY, "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
}
"""From a condition and its status to the taint that keeps new pods away."""

EVICTING: Final = {"False": NOT_READY, "Unknown": UNREACHABLE}
"""From the status of Ready to the taint that evicts."""

OWN_NO_SCHEDULE: Final = frozenset((*CONDITION_TAINTS.values(), UNSCHEDULABLE))
COPIED_LABELS: Final = (("kubernetes.io/os", "beta.kubernetes.io/os"), ("kubernetes.io/arch", "beta.kubernetes.io/arch"))


class Taint(NamedTuple):
    """A taint without its time."""

    key: str
    effect: str


def ready_status(node: Any) -> str:
    """Return True, False, Unknown, or '' if the node never said."""
    condition = conditions.find(node.status.conditions, READY)
    return str(condition.status) if condition is not None else ""


def evicts(node: Any) -> bool:
    """Tell whether a node has a taint of this controller that evicts."""
    return any(_is_evicting(taint) for taint in node.spec.taints)


def plan(node: Any, may_evict: bool, is_total: bool, now: float) -> list[Action]:
    """Bring a node's taints and copied labels to what its state asks for, in one patch.

    may_evict  a taint that evicts may be added
    is_total   no node is ready anywhere, so that none may evict
    """
    wanted = wanted_taints(node, may_evict, is_total)
    kept = [taint for taint in node.spec.taints if not _is_own(taint) or Taint(taint.key, taint.effect) in wanted]
    have = {Taint(taint.key, taint.effect) for taint in kept}
    added = [taint for taint in wanted if taint not in have]
    labels = node.metadata.labels
    copied = {to: labels[name] for name, to in COPIED_LABELS if name in labels and labels.get(to) != labels[name]}
    body: dict[str, Any] = {}
    if added or len(kept) != len(node.spec.taints):
        body["spec"] = {"taints": [*map(_taint, kept), *(_new_taint(taint, now) for taint in added)] or None}
    if copied:
        body["metadata"] = {"labels": copied}
    if not body:
        return []
    body.setdefault("metadata", {})["resourceVersion"] = node.metadata.resourceVersion
    return [Patch(NODES, "", node.metadata.name, body)]


def wanted_taints(node: Any, may_evict: bool, is_total: bool) -> list[Taint]:
    """Return those of this controller's taints that a node should have."""
    found = [
        Taint(key, NO_SCHEDULE)
        for condition in node.status.conditions
        if (key := CONDITION_TAINTS.get((condition.type, condition.status))) is not None
    ]
    if node.spec.unschedulable:
        found.append(Taint(UNSCHEDULABLE, NO_SCHEDULE))
    ready = ready_status(node)
    if not ready:
        found += [Taint(taint.key, taint.effect) for taint in node.spec.taints if _is_evicting(taint)]
    elif ready in EVICTING and not is_total and (may_evict or evicts(node)):
        found.append(Taint(EVICTING[ready], NO_EXECUTE))
    return found


def _is_evicting(taint: Any) -> bool:
    return taint.effect == NO_EXECUTE and taint.key in (NOT_READY, UNREACHABLE)


def _is_own(taint: Any) -> bool:
    return (taint.effect == NO_SCHEDULE and taint.key in OWN_NO_SCHEDULE) or _is_evicting(taint)


def _taint(taint: Any) -> dict[str, Any]:
    found = {"key": taint.key, "effect": taint.effect}
    if taint.value:
        found["value"] = taint.value
    if taint.HasField("timeAdded"):
        found["timeAdded"] = format_time(taint.timeAdded.seconds)
    return found


def _new_taint(taint: Taint, now: float) -> dict[str, Any]:
    return {"key": taint.key, "effect": taint.effect, "timeAdded": format_time(now)}
