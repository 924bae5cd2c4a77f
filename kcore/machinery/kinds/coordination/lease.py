"""Lease: numbers in range; without coordinated leader election its fields are dropped.

Source: Kubernetes `pkg/apis/coordination/validation`, `pkg/registry/coordination/lease`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rules import KindRules, Object
from kcore.machinery.kinds.values import validate_not_negative, validate_positive


def drop_coordination(value: Object) -> None:
    """Drop the fields of coordinated leader election, which is off by default."""
    spec = value.get("spec") or {}
    spec.pop("strategy", None)
    spec.pop("preferredHolder", None)


def prepare_update(new: Object, _old: Object) -> None:
    """Drop them on update too."""
    drop_coordination(new)


def validate_lease(value: Object) -> list[FieldError]:
    """Check the numbers."""
    errors: list[FieldError] = []
    spec = value.get("spec") or {}
    validate_positive(spec.get("leaseDurationSeconds"), "spec.leaseDurationSeconds", errors)
    validate_not_negative(spec.get("leaseTransitions"), "spec.leaseTransitions", errors)
    return errors


def validate_lease_update(new: Object, _old: Object) -> list[FieldError]:
    """Check an update as a new Lease."""
    return validate_lease(new)


RULES: Final = KindRules(
    validate=validate_lease, validate_update=validate_lease_update, prepare_create=drop_coordination, prepare_update=prepare_update,
    own_finalizers=False, allow_create_on_update=True, allow_unconditional_update=False,
)
