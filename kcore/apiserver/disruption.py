"""Whether PodDisruptionBudgets allow an eviction, and charging it to the one that guards the pod.

Source: Kubernetes `pkg/registry/core/pod/storage/eviction.go`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcore.machinery import labels, status, timestamp
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.kinds import readiness

if TYPE_CHECKING:
    from kcore.apiserver.registry import Registry, Write

Object = dict[str, Any]
BUDGET = GroupVersionKind("policy", "v1", "PodDisruptionBudget")
REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."


def exempt(pod: Object) -> bool:
    """Whether nothing is disrupted: the pod is finished, not running yet, or on its way out."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed", "Pending") or bool(pod["metadata"].get("deletionTimestamp"))


def charge(registry: Registry, write: Write, pod: Object, dry_run: bool) -> None:
    """Count the eviction against the pod's budget.

    Raises  StatusError: 429 if nothing may be disrupted now, 500 if several budgets guard the pod
    """
    have = pod["metadata"].get("labels") or {}
    guards = [
        budget
        for budget in registry.chain.cluster.every(BUDGET, write.namespace)
        if labels.from_message((budget.get("spec") or {}).get("selector")).matches(have)
    ]
    if not guards:
        return
    if len(guards) > 1:
        raise status.unknown("This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.")
    if not readiness.is_ready(pod) and may_go_unready(guards[0]):
        return
    name = guards[0]["metadata"]["name"]
    spec = registry.scheme.kinds[BUDGET]

    def take(budget: Object) -> Object:
        state = dict(budget.get("status") or {})
        if state.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
            raise refused(10, f"The disruption budget {name} is still being processed by the server.")
        allowed = state.get("disruptionsAllowed", 0)
        if allowed <= 0:
            healthy, wanted = state.get("currentHealthy", 0), state.get("desiredHealthy", 0)
            raise refused(0, f"The disruption budget {name} needs {wanted} healthy pods and has {healthy} currently")
        state["disruptionsAllowed"] = allowed - 1
        state["disruptedPods"] = {**(state.get("disruptedPods") or {}), write.name: timestamp.format_time(registry.clock.now())}
        return {**budget, "status": state}

    charging = registry.writing(spec, write.namespace, name, write.user, dry_run, "status")
    registry.update(charging, take)


def may_go_unready(budget: Object) -> bool:
    """Whether a pod that is not ready goes uncharged: always, or while the healthy ones are enough."""
    if (budget.get("spec") or {}).get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    state = budget.get("status") or {}
    desired: int = state.get("desiredHealthy", 0)
    healthy: int = state.get("currentHealthy", 0)
    return 0 < desired <= healthy


def refused(retry_after_s: int, message: str) -> status.StatusError:
    """The answer to an eviction that must wait."""
    return status.too_many_requests(REFUSED, retry_after_s, [{"reason": "DisruptionBudget", "message": message}])
