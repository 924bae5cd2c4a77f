"""What a namespace may use in total: an object is charged to the quotas in the commit that stores it, so that none is ever exceeded.

Upstream charges before it stores, and keeps the charge if storing fails until somebody counts again; here both happen, or neither.

Source: Kubernetes admission plugin ResourceQuota.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcore.apiserver.admission.along import Along
from kcore.apiserver.admission.cluster import RESOURCE_QUOTA, Cluster
from kcore.machinery import status
from kcore.machinery.quota.charge import charge
from kcore.machinery.quota.usage import evaluator

if TYPE_CHECKING:
    from kcore.apiserver.registry import Write

Object = dict[str, Any]

NOT_COUNTED = frozenset((("", "events"), ("events.k8s.io", "events")))
RESIZE = "resize"


def admit(write: Write, obj: Object, old: Object | None, cluster: Cluster) -> None:
    """Refuse an object for which a quota has no room; else let the quotas' new status go along with it."""
    spec = write.spec
    if not spec.namespaced or (spec.group, spec.resource) in NOT_COUNTED:
        return
    quotas = cluster.within(RESOURCE_QUOTA, write.namespace)
    if not quotas:
        return
    of = evaluator(spec.group, spec.resource)
    if not is_charged(write, of.on_update):
        return
    found = charge(quotas, of, obj, old, write.now())
    if found.refusal:
        raise status.forbidden(spec.resource, spec.group, write.name, found.refusal)
    for place, used in found.used.items():
        quota = quotas[place]
        changed = {**quota, "status": {**quota["status"], "used": used}}
        write.along += (Along(cluster.scheme.kinds[RESOURCE_QUOTA], write.namespace, quota["metadata"]["name"], changed),)


def is_charged(write: Write, on_update: bool) -> bool:
    """Whether quotas look at such a write: a new object, a bigger one of some kinds, a pod's resize."""
    if write.subresource:
        return write.subresource == RESIZE and write.spec.resource == "pods"
    return write.operation == "CREATE" or on_update
