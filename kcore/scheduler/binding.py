"""What goes to the API after a decision: bindings, conditions and events, as plain values, and what failed answers mean.

Source: kube-scheduler 1.37, binding cycle and failure handler.
"""
from __future__ import annotations

from typing import Any, Final, NamedTuple

from kcore.machinery import codec, timestamp
from kcore.scheduler.cycle import Decision
from kcore.scheduler.gangs.rows import GangRow
from kcore.scheduler.ingest import DISRUPTION_TARGET, PREEMPTED
from kcore.scheduler.rows import PodRow

POD_SCHEDULED: Final = "PodScheduled"
UNSCHEDULABLE: Final = "Unschedulable"
FAILED: Final = "SchedulerError"
GATED: Final = "SchedulingGated"
GATED_MESSAGE: Final = "Scheduling is blocked due to non-empty scheduling gates"

EXPECTED_REFUSALS: Final = ("NotFound", "Conflict")
"""Reasons of failed writes that need no word: the pod is gone, or has its node already; the watch says which."""

_CONDITION: Final = "kcore.api.core.v1.PodCondition"


class Note(NamedTuple):
    """An event about a pod."""

    type: str
    reason: str
    message: str
    action: str


def scheduled_note(pod: PodRow, node_name: str) -> Note:
    """Tell of a binding that was made."""
    return Note("Normal", "Scheduled", f"Successfully assigned {pod.namespace}/{pod.name} to {node_name}", "Binding")


def failed_note(decision: Decision) -> Note:
    """Tell of a pod that has to wait."""
    return Note("Warning", "FailedScheduling", decision.message, "Scheduling")


def refused_note(message: str) -> Note:
    """Tell of a binding that the API refused."""
    return Note("Warning", "FailedScheduling", f"binding rejected: {message}", "Scheduling")


def reserved_note(problem: str) -> Note:
    """Tell of a pod that did not get what was reserved for it."""
    return Note("Warning", "FailedScheduling", problem, "Scheduling")


def preempted_note(preemptor: PodRow | GangRow, node_name: str) -> Note:
    """Tell of a pod that has to go for another one, or for a group."""
    return Note("Normal", "Preempted", f"Preempted by {sort_of(preemptor)} {preemptor.uid} on node {node_name}", "Preempting")


def sort_of(preemptor: PodRow | GangRow) -> str:
    """Say what preempts, as it is written."""
    return "podgroup" if isinstance(preemptor, GangRow) else "pod"


def preempted_patch(scheduler_name: str, sort: str, now: float) -> dict[str, Any]:
    """Return the strategic merge patch of a victim's status, the same for all victims of a scheduler's pods, or of its groups."""
    condition = {
        "type": DISRUPTION_TARGET,
        "status": "True",
        "reason": PREEMPTED,
        "message": f"{scheduler_name}: preempting to accommodate a higher priority {sort}",
        "lastTransitionTime": timestamp.format_time(now),
    }
    return {"status": {"conditions": [condition]}}


def status_patch(pod: PodRow, reason: str, message: str, nominated: str, now: float) -> dict[str, Any] | None:
    """Return the merge patch of a pod's status that says why it waits, and for which node; None where it says so already.

    A merge patch replaces the whole list, so all other conditions are in it as they were seen.
    """
    conditions = [codec.decode(_CONDITION, raw) for raw in pod.conditions]
    old: dict[str, Any] = next((each for each in conditions if each["type"] == POD_SCHEDULED), {})
    if (old.get("status"), old.get("reason"), old.get("message"), pod.nominated) == ("False", reason, message, nominated):
        return None
    since = old.get("lastTransitionTime") if old.get("status") == "False" else None
    changed_at = since or timestamp.format_time(now)
    condition = {"type": POD_SCHEDULED, "status": "False", "reason": reason, "message": message, "lastTransitionTime": changed_at}
    if pod.generation:
        condition["observedGeneration"] = pod.generation
    status: dict[str, Any] = {"conditions": [*(each for each in conditions if each is not old), condition]}
    if pod.nominated != nominated:
        status["nominatedNodeName"] = nominated or None
    return {"status": status}
