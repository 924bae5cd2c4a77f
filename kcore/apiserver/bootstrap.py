"""The objects that a cluster has from its first start: system namespaces, the two system priority classes, the Service `kubernetes`.

Source: `reference/bootstrap-1.37.json` (facts); roles and flow schemas come with those who use them.
"""

from __future__ import annotations

from typing import Any

from kcore.apiserver.registry import Registry
from kcore.machinery.gvk import GroupVersionKind
from kcore.store.storage import Submission

Object = dict[str, Any]

NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "default")
PRIORITY_CLASSES = {
    "system-cluster-critical": (2_000_000_000, "For pods that the cluster cannot do without, on whichever node."),
    "system-node-critical": (2_000_001_000, "For pods that a node cannot do without."),
}


def objects(service_address: str) -> list[tuple[GroupVersionKind, str, Object]]:
    """The objects as (kind, namespace, object), in the order in which they must be created."""
    found: list[tuple[GroupVersionKind, str, Object]] = []
    for name in NAMESPACES:
        found.append((GroupVersionKind("", "v1", "Namespace"), "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
    for name, (value, description) in PRIORITY_CLASSES.items():
        obj: Object = {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": value,
            "description": description,
        }
        found.append((GroupVersionKind("scheduling.k8s.io", "v1", "PriorityClass"), "", obj))
    spec: Object = {
        "clusterIP": service_address,
        "type": "ClusterIP",
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
    }
    labels = {"component": "apiserver", "provider": "kubernetes"}
    service: Object = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kubernetes", "labels": labels}, "spec": spec}
    found.append((GroupVersionKind("", "v1", "Service"), "default", service))
    return found


def ensure(registry: Registry, service_address: str) -> Submission | None:
    """Create what is missing; -> the last write to wait for."""
    last: Submission | None = None
    for gvk, namespace, obj in objects(service_address):
        spec = registry.scheme.kinds[gvk]
        if registry.head(spec, namespace, obj["metadata"]["name"]) is None:
            last = registry.create(registry.writing(spec, namespace, obj["metadata"]["name"], "system:apiserver"), obj).submission
    return last
