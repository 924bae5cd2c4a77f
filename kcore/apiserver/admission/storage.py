"""Claims, volumes and pod groups go only when nobody uses them any more, and claims grow only where their class allows it.

Source: Kubernetes admission plugins StorageObjectInUseProtection, PodGroupProtection, PersistentVolumeClaimResize.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcore.apiserver.admission.cluster import STORAGE_CLASS, Cluster
from kcore.machinery import status
from kcore.machinery.quantity import ZERO, Quantity, parse
from kcore.machinery.quota.usage import class_of_claim

if TYPE_CHECKING:
    from kcore.apiserver.registry import Write

Object = dict[str, Any]

FINALIZERS = {
    "PersistentVolumeClaim": "kubernetes.io/pvc-protection",
    "PersistentVolume": "kubernetes.io/pv-protection",
    "VolumeAttributesClass": "kubernetes.io/vac-protection",
    "PodGroup": "scheduling.k8s.io/podgroup-protection",
}
NOT_BOUND = "Only bound persistent volume claims can be expanded"
NOT_ALLOWED = (
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
)


def protect(write: Write, obj: Object, _old: Object | None, _cluster: Cluster) -> None:
    """Give a new object the finalizer that the controller of its protection takes away."""
    if write.operation != "CREATE":
        return
    finalizer = FINALIZERS[write.spec.kind]
    finalizers = obj["metadata"].get("finalizers") or []
    if finalizer not in finalizers:
        obj["metadata"]["finalizers"] = [*finalizers, finalizer]


def admit_resize(write: Write, obj: Object, old: Object | None, cluster: Cluster) -> None:
    """Refuse that a claim grows which is not bound, or whose class does not allow it."""
    if write.operation != "UPDATE" or write.subresource or old is None or storage(obj) <= storage(old):
        return
    if (old.get("status") or {}).get("phase") != "Bound":
        raise status.forbidden(write.spec.resource, write.spec.group, write.name, NOT_BOUND)
    name = class_of_claim(obj)
    found = cluster.get(STORAGE_CLASS, "", name) if name and name == class_of_claim(old) else None
    if found is None or not found.get("allowVolumeExpansion"):
        raise status.forbidden(write.spec.resource, write.spec.group, write.name, NOT_ALLOWED)


def storage(claim: Object) -> Quantity:
    """What a claim asks for."""
    text = (((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}).get("storage")
    return ZERO if text is None else parse(text)
