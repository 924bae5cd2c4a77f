"""An assigned pod is resized only on a Linux node that could hold it. Source: Kubernetes admission plugin PodResizeValidator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcore.apiserver.admission.cluster import NODE, Cluster
from kcore.machinery import status
from kcore.machinery.kinds.requests import amounts, pod_requests
from kcore.machinery.quantity import ZERO

if TYPE_CHECKING:
    from kcore.apiserver.registry import Write

Object = dict[str, Any]

OS_LABEL = "kubernetes.io/os"


def admit(write: Write, obj: Object, old: Object | None, cluster: Cluster) -> None:
    """Refuse a resize that the pod's node cannot carry out; the generation tells whether anything is resized."""
    name = obj["spec"].get("nodeName")
    if write.subresource != "resize" or not name or old is None:
        return
    if obj["metadata"].get("generation") == old["metadata"].get("generation"):
        return
    node = cluster.get(NODE, "", name)
    if node is None:
        raise status.forbidden("pods", "", write.name, f'node "{name}" not found')
    system = (node["metadata"].get("labels") or {}).get(OS_LABEL, "linux")
    if system != "linux":
        raise refused(write, f'pod resize is only supported on linux nodes, node "{name}" is "{system}"', "UnsupportedPlatform")
    if lacking := lacks(obj, node):
        raise refused(write, f"node didn't have enough allocatable resources: {lacking}", "NodeCapacity")


def lacks(pod: Object, node: Object) -> str:
    """What a pod asks for beyond what its node has for all pods."""
    wanted, have = pod_requests(pod), amounts((node.get("status") or {}).get("allocatable"))
    told = []
    for name in ("cpu", "memory"):
        asked, there = wanted.get(name, ZERO), have.get(name, ZERO)
        if asked > there:
            numbers = (asked.milli_value(), there.milli_value()) if name == "cpu" else (asked.value(), there.value())
            told.append(f"{name}, requested: {numbers[0]}, allocatable: {numbers[1]}")
    return "; ".join(told)


def refused(write: Write, why: str, cause: str) -> status.StatusError:
    """The answer, with a cause that programs read."""
    error = status.forbidden("pods", "", write.name, why)
    return status.failure(error.reason, error.message, {**error.status["details"], "causes": [{"reason": cause}]})
