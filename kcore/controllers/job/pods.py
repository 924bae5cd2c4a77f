"""What the job controller reads of a Job and of its pods.

Source: Kubernetes `pkg/controller/job`.
"""

from __future__ import annotations

from typing import Any, Final

from kcore.client import kinds
from kcore.controllers.adoption import is_deleting
from kcore.controllers.pod_state import ready_condition, seconds
from kcore.machinery.kinds.readiness import FAILED, SUCCEEDED

JOBS: Final = kinds.resource("batch", "v1", "jobs")

TRACKING: Final = "batch.kubernetes.io/job-tracking"
INDEX: Final = "batch.kubernetes.io/job-completion-index"
FAILURES: Final = "batch.kubernetes.io/job-index-failure-count"
IGNORED_FAILURES: Final = "batch.kubernetes.io/job-index-ignored-failure-count"

CONTROLLER_NAME: Final = "kubernetes.io/job-controller"
INDEXED: Final = "Indexed"

COMPLETE: Final = "Complete"
FAILED_JOB: Final = "Failed"
_NUMBER_MAX: Final = 2**31 - 1


def is_ours(job: Any) -> bool:
    """Tell whether a Job is left to this controller."""
    return job.spec.managedBy in ("", CONTROLLER_NAME)


def is_finished(job: Any) -> bool:
    """Tell whether a Job has ended for good."""
    return any(item.type in (COMPLETE, FAILED_JOB) and item.status == "True" for item in job.status.conditions)


def is_indexed(job: Any) -> bool:
    """Tell whether the pods of a Job have completion indexes."""
    return bool(job.spec.completionMode == INDEXED)


def has_limit_per_index(job: Any) -> bool:
    """Tell whether each index of a Job may fail for itself."""
    return bool(job.spec.HasField("backoffLimitPerIndex"))


def waits_for_end(job: Any) -> bool:
    """Tell whether a pod that is being deleted is replaced only when it has ended."""
    return bool(job.spec.podReplacementPolicy == "Failed" or job.spec.HasField("podFailurePolicy"))


def is_pod_failed(pod: Any, job: Any) -> bool:
    """Tell whether a pod counts as failed; one that is deleted may never come to report it."""
    if pod.status.phase == FAILED:
        return True
    return not waits_for_end(job) and is_deleting(pod) and pod.status.phase != SUCCEEDED


def is_pod_succeeded(pod: Any) -> bool:
    """Tell whether a pod has done its work."""
    return bool(pod.status.phase == SUCCEEDED)


def index_of(pod: Any) -> int | None:
    """Return the completion index of a pod; None if it has none."""
    text = pod.metadata.annotations.get(INDEX, "")
    return int(text) if text.isascii() and text.isdigit() else None


def valid_index(pod: Any, job: Any) -> int | None:
    """Return the completion index of a pod if the Job has it."""
    index = index_of(pod)
    return index if index is not None and index < job.spec.completions else None


def failures_of(pod: Any) -> int:
    """Return how many pods of its index failed before a pod and counted."""
    return _number(pod, FAILURES)


def ignored_failures_of(pod: Any) -> int:
    """Return how many pods of its index failed before a pod and did not count."""
    return _number(pod, IGNORED_FAILURES)


def _number(pod: Any, annotation: str) -> int:
    text = pod.metadata.annotations.get(annotation, "")
    number = int(text) if text.isascii() and text.isdigit() else 0
    return number if number <= _NUMBER_MAX else 0


def finished_at(pod: Any) -> float:
    """Return when a pod ended, in unix seconds: by its containers, else its readiness, its deletion, or at last its creation."""
    by_containers = _containers_finished_at(pod)
    if by_containers:
        return by_containers
    ready = ready_condition(pod)
    if ready is not None and ready.status == "False" and seconds(ready.lastTransitionTime):
        return seconds(ready.lastTransitionTime)
    meta = pod.metadata
    if is_deleting(pod):
        return seconds(meta.deletionTimestamp) - float(meta.deletionGracePeriodSeconds)
    return seconds(meta.creationTimestamp)


def _containers_finished_at(pod: Any) -> float:
    """Return when the last container ended, sidecars among them; 0.0 if one has not."""
    sidecars = {container.name for container in pod.spec.initContainers if container.restartPolicy == "Always"}
    statuses = [*pod.status.containerStatuses, *(found for found in pod.status.initContainerStatuses if found.name in sidecars)]
    times = [seconds(found.state.terminated.finishedAt) for found in statuses]
    return max(times) if times and all(times) else 0.0
