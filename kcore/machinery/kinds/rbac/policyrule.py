"""Rules of roles: verbs on resources, or on paths.

Source: Kubernetes `pkg/apis/rbac/validation`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError

_BOTH: Final = "rules cannot apply to both regular resources and non-resource URLs"
_NAMESPACED: Final = "namespaced rules cannot apply to non-resource URLs"


def validate_rules(rules: Any, namespaced: bool, errors: list[FieldError]) -> None:
    """Check the rules of a Role (namespaced) or ClusterRole."""
    for index, rule in enumerate(rules or ()):
        _validate_rule(rule or {}, namespaced, f"rules[{index}]", errors)
    errors.extend(fe.required(f"rules[{index}].verbs") for index, rule in enumerate(rules or ()) if not rule.get("verbs"))


def _validate_rule(rule: dict[str, Any], namespaced: bool, path: str, errors: list[FieldError]) -> None:
    urls = rule.get("nonResourceURLs")
    if urls:
        if namespaced:
            errors.append(fe.invalid(f"{path}.nonResourceURLs", urls, _NAMESPACED))
        if any(rule.get(field) for field in ("apiGroups", "resources", "resourceNames")):
            errors.append(fe.invalid(f"{path}.nonResourceURLs", urls, _BOTH))
        return
    if not rule.get("apiGroups"):
        errors.append(fe.required(f"{path}.apiGroups", "resource rules must supply at least one api group"))
    if not rule.get("resources"):
        errors.append(fe.required(f"{path}.resources", "resource rules must supply at least one resource"))
