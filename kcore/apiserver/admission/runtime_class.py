"""A pod of a runtime class carries its overhead, and runs where the class can. Source: Kubernetes admission plugin RuntimeClass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcore.apiserver.admission.cluster import RUNTIME_CLASS, Cluster
from kcore.machinery import status
from kcore.machinery.kinds.requests import amounts

if TYPE_CHECKING:
    from kcore.apiserver.registry import Write

Object = dict[str, Any]

OTHER_OVERHEAD = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
OWN_OVERHEAD = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"


def admit(write: Write, obj: Object, _old: Object | None, cluster: Cluster) -> None:
    """Write what the class of a new pod says into the pod."""
    name = obj["spec"].get("runtimeClassName")
    if not name or write.operation != "CREATE":
        return
    found = class_of(write, obj, cluster)
    if found.get("overhead") is not None:
        set_overhead(write, obj["spec"], found["overhead"].get("podFixed") or {})
    if found.get("scheduling") is not None:
        set_scheduling(write, obj["spec"], found["scheduling"])


def class_of(write: Write, pod: Object, cluster: Cluster) -> Object:
    """The class that a pod names."""
    name = pod["spec"]["runtimeClassName"]
    found = cluster.get(RUNTIME_CLASS, "", name)
    if found is None:
        raise refused(write, f'pod rejected: RuntimeClass "{name}" not found')
    return found


def set_overhead(write: Write, spec: Object, overhead: dict[str, str]) -> None:
    """Take over what the runtime itself needs; the pod may not say otherwise."""
    if spec.get("overhead") and amounts(spec["overhead"]) != amounts(overhead):
        raise refused(write, OTHER_OVERHEAD)
    spec["overhead"] = dict(overhead)


def set_scheduling(write: Write, spec: Object, scheduling: Object) -> None:
    """Narrow the nodes to those with the runtime, and tolerate their taints."""
    selector = dict(spec.get("nodeSelector") or {})
    for key, value in sorted((scheduling.get("nodeSelector") or {}).items()):
        if selector.setdefault(key, value) != value:
            where = f"runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {selector[key]}"
            raise refused(write, f"conflict: {where}")
    if selector:
        spec["nodeSelector"] = selector
    merged = merge_tolerations([*(spec.get("tolerations") or ()), *(scheduling.get("tolerations") or ())])
    if merged:
        spec["tolerations"] = merged


def validate(write: Write, obj: Object, _old: Object | None, cluster: Cluster) -> None:
    """Refuse a new pod whose overhead is not that of its class."""
    if write.operation != "CREATE":
        return
    overhead = obj["spec"].get("overhead")
    found = class_of(write, obj, cluster) if obj["spec"].get("runtimeClassName") else None
    fixed = (found or {}).get("overhead")
    if fixed is None:
        if overhead:
            raise refused(write, OWN_OVERHEAD)
    elif amounts(overhead) != amounts(fixed.get("podFixed")):
        raise refused(write, OTHER_OVERHEAD)


def refused(write: Write, why: str) -> status.StatusError:
    """The answer to a pod that contradicts its class."""
    return status.forbidden("pods", "", write.name, why)


def merge_tolerations(every: list[Object]) -> list[Object]:
    """Leave out tolerations that others of the list imply; of equal ones the first stays."""
    merged: list[Object] = []
    for i, toleration in enumerate(every):
        implied = any(implies(kept, toleration) for kept in merged)
        if not implied and not any(later != toleration and implies(later, toleration) for later in every[i + 1 :]):
            merged.append(toleration)
    return merged


def implies(wide: Object, narrow: Object) -> bool:
    """Whether whatever one toleration tolerates, another one does."""
    if wide == narrow:
        return True
    exists = wide.get("operator") == "Exists"
    if narrow.get("key", "") != wide.get("key", "") and (wide.get("key") or not exists):
        return False
    if narrow.get("effect", "") != wide.get("effect", "") and wide.get("effect"):
        return False
    if wide.get("effect") == "NoExecute" and wide.get("tolerationSeconds") is not None:
        seconds = narrow.get("tolerationSeconds")
        if seconds is None or seconds > wide["tolerationSeconds"]:
            return False
    if exists:
        return True
    both = wide.get("operator", "Equal") == "Equal" and narrow.get("operator") == "Equal"
    return both and bool(narrow.get("value", "") == wide.get("value", ""))
