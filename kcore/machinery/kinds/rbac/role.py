"""Role: what may be done in one namespace.

Source: Kubernetes `pkg/apis/rbac/validation`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rbac.policyrule import validate_rules
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing


def validate_role(value: Object) -> list[FieldError]:
    """Check the rules."""
    errors: list[FieldError] = []
    validate_rules(value.get("rules"), True, errors)
    return errors


def validate_update(new: Object, _old: Object) -> list[FieldError]:
    """Check an update as a new role."""
    return validate_role(new)


RULES: Final = KindRules(
    validate=validate_role, validate_update=validate_update, prepare_create=nothing, prepare_update=keep_all,
    name_validator=names.path_name, allow_create_on_update=True,
)
