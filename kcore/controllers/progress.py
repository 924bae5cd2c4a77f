"""A Deployment's status: its counts, whether it is available, and whether it gets on.

    Available     enough pods are available
    Progressing   True while something happens, and when all is done; False when nothing happened for `progressDeadlineSeconds`
    ReplicaFailure   pods cannot be created or deleted; the text is the set's

Source: Kubernetes `pkg/controller/deployment/progress.go`, `sync.go` (calculateStatus).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from kcore.controllers import conditions
from kcore.controllers.pod_state import seconds
from kcore.controllers.rollout import Family

AVAILABLE: Final = "Available"
PROGRESSING: Final = "Progressing"
REPLICA_FAILURE: Final = "ReplicaFailure"

NEW_AVAILABLE: Final = "NewReplicaSetAvailable"
TIMED_OUT: Final = "ProgressDeadlineExceeded"
PAUSED: Final = "DeploymentPaused"

_NO_DEADLINE_S: Final = (1 << 31) - 1
_COUNTS: Final = (
    "observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas", "terminatingReplicas",
    "collisionCount",
)  # fmt: skip

_GROWING: Final = ("updatedReplicas", "readyReplicas", "availableReplicas")


def has_deadline(deployment: Any) -> bool:
    """Tell whether lack of progress is to be noticed."""
    spec = deployment.spec
    return bool(spec.HasField("progressDeadlineSeconds") and spec.progressDeadlineSeconds != _NO_DEADLINE_S)


def note(deployment: Any, status: str, reason: str, message: str, now: float) -> None:
    """Put a Progressing condition into the status; one with the same status and reason stays."""
    conditions.put(deployment.status.conditions, PROGRESSING, status, reason, message, now, updates=True)


def note_pause(deployment: Any, now: float) -> None:
    """Note that a Deployment was paused or resumed, so that the time in between does not count against its deadline."""
    present = conditions.find(deployment.status.conditions, PROGRESSING)
    if not has_deadline(deployment) or (present is not None and present.reason == TIMED_OUT):
        return
    noted = present is not None and present.reason == PAUSED
    if deployment.spec.paused and not noted:
        note(deployment, "Unknown", PAUSED, "Deployment is paused", now)
    elif noted and not deployment.spec.paused:
        note(deployment, "Unknown", "DeploymentResumed", "Deployment is resumed", now)


def count(family: Family, now: float) -> Any:
    """Return the status that a Deployment's sets make, with the conditions that it has, and whether it is available."""
    deployment, sets = family.deployment, family.all
    status = type(deployment.status)()
    status.CopyFrom(deployment.status)
    status.observedGeneration = deployment.metadata.generation
    status.replicas = _sum(sets, "replicas")
    status.updatedReplicas = family.new.status.replicas if family.new is not None else 0
    status.readyReplicas = _sum(sets, "readyReplicas")
    status.availableReplicas = _sum(sets, "availableReplicas")
    status.unavailableReplicas = max(0, sum(found.spec.replicas for found in sets) - status.availableReplicas)
    status.terminatingReplicas = _sum(sets, "terminatingReplicas")
    if status.availableReplicas >= family.replicas - family.unavailable:
        verdict = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        verdict = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    conditions.put(status.conditions, AVAILABLE, *verdict, now, updates=True)
    return status


def judge(family: Family, now: float) -> Any:
    """Return that status with a verdict on the rollout's progress."""
    deployment, status = family.deployment, count(family, now)
    present = conditions.find(deployment.status.conditions, PROGRESSING)
    if not has_deadline(deployment):
        conditions.remove(status.conditions, PROGRESSING)
    elif not (status.replicas == status.updatedReplicas and present is not None and present.reason == NEW_AVAILABLE):
        _judge_progress(family, status, present, now)
    failure = _failure(family)
    if failure is None:
        conditions.remove(status.conditions, REPLICA_FAILURE)
    else:
        since = seconds(failure.lastTransitionTime)
        conditions.put(status.conditions, REPLICA_FAILURE, failure.status, failure.reason, failure.message, since, updates=True)
    return status


def _judge_progress(family: Family, status: Any, present: Any | None, now: float) -> None:
    deployment = family.deployment
    subject = f'ReplicaSet "{family.new.metadata.name}"' if family.new is not None else f'Deployment "{deployment.metadata.name}"'
    if is_complete(deployment, status):
        _put(status, "True", NEW_AVAILABLE, f"{subject} has successfully progressed.", now)
    elif progresses(deployment.status, status):
        message = f"{subject} is progressing."
        conditions.replace(status.conditions, PROGRESSING, "True", "ReplicaSetUpdated", message, now, updates=True)
    elif present is not None and _has_timed_out(deployment, present, now):
        _put(status, "False", TIMED_OUT, f"{subject} has timed out progressing.", now)


def is_complete(deployment: Any, status: Any) -> bool:
    """Tell whether all pods are of the newest template and available."""
    size = deployment.spec.replicas
    is_seen: bool = status.observedGeneration >= deployment.metadata.generation
    return is_seen and {status.updatedReplicas, status.replicas, status.availableReplicas} == {size}


def progresses(old: Any, new: Any) -> bool:
    """Tell whether a status is nearer to the goal than another: more new pods, fewer old ones, more ready or more available ones."""
    fewer_old: bool = new.replicas - new.updatedReplicas < old.replicas - old.updatedReplicas
    return fewer_old or any(getattr(new, name) > getattr(old, name) for name in _GROWING)


def stuck_in_s(deployment: Any, now: float) -> float | None:
    """Return after how many seconds a rollout that does not get on has to be judged again; None if no time decides."""
    present = conditions.find(deployment.status.conditions, PROGRESSING)
    if not has_deadline(deployment) or present is None or present.reason in (TIMED_OUT, PAUSED):
        return None
    if is_complete(deployment, deployment.status) or present.reason == NEW_AVAILABLE:
        return None
    deadline: float = seconds(present.lastUpdateTime) + deployment.spec.progressDeadlineSeconds
    return max(0.0, deadline - now) + 1.0


def same(old: Any, new: Any) -> bool:
    """Tell whether two statuses say the same; when progress was last seen is part of it."""
    if any(old.HasField(name) != new.HasField(name) for name in ("terminatingReplicas", "collisionCount")):
        return False
    return all(getattr(old, name) == getattr(new, name) for name in _COUNTS) and _said(old.conditions) == _said(new.conditions)


def _said(found: Sequence[Any]) -> set[tuple[str, str, str, str, float]]:
    return {(item.type, item.status, item.reason, item.message, seconds(item.lastUpdateTime)) for item in found}


def _put(status: Any, value: str, reason: str, message: str, now: float) -> None:
    conditions.put(status.conditions, PROGRESSING, value, reason, message, now, updates=True)


def _has_timed_out(deployment: Any, present: Any, now: float) -> bool:
    if present.reason in (NEW_AVAILABLE, TIMED_OUT):
        timed_out: bool = present.reason == TIMED_OUT
        return timed_out
    deadline: float = seconds(present.lastUpdateTime) + deployment.spec.progressDeadlineSeconds
    return deadline < now


def _failure(family: Family) -> Any | None:
    """Return the failure of the new set, else of any."""
    ordered = [family.new, *family.old] if family.new is not None else family.old
    found = (conditions.find(member.status.conditions, REPLICA_FAILURE) for member in ordered)
    return next((condition for condition in found if condition is not None), None)


def _sum(sets: Sequence[Any], name: str) -> int:
    return sum(getattr(found.status, name) for found in sets)
