"""A claim or an Ingress that names no class gets the one marked as default, of several the newest.

Source: Kubernetes admission plugins DefaultStorageClass, DefaultIngressClass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcore.apiserver.admission.cluster import INGRESS_CLASS, STORAGE_CLASS, Cluster
from kcore.machinery import timestamp
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.kinds.core.persistentvolumeclaim import CLASS_ANNOTATION

if TYPE_CHECKING:
    from kcore.apiserver.registry import Write

Object = dict[str, Any]

STORAGE_DEFAULT = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
INGRESS_DEFAULT = ("ingressclass.kubernetes.io/is-default-class",)
INGRESS_ANNOTATION = "kubernetes.io/ingress.class"


def admit_claim(write: Write, obj: Object, _old: Object | None, cluster: Cluster) -> None:
    """Fill in the storage class of a new claim; one that names the empty class wants none."""
    annotations = obj["metadata"].get("annotations") or {}
    spec = obj.setdefault("spec", {})
    if write.operation == "CREATE" and "storageClassName" not in spec and CLASS_ANNOTATION not in annotations:
        name = default_class(cluster, STORAGE_CLASS, STORAGE_DEFAULT)
        if name:
            spec["storageClassName"] = name


def admit_ingress(write: Write, obj: Object, _old: Object | None, cluster: Cluster) -> None:
    """Fill in the class of a new Ingress."""
    annotations = obj["metadata"].get("annotations") or {}
    spec = obj.setdefault("spec", {})
    if write.operation == "CREATE" and "ingressClassName" not in spec and INGRESS_ANNOTATION not in annotations:
        name = default_class(cluster, INGRESS_CLASS, INGRESS_DEFAULT)
        if name:
            spec["ingressClassName"] = name


def default_class(cluster: Cluster, gvk: GroupVersionKind, annotations: tuple[str, ...]) -> str:
    """The name of the newest class that is marked as default, of equally new ones the first; '' if there is none."""
    marked = [
        found["metadata"]
        for found in cluster.few(gvk)
        if any((found["metadata"].get("annotations") or {}).get(annotation) == "true" for annotation in annotations)
    ]
    newest = min(marked, key=lambda meta: (-timestamp.parse_time(meta["creationTimestamp"]), meta["name"]), default=None)
    return "" if newest is None else str(newest["name"])
