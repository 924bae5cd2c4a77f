"""A node writes only what is its own: its Node, Lease and CSINode, and the pods that are bound to it.

For `system:node:NAME` that is one node; for `system:kcore:hollow-nodes`, who is all hollow nodes at once, every node with the label
`kcore.io/hollow`. For everybody else this costs one comparison.

Source: Kubernetes `plugin/pkg/admission/noderestriction/admission.go`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from kcore.apiserver.admission.cluster import NODE, Cluster
from kcore.apiserver.authorization.node import LEASES, NODES, PREFIX
from kcore.machinery import status
from kcore.machinery.field_error import quote
from kcore.machinery.request import User

if TYPE_CHECKING:
    from kcore.apiserver.registry import Write

Object = dict[str, Any]
HOLLOW: Final = "system:kcore:hollow-nodes"
HOLLOW_LABEL: Final = "kcore.io/hollow"
MIRROR: Final = "kubernetes.io/config.mirror"
RESTRICTED: Final = "node-restriction.kubernetes.io"
OWN_LABELS: Final = frozenset((
    "kubernetes.io/hostname", "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/zone", "topology.kubernetes.io/region", "beta.kubernetes.io/instance-type",
    "node.kubernetes.io/instance-type", "beta.kubernetes.io/os", "beta.kubernetes.io/arch", "kubernetes.io/os", "kubernetes.io/arch",
))  # fmt: skip
"""Labels of Kubernetes' own domains that a node may set on itself."""
OWN_DOMAINS: Final = ("kubelet.kubernetes.io", "node.kubernetes.io")
"""Domains, with all below them, in which a node may set what it likes."""


def is_node(user: User) -> bool:
    """Whether a user is a node, or all hollow ones."""
    name = user.name
    return name == HOLLOW or (name.startswith(PREFIX) and NODES in user.groups)


class Caller:
    """The node, or nodes, behind a write."""

    def __init__(self, write: Write, cluster: Cluster) -> None:
        self.write, self.cluster = write, cluster
        self.is_hollow = write.caller.name == HOLLOW
        self.name = "" if self.is_hollow else write.caller.name[len(PREFIX) :]

    def owns(self, node: str, obj: Object | None = None) -> bool:
        """Whether a node is the caller's; `obj` is the node itself if it is what is written."""
        if not self.is_hollow:
            return node == self.name
        if obj is not None:
            return HOLLOW_LABEL in (obj["metadata"].get("labels") or {})
        return bool(node) and is_hollow(self.cluster, node)

    def shown(self) -> str:
        """The caller as refusals write it."""
        return "hollow nodes" if self.is_hollow else f"node {quote(self.name)}"

    def refusal(self, sentence: str) -> status.StatusError:
        """A refusal; `sentence` says what is wrong."""
        spec, write = self.write.spec, self.write
        return status.forbidden(spec.resource, spec.group, write.name, sentence)


def is_hollow(cluster: Cluster, node: str) -> bool:
    """Whether a node is hollow; what was bound to one that is gone may still be ended."""
    labels = cluster.labels(NODE, "", node)
    return labels is None or HOLLOW_LABEL in labels


def admit(write: Write, obj: Object | None, old: Object | None, cluster: Cluster) -> None:
    """Refuse what is not the node's own. Raises StatusError (403)."""
    if not is_node(write.caller):
        return
    check = CHECKS.get((write.spec.group, write.spec.kind))
    if check is not None:
        check(Caller(write, cluster), obj, old)


def check_pod(caller: Caller, obj: Object | None, old: Object | None) -> None:
    """Pods: mirror pods are created; status is written and pods are deleted where they run on the node."""
    write, shown = caller.write, caller.shown()
    if obj is not None and old is None:
        node = (obj.get("spec") or {}).get("nodeName", "")
        if MIRROR not in (obj["metadata"].get("annotations") or {}):
            raise caller.refusal(f"pod does not have {quote(MIRROR)} annotation, {shown} can only create mirror pods")
        if not caller.owns(node):
            raise caller.refusal(f"{shown} can only create pods with spec.nodeName set to itself")
        spec = obj.get("spec") or {}
        if spec.get("serviceAccountName"):
            raise caller.refusal(f"{shown} can not create pods that reference a service account")
        return
    bound = ((old or {}).get("spec") or {}).get("nodeName", "")
    if obj is None:
        if not caller.owns(bound):
            raise caller.refusal(f"{shown} can only delete pods with spec.nodeName set to itself")
    elif write.subresource != "status":
        raise caller.refusal(f"{shown} can only update pod status")
    elif not caller.owns(bound):
        raise caller.refusal(f"{shown} can only update pod status for pods with spec.nodeName set to itself")
    elif (obj["metadata"].get("labels") or {}) != ((old or {}).get("metadata", {}).get("labels") or {}):
        raise caller.refusal(f"{shown} cannot update labels through pod status")


def admit_eviction(write: Write, pod: Object, cluster: Cluster) -> None:
    """A pod is evicted by the node that it runs on. Raises StatusError (403)."""
    if is_node(write.caller):
        caller = Caller(write, cluster)
        if not caller.owns((pod.get("spec") or {}).get("nodeName", "")):
            raise caller.refusal(f"{caller.shown()} can only evict pods with spec.nodeName set to itself")


def admit_token(write: Write, reference: Object, pod: Object | None, cluster: Cluster) -> None:
    """A node gets tokens that are bound to its own pods. Raises StatusError (403).

    reference  what the token is to be bound to
    pod        the pod, if it is one
    """
    if not is_node(write.caller):
        return
    caller = Caller(write, cluster)
    if pod is None:
        raise caller.refusal("node requested token not bound to a pod")
    if not reference.get("uid"):
        raise caller.refusal("node requested token with a pod binding without a uid")
    if not caller.owns((pod.get("spec") or {}).get("nodeName", "")):
        raise caller.refusal("node requested token bound to a pod scheduled on a different node")


def check_node(caller: Caller, obj: Object | None, old: Object | None) -> None:
    """Nodes: the own one, without labels that only administrators set, and without a change of its taints."""
    shown = caller.shown()
    node = caller.write.name or ((obj or {}).get("metadata") or {}).get("name", "")
    if not caller.owns(node, old if old is not None else obj):
        action = "create" if old is None else "delete" if obj is None else "modify"
        raise caller.refusal(f"{shown} is not allowed to {action} node {quote(node)}")
    if obj is None:
        return
    labels, before = obj["metadata"].get("labels") or {}, ((old or {}).get("metadata") or {}).get("labels") or {}
    changed = {label for label in labels.keys() | before.keys() if labels.get(label) != before.get(label)}
    if caller.is_hollow:
        if HOLLOW_LABEL in changed and old is not None:
            raise caller.refusal(f"{shown} cannot change the label {HOLLOW_LABEL}")
        return
    if forbidden := sorted(label for label in changed if is_forbidden(label)):
        raise caller.refusal(f"is not allowed to modify labels: {', '.join(forbidden)}")
    if old is not None and (obj.get("spec") or {}).get("taints") != (old.get("spec") or {}).get("taints"):
        raise caller.refusal(f"{shown} is not allowed to modify taints")
    if old is not None and (obj["metadata"].get("ownerReferences") or []) != (old["metadata"].get("ownerReferences") or []):
        raise caller.refusal(f"{shown} is not allowed to modify ownerReferences")
    if ((obj.get("spec") or {}).get("configSource")) and not ((old or {}).get("spec") or {}).get("configSource"):
        raise caller.refusal(f"{shown} is not allowed to update configSource to a new non-nil configSource")


def is_forbidden(label: str) -> bool:
    """Whether a node may not set a label on itself: those that keep workloads off, and Kubernetes' own but for a few."""
    domain = label.partition("/")[0] if "/" in label else ""
    if is_in(domain, RESTRICTED):
        return True
    if not (is_in(domain, "kubernetes.io") or is_in(domain, "k8s.io")):
        return False
    return label not in OWN_LABELS and not any(is_in(domain, own) for own in OWN_DOMAINS)


def is_in(domain: str, parent: str) -> bool:
    """Whether a domain is another, or below it."""
    return domain == parent or domain.endswith(f".{parent}")


def check_lease(caller: Caller, obj: Object | None, _old: Object | None) -> None:
    """Leases: the own one among those of nodes."""
    write = caller.write
    name = write.name or ((obj or {}).get("metadata") or {}).get("name", "")
    if write.namespace != LEASES:
        raise caller.refusal(f"can only access leases in the {quote(LEASES)} system namespace")
    if not caller.owns(name):
        raise caller.refusal("can only access node lease with the same name as the requesting node")


def check_csi_node(caller: Caller, obj: Object | None, _old: Object | None) -> None:
    """CSINodes: the own one."""
    name = caller.write.name or ((obj or {}).get("metadata") or {}).get("name", "")
    if not caller.owns(name):
        raise caller.refusal(f"can only access CSINode with the same name as the requesting node, not {quote(name)}")


def check_slice(caller: Caller, obj: Object | None, old: Object | None) -> None:
    """ResourceSlices: those of the own node."""
    node = ((obj or old or {}).get("spec") or {}).get("nodeName", "")
    if not caller.owns(node):
        raise caller.refusal("can only access ResourceSlices with the same nodeName as the requesting node")


CHECKS: Final[dict[tuple[str, str], Callable[[Caller, Object | None, Object | None], None]]] = {
    ("", "Pod"): check_pod,
    ("", "Node"): check_node,
    ("coordination.k8s.io", "Lease"): check_lease,
    ("storage.k8s.io", "CSINode"): check_csi_node,
    ("resource.k8s.io", "ResourceSlice"): check_slice,
}
