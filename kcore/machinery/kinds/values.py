"""Rules for single values that many kinds share: numbers, immutable fields, int-or-percent values, amounts of resources.

Source: Kubernetes `pkg/apis/core/validation`, apimachinery `pkg/api/validation/generic.go`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import names, quantity
from kcore.machinery.field_error import FieldError

Object = dict[str, Any]

NOT_NEGATIVE: Final = "must be greater than or equal to 0"
POSITIVE: Final = "must be greater than 0"
GREATER_THAN_ZERO: Final = "must be greater than zero"
INTEGER: Final = "must be an integer"

_COUNTED_RESOURCES: Final = frozenset((
    "pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps", "persistentvolumeclaims",
    "services.nodeports", "services.loadbalancers",
))
_NATIVE_DOMAIN: Final = "kubernetes.io/"
_REQUESTS_PREFIX: Final = "requests."


def validate_not_negative(value: int | None, path: str, errors: list[FieldError]) -> None:
    """Refuse a number below zero."""
    if value is not None and value < 0:
        errors.append(fe.invalid(path, value, NOT_NEGATIVE))


def validate_positive(value: int | None, path: str, errors: list[FieldError]) -> None:
    """Refuse a number below one."""
    if value is not None and value <= 0:
        errors.append(fe.invalid(path, value, POSITIVE))


def validate_immutable(new: Any, old: Any, path: str, errors: list[FieldError]) -> None:
    """Refuse a value that differs from the stored one."""
    if new != old:
        errors.append(fe.immutable(path, new))


def validate_required(value: Any, path: str, errors: list[FieldError]) -> None:
    """Refuse an empty value."""
    if not value:
        errors.append(fe.required(path))


def validate_port(value: int | None, path: str, errors: list[FieldError]) -> None:
    """Refuse a number that is no port."""
    errors.extend(fe.invalid(path, value or 0, sentence) for sentence in names.port_number(value or 0))


def validate_int_or_percent(value: int | str | None, path: str, errors: list[FieldError]) -> None:
    """Check a number that is not negative, or a percentage."""
    if isinstance(value, str):
        errors.extend(fe.invalid(path, value, sentence) for sentence in names.percent(value))
    else:
        validate_not_negative(value, path, errors)


def validate_not_more_than_100_percent(value: int | str | None, path: str, errors: list[FieldError]) -> None:
    """Refuse a percentage above 100; anything else passes."""
    share = percentage(value)
    if share is not None and share > 100:
        errors.append(fe.invalid(path, value, "must not be greater than 100%"))


def percentage(value: int | str | None) -> int | None:
    """Return the number of a percentage, None if the value is none."""
    if isinstance(value, str) and not names.percent(value):
        return int(value[:-1])
    return None


def int_or_percent_value(value: int | str | None) -> int:
    """Return the number itself or that of the percentage; 0 for what is neither."""
    return value if isinstance(value, int) else percentage(value) or 0


def is_native_resource(name: str) -> bool:
    """Say whether a resource belongs to Kubernetes: no domain, or one of its own."""
    return "/" not in name or _NATIVE_DOMAIN in name


def is_extended_resource(name: str) -> bool:
    """Say whether a resource is a vendor's, such as `example.com/gpu`."""
    return not is_native_resource(name) and not name.startswith(_REQUESTS_PREFIX) and not names.qualified_name(_REQUESTS_PREFIX + name)


def is_counted_resource(name: str) -> bool:
    """Say whether amounts of a resource are whole numbers."""
    return name in _COUNTED_RESOURCES or is_extended_resource(name)


def validate_not_negative_amount(amount: str, path: str, errors: list[FieldError]) -> None:
    """Refuse an amount below zero."""
    if quantity.parse(amount).nano < 0:
        errors.append(fe.invalid(path, quantity.canonical(amount), NOT_NEGATIVE))


def validate_amount(resource: str, amount: str, path: str, errors: list[FieldError]) -> None:
    """Check an amount of a resource: not negative, and whole if the resource is counted."""
    validate_not_negative_amount(amount, path, errors)
    if is_counted_resource(resource) and quantity.parse(amount).milli_value() % 1000:
        errors.append(fe.invalid(path, quantity.canonical(amount), INTEGER))


def drop_empty(value: Object, *fields: str) -> None:
    """Remove fields that hold nothing, so that an absent and an empty one compare equal."""
    for field in fields:
        if field in value and not value[field]:
            del value[field]
