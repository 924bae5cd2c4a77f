"""A reference to an object of any group in the same place.

Source: Kubernetes `pkg/apis/networking/validation`.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError


def validate_local_reference(reference: Mapping[str, Any], path: str, errors: list[FieldError]) -> None:
    """Check group, kind and name."""
    group = reference.get("apiGroup")
    if group is not None:
        errors.extend(fe.invalid(f"{path}.apiGroup", group, sentence) for sentence in names.dns1123_subdomain(group))
    for field in ("kind", "name"):
        value = reference.get(field) or ""
        if not value:
            errors.append(fe.required(f"{path}.{field}"))
        errors.extend(fe.invalid(f"{path}.{field}", value, sentence) for sentence in names.path_segment(value))
