"""What a pod asks for: the sum of its containers, the peak of its init containers, pod-level resources and overhead.

Amounts are maps of resource name to Quantity. `effective` is the rule itself, on amounts alone, for callers that hold other forms of a pod;
the rest reads dicts in JSON form.

    containers a 1, b 2; init i1 4; sidecar s 1; init i2 3 (after s)
    running together 1 + 2 + 1 = 4; while i1 runs 4; while i2 runs 3 + 1 = 4; the pod asks for 4

Source: Kubernetes `component-helpers/resource` (PodRequests, PodLimits); KEPs 753 (sidecars), 1287 (resize), 2837 (pod-level resources).
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kcore.machinery.quantity import Quantity, parse

Json = Mapping[str, Any]
Amounts = dict[str, Quantity]

HUGE_PAGES_PREFIX: Final = "hugepages-"
POD_LEVEL_RESOURCES: Final = ("cpu", "hugepages-", "memory")


def pod_requests(pod: Json, *, use_status: bool = False, overhead: bool = True) -> Amounts:
    """Sum what a pod requests of its node.

    use_status  count the larger of wished, allocated and actual resources of each container (a resize in flight)
    overhead    include the overhead of its runtime class
    """
    spec = pod.get("spec") or {}
    total = container_requests_total(pod, use_status=use_status)
    pod_level = (spec.get("resources") or {}).get("requests")
    for name, text in (pod_level or {}).items():
        if is_pod_level(name):
            total[name] = parse(text)
    if overhead:
        add(total, amounts(spec.get("overhead")))
    return total


def pod_limits(pod: Json, *, overhead: bool = True) -> Amounts:
    """Sum the limits of a pod; overhead is added only where there is a limit."""
    spec = pod.get("spec") or {}
    total = container_limits_total(spec)
    pod_level = (spec.get("resources") or {}).get("limits")
    for name, text in (pod_level or {}).items():
        if is_pod_level(name):
            total[name] = parse(text)
    if overhead:
        for name, amount in amounts(spec.get("overhead")).items():
            if name in total:
                total[name] += amount
    return total


def container_requests_total(pod: Json, *, use_status: bool = False) -> Amounts:
    """Sum the requests of a pod's containers, without its pod-level resources and overhead."""
    spec = pod.get("spec") or {}
    if not use_status:
        return effective(_amounts_of(spec.get("containers"), "requests"), _init_amounts_of(spec.get("initContainers"), "requests"))
    status = pod.get("status") or {}
    infeasible = _resize_is_infeasible(status)
    running = {item.get("name"): item for item in status.get("containerStatuses") or ()}
    starting = {item.get("name"): item for item in status.get("initContainerStatuses") or ()}
    init = [
        (_with_status(container, starting.get(container.get("name")) if is_sidecar(container) else None, infeasible), is_sidecar(container))
        for container in spec.get("initContainers") or ()
    ]
    return effective(
        [_with_status(container, running.get(container.get("name")), infeasible) for container in spec.get("containers") or ()], init,
    )


def container_limits_total(spec: Json) -> Amounts:
    """Sum the limits of a pod's containers, without its pod-level resources and overhead."""
    return effective(_amounts_of(spec.get("containers"), "limits"), _init_amounts_of(spec.get("initContainers"), "limits"))


def effective(containers: Iterable[Mapping[str, Quantity]], init_containers: Iterable[tuple[Mapping[str, Quantity], bool]]) -> Amounts:
    """Sum containers that run together and take the peak with init containers that run before them.

    init_containers  (amounts, restartable) in order; a restartable one (a sidecar) stays, and counts for all that follow it
    """
    total: Amounts = {}
    for wanted in containers:
        add(total, wanted)
    sidecars: Amounts = {}
    peak: Amounts = {}
    for wanted, restartable in init_containers:
        if restartable:
            add(total, wanted)
            add(sidecars, wanted)
            raise_to(peak, sidecars)
        else:
            at_this_point = dict(wanted)
            add(at_this_point, sidecars)
            raise_to(peak, at_this_point)
    raise_to(total, peak)
    return total


def amounts(texts: Mapping[str, Any] | None) -> Amounts:
    """Parse a resource list."""
    return {name: parse(text) for name, text in texts.items()} if texts else {}


def add(total: Amounts, more: Mapping[str, Quantity]) -> None:
    """Add amounts by name, in place."""
    for name, amount in more.items():
        known = total.get(name)
        total[name] = amount if known is None else known + amount


def raise_to(total: Amounts, other: Mapping[str, Quantity]) -> None:
    """Raise amounts by name to those of another list, in place."""
    for name, amount in other.items():
        known = total.get(name)
        if known is None or known.nano < amount.nano:
            total[name] = amount


def is_sidecar(init_container: Json) -> bool:
    """Say whether an init container keeps running beside the pod's containers."""
    return init_container.get("restartPolicy") == "Always"


def is_pod_level(name: str) -> bool:
    """Say whether a resource may be given for a pod as a whole."""
    return name in ("cpu", "memory") or name.startswith(HUGE_PAGES_PREFIX)


def is_native(name: str) -> bool:
    """Say whether a resource is Kubernetes' own: without a domain, or in kubernetes.io."""
    return "/" not in name or "kubernetes.io/" in name


def is_overcommit_allowed(name: str) -> bool:
    """Say whether a request may be smaller than its limit: only for native resources other than huge pages."""
    return is_native(name) and not name.startswith(HUGE_PAGES_PREFIX)


def _amounts_of(containers: Any, kind: str) -> list[Amounts]:
    return [amounts((container.get("resources") or {}).get(kind)) for container in containers or ()]


def _init_amounts_of(containers: Any, kind: str) -> list[tuple[Amounts, bool]]:
    return [(amounts((container.get("resources") or {}).get(kind)), is_sidecar(container)) for container in containers or ()]


def _with_status(container: Json, status: Json | None, infeasible: bool) -> Amounts:
    wished = amounts((container.get("resources") or {}).get("requests"))
    if status is None or not status.get("resources"):
        return wished
    total: Amounts = {} if infeasible else wished
    raise_to(total, amounts(status["resources"].get("requests")))
    raise_to(total, amounts(status.get("allocatedResources")))
    return total


def _resize_is_infeasible(status: Json) -> bool:
    return any(
        item.get("type") == "PodResizePending" and item.get("reason") == "Infeasible" for item in status.get("conditions") or ()
    )
