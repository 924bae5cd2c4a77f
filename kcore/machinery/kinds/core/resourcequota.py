"""ResourceQuota: bounds on known resources, and the scopes in which they hold.

Source: Kubernetes `pkg/apis/core/validation` (ValidateResourceQuota).
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.kinds import resource_names
from kcore.machinery.kinds.rules import KindRules, Object
from kcore.machinery.kinds.values import validate_amount

BEST_EFFORT: Final = "BestEffort"
PRIORITY_CLASS: Final = "PriorityClass"
VOLUME_ATTRIBUTES_CLASS: Final = "VolumeAttributesClass"

_SELECTOR_FIELDS: Final = (
    StructField("MatchExpressions", "matchExpressions", None, (
        StructField("ScopeName", "scopeName", ""), StructField("Operator", "operator", ""), StructField("Values", "values"),
    )),
)
_EXISTS_ONLY: Final = ("Terminating", "NotTerminating", BEST_EFFORT, "NotBestEffort", "CrossNamespacePodAffinity")
_SCOPES: Final = frozenset((*_EXISTS_ONLY, PRIORITY_CLASS, VOLUME_ATTRIBUTES_CLASS))
_CONFLICTS: Final = (frozenset((BEST_EFFORT, "NotBestEffort")), frozenset(("Terminating", "NotTerminating")))
_NEEDS_EXISTS: Final = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
    "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)
_UNSUPPORTED: Final = "unsupported scope"
_UNSUPPORTED_FOR: Final = "unsupported scope applied to resource"


def validate_quota(value: Object) -> list[FieldError]:
    """Check bounds and scopes."""
    errors: list[FieldError] = []
    spec = value.get("spec") or {}
    hard = spec.get("hard") or {}
    _validate_amounts(hard, "spec.hard", errors)
    scopes = spec.get("scopes") or []
    if scopes:
        _validate_scopes(scopes, scopes, hard, "spec.scopes", "spec.scopes", errors)
    if spec.get("scopeSelector") is not None:
        _validate_selector(spec["scopeSelector"], hard, errors)
    return errors


def _validate_amounts(amounts: dict[str, str], path: str, errors: list[FieldError]) -> None:
    for name, amount in sorted(amounts.items()):
        resource_names.validate_quota_resource(name, f"{path}[{name}]", errors)
        validate_amount(name, amount, f"{path}[{name}]", errors)


def _validate_scopes(scopes: list[str], shown: Any, hard: dict[str, str], path: str, unknown_path: str, errors: list[FieldError]) -> None:
    for scope in scopes:
        if scope not in _SCOPES:
            errors.append(fe.invalid(unknown_path, shown, _UNSUPPORTED))
        if any(resource_names.is_quota_resource(name) and not _is_valid_for(scope, name) for name in hard):
            errors.append(fe.invalid(path, shown, _UNSUPPORTED_FOR))
    if any(pair <= set(scopes) for pair in _CONFLICTS):
        errors.append(fe.invalid(path, shown, "conflicting scopes"))


def _is_valid_for(scope: str, resource: str) -> bool:
    if scope == BEST_EFFORT:
        return resource in resource_names.BEST_EFFORT_RESOURCES
    if scope in ("Terminating", "NotTerminating", "NotBestEffort", PRIORITY_CLASS, "CrossNamespacePodAffinity"):
        return resource in resource_names.POD_RESOURCES or resource_names.HUGE_PAGES in resource
    if scope == VOLUME_ATTRIBUTES_CLASS:
        return resource in resource_names.CLAIM_RESOURCES
    return True


def _validate_selector(selector: dict[str, Any], hard: dict[str, str], errors: list[FieldError]) -> None:
    path, expressions = "spec.scopeSelector.matchExpressions", selector.get("matchExpressions") or ()
    for expression in expressions:
        scope, operator = expression.get("scopeName") or "", expression.get("operator") or ""
        if scope not in _SCOPES:
            errors.append(fe.invalid(f"{path}.scopeName", scope, _UNSUPPORTED))
        if any(resource_names.is_quota_resource(name) and not _is_valid_for(scope, name) for name in hard):
            errors.append(fe.invalid(path, fe.struct(selector, _SELECTOR_FIELDS), _UNSUPPORTED_FOR))
        if scope in _EXISTS_ONLY and operator != "Exists":
            errors.append(fe.invalid(f"{path}.operator", operator, _NEEDS_EXISTS))
        _validate_operator(operator, expression.get("values") or [], path, errors)
    asked = {expression.get("scopeName") or "" for expression in expressions}
    if any(pair <= asked for pair in _CONFLICTS):
        errors.append(fe.invalid(path, list(expressions), "conflicting scopes"))


def _validate_operator(operator: str, values: list[str], path: str, errors: list[FieldError]) -> None:
    if operator in ("In", "NotIn"):
        if not values:
            detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            errors.append(fe.required(f"{path}.values", detail))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            errors.append(fe.invalid(f"{path}.values", values, detail))
    else:
        errors.append(fe.invalid(f"{path}.operator", operator, "not a valid selector operator"))


def validate_quota_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; the scopes stay."""
    errors = validate_quota(new)
    fresh, stored = (sorted(set((value.get("spec") or {}).get("scopes") or ())) for value in (new, old))
    if fresh != stored:
        errors.append(fe.immutable("spec.scopes", fresh))
    return errors


def validate_status_update(new: Object, _old: Object) -> list[FieldError]:
    """Check the amounts of the status."""
    errors: list[FieldError] = []
    for field in ("hard", "used"):
        _validate_amounts((new.get("status") or {}).get(field) or {}, f"status.{field}", errors)
    return errors


RULES: Final = KindRules(validate=validate_quota, validate_update=validate_quota_update, validate_status_update=validate_status_update)
