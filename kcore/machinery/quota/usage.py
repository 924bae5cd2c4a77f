"""What one object uses of which resources.

Source: Kubernetes `pkg/quota/v1/evaluator/core` (pods, services, claims), `apiserver/pkg/quota/v1/generic` (all others are counted).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from kcore.machinery import timestamp
from kcore.machinery.kinds.core.persistentvolumeclaim import CLASS_ANNOTATION
from kcore.machinery.kinds.requests import HUGE_PAGES_PREFIX, Amounts, amounts, is_native, pod_limits, pod_requests
from kcore.machinery.quantity import Quantity, of_value, parse
from kcore.machinery.quota import scopes

Json = Mapping[str, Any]

ONE: Final = of_value(1)
REQUESTS: Final = "requests."
COMPUTE: Final = ("cpu", "memory", "ephemeral-storage")
POD_NAMES: Final = frozenset((
    "count/pods", "pods", *COMPUTE, *(f"{half}.{name}" for half in ("requests", "limits") for name in COMPUTE),
))  # fmt: skip
MUST_BE_GIVEN: Final = frozenset(("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"))
"""What each container must state where a quota bounds it."""

SERVICE_NAMES: Final = frozenset(("count/services", "services", "services.nodeports", "services.loadbalancers"))
CLAIM_NAMES: Final = frozenset(("count/persistentvolumeclaims", "persistentvolumeclaims", "requests.storage"))
OF_CLASS: Final = ".storageclass.storage.k8s.io/"
COUNTED_BY_NAME: Final = frozenset(("configmaps", "resourcequotas", "replicationcontrollers", "secrets"))
"""Kinds that a quota may also bound by their plain name."""

DONE: Final = ("Succeeded", "Failed")


class Evaluator(NamedTuple):
    """What a quota knows of a resource.

    speaks_of   whether a name in a quota is about objects of this resource
    usage       what an object uses now (a time in seconds): (object, now)
    matches     whether an object is within a scope: (requirement of a scope selector, object)
    missing     what an object must state of the bounded names and does not, as a sentence; "" if nothing
    on_update   objects that grow are charged for it
    """

    speaks_of: Callable[[str], bool]
    usage: Callable[[Json, float], Amounts]
    matches: Callable[[Json, Json], bool] = lambda _scope, _obj: False
    missing: Callable[[frozenset[str], Json], str] = lambda _names, _obj: ""
    on_update: bool = False


@cache
def evaluator(group: str, resource: str) -> Evaluator:
    """Return what quotas know of a resource: of most, that each object is one."""
    return SPECIAL.get((group, resource)) or counted(group, resource)


def count_name(group: str, resource: str) -> str:
    """Return the name by which a quota bounds how many objects there are."""
    return f"count/{resource}.{group}" if group else f"count/{resource}"


def counted(group: str, resource: str) -> Evaluator:
    """Make the evaluator of a resource whose objects are only counted."""
    names = {count_name(group, resource)}
    if not group and resource in COUNTED_BY_NAME:
        names.add(resource)
    used = dict.fromkeys(names, ONE)
    return Evaluator(used.__contains__, lambda _obj, _now: dict(used))


# pods


def speaks_of_pods(name: str) -> bool:
    """Say whether a quota bounds pods by this name."""
    if name in POD_NAMES or name.startswith((HUGE_PAGES_PREFIX, REQUESTS + HUGE_PAGES_PREFIX)):
        return True
    return name.startswith(REQUESTS) and not is_native(name)


def pod_usage(pod: Json, now: float) -> Amounts:
    """Count a pod as an object, and unless it has ended what it asks for."""
    found = {"count/pods": ONE}
    if is_charged(pod, now):
        found |= compute_usage(pod_requests(pod, use_status=True), pod_limits(pod))
    return found


def is_charged(pod: Json, now: float) -> bool:
    """Say whether a pod uses resources: it has not ended, nor should have been gone for its whole grace period."""
    if (pod.get("status") or {}).get("phase") in DONE:
        return False
    metadata = pod["metadata"]
    grace_s = metadata.get("deletionGracePeriodSeconds")
    if not metadata.get("deletionTimestamp") or grace_s is None:
        return True
    ends: float = timestamp.parse_time(metadata["deletionTimestamp"]) + grace_s
    return now <= ends


def compute_usage(requests: Amounts, limits: Amounts) -> Amounts:
    """Return requests and limits under all names that quotas have for them."""
    found = {"pods": ONE}
    for name, amount in requests.items():
        if name in COMPUTE or name.startswith(HUGE_PAGES_PREFIX):
            found[name] = found[REQUESTS + name] = amount
        elif not is_native(name):
            found[REQUESTS + name] = amount
    for name in COMPUTE:
        if name in limits:
            found[f"limits.{name}"] = limits[name]
    return found


def missing_of_pod(names: frozenset[str], pod: Json) -> str:
    """Say what containers leave open of the processors and memory that a quota bounds."""
    wanted = names & MUST_BE_GIVEN
    spec = pod["spec"]
    if not wanted or any((spec.get("resources") or {}).get(half) for half in ("requests", "limits")):
        return ""
    lacking: dict[str, set[str]] = {}
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        resources = container.get("resources") or {}
        given = compute_usage(amounts(resources.get("requests")), amounts(resources.get("limits")))
        for name in wanted.difference(given):
            lacking.setdefault(name, set()).add(container.get("name", ""))
    if not lacking:
        return ""
    return "must specify " + "; ".join(f"{name} for: {','.join(sorted(lacking[name]))}" for name in sorted(lacking))


# Services


def service_usage(service: Json, _now: float) -> Amounts:
    """Count a Service, the node ports that it needs and whether it needs a load balancer."""
    spec = service.get("spec") or {}
    kind, ports = spec.get("type"), spec.get("ports") or ()
    found = {"count/services": ONE, "services": ONE, "services.loadbalancers": of_value(0), "services.nodeports": of_value(0)}
    if kind == "NodePort":
        found["services.nodeports"] = of_value(len(ports))
    elif kind == "LoadBalancer":
        chosen = len(ports) if spec.get("allocateLoadBalancerNodePorts", True) else sum(1 for port in ports if port.get("nodePort"))
        found["services.nodeports"] = of_value(chosen)
        found["services.loadbalancers"] = ONE
    return found


# claims


def speaks_of_claims(name: str) -> bool:
    """Say whether a quota bounds claims by this name."""
    return name in CLAIM_NAMES or name.endswith((f"{OF_CLASS}requests.storage", f"{OF_CLASS}persistentvolumeclaims"))


def claim_usage(claim: Json, _now: float) -> Amounts:
    """Count a claim and the storage that it asks for or got, also under the name of its class."""
    storage_class = class_of_claim(claim)
    found = {"count/persistentvolumeclaims": ONE, "persistentvolumeclaims": ONE}
    if storage_class:
        found[f"{storage_class}{OF_CLASS}persistentvolumeclaims"] = ONE
    storage = claim_storage(claim)
    if storage is not None:
        found["requests.storage"] = storage
        if storage_class:
            found[f"{storage_class}{OF_CLASS}requests.storage"] = storage
    return found


def class_of_claim(claim: Json) -> str:
    """Return the name of a claim's storage class; the old annotation goes first."""
    annotated = (claim["metadata"].get("annotations") or {}).get(CLASS_ANNOTATION)
    found: str = annotated if annotated is not None else (claim.get("spec") or {}).get("storageClassName") or ""
    return found


def claim_storage(claim: Json) -> Quantity | None:
    """Return the storage that a claim asks for, or got if that is more."""
    asked = (((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}).get("storage")
    if asked is None:
        return None
    got = ((claim.get("status") or {}).get("allocatedResources") or {}).get("storage")
    return max(parse(asked), parse(got)) if got is not None else parse(asked)


SPECIAL: Final = {
    ("", "pods"): Evaluator(speaks_of_pods, pod_usage, scopes.pod_matches, missing_of_pod),
    ("", "services"): Evaluator(SERVICE_NAMES.__contains__, service_usage, on_update=True),
    ("", "persistentvolumeclaims"): Evaluator(speaks_of_claims, claim_usage, scopes.claim_matches, on_update=True),
}
"""(group, resource) -> what is more than counted."""
