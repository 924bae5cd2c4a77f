"""MutatingAdmissionPolicyBinding: puts a policy into force.

Source: Kubernetes `pkg/apis/admissionregistration/validation`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.admissionregistration import policy_binding
from kcore.machinery.kinds.rules import KindRules, Object


def validate_binding(value: Object) -> list[FieldError]:
    """Check a binding."""
    errors: list[FieldError] = []
    policy_binding.validate_frame(value.get("spec") or {}, errors)
    return errors


RULES: Final = KindRules(
    validate=validate_binding, validate_update=lambda new, _old: validate_binding(new),
    own_finalizers=False, allow_unconditional_update=False,
)
