"""DaemonSet: update strategy and its defaults, and the old counter of template generations in an annotation.

Source: Kubernetes `pkg/apis/apps/validation`, `pkg/apis/apps/v1/defaults.go`, `pkg/registry/apps/daemonset`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.base.features import NO_FEATURES, Features
from kcore.machinery import field_error as fe
from kcore.machinery import labels, meta
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.kinds import workload
from kcore.machinery.kinds.core.podtemplate import validate_template
from kcore.machinery.kinds.rules import PREPARING, KindRules, Object, drop_status, keep_status
from kcore.machinery.kinds.values import (
    int_or_percent_value,
    validate_int_or_percent,
    validate_not_more_than_100_percent,
    validate_not_negative,
)
from kcore.machinery.quantity import parse_int64

ROLLING_UPDATE: Final = "RollingUpdate"
ON_DELETE: Final = "OnDelete"
EMPTY_SELECTOR: Final = "empty selector is invalid for daemonset"

_COUNTS: Final = (
    "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady", "observedGeneration",
    "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount",
)
_STRATEGY_FIELDS: Final = (
    StructField("Type", "type", ""),
    StructField("RollingUpdate", "rollingUpdate", None, (
        StructField("MaxUnavailable", "maxUnavailable", 0), StructField("MaxSurge", "maxSurge", 0),
    )),
)


def default_daemon_set(value: Object) -> None:
    """Set the defaults of a rolling update and of the template; the annotation is there from the start, so that its writer owns it."""
    strategy = workload.spec_of(value).setdefault("updateStrategy", {})
    if not strategy.get("type"):
        strategy["type"] = ROLLING_UPDATE
    if strategy["type"] == ROLLING_UPDATE:
        if strategy.get("rollingUpdate") is None:
            strategy["rollingUpdate"] = {}
        for field, amount in (("maxUnavailable", 1), ("maxSurge", 0)):
            if strategy["rollingUpdate"].get(field) is None:
                strategy["rollingUpdate"][field] = amount
    workload.default_pod_template(value)
    _set_template_generation(value, template_generation(value))


def template_generation(value: Object) -> int:
    """Return how often the template has changed, 0 if the annotation does not say."""
    text = meta.annotations(value).get(meta.TEMPLATE_GENERATION) or ""
    return parse_int64(text) or 0


def _set_template_generation(value: Object, number: int) -> None:
    found = value.setdefault("metadata", {})
    found["annotations"] = {**(found.get("annotations") or {}), meta.TEMPLATE_GENERATION: str(number)}


def prepare_create(value: Object, features: Features = NO_FEATURES) -> None:
    """Start without status, at the first template."""
    drop_status(value)
    _set_template_generation(value, max(1, template_generation(value)))
    workload.drop_disabled_pod_fields(value, features=features)


def prepare_update(new: Object, old: Object, features: Features = NO_FEATURES) -> None:
    """Keep the stored status; count the template if it changes."""
    keep_status(new, old)
    workload.drop_disabled_pod_fields(new, old, features)
    changed = workload.spec_of(new).get("template") != workload.spec_of(old).get("template")
    _set_template_generation(new, template_generation(old) + changed)


def validate_daemon_set(value: Object) -> list[FieldError]:
    """Check the spec."""
    errors: list[FieldError] = []
    spec = workload.spec_of(value)
    template = spec.get("template") or {}
    _validate_selector(spec, template, errors)
    validate_template(template, "spec.template", errors)
    _validate_pod_policy(template.get("spec") or {}, errors)
    validate_not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds", errors)
    _validate_strategy(spec.get("updateStrategy") or {}, "spec.updateStrategy", errors)
    validate_not_negative(spec.get("revisionHistoryLimit"), "spec.revisionHistoryLimit", errors)
    return errors


def _validate_selector(spec: dict[str, Any], template: dict[str, Any], errors: list[FieldError]) -> None:
    selector = spec.get("selector")
    own: list[FieldError] = []
    labels.validate_message(selector, "spec.selector", own)
    errors += own
    if not own:
        compiled = labels.from_message(selector)
        found = (template.get("metadata") or {}).get("labels")
        if not compiled.matches(found or {}):
            errors.append(fe.invalid("spec.template.metadata.labels", found, workload.MISMATCH))
    if selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions"):
        errors.append(fe.invalid("spec.selector", labels.rendered(selector), EMPTY_SELECTOR))


def _validate_pod_policy(spec: dict[str, Any], errors: list[FieldError]) -> None:
    policy, path = spec.get("restartPolicy") or "", "spec.template.spec"
    if policy != "Always":
        errors.append(fe.not_supported(f"{path}.restartPolicy", policy, ("Always",)))
    if spec.get("activeDeadlineSeconds") is not None:
        errors.append(fe.forbidden(f"{path}.activeDeadlineSeconds", "activeDeadlineSeconds in DaemonSet is not Supported"))


def _validate_strategy(strategy: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if kind == ROLLING_UPDATE:
        if rolling is None:
            errors.append(fe.required(f"{path}.rollingUpdate"))
        else:
            _validate_rolling_update(rolling, f"{path}.rollingUpdate", errors)
    elif kind != ON_DELETE:
        errors.append(fe.not_supported(path, fe.struct(strategy, _STRATEGY_FIELDS), (ROLLING_UPDATE, ON_DELETE)))


def _validate_rolling_update(rolling: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    amounts = [(f"{path}.{field}", rolling.get(field, 0)) for field in ("maxUnavailable", "maxSurge")]
    for at, amount in amounts:
        validate_int_or_percent(amount, at, errors)
    for at, amount in amounts:
        validate_not_more_than_100_percent(amount, at, errors)
    lacks, surges = (int_or_percent_value(amount) != 0 for _, amount in amounts)
    if lacks and surges:
        errors.append(fe.invalid(f"{path}.maxSurge", amounts[1][1], "may not be set when maxUnavailable is non-zero"))
    elif not lacks and not surges:
        errors.append(fe.required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0"))


def validate_daemon_set_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; the selector stays."""
    errors: list[FieldError] = []
    workload.validate_selector_unchanged(new, old, errors)
    return errors + validate_daemon_set(new)


def validate_status_update(new: Object, old: Object) -> list[FieldError]:
    """Check the counts."""
    errors: list[FieldError] = []
    workload.validate_counts(workload.status_of(new), _COUNTS, errors)
    workload.validate_collision_count(new, old, errors)
    return errors


RULES: Final = KindRules(
    default=default_daemon_set, validate=validate_daemon_set, validate_update=validate_daemon_set_update,
    validate_status_update=validate_status_update, prepare_create=prepare_create, prepare_update=prepare_update,
    warnings=workload.pod_template_warnings, gated=PREPARING,
)
