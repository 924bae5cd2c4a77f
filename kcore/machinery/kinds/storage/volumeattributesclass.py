"""VolumeAttributesClass: what of a volume may be changed while it is in use; the class itself never changes.

Source: Kubernetes `pkg/apis/storage/validation`, `pkg/registry/storage/volumeattributesclass`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing
from kcore.machinery.kinds.storage.parameters import validate_parameters


def validate_class(value: Object) -> list[FieldError]:
    """Check driver and parameters."""
    errors: list[FieldError] = []
    driver, parameters = (value.get("driverName") or "").lower(), value.get("parameters") or {}
    if not driver:
        errors.append(fe.required("driverName"))
    else:
        errors.extend(fe.invalid("driverName", driver, sentence) for sentence in names.qualified_name(driver))
    if not parameters:
        errors.append(fe.required("parameters", "must contain at least one key/value pair"))
    validate_parameters(parameters, errors)
    return errors


def validate_class_update(new: Object, old: Object) -> list[FieldError]:
    """Refuse to change anything."""
    errors = [
        fe.forbidden(field, f"updates to {field} are forbidden.")
        for field in ("driverName", "parameters") if (new.get(field) or None) != (old.get(field) or None)
    ]
    return errors + validate_class(new)


RULES: Final = KindRules(validate=validate_class, validate_update=validate_class_update, prepare_create=nothing, prepare_update=keep_all)
