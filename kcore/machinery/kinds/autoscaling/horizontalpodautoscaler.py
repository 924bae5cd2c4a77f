"""HorizontalPodAutoscaler, in autoscaling/v2: whom it scales, between which bounds, by which metrics and at which pace.

Source: Kubernetes `pkg/apis/autoscaling/validation`, `pkg/apis/autoscaling/v2/defaults.go`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.autoscaling.cross_version_reference import reference_api_version_trouble, validate_reference
from kcore.machinery.kinds.autoscaling.metric import validate_metric
from kcore.machinery.kinds.rules import KindRules, Object
from kcore.machinery.kinds.values import GREATER_THAN_ZERO, validate_not_negative, validate_not_negative_amount

MIN_REPLICAS_DEFAULT: Final = 1
CPU_UTILIZATION_DEFAULT: Final = 80
STABILIZATION_S_MAX: Final = 3600
PERIOD_S_MAX: Final = 1800

_SELECT_POLICIES: Final = ("Disabled", "Max", "Min")
_POLICY_TYPES: Final = ("Percent", "Pods")
_PERCENT: Final = {"type": "Percent", "value": 100, "periodSeconds": 15}
_PODS: Final = {"type": "Pods", "value": 4, "periodSeconds": 15}


def default_autoscaler(value: Object) -> None:
    """Fill in the lower bound, the CPU as metric, and what is missing of a pace that is given in part."""
    spec = value.setdefault("spec", {})
    if spec.get("minReplicas") is None:
        spec["minReplicas"] = MIN_REPLICAS_DEFAULT
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": CPU_UTILIZATION_DEFAULT}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    behavior = spec.get("behavior")
    if behavior is not None:
        behavior["scaleUp"] = _paced(behavior.get("scaleUp"), [_PODS, _PERCENT], {"stabilizationWindowSeconds": 0})
        behavior["scaleDown"] = _paced(behavior.get("scaleDown"), [_PERCENT], {})


def _paced(rules: Object | None, policies: list[Object], window: Object) -> Object:
    given = {name: found for name, found in (rules or {}).items() if found is not None}
    return {**window, "selectPolicy": "Max", "policies": [dict(policy) for policy in policies], **given}


def validate_autoscaler(value: Object) -> list[FieldError]:
    """Check a new autoscaler."""
    return _validate_spec(value.get("spec") or {}, {})


def validate_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; versions that were wrong before may stay so."""
    return _validate_spec(new.get("spec") or {}, old.get("spec") or {})


def validate_status_update(new: Object, _old: Object) -> list[FieldError]:
    """Check the counts."""
    errors: list[FieldError] = []
    status = new.get("status") or {}
    for field in ("currentReplicas", "desiredReplicas"):
        validate_not_negative(status.get(field), f"status.{field}", errors)
    return errors


def _validate_spec(spec: Object, old: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    low, high = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    validate_not_negative(low, "spec.minReplicas", errors)
    if low is not None and high < low:
        errors.append(fe.invalid("spec.maxReplicas", high, "must be greater than or equal to `minReplicas`"))
    before = old.get("scaleTargetRef") or {}
    any_version = bool(old) and reference_api_version_trouble(before, _is_core(before)) is not None
    target = spec.get("scaleTargetRef") or {}
    validate_reference(target, "spec.scaleTargetRef", errors, _is_core(target), any_version)
    _validate_metrics(spec.get("metrics") or (), old.get("metrics") or (), low, errors)
    behavior = spec.get("behavior") or {}
    for name in ("scaleUp", "scaleDown"):
        if behavior.get(name) is not None:
            _validate_rules(behavior[name], f"spec.behavior.{name}", errors)
    if not high:
        errors.append(fe.required("spec.maxReplicas"))
    elif high < 1:
        errors.append(fe.invalid("spec.maxReplicas", high, "must be greater than or equal to 1"))
    return errors


def _is_core(reference: Object) -> bool:
    """A ReplicationController is the one thing of the core group that scales."""
    return reference.get("kind") == "ReplicationController"


def _validate_metrics(metrics: Any, old: Any, low: int | None, errors: list[FieldError]) -> None:
    seen = [(metric.get("object") or {}).get("describedObject") for metric in old]
    any_version = any(reference_api_version_trouble(reference, True) is not None for reference in seen if reference)
    for index, metric in enumerate(metrics):
        validate_metric(metric, f"spec.metrics[{index}]", errors, any_version)
    if low == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        detail = "must specify at least one Object or External metric to support scaling to zero replicas"
        errors.append(fe.forbidden("spec.metrics", detail))


def _validate_rules(rules: Object, path: str, errors: list[FieldError]) -> None:
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and window < 0:
        errors.append(fe.invalid(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero"))
    if window is not None and window > STABILIZATION_S_MAX:
        errors.append(fe.invalid(f"{path}.stabilizationWindowSeconds", window, f"must be less than or equal to {STABILIZATION_S_MAX}"))
    choice = rules.get("selectPolicy")
    if choice is not None and choice not in _SELECT_POLICIES:
        errors.append(fe.not_supported(f"{path}.selectPolicy", choice, _SELECT_POLICIES))
    policies = rules.get("policies") or ()
    if not policies:
        errors.append(fe.required(f"{path}.policies", "must specify at least one Policy"))
    for index, policy in enumerate(policies):
        _validate_policy(policy, f"{path}.policies[{index}]", errors)
    if rules.get("tolerance") is not None:
        validate_not_negative_amount(rules["tolerance"], f"{path}.tolerance", errors)


def _validate_policy(policy: Object, path: str, errors: list[FieldError]) -> None:
    kind = policy.get("type") or ""
    if kind not in _POLICY_TYPES:
        errors.append(fe.not_supported(f"{path}.type", kind, _POLICY_TYPES))
    value, period = policy.get("value") or 0, policy.get("periodSeconds") or 0
    if value <= 0:
        errors.append(fe.invalid(f"{path}.value", value, GREATER_THAN_ZERO))
    if period <= 0:
        errors.append(fe.invalid(f"{path}.periodSeconds", period, GREATER_THAN_ZERO))
    if period > PERIOD_S_MAX:
        errors.append(fe.invalid(f"{path}.periodSeconds", period, f"must be less than or equal to {PERIOD_S_MAX}"))


RULES: Final = KindRules(
    default=default_autoscaler, validate=validate_autoscaler, validate_update=validate_update,
    validate_status_update=validate_status_update,
)
