"""HorizontalPodAutoscaler between autoscaling/v1 and v2, in which it is stored.

v1 knows the CPU utilization alone. All else travels in annotations, as JSON, which v1 shows and v2 does not: metrics and their state in a
form of v1's own (`hpa_metrics`), the conditions, and the behavior under the names of upstream's internal type.

Source: Kubernetes `pkg/apis/autoscaling/v1/conversion.go`, `pkg/apis/autoscaling/annotations.go`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import orjson

from kcore.machinery import field_error
from kcore.machinery.conversion import hpa_metrics

Object = dict[str, Any]

METRICS: Final = "autoscaling.alpha.kubernetes.io/metrics"
CURRENT_METRICS: Final = "autoscaling.alpha.kubernetes.io/current-metrics"
CONDITIONS: Final = "autoscaling.alpha.kubernetes.io/conditions"
BEHAVIOR: Final = "autoscaling.alpha.kubernetes.io/behavior"
TRAVELLING: Final = (METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR)

_SPEC_KEPT: Final = ("scaleTargetRef", "minReplicas", "maxReplicas")
_STATUS_KEPT: Final = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
_RULES: Final = {"ScaleUp": "scaleUp", "ScaleDown": "scaleDown"}
_RULE_FIELDS: Final = {
    "StabilizationWindowSeconds": "stabilizationWindowSeconds", "SelectPolicy": "selectPolicy", "Policies": "policies",
    "Tolerance": "tolerance",
}  # fmt: skip
_POLICY_FIELDS: Final = {"Type": "type", "Value": "value", "PeriodSeconds": "periodSeconds"}


def to_v2(value: Object) -> Object:
    """An object of v1 as one of v2; annotations that do not hold what they should are dropped like the others."""
    found = {**value, "apiVersion": "autoscaling/v2"}
    spec, status = value.get("spec") or {}, value.get("status")
    found["spec"] = made = _kept(spec, _SPEC_KEPT)
    annotations = dict((value.get("metadata") or {}).get("annotations") or {})
    carried = {name: _parsed(annotations.pop(name, "")) for name in TRAVELLING}
    utilization = spec.get("targetCPUUtilizationPercentage")
    cpu = [] if utilization is None else [hpa_metrics.cpu("target", {"type": "Utilization", "averageUtilization": utilization})]
    metrics = _each(carried[METRICS], hpa_metrics.spec_to_v2) + cpu
    if metrics:
        made["metrics"] = metrics
    if isinstance(carried[BEHAVIOR], dict) and (behavior := _behavior(carried[BEHAVIOR])):
        made["behavior"] = behavior
    if status is not None:
        found["status"] = _status_to_v2(status, carried)
    _annotate(found, annotations)
    return found


def _status_to_v2(status: Object, carried: Object) -> Object:
    made = _kept(status, _STATUS_KEPT)
    utilization = status.get("currentCPUUtilizationPercentage")
    cpu = [] if utilization is None else [hpa_metrics.cpu("current", {"averageUtilization": utilization})]
    metrics = _each(carried[CURRENT_METRICS], hpa_metrics.status_to_v2)
    # What is carried tells of the CPU too, and more exactly.
    if metrics or cpu:
        made["currentMetrics"] = metrics or cpu
    if isinstance(carried[CONDITIONS], list) and carried[CONDITIONS]:
        made["conditions"] = carried[CONDITIONS]
    return made


def to_v1(value: Object) -> Object:
    """An object of v2 as one of v1."""
    found = {**value, "apiVersion": "autoscaling/v1"}
    spec, status = value.get("spec") or {}, value.get("status")
    found["spec"] = made = _kept(spec, _SPEC_KEPT)
    metrics = spec.get("metrics") or []
    utilization = hpa_metrics.cpu_utilization(metrics, "target")
    if utilization is not None:
        made["targetCPUUtilizationPercentage"] = utilization
    annotations = dict((value.get("metadata") or {}).get("annotations") or {})
    for name in TRAVELLING:
        annotations.pop(name, None)
    _carry(annotations, METRICS, [hpa_metrics.spec_to_v1(metric) for metric in metrics if not hpa_metrics.is_cpu_utilization(metric)])
    if status is not None:
        current = status.get("currentMetrics") or []
        _carry(annotations, CURRENT_METRICS, [hpa_metrics.status_to_v1(metric) for metric in current])
        _carry(annotations, CONDITIONS, [_condition(condition) for condition in status.get("conditions") or ()])
        found["status"] = state = _kept(status, _STATUS_KEPT)
        utilization = hpa_metrics.cpu_utilization(current, "current")
        if utilization is not None:
            state["currentCPUUtilizationPercentage"] = utilization
    if spec.get("behavior") is not None:
        behavior = spec["behavior"]
        _carry(annotations, BEHAVIOR, {name: _rules_to_internal(behavior.get(field)) for name, field in _RULES.items()})
    _annotate(found, annotations)
    return found


def _kept(part: Object, names: tuple[str, ...]) -> Object:
    return {name: part[name] for name in names if name in part}


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return None


def _each(carried: Any, convert: Callable[[Object], Object]) -> list[Object]:
    return [convert(item) for item in carried if isinstance(item, dict)] if isinstance(carried, list) else []


def _carry(annotations: dict[str, str], name: str, what: Any) -> None:
    if what:
        annotations[name] = field_error.compact_json(what, sort_keys=False)


def _annotate(found: Object, annotations: dict[str, str]) -> None:
    metadata = dict(found.get("metadata") or {})
    if annotations:
        metadata["annotations"] = annotations
    else:
        metadata.pop("annotations", None)
    found["metadata"] = metadata


def _condition(condition: Object) -> Object:
    names = ("type", "status", "lastTransitionTime", "reason", "message", "observedGeneration")
    needed: Object = {"type": "", "status": "", "lastTransitionTime": None}
    return {name: condition.get(name, needed.get(name)) for name in names if name in needed or condition.get(name)}


def _rules_to_internal(rules: Object | None) -> Object | None:
    if rules is None:
        return None
    found: Object = {name: rules.get(field) for name, field in _RULE_FIELDS.items()}
    policies = rules.get("policies")
    if policies is not None:
        found["Policies"] = [{name: policy.get(field) for name, field in _POLICY_FIELDS.items()} for policy in policies]
    return found


def _behavior(carried: Object) -> Object:
    """The behavior that an annotation holds; Go's decoder does not look at the case of names."""
    found: Object = {}
    for field in _RULES.values():
        rules = _renamed(_member(carried, field), _RULE_FIELDS)
        if rules is not None:
            if isinstance(rules.get("policies"), list):
                rules["policies"] = [_renamed(policy, _POLICY_FIELDS) or {} for policy in rules["policies"]]
            found[field] = rules
    return found


def _member(carried: Object, name: str) -> Any:
    return next((value for key, value in carried.items() if key.lower() == name.lower()), None)


def _renamed(carried: Any, names: dict[str, str]) -> Object | None:
    if not isinstance(carried, dict):
        return None
    return {field: value for field in names.values() if (value := _member(carried, field)) is not None}
