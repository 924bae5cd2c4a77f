"""Which nodes a pod asks for: nodeSelector, required and preferred node affinity.

The terms of a node selector are alternatives; the requirements of a term hold together; a term without requirements matches no node.

Source: Kubernetes `component-helpers/scheduling/corev1/nodeaffinity`.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kcore.machinery.quantity import parse_int64

Json = Mapping[str, Any]


def matches_node(spec: Json, labels: Mapping[str, str], name: str) -> bool:
    """Say whether a node with these labels and this name is one a pod's spec requires."""
    for key, value in (spec.get("nodeSelector") or {}).items():
        if labels.get(key) != value:
            return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or matches_selector(required, labels, name)


def preference_weight(spec: Json, labels: Mapping[str, str], name: str) -> int:
    """Sum the weights of the preferred terms that a node fulfils."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    total = 0
    for item in affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
        weight = item.get("weight") or 0
        if weight and matches_term(item.get("preference") or {}, labels, name):
            total += weight
    return total


def matches_selector(selector: Json, labels: Mapping[str, str], name: str) -> bool:
    """Say whether a node fulfils one of the terms of a node selector."""
    return any(matches_term(term, labels, name) for term in selector.get("nodeSelectorTerms") or ())


def matches_term(term: Json, labels: Mapping[str, str], name: str) -> bool:
    """Say whether a node fulfils all requirements of a term."""
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    for item in expressions:
        if not matches_requirement(item.get("operator") or "", labels.get(item.get("key") or ""), item.get("values") or ()):
            return False
    for item in fields:
        if item.get("key") != "metadata.name" or item.get("operator") not in ("In", "NotIn"):
            return False
        if not matches_requirement(item["operator"], name, item.get("values") or ()):
            return False
    return True


def matches_requirement(operator: str, value: str | None, wanted: Iterable[str]) -> bool:
    """Decide one requirement on a label's value, which is None where the node has no such label."""
    if operator == "In":
        return value is not None and value in wanted
    if operator == "NotIn":
        return value is None or value not in wanted
    if operator == "Exists":
        return value is not None
    if operator == "DoesNotExist":
        return value is None
    if operator in ("Gt", "Lt"):
        bounds = list(wanted)
        number, bound = _integer(value), _integer(bounds[0]) if len(bounds) == 1 else None
        if number is None or bound is None:
            return False
        return number > bound if operator == "Gt" else number < bound
    return False


def _integer(text: str | None) -> int | None:
    return None if text is None else parse_int64(text)
