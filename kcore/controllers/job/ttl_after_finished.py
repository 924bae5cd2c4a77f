"""Deletes finished Jobs when their `ttlSecondsAfterFinished` is over, their pods first.

Source: Kubernetes `pkg/controller/ttlafterfinished`, KEP-592.
"""

from __future__ import annotations

from typing import Any, Final

from kcore.client.wire import split_key
from kcore.controllers import actions, adoption, live
from kcore.controllers.actions import Delete
from kcore.controllers.controller import DONE, Context, Controller, Result, Source, own_keys
from kcore.controllers.job.pods import COMPLETE, FAILED_JOB, JOBS
from kcore.controllers.pod_state import seconds

NAME: Final = "ttl-after-finished"


def left_s(job: Any, now: float) -> float | None:
    """Return how long a Job still stays; None if it does for ever, or is on its way out."""
    if not job.spec.HasField("ttlSecondsAfterFinished") or adoption.is_deleting(job):
        return None
    ends = [item for item in job.status.conditions if item.type in (COMPLETE, FAILED_JOB) and item.status == "True"]
    if not ends:
        return None
    return max(0.0, seconds(ends[0].lastTransitionTime) + float(job.spec.ttlSecondsAfterFinished) - now)


class Reconciler:
    """Keeps the time of finished Jobs."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._jobs = context.informer(JOBS).lister

    async def reconcile(self, key: str) -> Result:
        """Look at one Job; before it is deleted, at what it is now, since its time may have been changed."""
        namespace, name = split_key(key)
        job = self._jobs.get(name, namespace=namespace)
        wait_s = None if job is None else left_s(job, self._context.clock.now())
        if wait_s == 0.0:
            job = await live.find(self._context.api, JOBS, namespace, name)
            wait_s = None if job is None else left_s(job, self._context.clock.now())
        if job is None or wait_s is None or wait_s > 0:
            return Result(requeue_after_s=wait_s) if wait_s else DONE
        delete = Delete(JOBS, namespace, name, uid=job.metadata.uid, propagation_policy="Foreground")
        actions.raise_first(await actions.apply([delete], self._context.api.bulk, self._context.recorder), harmless=("NotFound",))
        return DONE


def make(context: Context) -> Controller:
    """Make the controller."""
    return Controller(NAME, context.queue(NAME), Reconciler(context).reconcile, (Source(JOBS, own_keys),))
