"""A DaemonSet's pod: how it is made for a node, which node it is for, and whether it is of the newest template.

Source: Kubernetes `pkg/controller/daemon/util/daemonset_util.go`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.client import kinds
from kcore.controllers import pod_template
from kcore.controllers.daemonset.eligibility import tolerated
from kcore.controllers.pod_state import available_in_s, is_finished, ready_since, seconds
from kcore.machinery.meta import TEMPLATE_GENERATION

DAEMONSETS: Final = kinds.resource("apps", "v1", "daemonsets")

REVISION_LABEL: Final = "controller-revision-hash"
GENERATION_LABEL: Final = "pod-template-generation"
NODE_FIELD: Final = "metadata.name"


@dataclass(frozen=True, slots=True)
class Revision:
    """What pods of the newest template are known by: the hash of its ControllerRevision, or the old counter of templates."""

    hash: str
    generation: str

    def is_of(self, pod: Any) -> bool:
        """Tell whether a pod is of the newest template."""
        labels = pod.metadata.labels
        if self.hash and labels.get(REVISION_LABEL) == self.hash:
            return True
        return bool(self.generation) and labels.get(GENERATION_LABEL) == self.generation


def revision_of(daemonset: Any, revision: Any) -> Revision:
    """Return what pods of a ControllerRevision, the newest, are known by."""
    text = daemonset.metadata.annotations.get(TEMPLATE_GENERATION, "")
    return Revision(revision.metadata.labels.get(REVISION_LABEL, ""), text if text.isascii() and text.isdigit() else "")


def new_pod(daemonset: Any, revision: Revision, node: str, name: str) -> Pod:
    """Build a DaemonSet's pod for a node: the scheduler can bind it to that one only."""
    pod = pod_template.new_pod(daemonset, DAEMONSETS, name)
    pod.metadata.labels[REVISION_LABEL] = revision.hash
    if revision.generation:
        pod.metadata.labels[GENERATION_LABEL] = revision.generation
    required = pod.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution
    del required.nodeSelectorTerms[:]
    required.nodeSelectorTerms.add().matchFields.add(key=NODE_FIELD, operator="In", values=[node])
    for key, effect in tolerated(pod.spec.hostNetwork):
        _tolerate(pod.spec, key, effect)
    return pod


def _tolerate(spec: Any, key: str, effect: str) -> None:
    """Tolerate a taint, once: a toleration of the same taint by the template gives way."""
    for found in spec.tolerations:
        if (found.key, found.effect, found.operator, found.value) == (key, effect, "Exists", ""):
            found.ClearField("tolerationSeconds")
            return
    spec.tolerations.add(key=key, operator="Exists", effect=effect)


def target_node(pod: Any) -> str:
    """Return the node that a pod is on, or is for; empty if it is for none in particular."""
    name: str = pod.spec.nodeName
    if name:
        return name
    for term in pod.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms:
        for field in term.matchFields:
            if field.key == NODE_FIELD and field.operator == "In":
                return str(field.values[0]) if len(field.values) == 1 else ""
    return ""


def by_node(pods: Iterable[Any]) -> dict[str, list[Any]]:
    """Group pods by node; those that have ended and are being deleted are as good as gone."""
    found: dict[str, list[Any]] = {}
    for pod in pods:
        if pod.metadata.HasField("deletionTimestamp") and is_finished(pod):
            continue
        name = target_node(pod)
        if name:
            found.setdefault(name, []).append(pod)
    return found


def age_order(pod: Any) -> tuple[bool, float, str]:
    """Sort pods: those on a node before those that wait for it, the oldest first."""
    return not pod.spec.nodeName, seconds(pod.metadata.creationTimestamp), pod.metadata.name


def is_available(pod: Any, daemonset: Any, now: float) -> bool:
    """Tell whether a pod has been ready for long enough."""
    return available_in_s(ready_since(pod), daemonset.spec.minReadySeconds, now) == 0.0
