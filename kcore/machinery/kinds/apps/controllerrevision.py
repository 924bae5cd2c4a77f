"""ControllerRevision: a snapshot that never changes, under a number.

Source: Kubernetes `pkg/apis/apps/validation`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing
from kcore.machinery.kinds.values import validate_not_negative


def validate_controller_revision(value: Object) -> list[FieldError]:
    """Check that there is data, an object, and that the number is none below zero."""
    errors: list[FieldError] = []
    data = value.get("data")
    if data is None:
        errors.append(fe.required("data", "data is mandatory"))
    elif not isinstance(data, dict):
        errors.append(fe.required("data", "data must be a valid JSON object"))
    validate_not_negative(value.get("revision"), "revision", errors)
    return errors


def validate_controller_revision_update(new: Object, old: Object) -> list[FieldError]:
    """Refuse other data."""
    errors: list[FieldError] = []
    if new.get("data") != old.get("data"):
        errors.append(fe.immutable("data", _as_written(new.get("data"))))
    validate_not_negative(new.get("revision"), "revision", errors)
    return errors


def _as_written(data: Any) -> fe.Rendered:
    return fe.Rendered(fe.compact_json(data, sort_keys=False))


RULES: Final = KindRules(
    validate=validate_controller_revision, validate_update=validate_controller_revision_update,
    prepare_create=nothing, prepare_update=keep_all,
)
