"""PodDisruptionBudget: how many pods must stay, or may go.

Source: Kubernetes `pkg/apis/policy/validation`, `pkg/registry/policy/poddisruptionbudget`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import field_error as fe
from kcore.machinery import labels
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.kinds.conditions import validate_conditions
from kcore.machinery.kinds.rules import KindRules, Object
from kcore.machinery.kinds.values import validate_int_or_percent, validate_not_more_than_100_percent, validate_not_negative

_POLICIES: Final = ("AlwaysAllow", "IfHealthyBudget")
_COUNTS: Final = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
_SPEC_FIELDS: Final = (
    StructField("MinAvailable", "minAvailable"), StructField("Selector", "selector", None, labels.SELECTOR_FIELDS),
    StructField("MaxUnavailable", "maxUnavailable"), StructField("UnhealthyPodEvictionPolicy", "unhealthyPodEvictionPolicy"),
)


def validate_budget(value: Object) -> list[FieldError]:
    """Check that one of the two numbers is given, and the selector."""
    errors: list[FieldError] = []
    spec = value.get("spec") or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        errors.append(fe.invalid("spec", fe.struct(spec, _SPEC_FIELDS), "minAvailable and maxUnavailable cannot be both set"))
    for field in ("minAvailable", "maxUnavailable"):
        if spec.get(field) is not None:
            validate_int_or_percent(spec[field], f"spec.{field}", errors)
            validate_not_more_than_100_percent(spec[field], f"spec.{field}", errors)
    labels.validate_message(spec.get("selector"), "spec.selector", errors)
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in _POLICIES:
        errors.append(fe.not_supported("spec.unhealthyPodEvictionPolicy", policy, _POLICIES))
    return errors


def validate_update(new: Object, _old: Object) -> list[FieldError]:
    """Check an update as a new budget."""
    return validate_budget(new)


def validate_status_update(new: Object, _old: Object) -> list[FieldError]:
    """Check conditions and counts."""
    errors: list[FieldError] = []
    status = new.get("status") or {}
    validate_conditions(status.get("conditions") or (), "status.conditions", errors)
    for field in _COUNTS:
        validate_not_negative(status.get(field), f"status.{field}", errors)
    return errors


RULES: Final = KindRules(
    validate=validate_budget, validate_update=validate_update, validate_status_update=validate_status_update, own_metadata=False,
    allow_unconditional_update=False,
)
