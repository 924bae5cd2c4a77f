"""Paths that a pod may name inside a volume: relative, without a step back, and not reserved.

Source: Kubernetes `pkg/apis/core/validation` (local descending and non-reserved paths).
"""
from __future__ import annotations

from kcore.machinery.field_error import FieldError, invalid


def has_backstep(path: str) -> bool:
    """Say whether a path has a `..` element."""
    return ".." in path and ".." in path.split("/")


def validate_no_backsteps(value: str, path: str, errors: list[FieldError]) -> None:
    """Refuse a path with a `..` element."""
    if has_backstep(value):
        errors.append(invalid(path, value, "must not contain '..'"))


def validate_descending_path(value: str, path: str, errors: list[FieldError]) -> None:
    """Refuse an absolute path and one with a `..` element."""
    if value.startswith("/"):
        errors.append(invalid(path, value, "must be a relative path"))
    validate_no_backsteps(value, path, errors)


def validate_local_path(value: str, path: str, errors: list[FieldError]) -> None:
    """Refuse what `validate_descending_path` refuses, and names that start with two dots (the kubelet's own)."""
    validate_descending_path(value, path, errors)
    if value.startswith("..") and not value.startswith("../"):
        errors.append(invalid(path, value, "must not start with '..'"))
