"""Names and lists of the kinds of devices: drivers, pools, attributes; lists that are bounded, and whose items are unique.

Source: Kubernetes `pkg/apis/resource/validation`.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError

Check = Callable[[Any, str, list[FieldError]], None]

DRIVER_SIZE_MAX: Final = 63
POOL_SIZE_MAX: Final = 253
IDENTIFIER_SIZE_MAX: Final = 32


def validate_label(name: str, path: str, errors: list[FieldError]) -> None:
    """Check a name that is one DNS label, such as a request's or a device's."""
    errors.extend(fe.invalid(path, name, sentence) for sentence in names.dns1123_label(name))


def validate_driver(name: str, path: str, errors: list[FieldError]) -> None:
    """Check the name of a driver."""
    if not name:
        errors.append(fe.required(path))
        return
    errors.extend(fe.invalid(path, name, sentence) for sentence in names.dns1123_subdomain_any_case(name))
    if len(name) > DRIVER_SIZE_MAX:
        errors.append(fe.too_long(path, DRIVER_SIZE_MAX, "characters"))


def validate_pool(name: str, path: str, errors: list[FieldError]) -> None:
    """Check the name of a pool: subdomains joined by slashes."""
    if not name:
        errors.append(fe.required(path))
        return
    if len(name.encode()) > POOL_SIZE_MAX:
        errors.append(fe.too_long(path, POOL_SIZE_MAX))
    for part in name.split("/"):
        errors.extend(fe.invalid(path, part, sentence) for sentence in names.dns1123_subdomain(part))


def validate_attribute_name(name: str, path: str, errors: list[FieldError]) -> None:
    """Check the name of an attribute or a capacity: an identifier, perhaps after a domain and a slash."""
    domain, slash, own = name.rpartition("/")
    if not name:
        errors.append(fe.required(path, "name required"))
    elif "/" in domain:
        errors.append(fe.invalid(path, name, "may only contain one slash"))
    else:
        if slash and not domain:
            errors.append(fe.required(path, "the domain must not be empty"))
        elif slash:
            validate_driver(domain, path, errors)
        if not own:
            errors.append(fe.required(path, "the name must not be empty"))
        else:
            validate_identifier(own, path, errors)


def validate_full_attribute_name(name: str, path: str, errors: list[FieldError]) -> None:
    """Check the name of an attribute that says whose it is."""
    validate_attribute_name(name, path, errors)
    if name and "/" not in name:
        errors.append(fe.invalid(path, name, "must include a domain"))


def validate_identifier(name: str, path: str, errors: list[FieldError]) -> None:
    """Check an identifier as C has them."""
    if len(name.encode()) > IDENTIFIER_SIZE_MAX:
        errors.append(fe.too_long(path, IDENTIFIER_SIZE_MAX))
    errors.extend(fe.type_invalid(path, name, sentence) for sentence in names.c_identifier(name))


def validate_items(items: Sequence[Any] | None, count_max: int, check: Check, path: str, errors: list[FieldError]) -> None:
    """Check each item of a list that holds at most so many."""
    for index, item in enumerate(items or ()):
        check(item, f"{path}[{index}]", errors)
    if items and len(items) > count_max:
        errors.append(fe.too_many(path, len(items), count_max))


def validate_set(items: Sequence[Any] | None, count_max: int, check: Check, path: str, errors: list[FieldError], key: str = "") -> None:
    """Check a list no two items of which are the same, or have the same `key`."""
    validate_items(items, count_max, check, path, errors)
    seen: set[Any] = set()
    for index, item in enumerate(items or ()):
        value = ((item or {}).get(key) or "") if key else item
        if value in seen:
            errors.append(fe.duplicate(f"{path}[{index}].{key}" if key else f"{path}[{index}]", value))
        seen.add(value)


def validate_map(items: dict[str, Any] | None, check: Check, path: str, errors: list[FieldError], name: Check) -> None:
    """Check names and values of a map."""
    for key, item in sorted((items or {}).items()):
        name(key, f"{path}[{key}]", errors)
        check(item or {}, f"{path}[{key}]", errors)
