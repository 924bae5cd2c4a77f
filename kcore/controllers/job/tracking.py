"""A Job's status, written twice around the removal of finalizers, so that each finished pod is counted once whatever fails in between.

    track       takes note: uids of finished pods go into `uncountedTerminatedPods` (indexes of succeeded ones into `completedIndexes`),
                with why the Job is to end (FailureTarget, SuccessCriteriaMet)
    ...         finalizers of the noted pods are removed
    conclude    counts: uids without finalizer turn into numbers; when none is left and no pod still ends, the Job is Failed or Complete

Whatever happens between the two: a noted pod with its finalizer is not noted again, one without is counted at the next look.

Source: Kubernetes `pkg/controller/job` (trackJobStatusAndRemoveFinalizers), KEP-2307.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kcore.api.batch.v1.job_pb2 import Job
from kcore.base import limits
from kcore.controllers import actions, conditions
from kcore.controllers.actions import Event, UpdateStatus
from kcore.controllers.adoption import is_deleting
from kcore.controllers.job import failure_policy, indexes
from kcore.controllers.job.judgement import FAILURE_TARGET, SUCCESS_CRITERIA_MET, Judgement, Verdict
from kcore.controllers.job.pods import COMPLETE, FAILED_JOB, index_of, is_indexed, is_pod_failed, is_pod_succeeded, valid_index
from kcore.controllers.job.scaling import Scaled
from kcore.controllers.pod_state import set_seconds

SUSPENDED: Final = "Suspended"


@dataclass(frozen=True, slots=True)
class Tracking:
    """What takes note of finished pods.

    update    None if the status says it all already
    job       the Job as it is then
    releases  pods whose finalizers go next
    is_whole  whether that are all; the rest of very many comes at the next look
    """

    update: UpdateStatus | None
    job: Any
    releases: list[Any]
    is_whole: bool


def track(judged: Judgement, left: Scaled) -> Tracking:
    """Take note of finished pods."""
    observed = judged.observed
    job = Job()
    job.CopyFrom(observed.job)
    events = _start_or_suspend(job, left, observed.now)
    job.status.active, job.status.ready, job.status.terminating = left.active, left.ready, left.terminating
    job.status.uncountedTerminatedPods.SetInParent()
    _count(job.status, {pod.metadata.uid for pod in observed.pods if observed.is_tracked(pod)})
    releases, is_whole = _note(job, judged, left)
    if left.verdict is not None:
        _announce(job.status, left.verdict, observed.now)
    update = None if job.status == observed.job.status else UpdateStatus(job, done=tuple(events))
    return Tracking(update, job, releases, is_whole)


def _start_or_suspend(job: Any, left: Scaled, now: float) -> list[Event]:
    """Bring the start time and the condition Suspended up to date; returns the Events that tell of it."""
    status = job.status
    if not status.HasField("startTime") and not job.spec.suspend:
        set_seconds(status.startTime, now)
    if not left.decided or (left.verdict is not None and not left.verdict.has_failed):
        return []
    if job.spec.suspend:
        if not put(status, SUSPENDED, "True", "JobSuspended", "Job suspended", now):
            return []
        status.ClearField("startTime")
        return [Event(job, actions.NORMAL, "Suspended", "Job suspended")]
    if not put(status, SUSPENDED, "False", "JobResumed", "Job resumed", now):
        return []
    set_seconds(status.startTime, now)
    return [Event(job, actions.NORMAL, "Resumed", "Job resumed")]


def put(status: Any, type_: str, value: str, reason: str, message: str, now: float) -> bool:
    """Put a condition in where it is, else last; False is not worth a new one. Returns whether that changed anything."""
    found = conditions.find(status.conditions, type_)
    if found is None:
        if value == "False":
            return False
        found = status.conditions.add(type=type_)
    elif (found.status, found.reason, found.message) == (value, reason, message):
        return False
    found.status, found.reason, found.message = value, reason, message
    set_seconds(found.lastProbeTime, now)
    set_seconds(found.lastTransitionTime, now)
    return True


def _announce(status: Any, verdict: Verdict, now: float) -> None:
    """Say why the Job is to end, before it has ended."""
    type_ = FAILURE_TARGET if verdict.has_failed else SUCCESS_CRITERIA_MET
    if conditions.find(status.conditions, type_) is None:
        put(status, type_, "True", verdict.reason, verdict.message, now)


def _note(job: Any, judged: Judgement, left: Scaled) -> tuple[list[Any], bool]:
    """Note what finished; returns the pods that need their finalizers no more, and whether these are all."""
    observed, noted = judged.observed, job.status.uncountedTerminatedPods
    has_indexes = is_indexed(job)
    pods: Sequence[Any] = sorted(observed.pods, key=lambda pod: index_of(pod) or 0) if has_indexes else observed.pods
    known = frozenset((*noted.succeeded, *noted.failed))
    done: list[int] = []
    releases: list[Any] = []
    is_whole = True
    for pod in filter(observed.is_tracked, pods):
        if len(done) + len(noted.succeeded) + len(noted.failed) >= limits.JOB_UNCOUNTED_MAX:
            is_whole = False
            break
        if _may_go(judged, left, pod):
            releases.append(pod)
            if pod.metadata.uid not in known:
                _note_pod(job, left, pod, done)
    _write_indexes(job, judged, done)
    return releases, is_whole


def _may_go(judged: Judgement, left: Scaled, pod: Any) -> bool:
    """Tell whether a pod needs its finalizer no more."""
    job = judged.observed.job
    if is_deleting(job) or left.verdict is not None or is_pod_succeeded(pod):
        return True
    if not is_pod_failed(pod, job):
        return False
    index = index_of(pod)
    delayed = judged.delayed.get(index) if index is not None else None
    return delayed is None or delayed.metadata.uid != pod.metadata.uid


def _note_pod(job: Any, left: Scaled, pod: Any, done: list[int]) -> None:
    """Note a pod that succeeded (by its index, if it has one) or failed; every pod that has not ended when its Job fails has failed."""
    noted, index = job.status.uncountedTerminatedPods, valid_index(pod, job) if is_indexed(job) else None
    if is_pod_succeeded(pod):
        if index is not None:
            done.append(index)
        elif not is_indexed(job):
            noted.succeeded.append(pod.metadata.uid)
    elif is_pod_failed(pod, job) or (left.verdict is not None and left.verdict.has_failed):
        if (index is not None or not is_indexed(job)) and failure_policy.match(job, pod).counts:
            noted.failed.append(pod.metadata.uid)


def _write_indexes(job: Any, judged: Judgement, done: Iterable[int]) -> None:
    """Write which indexes succeeded and which failed."""
    if not is_indexed(job):
        return
    succeeded = indexes.join(judged.counted_indexes, indexes.of(done))
    job.status.succeeded, job.status.completedIndexes = indexes.count(succeeded), indexes.text(succeeded)
    if judged.failed_indexes is not None:
        job.status.failedIndexes = indexes.text(judged.failed_indexes)


def _count(status: Any, tracked: Collection[str]) -> None:
    """Turn noted uids of pods without finalizer into numbers."""
    noted = status.uncountedTerminatedPods
    for name in ("succeeded", "failed"):
        uids = getattr(noted, name)
        still = [uid for uid in uids if uid in tracked]
        setattr(status, name, getattr(status, name) + len(uids) - len(still))
        del uids[:]
        uids.extend(still)


def conclude(judged: Judgement, left: Scaled, tracked: Tracking, resource_version: str, released: Collection[str]) -> UpdateStatus | None:
    """Count the pods whose finalizers are gone now, and end the Job when all are; None if that changes nothing.

    resource_version  of the Job after `track` was written
    released          uids of pods whose finalizers were removed
    """
    job, now = Job(), judged.observed.now
    job.CopyFrom(tracked.job)
    job.metadata.resourceVersion = resource_version
    held = {pod.metadata.uid for pod in judged.observed.pods if judged.observed.is_tracked(pod)}.difference(released)
    _count(job.status, held)
    all_released = tracked.is_whole and all(pod.metadata.uid in released for pod in tracked.releases)
    noted = job.status.uncountedTerminatedPods
    events: list[Event] = []
    if left.verdict is not None and all_released and not (noted.succeeded or noted.failed or left.terminating):
        events = _end(job, left.verdict, now)
    return None if job.status == tracked.job.status else UpdateStatus(job, done=tuple(events))


def _end(job: Any, verdict: Verdict, now: float) -> list[Event]:
    """End a Job; returns the Events that tell of it."""
    status = job.status
    put(status, FAILED_JOB if verdict.has_failed else COMPLETE, "True", verdict.reason, verdict.message, now)
    if verdict.has_failed:
        return [Event(job, actions.WARNING, verdict.reason, verdict.message)]
    set_seconds(status.completionTime, max(now, status.startTime.seconds))  # a clock that went back would end no Job: the end is judged
    events = [Event(job, actions.NORMAL, "Completed", "Job completed")]
    if job.spec.HasField("completions") and status.succeeded > job.spec.completions:
        message = "Too many succeeded pods running after completion count reached"
        events.insert(0, Event(job, actions.WARNING, "TooManySucceededPods", message))
    return events
