"""A pod stays five minutes on a node that is not ready or not reachable, unless it says otherwise.

Source: Kubernetes admission plugin DefaultTolerationSeconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcore.apiserver.admission.cluster import Cluster

if TYPE_CHECKING:
    from kcore.apiserver.registry import Write

TOLERATION_S = 300
TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def admit(write: Write, obj: dict[str, Any], _old: dict[str, Any] | None, _cluster: Cluster) -> None:
    """Add the tolerations that are missing on a new or changed pod."""
    if write.subresource:
        return
    spec = obj["spec"]
    tolerations = spec.get("tolerations") or []
    missing = [key for key in TAINTS if not any(covers(toleration, key) for toleration in tolerations)]
    if missing:
        spec["tolerations"] = [
            *tolerations,
            *({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATION_S} for key in missing),
        ]


def covers(toleration: dict[str, Any], key: str) -> bool:
    """Whether a toleration speaks of the NoExecute taint `key` already."""
    return toleration.get("key", "") in ("", key) and toleration.get("effect", "") in ("", "NoExecute")
