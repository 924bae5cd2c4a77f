"""Carries out what is decided about Jobs.

A look never starts from a Job older than the last write to it, since its pods, which come by another watch, may be newer: a pod that was
counted in between would be missing, and be made again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from kcore.base import limits
from kcore.client.wire import split_key
from kcore.controllers import actions, adoption, live, pod_template
from kcore.controllers.actions import Action, Patch, UpdateStatus
from kcore.controllers.controller import Claimant, Context, Controller, Result, Source, own_keys
from kcore.controllers.job import backoff, finalizers, scaling, tracking
from kcore.controllers.job.backoff import Record
from kcore.controllers.job.judgement import Judgement, Observed, deadline_in_s, judge
from kcore.controllers.job.pods import JOBS, TRACKING, is_finished, is_ours, is_pod_failed, is_pod_succeeded
from kcore.controllers.job.scaling import Plan, Scaled
from kcore.controllers.pace import Pace
from kcore.controllers.pod_names import free_names
from kcore.controllers.pod_writes import PODS, PodWrites
from kcore.machinery.status import StatusError

KIND: Final = "Job"
POD_READS: Final = (adoption.DELETING, "metadata.finalizers", "metadata.annotations", "status@raw")
"""What matters of the pods of a Job, besides to whom they belong."""


class Reconciler:
    """Looks at Jobs.

    records   failures in a row
    released  uids of pods without finalizer of which the lister does not know that
    versions  resourceVersions that Jobs have at least
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._jobs = context.informer(JOBS).lister
        self._pods = context.informer(PODS).lister
        self._writes = PodWrites(context)
        self._pace = Pace(limits.LOOK_PAUSE_PER_POD_S)
        self._records: dict[str, Record] = {}
        self._released: dict[str, set[str]] = {}
        self._versions: dict[str, int] = {}
        self._unread: set[str] = set()
        adoption.index_owned(context.informer(PODS))
        adoption.index_selectors(context.informer(JOBS))

    async def reconcile(self, key: str) -> Result | None:
        """Look at a Job."""
        namespace, name = split_key(key)
        job = self._jobs.get(name, namespace=namespace)
        if job is None or not is_ours(job):
            self._forget(key)
            return None
        if is_finished(job):
            self._forget(key)
            await self._release_left(job)
            return None
        wait_s = self._pace.early_s(key, self._now()) or await self._ready_in_s(key, job)
        if wait_s:
            return Result(requeue_after_s=wait_s)
        selector = adoption.selector_of(job.spec.selector)
        claim = adoption.claim(job, selector, adoption.candidates(self._pods, job, selector))
        if claim.adopt or claim.release:
            await self._claim(job, claim)
            return None
        return await self._look(key, job, claim.owned)

    async def _look(self, key: str, job: Any, pods: Sequence[Any]) -> Result:
        observed = self._observe(key, job, pods)
        judged = judge(observed)
        planned = scaling.plan(judged, partial(self._names, key, judged))
        left, error, unseen = await self._scale(key, judged, planned)
        tracked = tracking.track(judged, left)
        version = await self._write(key, job, tracked.update)
        self._records[key] = judged.record
        released, failure = await self._release(key, tracked.releases, left.versions)
        concluded = tracking.conclude(judged, left, tracked, version, released)
        await self._write(key, job, concluded)
        self._pace.looked(key, 0 if planned.creates else len(observed.pods), self._now())
        error = error or failure
        if error is not None:
            raise error
        waits = [planned.wait_s, deadline_in_s(tracked.job, observed.now), self._writes.remaining_s(key)]
        is_partial = unseen or not tracked.is_whole or len(planned.creates) == limits.REPLICAS_BURST_MAX
        waits += [limits.STALE_VIEW_PAUSE_S] if is_partial else []
        return Result(requeue_after_s=min((wait for wait in waits if wait), default=None))

    async def _ready_in_s(self, key: str, job: Any) -> float | None:
        """Return how long to wait until what is known of a Job is as new as what was written; None if it is."""
        if self._writes.had_predecessor(key, self._is_untouched(job)):
            self._unread.add(key)
        wait_s = await self._writes.verify(key, job)
        if wait_s is None and key in self._unread:
            found = await live.find(self._context.api, JOBS, job.metadata.namespace, job.metadata.name, metadata_only=True)
            self._versions[key] = int(found.metadata.resourceVersion) if found is not None else 0
            self._unread.discard(key)
        if wait_s is None and int(job.metadata.resourceVersion) < self._versions.get(key, 0):
            return limits.STALE_VIEW_PAUSE_S
        return wait_s

    def _is_untouched(self, job: Any) -> bool:
        """Tell whether a Job is in its first state, in which nobody made other than its first pods."""
        is_new = job.metadata.generation <= 1 and not job.status.HasField("startTime") and not job.status.conditions
        return is_new and not self._pods.by_index(adoption.CONTROLLER, job.metadata.uid)

    def _observe(self, key: str, job: Any, pods: Sequence[Any]) -> Observed:
        released = frozenset(self._released.get(key, ()))
        if key not in self._records:
            counted = [pod for pod in pods if TRACKING not in pod.metadata.finalizers]
            failed = [pod for pod in counted if is_pod_failed(pod, job)]
            self._records[key] = backoff.follow(Record(), filter(is_pod_succeeded, counted), failed)
        settled = self._writes.is_settled(key)
        return Observed(job, pods, released, settled, self._records[key], self._context.clock.now())

    def _names(self, key: str, judged: Judgement, prefix: str) -> Any:
        """Return free names for pods: others for those that follow pods that have failed, which may be gone."""
        job = judged.observed.job
        return free_names(job, self._writes.in_use(key, job.metadata.namespace), prefix=prefix, life=str(judged.failed))

    async def _claim(self, job: Any, claim: adoption.Claim) -> None:
        """Adopt and release pods."""
        wanted: list[Action] = [_adoption(pod, job) for pod in claim.adopt]
        wanted += [_release(pod, job) for pod in claim.release]
        if claim.adopt:
            await live.require(self._context.api, JOBS, job)
        outcomes = await self._apply(wanted)
        actions.raise_first(outcomes, harmless=("NotFound",))

    async def _scale(self, key: str, judged: Judgement, planned: Plan) -> tuple[Scaled, StatusError | None, bool]:
        """Create, remove and end pods; returns what is left, the first error, and whether something is there that is not seen."""
        job = judged.observed.job
        removable, failure = await self._release(key, planned.removals, {})
        leaving = [pod for pod in planned.removals if pod.metadata.uid in removable] + planned.ends
        sent = await self._writes.send(key, job, planned.creates, [pod_template.delete(job, pod) for pod in leaving])
        return scaling.scaled(judged, planned, sent.outcomes), sent.error or failure, sent.unseen

    async def _release(self, key: str, pods: Iterable[Any], versions: Mapping[str, str]) -> tuple[set[str], StatusError | None]:
        """Take the finalizer from pods; returns uids of those that have it no more, and the first error."""
        released, failure = await finalizers.remove(pods, self._context.api.bulk, self._context.recorder, versions)
        if released:
            self._released.setdefault(key, set()).update(released)
        return released, failure

    async def _release_left(self, job: Any) -> None:
        """Take the finalizer from pods of a finished Job: they were not known when it ended."""
        pods = self._pods.by_index(adoption.CONTROLLER, job.metadata.uid)
        _, failure = await finalizers.remove(
            (pod for pod in pods if TRACKING in pod.metadata.finalizers), self._context.api.bulk, self._context.recorder
        )
        if failure is not None:
            raise failure

    async def _write(self, key: str, job: Any, update: UpdateStatus | None) -> str:
        """Write a status; returns the Job's resourceVersion."""
        if update is None:
            return str(max(int(job.metadata.resourceVersion), self._versions.get(key, 0)))
        (outcome,) = await self._apply([update])
        if outcome.error is not None:
            raise outcome.error
        self._versions[key] = int(outcome.resource_version)
        return outcome.resource_version

    @property
    def claimant(self) -> Claimant:
        """Who may own pods."""
        return Claimant(KIND, self._jobs, self._seen)

    def _seen(self, key: str, pod: Any, *, gone: bool) -> None:
        """Note that a pod of a Job is shown, and forget that it was released once that is shown, too."""
        self._writes.seen(key, pod, gone=gone)
        if gone or TRACKING not in pod.metadata.finalizers:
            self._released.get(key, set()).discard(pod.metadata.uid)

    async def _apply(self, wanted: Iterable[Action]) -> list[actions.Outcome]:
        return await actions.apply(wanted, self._context.api.bulk, self._context.recorder)

    def _now(self) -> float:
        return self._context.clock.monotonic()

    def _forget(self, key: str) -> None:
        self._writes.forget(key)
        self._pace.forget(key)
        self._records.pop(key, None)
        self._released.pop(key, None)
        self._versions.pop(key, None)
        self._unread.discard(key)


def _adoption(pod: Any, job: Any) -> Patch:
    """Adopt a pod and track it from then on."""
    patch = adoption.adoption(PODS, pod, job, JOBS)
    patch.body["metadata"]["finalizers"] = [*(found for found in pod.metadata.finalizers if found != TRACKING), TRACKING]
    return patch


def _release(pod: Any, job: Any) -> Patch:
    """Let a pod go and track it no more."""
    patch = adoption.release(PODS, pod, job)
    patch.body["metadata"]["finalizers"] = [found for found in pod.metadata.finalizers if found != TRACKING] or None
    return patch


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    pods = Source(PODS, reconciler.claimant, reads_if_owned=POD_READS, gather_s=limits.JOB_GATHER_S)
    sources = (Source(JOBS, own_keys), pods)
    return Controller("job", context.queue("job"), reconciler.reconcile, sources)
