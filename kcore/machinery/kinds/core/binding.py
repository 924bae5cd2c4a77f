"""Binding: which node a pod goes to.

Source: Kubernetes `pkg/apis/core/validation` (ValidatePodBinding).
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rules import KindRules, Object, nothing


def validate_binding(value: Object) -> list[FieldError]:
    """Check the target; the caller answers with the sentences alone, without the reason Invalid."""
    target = value.get("target") or {}
    errors: list[FieldError] = []
    kind, name = target.get("kind") or "", target.get("name") or ""
    if kind not in ("", "Node"):
        errors.append(fe.not_supported("target.kind", kind, ("Node", "<empty>")))
    if not name:
        errors.append(fe.required("target.name"))
    else:
        errors.extend(fe.invalid("target.name", name, sentence) for sentence in names.dns1123_subdomain(name))
    return errors


RULES: Final = KindRules(validate=validate_binding, prepare_create=nothing)
