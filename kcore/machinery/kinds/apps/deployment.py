"""Deployment: strategy and its defaults, a selector that finds the template's pods, and counts that fit each other.

Source: Kubernetes `pkg/apis/apps/validation`, `pkg/apis/apps/v1/defaults.go`, `pkg/registry/apps/deployment`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.kinds import workload
from kcore.machinery.kinds.rules import PREPARING, KindRules, Object, keep_spec_and_labels
from kcore.machinery.kinds.values import (
    int_or_percent_value,
    validate_int_or_percent,
    validate_not_more_than_100_percent,
    validate_not_negative,
)

ROLLING_UPDATE: Final = "RollingUpdate"
RECREATE: Final = "Recreate"
DEFAULT_SHARE: Final = "25%"

_COUNTS: Final = (
    "observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas",
    "terminatingReplicas", "collisionCount",
)
_STRATEGY_FIELDS: Final = (
    StructField("Type", "type", ""),
    StructField("RollingUpdate", "rollingUpdate", None, (
        StructField("MaxUnavailable", "maxUnavailable", 0), StructField("MaxSurge", "maxSurge", 0),
    )),
)


def default_deployment(value: Object) -> None:
    """Set the defaults of a rolling update, and of the template."""
    spec = workload.spec_of(value)
    strategy = spec.setdefault("strategy", {})
    if not strategy.get("type"):
        strategy["type"] = ROLLING_UPDATE
    if strategy["type"] == ROLLING_UPDATE:
        if strategy.get("rollingUpdate") is None:
            strategy["rollingUpdate"] = {}
        for field in ("maxUnavailable", "maxSurge"):
            if strategy["rollingUpdate"].get(field) is None:
                strategy["rollingUpdate"][field] = DEFAULT_SHARE
    workload.default_pod_template(value)


def validate_deployment(value: Object) -> list[FieldError]:
    """Check the spec."""
    errors: list[FieldError] = []
    spec = workload.spec_of(value)
    validate_not_negative(spec.get("replicas"), "spec.replicas", errors)
    selector = workload.validate_selector(spec, errors)
    if selector is not None:
        workload.validate_selected_template(spec.get("template") or {}, selector, "spec.template", errors)
    _validate_strategy(spec.get("strategy") or {}, "spec.strategy", errors)
    validate_not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds", errors)
    validate_not_negative(spec.get("revisionHistoryLimit"), "spec.revisionHistoryLimit", errors)
    deadline = spec.get("progressDeadlineSeconds")
    validate_not_negative(deadline, "spec.progressDeadlineSeconds", errors)
    if deadline is not None and deadline <= (spec.get("minReadySeconds") or 0):
        errors.append(fe.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    return errors


def _validate_strategy(strategy: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if kind == RECREATE:
        if rolling is not None:
            errors.append(fe.forbidden(f"{path}.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'"))
    elif kind != ROLLING_UPDATE:
        errors.append(fe.not_supported(path, fe.struct(strategy, _STRATEGY_FIELDS), (RECREATE, ROLLING_UPDATE)))
    elif rolling is None:
        errors.append(fe.required(f"{path}.rollingUpdate", "this should be defaulted and never be nil"))
    else:
        _validate_rolling_update(rolling, f"{path}.rollingUpdate", errors)


def _validate_rolling_update(rolling: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    unavailable, surge = rolling.get("maxUnavailable") or 0, rolling.get("maxSurge") or 0
    if isinstance(rolling.get("maxUnavailable"), str):
        unavailable = rolling["maxUnavailable"]
    if isinstance(rolling.get("maxSurge"), str):
        surge = rolling["maxSurge"]
    validate_int_or_percent(unavailable, f"{path}.maxUnavailable", errors)
    validate_int_or_percent(surge, f"{path}.maxSurge", errors)
    if int_or_percent_value(unavailable) == 0 and int_or_percent_value(surge) == 0:
        errors.append(fe.invalid(f"{path}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0"))
    validate_not_more_than_100_percent(unavailable, f"{path}.maxUnavailable", errors)


RULES: Final = KindRules(
    default=default_deployment, validate=validate_deployment, validate_update=workload.with_same_selector(validate_deployment),
    validate_status_update=workload.with_counts(_COUNTS, ("updatedReplicas", "readyReplicas", "availableReplicas")),
    prepare_create=workload.prepare_create, prepare_update=workload.prepare_update,
    prepare_status_update=keep_spec_and_labels, warnings=workload.name_and_template_warnings, gated=PREPARING,
)
