"""Objects live in namespaces that exist and are not on their way out. Source: Kubernetes admission plugin NamespaceLifecycle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcore.apiserver.admission.cluster import NAMESPACE, Cluster
from kcore.machinery import status

if TYPE_CHECKING:
    from kcore.apiserver.registry import Write

IMMORTAL = frozenset(("default", "kube-system", "kube-public"))


def admit(write: Write, obj: dict[str, Any], _old: dict[str, Any] | None, cluster: Cluster) -> None:
    """Refuse to create in a namespace that is missing or terminating."""
    if write.operation != "CREATE" or not write.spec.namespaced:
        return
    namespace = cluster.get(NAMESPACE, "", write.namespace)
    if namespace is None:
        raise status.not_found("namespaces", "", write.namespace)
    if namespace["metadata"].get("deletionTimestamp"):
        raise status.namespace_terminating(write.spec.resource, write.spec.group, obj["metadata"].get("name", ""), write.namespace)


def admit_delete(write: Write) -> None:
    """Refuse to delete the namespaces that the system stands on."""
    if write.spec.kind == "Namespace" and not write.spec.group and write.name in IMMORTAL:
        raise status.forbidden("namespaces", "", write.name, "this namespace may not be deleted")
