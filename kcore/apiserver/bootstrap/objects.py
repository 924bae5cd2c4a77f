"""System namespaces, both priority classes, the Service `kubernetes` and its range, the CA that client certificates are checked by."""

from __future__ import annotations

from typing import Any, Final

Object = dict[str, Any]

NAMESPACES: Final = ("kube-system", "kube-public", "default", "kube-node-lease")
PRIORITY_CLASSES: Final = {
    "system-cluster-critical": (
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    "system-node-critical": (2_000_001_000, "Used for system critical pods that must not be moved from their current node."),
}


def objects(service_address: str, service_cidrs: list[str], client_ca: str) -> list[Object]:
    """The objects, in the order in which they must be created; without a CA there is no ConfigMap of it."""
    found: list[Object] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in NAMESPACES]
    for name, (value, description) in PRIORITY_CLASSES.items():
        about: Object = {"metadata": {"name": name}, "value": value, "description": description}
        found.append({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", **about})
    cidrs: Object = {"metadata": {"name": "kubernetes"}, "spec": {"cidrs": list(service_cidrs)}}
    found.append({"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", **cidrs})
    spec: Object = {
        "clusterIP": service_address,
        "type": "ClusterIP",
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
    }
    labels = {"component": "apiserver", "provider": "kubernetes"}
    metadata: Object = {"name": "kubernetes", "namespace": "default", "labels": labels}
    found.append({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
    if client_ca:
        metadata = {"name": "extension-apiserver-authentication", "namespace": "kube-system"}
        found.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"client-ca-file": client_ca}})
    return found
