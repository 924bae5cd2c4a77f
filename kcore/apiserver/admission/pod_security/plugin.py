"""Refuses pods that the level of their namespace forbids, and warns of pods and workloads. Source: see the package."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from kcore.apiserver.admission.cluster import NAMESPACE, POD, Cluster
from kcore.apiserver.admission.pod_security.findings import Pod, details, reasons
from kcore.apiserver.admission.pod_security.policy import LABEL, LEVELS, NOTHING, PRIVILEGED, Level, Policy, policy_of
from kcore.apiserver.admission.pod_security.restricted import findings
from kcore.base import limits
from kcore.machinery import field_error, status

if TYPE_CHECKING:
    from kcore.apiserver.registry import Write

Object = dict[str, Any]

PARTS = ("", "ephemeralcontainers", "resize")
SECCOMP = ("seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/")
WORKLOADS = (
    ("", "PodTemplate"), ("", "ReplicationController"), ("apps", "ReplicaSet"), ("apps", "Deployment"), ("apps", "StatefulSet"),
    ("apps", "DaemonSet"), ("batch", "Job"), ("batch", "CronJob"),
)  # fmt: skip
"""(group, kind) of what makes pods."""


def admit_pod(write: Write, obj: Object, old: Object | None, cluster: Cluster) -> None:
    """Refuse a pod that its namespace forbids, or warn of it."""
    if write.subresource not in PARTS:
        return
    policy = policy_in(write, cluster)
    if policy == NOTHING or (old is not None and write.operation == "UPDATE" and not is_significant(obj, old)):
        return
    pod = Pod(obj["metadata"].get("annotations") or {}, obj["spec"])
    if found := findings(policy.enforce, pod):
        why = f'violates PodSecurity "{policy.enforce}": {details(found)}'
        raise status.forbidden(write.spec.resource, write.spec.group, write.name, why)
    warn(write, policy.warn, pod)


def admit_workload(write: Write, obj: Object, _old: Object | None, cluster: Cluster) -> None:
    """Warn of a workload whose pods would not be let in."""
    if write.subresource:
        return
    policy = policy_in(write, cluster)
    template = template_of(obj) if policy != NOTHING else None
    if template:
        warn(write, policy.warn, Pod((template.get("metadata") or {}).get("annotations") or {}, template.get("spec") or {}))


def template_of(obj: Object) -> Object | None:
    """The template of a workload's pods."""
    spec = obj.get("spec") or {}
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    found: Object | None = obj.get("template") or spec.get("template") or job.get("template")
    return found


def warn(write: Write, level: Level, pod: Pod) -> None:
    """Add a warning if a level forbids a pod."""
    if found := findings(level, pod):
        write.warnings += (f'would violate PodSecurity "{level}": {details(found)}',)


def policy_in(write: Write, cluster: Cluster) -> Policy:
    """What holds in the namespace of a write."""
    namespace = cluster.get(NAMESPACE, "", write.namespace)
    labels = (namespace or {}).get("metadata", {}).get("labels") or {}
    return policy_of(labels)[0] if any(label.startswith(LABEL) for label in labels) else NOTHING


def is_significant(new: Object, old: Object) -> bool:
    """Whether an update changes what checks look at: of what may change that is images, containers and old annotations."""
    before, after = (pod["metadata"].get("annotations") or {} for pod in (old, new))
    if any(before.get(key) != after.get(key) for key in before.keys() | after.keys() if key.startswith(SECCOMP)):
        return True
    return images(new) != images(old)


def images(pod: Object) -> list[tuple[str, str, str]]:
    """The containers of a pod, with what they run."""
    fields = ("initContainers", "containers", "ephemeralContainers")
    return [(field, found.get("name", ""), found.get("image", "")) for field in fields for found in pod["spec"].get(field) or ()]


# namespaces


def admit_namespace(write: Write, obj: Object, old: Object | None, cluster: Cluster) -> None:
    """Refuse labels that mean nothing, and warn of pods that a stricter level would not let in."""
    if write.subresource:
        return
    policy, errors = policy_of(obj["metadata"].get("labels") or {})
    before, errors_before = policy_of(old["metadata"].get("labels") or {}) if old is not None else (NOTHING, [])
    if errors and (old is None or messages(errors) != messages(errors_before)):
        raise status.invalid(write.spec.group, write.spec.kind, write.name, errors)
    if old is not None and is_stricter(policy.enforce, before.enforce):
        write.warnings += tuple(pods_warnings(write.name, policy.enforce, cluster))


def messages(errors: list[field_error.FieldError]) -> list[str]:
    """Errors as people read them."""
    return [error.message() for error in errors]


def is_stricter(new: Level, old: Level) -> bool:
    """Whether pods that are there may be forbidden now."""
    if new == old or new.name == PRIVILEGED:
        return False
    return new.minor != old.minor or LEVELS.index(new.name) > LEVELS.index(old.name)


def pods_warnings(namespace: str, level: Level, cluster: Cluster) -> list[str]:
    """What a level forbids in the pods of a namespace; pods of which the same is forbidden are one sentence."""
    found: dict[str, list[str]] = {}
    for pod in islice(cluster.every(POD, namespace), limits.POD_SECURITY_PODS_MAX):
        bad = findings(level, Pod(pod["metadata"].get("annotations") or {}, pod["spec"]))
        if bad:
            found.setdefault(reasons(bad), []).append(pod["metadata"]["name"])
    if not found:
        return []
    told = sorted(f"{among(names)}: {reason}" for reason, names in found.items())
    return [f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level "{level}"', *told]


def among(names: list[str]) -> str:
    """One pod, and how many others."""
    others = len(names) - 1
    return names[0] if not others else f"{names[0]} (and {others} other {'pod' if others == 1 else 'pods'})"
