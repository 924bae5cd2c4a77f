"""What has become of a Job's pods, and whether the Job has failed or succeeded by that.

A pod that carries the tracking finalizer is not counted yet, unless its uid is in `status.uncountedTerminatedPods`, or the finalizer is
known to be gone although the lister still shows it.

Source: Kubernetes `pkg/controller/job/job_controller.go` (syncJob), `success_policy.go`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from kcore.controllers import conditions
from kcore.controllers.job import backoff, failure_policy, indexes
from kcore.controllers.job.backoff import Record
from kcore.controllers.job.indexes import Intervals
from kcore.controllers.job.pods import (
    TRACKING,
    failures_of,
    finished_at,
    has_limit_per_index,
    ignored_failures_of,
    index_of,
    is_indexed,
    is_pod_failed,
    is_pod_succeeded,
    valid_index,
)
from kcore.controllers.pod_state import is_active, is_ready, is_terminating, seconds
from kcore.machinery.kinds.readiness import PENDING, RUNNING

FAILURE_TARGET: Final = "FailureTarget"
SUCCESS_CRITERIA_MET: Final = "SuccessCriteriaMet"


class Verdict(NamedTuple):
    """Why a Job is to end."""

    has_failed: bool
    reason: str
    message: str


BACKOFF_LIMIT_EXCEEDED: Final = Verdict(True, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
DEADLINE_EXCEEDED: Final = Verdict(True, "DeadlineExceeded", "Job was active longer than specified deadline")
TOO_MANY_INDEXES_FAILED: Final = Verdict(
    True, "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes"
)
INDEXES_FAILED: Final = Verdict(True, "FailedIndexes", "Job has failed indexes")
COMPLETIONS_REACHED: Final = Verdict(False, "CompletionsReached", "Reached expected number of succeeded pods")


@dataclass(frozen=True, slots=True)
class Observed:
    """A Job and its pods.

    pods      all that it controls, finished ones too
    released  uids of pods whose finalizer is gone although the lister still shows it
    settled   whether all creations and deletions that were asked for are seen
    record    of failures before these
    now       unix seconds
    """

    job: Any
    pods: Sequence[Any]
    released: frozenset[str]
    settled: bool
    record: Record
    now: float

    def is_tracked(self, pod: Any) -> bool:
        """Tell whether a pod still has its finalizer."""
        return TRACKING in pod.metadata.finalizers and pod.metadata.uid not in self.released


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the pods of a Job amount to.

    succeeded, failed  pods counted before, noted, or found now
    counted_indexes    that the status has; `succeeded_indexes` those found now too
    failed_indexes     None unless indexes fail for themselves
    delayed            by index, the failed pod that stays tracked until there is a next one, which takes over its count
    record             of failures up to now
    verdict            None while the Job goes on
    """

    observed: Observed
    active: list[Any]
    ready: int
    terminating: int
    succeeded: int
    failed: int
    counted_indexes: Intervals
    succeeded_indexes: Intervals
    failed_indexes: Intervals | None
    delayed: dict[int, Any]
    record: Record
    verdict: Verdict | None


def judge(observed: Observed) -> Judgement:
    """Say what the pods of a Job amount to."""
    job, noted = observed.job, observed.job.status.uncountedTerminatedPods
    active = [pod for pod in observed.pods if is_active(pod)]
    new_succeeded = _new(observed, noted.succeeded, is_pod_succeeded)
    new_failed = _new(observed, noted.failed, lambda pod: is_pod_failed(pod, job))
    failed = job.status.failed + len(noted.failed) + sum(failure_policy.match(job, pod).counts for pod in new_failed)
    succeeded = job.status.succeeded + len(noted.succeeded) + len(new_succeeded)
    counted: Intervals = ()
    succeeded_indexes: Intervals = ()
    failed_indexes: Intervals | None = None
    if is_indexed(job):
        counted, succeeded_indexes = _succeeded_indexes(observed)
        succeeded = indexes.count(succeeded_indexes)
        failed_indexes = _failed_indexes(observed) if has_limit_per_index(job) else None
    delayed = {} if failed_indexes is None else _delayed(observed, active, indexes.join(succeeded_indexes, failed_indexes))
    return Judgement(
        observed=observed,
        active=active,
        ready=sum(map(is_ready, active)),
        terminating=sum(map(is_terminating, observed.pods)),
        succeeded=succeeded,
        failed=failed,
        counted_indexes=counted,
        succeeded_indexes=succeeded_indexes,
        failed_indexes=failed_indexes,
        delayed=delayed,
        record=backoff.follow(observed.record, new_succeeded, new_failed),
        verdict=_verdict(observed, failed, succeeded_indexes, failed_indexes),
    )


def _new(observed: Observed, noted: Iterable[str], has_ended: Callable[[Any], bool]) -> list[Any]:
    """Return pods that have ended and are neither counted nor noted."""
    known = frozenset(noted)
    return [
        pod
        for pod in observed.pods
        if has_ended(pod) and pod.metadata.uid not in known and observed.is_tracked(pod) and _takes_part(pod, observed.job)
    ]


def _takes_part(pod: Any, job: Any) -> bool:
    return not is_indexed(job) or valid_index(pod, job) is not None


def _succeeded_indexes(observed: Observed) -> tuple[Intervals, Intervals]:
    """Return the indexes that the status has, and these with those that succeeded since."""
    job = observed.job
    counted = indexes.parse(job.status.completedIndexes, job.spec.completions)
    found = (valid_index(pod, job) for pod in observed.pods if is_pod_succeeded(pod) and TRACKING in pod.metadata.finalizers)
    return counted, indexes.join(counted, indexes.of(index for index in found if index is not None))


def _failed_indexes(observed: Observed) -> Intervals:
    """Return the indexes that have failed for good."""
    job = observed.job
    tracked = (pod for pod in observed.pods if TRACKING in pod.metadata.finalizers and has_index_failed(job, pod))
    found = (valid_index(pod, job) for pod in tracked)
    counted = indexes.parse(job.status.failedIndexes, job.spec.completions)
    return indexes.join(counted, indexes.of(index for index in found if index is not None))


def has_index_failed(job: Any, pod: Any) -> bool:
    """Tell whether a pod's failure ends its index."""
    if not is_pod_failed(pod, job):
        return False
    match = failure_policy.match(job, pod)
    return match.action == failure_policy.FAIL_INDEX or (match.counts and failures_of(pod) >= job.spec.backoffLimitPerIndex)


def _delayed(observed: Observed, active: Iterable[Any], ended: Intervals) -> dict[int, Any]:
    """Return the last failed pod of each index that needs a next one."""
    running = {index_of(pod) for pod in active}
    found: dict[int, Any] = {}
    for pod in _new(observed, (), lambda pod: is_pod_failed(pod, observed.job)):
        index = valid_index(pod, observed.job)
        if index is None or index in running or indexes.contains(ended, index):
            continue
        if index not in found or _age(found[index]) <= _age(pod):
            found[index] = pod
    return found


def _age(pod: Any) -> tuple[int, float]:
    return failures_of(pod) + ignored_failures_of(pod), finished_at(pod)


def _verdict(observed: Observed, failed: int, succeeded_indexes: Intervals, failed_indexes: Intervals | None) -> Verdict | None:
    """Say why a Job is to end; one that was said to before ends for the reason it had then."""
    job, now = observed.job, observed.now
    said = _said(job)
    if said is not None:
        return said
    message = _fail_message(observed)
    if message:
        return Verdict(True, "PodFailurePolicy", message)
    if failed > job.spec.backoffLimit or _has_restarted_too_often(observed):
        return BACKOFF_LIMIT_EXCEEDED
    if deadline_in_s(job, now) == 0.0:
        return DEADLINE_EXCEEDED
    if failed_indexes:
        if job.spec.HasField("maxFailedIndexes") and indexes.count(failed_indexes) > job.spec.maxFailedIndexes:
            return TOO_MANY_INDEXES_FAILED
        if indexes.count(failed_indexes) + indexes.count(succeeded_indexes) >= job.spec.completions:
            return INDEXES_FAILED
    return _success_by_policy(job, succeeded_indexes)


def _said(job: Any) -> Verdict | None:
    """Return the verdict that a Job's conditions tell of."""
    for type_ in (SUCCESS_CRITERIA_MET, FAILURE_TARGET):
        found = conditions.find(job.status.conditions, type_)
        if found is not None and found.status == "True":
            return Verdict(type_ == FAILURE_TARGET, found.reason, found.message)
    return None


def _fail_message(observed: Observed) -> str:
    job = observed.job
    if not job.spec.HasField("podFailurePolicy"):
        return ""
    messages = (failure_policy.match(job, pod).message for pod in observed.pods if is_pod_failed(pod, job))
    return next((message for message in messages if message), "")


def _has_restarted_too_often(observed: Observed) -> bool:
    """Tell whether containers that are restarted in their pods have failed too often."""
    spec = observed.job.spec
    if spec.template.spec.restartPolicy != "OnFailure":
        return False
    running = [pod.status for pod in observed.pods if pod.status.phase in (RUNNING, PENDING)]
    count = sum(item.restartCount for status in running for item in (*status.initContainerStatuses, *status.containerStatuses))
    return bool(count >= spec.backoffLimit if spec.backoffLimit else count > 0)


def deadline_in_s(job: Any, now: float) -> float | None:
    """Return how long a Job may still be active; None if nothing limits it now."""
    if not job.spec.HasField("activeDeadlineSeconds") or job.spec.suspend or not job.status.HasField("startTime"):
        return None
    return max(0.0, seconds(job.status.startTime) + float(job.spec.activeDeadlineSeconds) - now)


def _success_by_policy(job: Any, succeeded: Intervals) -> Verdict | None:
    for index, rule in enumerate(job.spec.successPolicy.rules if succeeded else ()):
        if _fulfils(rule, succeeded, job.spec.completions):
            return Verdict(False, "SuccessPolicy", f"Matched rules at index {index}")
    return None


def _fulfils(rule: Any, succeeded: Intervals, completions: int) -> bool:
    """Tell whether enough of the indexes that a rule names, or of all, have succeeded."""
    has_count: bool = rule.HasField("succeededCount")
    if not rule.HasField("succeededIndexes"):
        return has_count and indexes.count(succeeded) >= rule.succeededCount
    wanted = indexes.parse(rule.succeededIndexes, completions)
    common = indexes.count_common(wanted, succeeded)
    return bool(wanted) and (common == indexes.count(wanted) or (has_count and common >= rule.succeededCount))
