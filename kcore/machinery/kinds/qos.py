"""Quality-of-service class of a pod: Guaranteed, Burstable or BestEffort.

Only cpu and memory count. A pod is Guaranteed when every container limits both and requests just that much; BestEffort when nothing is
asked. With pod-level resources these decide alone.

Source: Kubernetes `component-helpers/resource` and `pkg/apis/core/v1/helper/qos`, KEP-2837.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kcore.machinery.quantity import parse

Json = Mapping[str, Any]

GUARANTEED: Final = "Guaranteed"
BURSTABLE: Final = "Burstable"
BEST_EFFORT: Final = "BestEffort"

_COUNTED: Final = ("cpu", "memory")


def qos_class(pod: Json) -> str:
    """Return the class of a pod: the recorded one, else the computed one."""
    recorded: str | None = (pod.get("status") or {}).get("qosClass")
    return recorded or compute_qos_class(pod.get("spec") or {})


def compute_qos_class(spec: Json) -> str:
    """Compute the class from what a pod asks for."""
    pod_level = spec.get("resources")
    if pod_level:
        groups: list[Any] = [pod_level]
    else:
        groups = [
            container.get("resources") for kind in ("containers", "initContainers") for container in spec.get(kind) or ()
        ]
    requests: dict[str, int] = {}
    limits: dict[str, int] = {}
    complete = True
    for resources in groups:
        if not resources:
            complete = False
            continue
        _count(requests, resources.get("requests"))
        if _count(limits, resources.get("limits")) < len(_COUNTED):
            complete = False
    if not requests and not limits:
        return BEST_EFFORT
    if complete and len(requests) == len(limits) and all(limits.get(name) == amount for name, amount in requests.items()):
        return GUARANTEED
    return BURSTABLE


def _count(total: dict[str, int], texts: Mapping[str, Any] | None) -> int:
    """Add the positive amounts of the counted resources; Returns how many there were."""
    found = 0
    if texts:
        for name in _COUNTED:
            text = texts.get(name)
            if text is not None and (nano := parse(text).nano) > 0:
                total[name] = total.get(name, 0) + nano
                found += 1
    return found
