"""References of an autoscaler to what it scales or measures: kind, name and a version with its group.

Source: Kubernetes `pkg/apis/autoscaling/validation`.
"""
from __future__ import annotations

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rules import Object


def validate_reference(reference: Object, path: str, errors: list[FieldError], core: bool, any_version: bool) -> None:
    """Check a reference.

    core         the core group may be meant
    any_version  the version is not judged
    """
    for field in ("kind", "name"):
        text = reference.get(field) or ""
        if not text:
            errors.append(fe.required(f"{path}.{field}"))
        errors.extend(fe.invalid(f"{path}.{field}", text, sentence) for sentence in names.path_segment(text))
    trouble = None if any_version else reference_api_version_trouble(reference, core)
    if trouble is not None:
        errors.append(fe.invalid(f"{path}.apiVersion", reference.get("apiVersion") or "", trouble))


def reference_api_version_trouble(reference: Object, core: bool) -> str | None:
    """Say what is wrong with the version of a reference, None if nothing is."""
    version = reference.get("apiVersion") or ""
    if version.count("/") > 1:
        return f"unexpected GroupVersion string: {version}"
    has_group = "/" in version and not version.startswith("/")
    return None if core or has_group else "apiVersion must specify API group"
