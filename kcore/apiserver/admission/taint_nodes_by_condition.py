"""A new node takes no pods until it is ready. Source: Kubernetes admission plugin TaintNodesByCondition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcore.apiserver.admission.cluster import Cluster

if TYPE_CHECKING:
    from kcore.apiserver.registry import Write

NOT_READY = "node.kubernetes.io/not-ready"


def admit(write: Write, obj: dict[str, Any], _old: dict[str, Any] | None, _cluster: Cluster) -> None:
    """Taint a node as it is created."""
    if write.operation != "CREATE":
        return
    spec = obj.setdefault("spec", {})
    taints = spec.get("taints") or []
    if not any(taint.get("key") == NOT_READY and taint.get("effect") == "NoSchedule" for taint in taints):
        spec["taints"] = [*taints, {"key": NOT_READY, "effect": "NoSchedule"}]
