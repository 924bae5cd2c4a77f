"""Which objects a quota is about: all, or those within each of its scopes.

Source: Kubernetes `pkg/quota/v1/evaluator/core` (podMatchesScopeFunc, pvcMatchesScopeFunc), KEPs 2579, 3751.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kcore.machinery.kinds import qos

Json = Mapping[str, Any]

EXISTS: Final = "Exists"


def scopes_of(quota: Json) -> list[Json]:
    """Return the scopes of a quota as requirements; a plain one asks that something is there."""
    spec = quota.get("spec") or {}
    plain: list[Json] = [{"scopeName": scope, "operator": EXISTS} for scope in spec.get("scopes") or ()]
    return plain + list((spec.get("scopeSelector") or {}).get("matchExpressions") or ())


def pod_matches(scope: Json, pod: Json) -> bool:
    """Say whether a pod is within a scope."""
    name, spec = scope.get("scopeName"), pod["spec"]
    if name in ("Terminating", "NotTerminating"):
        ends: bool = spec.get("activeDeadlineSeconds", -1) >= 0
        return ends if name == "Terminating" else not ends
    if name in ("BestEffort", "NotBestEffort"):
        asks_nothing: bool = qos.compute_qos_class(spec) == qos.BEST_EFFORT
        return asks_nothing if name == "BestEffort" else not asks_nothing
    if name == "PriorityClass":
        return selects(scope, [spec["priorityClassName"]] if spec.get("priorityClassName") else [])
    return name == "CrossNamespacePodAffinity" and any(crosses_namespaces(term) for term in affinity_terms(spec.get("affinity") or {}))


def affinity_terms(affinity: Json) -> Iterator[Json]:
    """Iterate over the terms by which a pod wants to be near others or far from them."""
    for kind in ("podAffinity", "podAntiAffinity"):
        wanted = affinity.get(kind) or {}
        yield from wanted.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        for weighted in wanted.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
            yield weighted.get("podAffinityTerm") or {}


def crosses_namespaces(term: Json) -> bool:
    """Say whether a term speaks of pods of other namespaces."""
    return bool(term.get("namespaces")) or term.get("namespaceSelector") is not None


def claim_matches(scope: Json, claim: Json) -> bool:
    """Say whether a claim is within a scope: the only one for claims asks for a class of its attributes, wished or present."""
    if scope.get("scopeName") != "VolumeAttributesClass":
        return False
    status = claim.get("status") or {}
    names = (
        (claim.get("spec") or {}).get("volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName"),
    )
    return selects(scope, [name for name in names if name])


def selects(scope: Json, have: list[str]) -> bool:
    """Say whether a requirement holds for what an object has, of which there may be several or nothing."""
    operator, values = scope.get("operator"), scope.get("values") or ()
    if operator == EXISTS:
        return bool(have)
    if operator == "DoesNotExist":
        return not have
    if operator == "In":
        return any(name in values for name in have)
    return operator == "NotIn" and (not have or any(name not in values for name in have))
