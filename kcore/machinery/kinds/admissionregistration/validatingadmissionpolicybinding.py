"""ValidatingAdmissionPolicyBinding: puts a policy into force, and says what a violation leads to.

Source: Kubernetes `pkg/apis/admissionregistration/validation`.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.admissionregistration import match, policy_binding
from kcore.machinery.kinds.rules import KindRules, Object

_ACTIONS: Final = ("Audit", "Deny", "Warn")
_TWICE: Final = (
    "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers "
    "serves no purpose)"
)


def validate_binding(value: Object) -> list[FieldError]:
    """Check a binding."""
    errors: list[FieldError] = []
    spec = value.get("spec") or {}
    policy_binding.validate_frame(spec, errors)
    _validate_actions(spec.get("validationActions") or [], "spec.validationActions", errors)
    return errors


def _validate_actions(actions: Sequence[str], path: str, errors: list[FieldError]) -> None:
    seen: set[str] = set()
    for index, action in enumerate(actions):
        match.validate_choice(action or "", _ACTIONS, f"{path}[{index}]", errors)
        if action in seen:
            errors.append(fe.duplicate(f"{path}[{index}]", action))
        seen.add(action)
    if {"Deny", "Warn"} <= seen:
        errors.append(fe.invalid(path, actions, _TWICE))
    if not actions:
        errors.append(fe.required(path))


RULES: Final = KindRules(
    validate=validate_binding, validate_update=lambda new, _old: validate_binding(new),
    own_finalizers=False, allow_unconditional_update=False,
)
