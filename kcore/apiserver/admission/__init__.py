"""What is decided about an object on its way in, beyond the rules of its kind: it rests on other objects.

Guarantees: plugins run in the order of `MUTATING`, then, after the kind's own validation, of `VALIDATING`; each is a module with a function
`admit(write, obj, old, cluster)`, synchronous and without memory of its own, that changes `obj` in place (mutating ones only), adds to
`write.warnings` or `write.along`, or raises StatusError. Where nothing is configured (no quota, no limit, no label) a plugin costs a look
or two. On a delete `obj` is None. Thread: the event loop's. It must never know a front-end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from kcore.apiserver.admission import (
    certificate_request,
    certificates,
    default_classes,
    default_toleration_seconds,
    limit_ranger,
    namespace_lifecycle,
    pod_resize,
    pod_topology_labels,
    priority,
    resource_quota,
    runtime_class,
    service_account,
    storage,
    taint_nodes_by_condition,
)
from kcore.apiserver.admission.along import Along
from kcore.apiserver.admission.cluster import Cluster, Present
from kcore.apiserver.admission.pod_security import plugin as pod_security
from kcore.apiserver.authorization import Attributes, escalation, node_restriction
from kcore.machinery.scheme import KindSpec

if TYPE_CHECKING:
    from kcore.apiserver.admission.service_addresses import ServiceAddresses, Taken
    from kcore.apiserver.registry import Write

Object = dict[str, Any]
Admit = Callable[["Write", Object, Object | None, Cluster], None]
Plugins = dict[tuple[str, str], tuple[Admit, ...]]

# (group, kind) -> plugins; ("*", "*") goes for every kind: first of the mutating ones, last of the validating ones.
MUTATING: Plugins = {
    ("*", "*"): (namespace_lifecycle.admit, node_restriction.admit),
    ("", "Pod"): (
        limit_ranger.admit_pod, service_account.admit, priority.admit, default_toleration_seconds.admit, runtime_class.admit,
    ),
    ("", "Node"): (taint_nodes_by_condition.admit,),
    ("", "PersistentVolumeClaim"): (default_classes.admit_claim, storage.protect),
    ("", "PersistentVolume"): (storage.protect,),
    ("certificates.k8s.io", "CertificateSigningRequest"): (certificate_request.admit,),
    ("networking.k8s.io", "Ingress"): (default_classes.admit_ingress,),
    ("scheduling.k8s.io", "PodGroup"): (priority.admit_group, storage.protect),
    ("scheduling.k8s.io", "PriorityClass"): (priority.admit_class,),
    ("rbac.authorization.k8s.io", "Role"): (escalation.admit_role,),
    ("rbac.authorization.k8s.io", "ClusterRole"): (escalation.admit_role,),
    ("rbac.authorization.k8s.io", "RoleBinding"): (escalation.admit_binding,),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): (escalation.admit_binding,),
    ("storage.k8s.io", "VolumeAttributesClass"): (storage.protect,),
}  # fmt: skip
VALIDATING: Plugins = {
    ("*", "*"): (resource_quota.admit,),
    ("", "Namespace"): (pod_security.admit_namespace,),
    ("", "Pod"): (limit_ranger.validate_pod, service_account.validate, pod_security.admit_pod, runtime_class.validate, pod_resize.admit),
    ("", "PersistentVolumeClaim"): (limit_ranger.validate_claim, storage.admit_resize),
    ("certificates.k8s.io", "CertificateSigningRequest"): (certificates.admit_request,),
    ("certificates.k8s.io", "ClusterTrustBundle"): (certificates.admit_bundle,),
    **dict.fromkeys(pod_security.WORKLOADS, (pod_security.admit_workload,)),
}


class Mark(NamedTuple):
    """What was taken, and which objects there were, at some moment."""

    addresses: Taken
    present: Present


class Chain:
    """The plugins, and the allocator of Service addresses, over one cluster."""

    def __init__(self, cluster: Cluster, addresses: ServiceAddresses) -> None:
        self.cluster, self.addresses = cluster, addresses

    def permit_creation(self, write: Write) -> None:
        """An update or patch of what is not there creates it, which its user must be allowed, too. Raises StatusError (403)."""
        if self.cluster.authorizer is not None:
            served = write.served
            asked = Attributes("create", served.group, served.resource, "", write.namespace, write.name, version=served.version)
            self.cluster.authorizer.require(write.caller, asked)

    def mutate(self, write: Write, obj: Object, old: Object | None) -> None:
        """Let every plugin for this kind see, change or refuse the object; `cluster.lookups` then tells what that rested on."""
        self.cluster.lookups = []
        for admit in MUTATING["*", "*"]:
            admit(write, obj, old, self.cluster)
        for admit in MUTATING.get((write.spec.group, write.spec.kind), ()):
            admit(write, obj, old, self.cluster)

    def allocate(self, write: Write, obj: Object, old: Object | None) -> None:
        """Give an object what it holds alone, once it is known what it asks for."""
        if is_service(write.spec) and not write.subresource:
            self.addresses.assign(obj, old, write.dry_run)
            write.along += self.addresses.along(obj, old)

    def validate(self, write: Write, obj: Object | None, old: Object | None) -> None:
        """Last word before the object is stored or deleted."""
        if obj is None:
            namespace_lifecycle.admit_delete(write)
            node_restriction.admit(write, None, old, self.cluster)
            return
        for admit in VALIDATING.get((write.spec.group, write.spec.kind), ()):
            admit(write, obj, old, self.cluster)
        for admit in VALIDATING["*", "*"]:
            admit(write, obj, old, self.cluster)

    def stored(self, spec: KindSpec, obj: Object, old: Object | None) -> None:
        """An object is in the store: what it holds is taken."""
        if is_service(spec):
            self.addresses.stored(obj, old)
        if old is None and spec.namespaced:
            self.cluster.enter(spec, obj["metadata"]["namespace"], obj["metadata"]["name"], True)

    def mark(self) -> Mark:
        """What to come back to if the writes that follow are taken back."""
        return Mark(self.addresses.mark(), {gvk: dict(names) for gvk, names in self.cluster.present.items()})

    def revert(self, mark: Mark) -> None:
        """The writes since the mark never were: free what they took, and forget how they looked, since their revisions come again."""
        self.addresses.revert(mark.addresses)
        self.cluster.present = mark.present
        self.cluster.forget()

    def leaving(self, spec: KindSpec, obj: Object) -> tuple[Along, ...]:
        """An object is about to leave the store: what leaves with it."""
        return self.addresses.along(None, obj) if is_service(spec) else ()

    def removed(self, spec: KindSpec, obj: Object) -> None:
        """An object left the store: what it held is free."""
        if is_service(spec):
            self.addresses.release(obj)
        if spec.namespaced:
            self.cluster.enter(spec, obj["metadata"]["namespace"], obj["metadata"]["name"], False)


def is_service(spec: KindSpec) -> bool:
    """Whether objects of the kind hold addresses."""
    return spec.kind == "Service" and not spec.group


def bind(pod: Object, labels: dict[str, str]) -> None:
    """What the assignment of a pod to a node with these labels adds to the pod."""
    pod_topology_labels.admit(pod, labels)
