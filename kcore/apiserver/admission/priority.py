"""The priority of a pod, or of a group of pods, is the number behind its PriorityClass. Source: Kubernetes admission plugin Priority."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcore.apiserver.admission.cluster import PRIORITY_CLASS, Cluster
from kcore.machinery import status

if TYPE_CHECKING:
    from kcore.apiserver.registry import Write

DEFAULT_POLICY = "PreemptLowerPriority"


def admit(write: Write, obj: dict[str, Any], old: dict[str, Any] | None, cluster: Cluster) -> None:
    """Resolve the class of a new pod; keep what an old one has."""
    spec = obj["spec"]
    if write.operation != "CREATE":
        if old is not None and write.operation == "UPDATE":
            for name in ("priority", "preemptionPolicy"):
                if name in old["spec"] and name not in spec:
                    spec[name] = old["spec"][name]
        return
    found, value = resolved(write, obj, cluster)
    policy = (found or {}).get("preemptionPolicy", DEFAULT_POLICY)
    if spec.get("priority", value) != value:
        raise refused(obj, f"the integer value of priority ({spec['priority']})", value)
    if spec.get("preemptionPolicy", policy) != policy:
        raise refused(obj, f"the string value of PreemptionPolicy ({spec['preemptionPolicy']})", policy)
    spec["priority"] = value
    spec["preemptionPolicy"] = policy


def resolved(write: Write, obj: dict[str, Any], cluster: Cluster) -> tuple[dict[str, Any] | None, int]:
    """The class that an object names, or the default one, which it names then; and its number."""
    spec = obj["spec"]
    name = spec.get("priorityClassName", "")
    if name:
        found = cluster.get(PRIORITY_CLASS, "", name)
        if found is None:
            why = f"no PriorityClass with name {name} was found"
            raise status.forbidden(write.spec.resource, write.spec.group, obj["metadata"].get("name", ""), why)
    else:
        found = default_class(cluster)
        if found is not None:
            spec["priorityClassName"] = found["metadata"]["name"]
    return found, found.get("value", 0) if found else 0


def admit_group(write: Write, obj: dict[str, Any], _old: dict[str, Any] | None, cluster: Cluster) -> None:
    """Resolve the class of a new group of pods."""
    if write.operation != "CREATE":
        return
    spec = obj["spec"]
    _, value = resolved(write, obj, cluster)
    if spec.get("priority", value) != value:
        given = f"priority set in the pod group ({spec['priority']}) must match the priority computed ({value})"
        why = f"{given} based on the priority class set in the spec"
        raise status.forbidden(write.spec.resource, write.spec.group, obj["metadata"].get("name", ""), why)
    spec["priority"] = value


def refused(pod: dict[str, Any], what: str, computed: Any) -> status.StatusError:
    """The answer to a pod that names a value which its class contradicts."""
    why = f"{what} must not be provided in pod spec; priority admission controller computed {computed} from the given PriorityClass name"
    return status.forbidden("pods", "", pod["metadata"].get("name", ""), why)


def default_class(cluster: Cluster) -> dict[str, Any] | None:
    """The class for pods that name none: of those marked as default the one with the lowest value."""
    marked = [found for found in cluster.few(PRIORITY_CLASS) if found.get("globalDefault")]
    return min(marked, key=lambda found: found.get("value", 0), default=None)


def admit_class(write: Write, obj: dict[str, Any], _old: dict[str, Any] | None, cluster: Cluster) -> None:
    """At most one class is the default."""
    if not obj.get("globalDefault") or write.subresource:
        return
    for found in cluster.every(PRIORITY_CLASS):
        name = found["metadata"]["name"]
        if found.get("globalDefault") and name != obj["metadata"].get("name"):
            raise status.forbidden(
                write.spec.resource,
                write.spec.group,
                obj["metadata"].get("name", ""),
                f"PriorityClass {name} is already marked as default. Only one default can exist",
            )
