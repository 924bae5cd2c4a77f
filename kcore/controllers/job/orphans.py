"""Takes the tracking finalizer from pods whose Job is gone: nobody counts them any more, and they could never be deleted.

Source: Kubernetes `pkg/controller/job` (syncOrphanPod).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from kcore.client.informer import OWNERS
from kcore.client.wire import split_key
from kcore.controllers import adoption, live
from kcore.controllers.controller import Context, Controller, Result, Source, key_of
from kcore.controllers.job import finalizers
from kcore.controllers.job.pods import JOBS, TRACKING
from kcore.controllers.pod_writes import PODS

NAME: Final = "job-orphan"


class Reconciler:
    """Looks at tracked pods without Job."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._jobs = context.informer(JOBS).lister
        self._pods = context.informer(PODS).lister
        adoption.index_owned(context.informer(PODS))

    async def reconcile(self, key: str) -> Result | None:
        """Look at one pod."""
        namespace, name = split_key(key)
        pod = self._pods.get(name, namespace=namespace)
        if pod is None or TRACKING not in pod.metadata.finalizers or await self._has_owner(pod):
            return None
        _, failure = await finalizers.remove((pod,), self._context.api.bulk, self._context.recorder)
        if failure is not None:
            raise failure
        return None

    async def _has_owner(self, pod: Any) -> bool:
        """Tell whether a pod's controller is there, or is none of our business."""
        reference = adoption.controller_of(pod)
        if reference is None:
            return False
        if (reference.apiVersion, reference.kind) != (JOBS.api_version, JOBS.kind) or self._job_of(pod) is not None:
            return True
        found = await live.find(self._context.api, JOBS, pod.metadata.namespace, reference.name, metadata_only=True)
        return found is not None and found.metadata.uid == reference.uid

    def _job_of(self, pod: Any) -> Any | None:
        return adoption.resolve(self._jobs, pod, JOBS.kind)

    def pod_changed(self, _old: Any, new: Any) -> Iterable[str]:
        """Look at a tracked pod whose Job is not known."""
        is_orphan = new is not None and TRACKING in new.metadata.finalizers and self._job_of(new) is None
        return (key_of(new),) if is_orphan else ()

    def job_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the tracked pods of a Job that went."""
        if new is not None:
            return ()
        pods = self._pods.by_index(adoption.CONTROLLER, old.metadata.uid)
        return [key_of(pod) for pod in pods if TRACKING in pod.metadata.finalizers]


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = (Source(JOBS, reconciler.job_changed), Source(PODS, reconciler.pod_changed, reads=(OWNERS, "metadata.finalizers")))
    return Controller(NAME, context.queue(NAME), reconciler.reconcile, sources)
