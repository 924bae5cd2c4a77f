"""Requests, limits and claims of containers and whole pods.

Source: Kubernetes `pkg/apis/core/validation`, `pkg/apis/core/helper`, observed answers of 1.37.
"""
from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, Final

from kcore.base.limits import RESOURCE_NAMES_REMEMBERED_MAX
from kcore.machinery import names, quantity
from kcore.machinery.field_error import FieldError, duplicate, forbidden, invalid, not_found, not_supported, required
from kcore.machinery.kinds.requests import (
    HUGE_PAGES_PREFIX,
    POD_LEVEL_RESOURCES,
    container_requests_total,
    is_native,
    is_overcommit_allowed,
    is_pod_level,
)

Json = Mapping[str, Any]
Problem = tuple[str, tuple[str, ...] | None]

NEGATIVE: Final = "must be greater than or equal to 0"
NOT_INTEGER: Final = "must be an integer"
COMPUTE_RESOURCES: Final = ("cpu", "memory")
_CONTAINER_RESOURCES: Final = ("cpu", "memory", "ephemeral-storage")
_OBJECT_COUNTS: Final = frozenset((
    "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims", "services.nodeports",
    "services.loadbalancers",
))
_STANDARD_RESOURCES: Final = _OBJECT_COUNTS | frozenset((
    "cpu", "memory", "ephemeral-storage", "storage", "requests.cpu", "requests.memory", "requests.storage", "requests.ephemeral-storage",
    "limits.cpu", "limits.memory", "limits.ephemeral-storage",
))


def validate_container_resources(resources: Json, claim_names: Collection[str], path: str, errors: list[FieldError]) -> None:
    """Check `resources` of a container; `path` is that of `resources`."""
    _validate_requirements(resources, container_resource_problems, path, errors)
    claims = resources.get("claims")
    if claims:
        _validate_claims(claims, claim_names, f"{path}.claims", errors)


def validate_pod_resources(spec: Json, claim_names: Collection[str], path: str, errors: list[FieldError]) -> None:
    """Check the resources of a pod as a whole, and that its containers fit into them; `path` is the spec's."""
    resources = spec.get("resources")
    if resources is None:
        return
    at = f"{path}.resources"
    if resources.get("claims") is not None:
        errors.append(forbidden(f"{at}.claims", "claims may not be set for Resources at pod-level"))
    _validate_requirements(resources, pod_resource_problems, at, errors)
    if resources.get("claims"):
        _validate_claims(resources["claims"], claim_names, f"{at}.claims", errors)
    _validate_containers_fit(spec, resources, at, errors)


def validate_overhead(overhead: Mapping[str, Any], path: str, errors: list[FieldError]) -> None:
    """Check the overhead of a pod, which follows the rules of limits."""
    _validate_requirements({"limits": overhead}, container_resource_problems, path, errors)


def validate_resource_quantity(name: str, text: Any, path: str, errors: list[FieldError]) -> None:
    """Refuse a negative amount, and a fraction of something that is counted."""
    amount = quantity.parse(text)
    if amount.nano < 0:
        errors.append(invalid(path, str(amount), NEGATIVE))
    if amount.milli_value() % 1000 and is_integer_resource(name):
        errors.append(invalid(path, str(amount), NOT_INTEGER))


@lru_cache(maxsize=RESOURCE_NAMES_REMEMBERED_MAX)
def is_integer_resource(name: str) -> bool:
    """Say whether a resource is counted in whole units: objects and devices."""
    return name in _OBJECT_COUNTS or is_extended_resource(name)


def is_extended_resource(name: str) -> bool:
    """Say whether a name is that of a device: with a domain that is not Kubernetes', and short enough for a quota."""
    return not is_native(name) and not name.startswith("requests.") and not names.qualified_name("requests." + name)


@lru_cache(maxsize=RESOURCE_NAMES_REMEMBERED_MAX)
def container_resource_problems(name: str) -> tuple[Problem, ...]:
    """List what is wrong with a resource name in a container: (sentence, supported values or None)."""
    problems = list(_resource_name_problems(name))
    if "/" not in name:
        if name not in _CONTAINER_RESOURCES and not name.startswith(HUGE_PAGES_PREFIX):
            problems.append(("must be a standard resource for containers", None))
    elif not is_native(name) and not is_extended_resource(name):
        problems.append(("doesn't follow extended resource name standard", None))
    return tuple(problems)


@lru_cache(maxsize=RESOURCE_NAMES_REMEMBERED_MAX)
def pod_resource_problems(name: str) -> tuple[Problem, ...]:
    """List what is wrong with a resource name at the level of a pod."""
    problems = _resource_name_problems(name)
    if not problems and not is_pod_level(name):
        return (("", POD_LEVEL_RESOURCES),)
    return problems


def _resource_name_problems(name: str) -> tuple[Problem, ...]:
    sentences = names.qualified_name(name)
    if sentences:
        return tuple((sentence, None) for sentence in sentences)
    if "/" not in name and name not in _STANDARD_RESOURCES and not name.startswith(HUGE_PAGES_PREFIX):
        return (("must be a standard resource type or fully qualified", None),)
    return ()


def _validate_requirements(resources: Json, problems_of: Callable[[str], tuple[Problem, ...]], path: str, errors: list[FieldError]) -> None:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, text in limits.items():
        _validate_amount(name, text, problems_of, f"{path}.limits[{name}]", errors)
        if name.startswith(HUGE_PAGES_PREFIX):
            _validate_huge_pages(name, text, f"{path}.limits[{name}]", errors)
    for name, text in requests.items():
        _validate_amount(name, text, problems_of, f"{path}.requests[{name}]", errors)
        limit = limits.get(name)
        if limit is not None:
            _validate_against_limit(name, text, limit, f"{path}.requests", errors)
        elif not is_overcommit_allowed(name):
            errors.append(required(f"{path}.limits", "Limit must be set for non overcommitable resources"))
        if name.startswith(HUGE_PAGES_PREFIX):
            _validate_huge_pages(name, text, f"{path}.requests[{name}]", errors)
    if not any(name in limits or name in requests for name in COMPUTE_RESOURCES):
        if any(name.startswith(HUGE_PAGES_PREFIX) for name in (*limits, *requests)):
            errors.append(forbidden(path, "HugePages require cpu or memory"))


def _validate_amount(name: str, text: Any, problems_of: Callable[[str], tuple[Problem, ...]], path: str, errors: list[FieldError]) -> None:
    for sentence, supported in problems_of(name):
        errors.append(invalid(path, name, sentence) if supported is None else not_supported(path, name, supported))
    validate_resource_quantity(name, text, path, errors)


def _validate_against_limit(name: str, text: Any, limit: Any, path: str, errors: list[FieldError]) -> None:
    request_nano, limit_nano = quantity.parse(text).nano, quantity.parse(limit).nano
    if request_nano == limit_nano:
        return
    if not is_overcommit_allowed(name):
        detail = f"must be equal to {name} limit of {quantity.canonical(limit)}"
    elif request_nano > limit_nano:
        detail = f"must be less than or equal to {name} limit of {quantity.canonical(limit)}"
    else:
        return
    errors.append(invalid(path, quantity.canonical(text), detail))


def _validate_huge_pages(name: str, text: Any, path: str, errors: list[FieldError]) -> None:
    if not _is_whole_pages(name, text):
        shown = quantity.canonical(text)
        errors.append(invalid(path, shown, f"{shown} is not positive integer multiple of {name}"))


def _is_whole_pages(name: str, text: Any) -> bool:
    try:
        page = quantity.parse(name[len(HUGE_PAGES_PREFIX):])
    except quantity.QuantityError:
        return False
    if page.nano <= 0 or not page.is_integer():
        return False
    return quantity.parse(text).value() % page.value() == 0


def _validate_claims(claims: list[Any], claim_names: Collection[str], path: str, errors: list[FieldError]) -> None:
    seen: set[str] = set()
    for index, claim in enumerate(claims):
        name, request, at = claim.get("name") or "", claim.get("request") or "", f"{path}[{index}]"
        if not name:
            errors.append(required(at))
            continue
        if name in seen:
            errors.append(duplicate(at, name))
        else:
            key = f"{name}/{request}" if request else name
            if request:
                for sentence in names.dns1123_label(request):
                    errors.append(invalid(f"{at}.request", request, sentence))
            if key in seen:
                errors.append(duplicate(at, key))
            elif not request:
                errors.extend(duplicate(at, name) for known in seen if known.startswith(name + "/"))
            seen.add(key)
        if name not in claim_names:
            listed = ": " + ", ".join(sorted(claim_names)) if claim_names else " which is empty"
            errors.append(not_found(at, name, "must be one of the names in pod.spec.resourceClaims" + listed))


def _validate_containers_fit(spec: Json, resources: Json, path: str, errors: list[FieldError]) -> None:
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    for name, total in sorted(container_requests_total({"spec": spec}).items()):
        if not is_pod_level(name) or name not in requests:
            continue
        wanted = quantity.parse(requests[name])
        if total > wanted:
            detail = f"must be greater than or equal to aggregate container requests of {total}"
            errors.append(invalid(f"{path}.requests[{name}]", str(wanted), detail))
    for index, container in enumerate(spec.get("containers") or ()):
        for name, text in ((container.get("resources") or {}).get("limits") or {}).items():
            limit = limits.get(name)
            if limit is not None and quantity.compare(text, limit) > 0:
                detail = f"must be less than or equal to pod limits of {quantity.canonical(limit)}"
                errors.append(invalid(f"{path}.containers[{index}][{name}].limits", quantity.canonical(text), detail))
