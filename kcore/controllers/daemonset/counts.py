"""A DaemonSet's status: nodes, counted by what their oldest pod is.

Source: Kubernetes `pkg/controller/daemon` (updateDaemonSetStatus).
"""

from __future__ import annotations

from kcore.api.apps.v1.daemon_set_pb2 import DaemonSet
from kcore.controllers.actions import UpdateStatus
from kcore.controllers.daemonset.placement import Observed
from kcore.controllers.daemonset.pods import age_order, is_available
from kcore.controllers.pod_state import is_ready


def plan_status(observed: Observed, *, was_acted_on: bool, collision_count: int) -> UpdateStatus | None:
    """Write how many nodes have what they shall; None if the status says so already.

    was_acted_on  the newest spec was: its generation is observed
    """
    updated = DaemonSet()
    updated.CopyFrom(observed.daemonset)
    status = updated.status
    desired = current = ready = available = new = misscheduled = 0
    for name, found in observed.fits.items():
        desired += found.runs
        current += found.runs and name in observed.pods
    for name, pods in observed.pods.items():
        if name not in observed.fits or not observed.fits[name].runs:
            misscheduled += name in observed.fits or name in observed.strangers
            continue
        pod = pods[0] if len(pods) == 1 else min(pods, key=age_order)
        ready += is_ready(pod)
        available += is_available(pod, updated, observed.now)
        new += observed.revision.is_of(pod)
    status.desiredNumberScheduled, status.currentNumberScheduled, status.numberMisscheduled = desired, current, misscheduled
    status.numberReady, status.numberAvailable, status.numberUnavailable = ready, available, desired - available
    status.updatedNumberScheduled = new
    if was_acted_on:
        status.observedGeneration = updated.metadata.generation
    if collision_count or status.HasField("collisionCount"):
        status.collisionCount = collision_count
    return None if status == observed.daemonset.status else UpdateStatus(updated)
