"""What a claim and what a volume need, as writes.

Both sides of a binding are written, the volume first: a volume that names the claim, then the claim that names the volume and says that the
binding is complete; the phases follow. Each write repeated changes nothing, so any of them may be lost.

A claim of a class that waits for its first consumer is left alone until a scheduler has given it a node (annotation) or a volume (whose
claimRef names it).

Source: Kubernetes `pkg/controller/volume/persistentvolume`, and the external provisioner's contract.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from kcore.api.core.v1.persistent_volume_pb2 import PersistentVolume
from kcore.client import kinds
from kcore.client.kinds import Resource
from kcore.controllers import actions
from kcore.controllers.actions import Action, Create, Delete, Event, Patch
from kcore.controllers.adoption import is_deleting
from kcore.controllers.volumes.matching import AVAILABLE, FILESYSTEM, STORAGE, best, class_of, names

CLAIMS: Final = kinds.resource("", "v1", "persistentvolumeclaims")
VOLUMES: Final = kinds.resource("", "v1", "persistentvolumes")
CLASSES: Final = kinds.resource("storage.k8s.io", "v1", "storageclasses")
NODES: Final = kinds.resource("", "v1", "nodes")

HOLLOW: Final = "hollow.kcore.io"
"""The provisioner, and the CSI driver, of volumes that are a name and nothing else."""

SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
BIND_COMPLETED: Final = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER: Final = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY: Final = "pv.kubernetes.io/provisioned-by"
WAITS_FOR_CONSUMER: Final = "WaitForFirstConsumer"

CLAIM_PROTECTION: Final = "kubernetes.io/pvc-protection"
VOLUME_PROTECTION: Final = "kubernetes.io/pv-protection"

PENDING: Final = "Pending"
BOUND: Final = "Bound"
LOST: Final = "Lost"
RELEASED: Final = "Released"
DELETE: Final = "Delete"


class Observed(NamedTuple):
    """What a claim's plan is made from.

    class_      its StorageClass, or None
    volume      the one that it names, or None
    candidates  volumes that name it, and free ones of its class
    node        labels of the node that was selected for it
    used        a pod that has not finished uses it
    """

    claim: Any
    class_: Any | None
    volume: Any | None
    candidates: Sequence[Any]
    node: dict[str, str]
    used: bool = False


def plan_claim(observed: Observed) -> list[Action]:
    """Decide what a claim needs."""
    claim = observed.claim
    if is_deleting(claim):
        return [] if observed.used else _let_go(CLAIMS, claim, CLAIM_PROTECTION)
    if claim.spec.volumeName:
        if observed.volume is None:
            return _lose(claim)
        return bind(observed.volume, claim) if names(observed.volume, claim) or not observed.volume.spec.claimRef.name else []
    waits = observed.class_ is not None and observed.class_.volumeBindingMode == WAITS_FOR_CONSUMER
    found = best(claim, [volume for volume in observed.candidates if not waits or names(volume, claim)])
    if found is not None:
        return bind(found, claim)
    selected = claim.metadata.annotations.get(SELECTED_NODE, "")
    if observed.class_ is None or observed.class_.provisioner != HOLLOW or (waits and not selected):
        return []
    return provision(observed)


def plan_volume(volume: Any, claim: Any | None) -> list[Action]:
    """Decide what a volume needs beside its claim's plan; claim is the one that its reference names, whichever life of it."""
    reference = volume.spec.claimRef
    is_claimed = claim is not None and reference.uid in ("", claim.metadata.uid)
    if is_deleting(volume):
        return [] if is_claimed else _let_go(VOLUMES, volume, VOLUME_PROTECTION)
    if not reference.name:
        return _phase(volume, AVAILABLE) if volume.status.phase in ("", PENDING) else []
    if claim is not None and is_claimed:
        is_elsewhere = claim.spec.volumeName not in ("", volume.metadata.name)
        return _unbind(volume) if is_elsewhere and BOUND_BY_CONTROLLER in volume.metadata.annotations else []
    if not reference.uid:
        return []
    if volume.spec.persistentVolumeReclaimPolicy == DELETE and volume.metadata.annotations.get(PROVISIONED_BY) == HOLLOW:
        return [Delete(VOLUMES, "", volume.metadata.name, uid=volume.metadata.uid)]
    return _phase(volume, RELEASED)


def bind(volume: Any, claim: Any) -> list[Action]:
    """Complete a binding: write what is missing of it."""
    reference = volume.spec.claimRef
    wanted: list[Action] = []
    if reference.uid != claim.metadata.uid:
        body: dict[str, Any] = {"metadata": {"resourceVersion": volume.metadata.resourceVersion}, "spec": {"claimRef": reference_to(claim)}}
        if not reference.name:
            body["metadata"]["annotations"] = {BOUND_BY_CONTROLLER: "yes"}
        wanted.append(Patch(VOLUMES, "", volume.metadata.name, body))
    capacity = {name: amount.string for name, amount in volume.spec.capacity.items()}
    wanted += _complete(claim, volume.metadata.name, list(volume.spec.accessModes), capacity)
    return [*wanted, *_phase(volume, BOUND)]


def provision(observed: Observed) -> list[Action]:
    """Make a volume for a claim; their binding is completed when it is there."""
    claim, class_ = observed.claim, observed.class_
    assert class_ is not None, "only claims of a class are provisioned"
    volume = PersistentVolume()
    meta, spec = volume.metadata, volume.spec
    meta.name = f"pvc-{claim.metadata.uid}"
    meta.annotations[PROVISIONED_BY] = HOLLOW
    spec.capacity[STORAGE].string = claim.spec.resources.requests[STORAGE].string
    spec.accessModes.extend(claim.spec.accessModes)
    spec.volumeMode = claim.spec.volumeMode or FILESYSTEM
    spec.storageClassName = class_of(claim)
    spec.persistentVolumeReclaimPolicy = class_.reclaimPolicy or DELETE
    spec.persistentVolumeSource.csi.driver, spec.persistentVolumeSource.csi.volumeHandle = HOLLOW, meta.name
    for name, value in reference_to(claim).items():
        setattr(spec.claimRef, name, value)
    _restrict(spec, class_, observed.node)
    done = Event(claim, actions.NORMAL, "ProvisioningSucceeded", f"Successfully provisioned volume {meta.name}")
    failed = Event(claim, actions.WARNING, "ProvisioningFailed", f'failed to provision volume with StorageClass "{class_of(claim)}": ')
    return [Create(volume, done=(done,), failed=failed)]


def reference_to(claim: Any) -> dict[str, str]:
    """Return what a volume says of its claim."""
    meta = claim.metadata
    reference = {"kind": CLAIMS.kind, "apiVersion": "v1", "namespace": meta.namespace, "name": meta.name, "uid": meta.uid}
    return {**reference, "resourceVersion": meta.resourceVersion}


def _restrict(spec: Any, class_: Any, node: dict[str, str]) -> None:
    """Keep a volume within the topologies of its class: where a node was selected, within that node's."""
    for allowed in class_.allowedTopologies:
        term = spec.nodeAffinity.required.nodeSelectorTerms.add()
        for each in allowed.matchLabelExpressions:
            values = [node[each.key]] if node.get(each.key) in each.values else list(each.values)
            term.matchExpressions.add(key=each.key, operator="In", values=values)


def _complete(claim: Any, volume_name: str, modes: list[str], capacity: dict[str, str]) -> list[Action]:
    meta, status = claim.metadata, claim.status
    wanted: list[Action] = []
    if claim.spec.volumeName != volume_name or BIND_COMPLETED not in meta.annotations:
        annotations = {BIND_COMPLETED: "yes"}
        if not claim.spec.volumeName:
            annotations[BOUND_BY_CONTROLLER] = "yes"
        body = {"metadata": {"uid": meta.uid, "annotations": annotations}, "spec": {"volumeName": volume_name}}
        wanted.append(Patch(CLAIMS, meta.namespace, meta.name, body))
    shown = {name: amount.string for name, amount in status.capacity.items()}
    if (status.phase, list(status.accessModes), shown) != (BOUND, modes, capacity):
        state = {"phase": BOUND, "accessModes": modes, "capacity": capacity}
        wanted.append(Patch(CLAIMS, meta.namespace, meta.name, {"metadata": {"uid": meta.uid}, "status": state}, subresource="status"))
    return wanted


def _lose(claim: Any) -> list[Action]:
    """Say that a claim has lost the volume that it was bound to."""
    if BIND_COMPLETED not in claim.metadata.annotations or claim.status.phase == LOST:
        return []
    meta = claim.metadata
    lost = Event(claim, actions.WARNING, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!")
    return [Patch(CLAIMS, meta.namespace, meta.name, {"status": {"phase": LOST}}, subresource="status", done=(lost,))]


def _phase(volume: Any, phase: str) -> list[Action]:
    if volume.status.phase == phase:
        return []
    return [Patch(VOLUMES, "", volume.metadata.name, {"metadata": {"uid": volume.metadata.uid}, "status": {"phase": phase}}, "status")]


def _let_go(resource: Resource, found: Any, finalizer: str) -> list[Action]:
    """Take the finalizer off that protects what is in use."""
    meta = found.metadata
    if finalizer not in meta.finalizers:
        return []
    left = [name for name in meta.finalizers if name != finalizer]
    body = {"metadata": {"resourceVersion": meta.resourceVersion, "finalizers": left or None}}
    return [Patch(resource, meta.namespace, meta.name, body)]


def _unbind(volume: Any) -> list[Action]:
    """Free a volume that was given to a claim which has another one now."""
    meta = {"resourceVersion": volume.metadata.resourceVersion, "annotations": {BOUND_BY_CONTROLLER: None}}
    body = {"metadata": meta, "spec": {"claimRef": None}}
    return [Patch(VOLUMES, "", volume.metadata.name, body), *_phase(volume, AVAILABLE)]
