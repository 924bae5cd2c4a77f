"""Removes the tracking finalizer from pods.

Unlike upstream's list patch, a merge patch replaces the whole list, so it names the resourceVersion that it was read with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kcore.controllers import actions
from kcore.controllers.actions import Patch
from kcore.controllers.job.pods import TRACKING
from kcore.controllers.pod_writes import PODS
from kcore.controllers.ports import Recorder, Writes
from kcore.machinery.status import StatusError

_AS_SEEN: Final[Mapping[str, str]] = {}


def removal(pod: Any, resource_version: str) -> Patch:
    """Take the tracking finalizer from a pod."""
    meta = pod.metadata
    kept = [finalizer for finalizer in meta.finalizers if finalizer != TRACKING] or None
    body = {"uid": meta.uid, "resourceVersion": resource_version, "finalizers": kept}
    return Patch(PODS, meta.namespace, meta.name, {"metadata": body})


async def remove(
    pods: Iterable[Any], writes: Writes, recorder: Recorder, versions: Mapping[str, str] = _AS_SEEN
) -> tuple[set[str], StatusError | None]:
    """Take the tracking finalizer from pods that have it.

    versions  resourceVersions, by uid, of pods that were written since they were seen
    Returns   uids of those that have it no more, and the first error
    Raises    StatusError if the patches could not be sent; each of them may have happened
    """
    wanted = list(pods)
    tracked = [pod for pod in wanted if TRACKING in pod.metadata.finalizers]
    patches = (removal(pod, versions.get(pod.metadata.uid) or pod.metadata.resourceVersion) for pod in tracked)
    outcomes = await actions.apply(patches, writes, recorder)
    kept = {
        pod.metadata.uid
        for pod, outcome in zip(tracked, outcomes, strict=True)
        if outcome.error is not None and outcome.error.reason != "NotFound"
    }
    return {pod.metadata.uid for pod in wanted} - kept, actions.first_error(outcomes, harmless=("NotFound",))
