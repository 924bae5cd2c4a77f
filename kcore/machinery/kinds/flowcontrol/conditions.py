"""Conditions of the kinds of flow control: each type once.

Source: Kubernetes `pkg/apis/flowcontrol/validation`.
"""
from __future__ import annotations

from typing import Any

from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError


def validate_status(value: dict[str, Any], errors: list[FieldError]) -> None:
    """Check that no type of condition occurs twice, or is missing."""
    seen: set[str] = set()
    for index, condition in enumerate((value.get("status") or {}).get("conditions") or ()):
        path, kind = f"status.conditions[{index}].type", condition.get("type") or ""
        if kind in seen:
            errors.append(fe.duplicate(path, kind))
        seen.add(kind)
        if not kind:
            errors.append(fe.required(path, "must not be empty"))
