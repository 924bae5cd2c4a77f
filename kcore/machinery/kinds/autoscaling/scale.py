"""Scale: the number of replicas that is asked for, the body of the scale subresource.

Source: Kubernetes `pkg/apis/autoscaling/validation`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing
from kcore.machinery.kinds.values import validate_not_negative


def validate_scale(value: Object) -> list[FieldError]:
    """Check the number."""
    errors: list[FieldError] = []
    validate_not_negative((value.get("spec") or {}).get("replicas"), "spec.replicas", errors)
    return errors


def validate_scale_update(new: Object, _old: Object) -> list[FieldError]:
    """Check an update as a new Scale."""
    return validate_scale(new)


RULES: Final = KindRules(validate=validate_scale, validate_update=validate_scale_update, prepare_create=nothing, prepare_update=keep_all)
