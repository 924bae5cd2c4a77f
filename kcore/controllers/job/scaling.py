"""How many pods a Job has: which to create, which to remove, which to end, and what that leaves.

    removed   of a Job that is suspended or made smaller: first the finalizer goes, then the pod, which counts for nothing
    ended     of a Job that is to end: the pod is deleted and, with its finalizer, counted as failed

Indexed Jobs run each index once: pods without a valid index and all but one of each index are removed.

Source: Kubernetes `pkg/controller/job` (manageJob, activePodsForRemoval, firstPendingIndexes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.base import limits
from kcore.controllers import pod_ranking, pod_template
from kcore.controllers.actions import Create, Delete, Outcome
from kcore.controllers.adoption import is_deleting
from kcore.controllers.job import backoff, failure_policy, indexes
from kcore.controllers.job.judgement import COMPLETIONS_REACHED, Judgement, Verdict
from kcore.controllers.job.pods import (
    FAILURES,
    IGNORED_FAILURES,
    INDEX,
    JOBS,
    TRACKING,
    failures_of,
    has_limit_per_index,
    ignored_failures_of,
    index_of,
    is_indexed,
    waits_for_end,
)
from kcore.controllers.pod_names import prefix_of
from kcore.controllers.pod_state import is_ready, is_terminating

Names = Callable[[str], Iterator[str]]
"""From a prefix to free names."""

_INDEX_VARIABLE: Final = "JOB_COMPLETION_INDEX"
_GENERATED_PREFIX_CHARS_MAX: Final = 58
"""Fixed by Kubernetes: what a generated name begins with is cut here."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about pods.

    decides  whether their number was decided on at all: nothing is while something that was asked for is not seen
    wait_s   how long the next pod has to wait after a failure
    """

    creates: list[Create] = field(default_factory=list)
    removals: list[Any] = field(default_factory=list)
    ends: list[Any] = field(default_factory=list)
    decides: bool = False
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class Scaled:
    """What was done about pods leaves so many.

    decided   whether their number was decided on
    verdict   stands only if all pods are on their way out by it
    versions  resourceVersions, by uid, that pods have since they are on their way out
    """

    active: int
    ready: int
    terminating: int
    decided: bool
    verdict: Verdict | None
    versions: Mapping[str, str] = field(default_factory=dict)


def plan(judged: Judgement, names: Names) -> Plan:
    """Decide which pods a Job needs."""
    observed, job = judged.observed, judged.observed.job
    if judged.verdict is not None:
        return Plan(ends=judged.active)
    if not observed.settled or is_deleting(job):
        return Plan()
    if job.spec.suspend:
        return Plan(removals=judged.active, decides=True)
    wanted = _wanted(judged)
    surplus = _surplus(judged, max(0, len(judged.active) - wanted))[: limits.REPLICAS_BURST_MAX]
    if surplus:
        return Plan(removals=surplus, decides=True)
    blocked = judged.terminating if waits_for_end(job) else 0
    missing = wanted - len(judged.active) - blocked
    return _create(judged, missing, names) if missing > 0 else Plan(decides=True)


def _wanted(judged: Judgement) -> int:
    """Return how many pods shall be active."""
    spec = judged.observed.job.spec
    if not spec.HasField("completions"):
        return len(judged.active) if judged.succeeded else int(spec.parallelism)
    return max(0, min(int(spec.completions) - judged.succeeded, int(spec.parallelism)))


def _surplus(judged: Judgement, at_least: int) -> list[Any]:
    """Return active pods to remove, the least far ones first."""
    now = judged.observed.now
    removed, left = _doubles(judged) if is_indexed(judged.observed.job) else ([], judged.active)
    if len(removed) < at_least:
        removed += pod_ranking.pods_to_delete(left, (), at_least - len(removed), now)
    return removed


def _doubles(judged: Judgement) -> tuple[list[Any], list[Any]]:
    """Split active pods into those that no index needs, and one for each index."""
    completions, now = judged.observed.job.spec.completions, judged.observed.now
    by_index: dict[int, list[Any]] = {}
    removed, left = [], []
    for pod in judged.active:
        index = index_of(pod)
        if index is None or index >= completions:
            removed.append(pod)
        else:
            by_index.setdefault(index, []).append(pod)
    for _, pods in sorted(by_index.items()):
        doubles = pod_ranking.pods_to_delete(pods, (), len(pods) - 1, now) if len(pods) > 1 else []
        removed += doubles
        left += [pod for pod in pods if pod not in doubles]
    return removed, left


def _create(judged: Judgement, missing: int, names: Names) -> Plan:
    job, now = judged.observed.job, judged.observed.now
    missing = min(missing, limits.REPLICAS_BURST_MAX)
    if not has_limit_per_index(job):
        wait_s = backoff.wait_s(judged.record, now)
        if wait_s > 0:
            return Plan(decides=True, wait_s=wait_s)
    if not is_indexed(job):
        free = names(prefix_of(job.metadata.name))
        return Plan(creates=[pod_template.create(job, new_pod(job, next(free))) for _ in range(missing)], decides=True)
    pending = _pending_indexes(judged, missing)
    waits = {index: backoff.index_wait_s(judged.delayed.get(index), now) for index in pending}
    due = [index for index in pending if not waits[index]]
    if pending and not due:
        return Plan(decides=True, wait_s=min(waits.values()))
    creates = [pod_template.create(job, _indexed_pod(judged, index, names)) for index in due]
    later = [wait_s for wait_s in waits.values() if wait_s]
    return Plan(creates=creates, decides=True, wait_s=min(later, default=None))


def _pending_indexes(judged: Judgement, count: int) -> list[int]:
    """Return the lowest indexes that have neither ended nor a pod."""
    job = judged.observed.job
    holders = list(judged.active)
    if waits_for_end(job):
        holders += filter(is_terminating, judged.observed.pods)
    held = (index for pod in holders if (index := index_of(pod)) is not None)
    ended = indexes.join(judged.succeeded_indexes, judged.failed_indexes or (), indexes.of(held))
    return indexes.first_free(ended, int(job.spec.completions), count)


def new_pod(job: Any, name: str, prefix: str = "") -> Pod:
    """Build a tracked pod of a Job."""
    pod = pod_template.new_pod(job, JOBS, name, prefix)
    if TRACKING not in pod.metadata.finalizers:
        pod.metadata.finalizers.append(TRACKING)
    return pod


def _indexed_pod(judged: Judgement, index: int, names: Names) -> Pod:
    """Build the pod of an index, which finds its index in its name, a label, an annotation and its environment."""
    job = judged.observed.job
    prefix = indexed_prefix(job.metadata.name, index)
    pod = new_pod(job, next(names(prefix)), prefix)
    pod.metadata.annotations[INDEX] = pod.metadata.labels[INDEX] = str(index)
    pod.spec.hostname = f"{job.metadata.name}-{index}"
    for container in (*pod.spec.initContainers, *pod.spec.containers):
        if all(variable.name != _INDEX_VARIABLE for variable in container.env):
            variable = container.env.add(name=_INDEX_VARIABLE)
            variable.valueFrom.fieldRef.fieldPath = f"metadata.labels['{INDEX}']"
    if has_limit_per_index(job):
        _hand_failures_on(job, judged.delayed.get(index), pod)
    return pod


def indexed_prefix(name: str, index: int) -> str:
    """Return what names of the pods of an index begin with."""
    suffix = f"-{index}-"
    return name[: _GENERATED_PREFIX_CHARS_MAX - len(suffix)] + suffix


def _hand_failures_on(job: Any, failed: Any | None, pod: Pod) -> None:
    """Give the next pod of an index the count of those that failed before it."""
    counted = ignored = 0
    if failed is not None:
        counts = failure_policy.match(job, failed).counts
        counted, ignored = failures_of(failed) + counts, ignored_failures_of(failed) + (not counts)
    pod.metadata.annotations[FAILURES] = str(counted)
    if ignored:
        pod.metadata.annotations[IGNORED_FAILURES] = str(ignored)


def scaled(judged: Judgement, planned: Plan, outcomes: Iterable[Outcome]) -> Scaled:
    """Return what is left when writes had these outcomes; those that are not among them count as not done."""
    done = [outcome for outcome in outcomes if outcome.error is None or outcome.error.reason == "NotFound"]
    created = sum(isinstance(outcome.action, Create) for outcome in done)
    versions = {outcome.action.uid: outcome.resource_version for outcome in done if isinstance(outcome.action, Delete)}
    leaving = [pod for pod in (*planned.removals, *planned.ends) if pod.metadata.uid in versions]
    active = len(judged.active) + created - len(leaving)
    verdict = judged.verdict
    if verdict is not None and (len(leaving) < len(planned.ends) or not judged.observed.settled):
        verdict = None
    if verdict is None and judged.verdict is None and _is_complete(judged, active):
        verdict = COMPLETIONS_REACHED
    ready, terminating = judged.ready - sum(map(is_ready, leaving)), judged.terminating + len(leaving)
    return Scaled(active, ready, terminating, planned.decides, verdict, versions)


def _is_complete(judged: Judgement, active: int) -> bool:
    """Tell whether all has succeeded that should: of a Job that does not say how many, one, and nothing is left to run."""
    spec = judged.observed.job.spec
    if active or not judged.observed.settled:
        return False
    return judged.succeeded >= spec.completions if spec.HasField("completions") else judged.succeeded > 0
