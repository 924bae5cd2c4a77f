"""The claims of a StatefulSet's pods: made before the pod, used again by its successors, never deleted by the controller.

What `spec.persistentVolumeClaimRetentionPolicy` says is done by the garbage collector, to which a claim's controller reference says with
whom it goes:

    whenDeleted  whenScaled   pod is asked for   pod is too many
    Retain       Retain       nobody             nobody
    Delete       Retain       the set            the set
    Retain       Delete       nobody             the pod
    Delete       Delete       the set            the pod

A claim that refers to a former set or pod of the same name is stale: the garbage collector has yet to take it. One with another controller
is left to that one.

Source: Kubernetes `pkg/controller/statefulset/stateful_pod_control.go`, KEP-1847.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kcore.api.core.v1.persistent_volume_claim_pb2 import PersistentVolumeClaim
from kcore.client import kinds
from kcore.controllers import actions, adoption
from kcore.controllers.actions import Action, Create, Event
from kcore.controllers.pod_writes import PODS
from kcore.controllers.stateful_pods import STATEFULSETS, claim_name, ordinals, pod_name

CLAIMS: Final = kinds.resource("", "v1", "persistentvolumeclaims")

RETAIN: Final = "Retain"
DELETE: Final = "Delete"

Claims = Mapping[str, Any]
"""What is known of claims, by name."""


def names(owner: Any, pod_ordinals: Iterable[int]) -> list[str]:
    """Return the names of the claims of pods."""
    templates = owner.spec.volumeClaimTemplates
    return [claim_name(owner, template, ordinal) for ordinal in pod_ordinals for template in templates]


def missing(owner: Any, ordinal: int, known: Claims) -> list[Create]:
    """Create the claims of a pod that are not there."""
    templates = owner.spec.volumeClaimTemplates
    return [_create(owner, template, ordinal) for template in templates if claim_name(owner, template, ordinal) not in known]


def _create(owner: Any, template: Any, ordinal: int) -> Create:
    claim, pod, set_ = PersistentVolumeClaim(), pod_name(owner, ordinal), owner.metadata.name
    claim.CopyFrom(template)
    claim.ClearField("status")
    meta = claim.metadata
    meta.name, meta.namespace = claim_name(owner, template, ordinal), owner.metadata.namespace
    meta.labels.update(owner.spec.selector.matchLabels)
    if _retention(owner)[0] == DELETE:
        adoption.set_controller(claim, owner, STATEFULSETS)
    done = Event(owner, actions.NORMAL, "SuccessfulCreate", f"Create Claim {meta.name} Pod {pod} in StatefulSet {set_} success")
    failed = Event(owner, actions.WARNING, "FailedCreate", f"Create Claim {meta.name} for Pod {pod} in StatefulSet {set_} failed error: ")
    return Create(claim, done=(done,), failed=failed)


def ending(owner: Any, ordinal: int, known: Claims) -> str:
    """Return the first claim of a pod that is on its way out; empty if none is."""
    return next((name for name in names(owner, (ordinal,)) if name in known and adoption.is_deleting(known[name])), "")


def is_stale(owner: Any, ordinal: int, known: Claims) -> bool:
    """Tell whether a pod that is not there waits for claims that go with its predecessor."""
    if _retention(owner)[1] == RETAIN:
        return False
    pod = pod_name(owner, ordinal)
    found = [known[name] for name in names(owner, (ordinal,)) if name in known]
    return any(_means(reference, PODS, pod) for claim in found for reference in claim.metadata.ownerReferences)


def corrections(owner: Any, ordinal: int, pod: Any | None, known: Claims) -> list[Action]:
    """Make the claims of a pod go with whom they should go.

    pod  None while it is not there
    """
    found = [known[name] for name in names(owner, (ordinal,)) if name in known]
    return [action for claim in found for action in _corrected(owner, ordinal, pod, claim)]


def _corrected(owner: Any, ordinal: int, pod: Any | None, claim: Any) -> list[Action]:
    own: list[Any] = []
    others: list[Any] = []
    pod_uid = pod.metadata.uid if pod is not None else ""
    for reference in claim.metadata.ownerReferences:
        to_set = _means(reference, STATEFULSETS, owner.metadata.name)
        to_pod = _means(reference, PODS, pod_name(owner, ordinal))
        (own if to_set or to_pod else others).append(reference)
        if (to_set and reference.uid != owner.metadata.uid) or (to_pod and reference.uid != pod_uid):
            return []
    wanted: list[dict[str, Any]] = []
    said: list[Action] = []
    if _retention(owner) != (RETAIN, RETAIN) and any(reference.controller for reference in others):
        said.append(Event(owner, actions.WARNING, "ConflictingController", _CONFLICT.format(claim.metadata.name)))
    elif (holder := _holder(owner, ordinal, pod)) is not None:
        wanted.append(adoption.controller_value(holder, kinds.of_message(holder)))
    if [(reference.uid, reference.controller) for reference in own] != [(value["uid"], True) for value in wanted]:
        said.append(adoption.owners_patch(CLAIMS, claim, [*map(adoption.reference_value, others), *wanted]))
    return said


_CONFLICT: Final = (
    "PersistentVolumeClaim {} has a conflicting OwnerReference that acts as a manging controller, "
    "the retention policy is ignored for this claim"
)
"""Fixed by Kubernetes, its slip included."""


def _holder(owner: Any, ordinal: int, pod: Any | None) -> Any | None:
    """With whom the claims of a pod go."""
    when_deleted, when_scaled = _retention(owner)
    if when_scaled == DELETE and ordinal not in ordinals(owner):
        return pod
    return owner if when_deleted == DELETE else None


def _retention(owner: Any) -> tuple[str, str]:
    policy = owner.spec.persistentVolumeClaimRetentionPolicy
    return policy.whenDeleted or RETAIN, policy.whenScaled or RETAIN


def _means(reference: Any, resource: Any, name: str) -> bool:
    """Tell whether a reference is to an object of a name, whichever life of it."""
    return bool(reference.apiVersion == resource.api_version and reference.kind == resource.kind and reference.name == name)
