"""DeviceTaintRule: a taint for all devices that it selects.

Source: Kubernetes `pkg/apis/resource/validation`, `pkg/apis/resource/v1/defaults.go`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import meta
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.conditions import validate_conditions
from kcore.machinery.kinds.resource import device, names
from kcore.machinery.kinds.rules import KindRules, Object, drop_status, keep_spec_and_metadata, keep_status

CONDITIONS_COUNT_MAX: Final = 8


def _taints(value: Object) -> list[dict[str, Any]]:
    taint = (value.get("spec") or {}).get("taint")
    return [taint] if taint else []


def default_rule(value: Object) -> None:
    """Mark the taint as one to be dated."""
    device.default_taints(_taints(value))


def _date(value: Object) -> None:
    device.date_taints(_taints(value), meta.metadata(value).get("creationTimestamp") or "")


def prepare_create(value: Object) -> None:
    """Date the taint."""
    drop_status(value)
    _date(value)


def prepare_update(new: Object, old: Object) -> None:
    """Date the taint."""
    keep_status(new, old)
    _date(new)


def validate_rule(value: Object) -> list[FieldError]:
    """Check what is selected, and the taint."""
    errors: list[FieldError] = []
    spec = value.get("spec") or {}
    selector = spec.get("deviceSelector") or {}
    for field, check in (("driver", names.validate_driver_plainly), ("pool", names.validate_pool), ("device", names.validate_label)):
        if selector.get(field) is not None:
            check(selector[field], f"spec.deviceSelector.{field}", errors)
    device.validate_taint(spec.get("taint"), "spec.taint", errors)
    return errors


def validate_rule_status_update(new: Object, _old: Object) -> list[FieldError]:
    """Check the conditions."""
    errors: list[FieldError] = []
    conditions = (new.get("status") or {}).get("conditions") or ()
    validate_conditions(conditions, "status.conditions", errors)
    if len(conditions) > CONDITIONS_COUNT_MAX:
        errors.append(fe.too_many("status.conditions", len(conditions), CONDITIONS_COUNT_MAX))
    return errors


RULES: Final = KindRules(
    default=default_rule, validate=validate_rule, validate_update=lambda new, _old: validate_rule(new),
    validate_status_update=validate_rule_status_update,
    prepare_create=prepare_create, prepare_update=prepare_update, prepare_status_update=keep_spec_and_metadata,
    allow_unconditional_update=False,
)
