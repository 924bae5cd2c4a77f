"""From an owner's pod template to a pod, and the Events that tell of pods made and deleted.

Source: Kubernetes `pkg/controller/controller_utils.go` (RealPodControl).
"""

from __future__ import annotations

from typing import Any

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.client.kinds import Resource
from kcore.controllers import actions, adoption
from kcore.controllers.actions import Create, Delete, Event
from kcore.controllers.pod_names import prefix_of
from kcore.controllers.pod_writes import PODS


def new_pod(owner: Any, owner_resource: Resource, name: str, prefix: str = "") -> Pod:
    """Build a pod from an owner's template.

    prefix  its `generateName`, if that is not the owner's
    """
    template = owner.spec.template
    pod = Pod(spec=template.spec)
    meta = pod.metadata
    meta.name, meta.namespace, meta.generateName = name, owner.metadata.namespace, prefix or prefix_of(owner.metadata.name)
    meta.labels.update(template.metadata.labels)
    meta.annotations.update(template.metadata.annotations)
    meta.finalizers.extend(template.metadata.finalizers)
    adoption.set_controller(pod, owner, owner_resource)
    return pod


def create(owner: Any, pod: Pod) -> Create:
    """Create an owner's pod."""
    return Create(
        pod,
        done=(Event(owner, actions.NORMAL, "SuccessfulCreate", f"Created pod: {pod.metadata.name}"),),
        failed=Event(owner, actions.WARNING, "FailedCreate", "Error creating: "),
    )


def delete(owner: Any, pod: Any) -> Delete:
    """Delete a pod that an owner wants no more."""
    meta = pod.metadata
    return Delete(
        PODS,
        meta.namespace,
        meta.name,
        uid=meta.uid,
        done=(Event(owner, actions.NORMAL, "SuccessfulDelete", f"Deleted pod: {meta.name}"),),
        failed=Event(owner, actions.WARNING, "FailedDelete", "Error deleting: "),
    )
