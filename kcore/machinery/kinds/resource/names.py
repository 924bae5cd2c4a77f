"""Names and lists of the kinds of devices: drivers, pools, attributes; lists that are bounded, and whose items are unique.

Source: Kubernetes `pkg/apis/resource/validation`.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.core import volume_remote

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


def validate_driver_plainly(name: str, path: str, errors: list[FieldError]) -> None:
    """Check the name of a driver where rules of all kinds do."""
    volume_remote.validate_csi_driver_name(name, path, errors)


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
    if "/" in domain:
        return  # as upstream, which means to say something one day
    if slash and not domain:
        errors.append(fe.invalid(path, "", "the domain must not be empty"))
    elif slash:
        validate_driver_plainly(domain, path, errors)
    if slash and not own:
        errors.append(fe.invalid(path, "", "the name must not be empty"))
    else:
        validate_identifier(own, path, errors)


def validate_full_attribute_name(name: str, path: str, errors: list[FieldError]) -> None:
    """Check the name of an attribute that says whose it is."""
    domain, slash, own = name.rpartition("/")
    if not slash:
        validate_identifier(name, path, errors)
        errors.append(fe.invalid(path, name, "a fully qualified name must be a domain and a name separated by a slash"))
    elif "/" not in domain:
        if not domain:
            errors.append(fe.invalid(path, "", "prefix must not be empty"))
        else:
            if len(domain.encode()) > DRIVER_SIZE_MAX:
                errors.append(fe.too_long(path, DRIVER_SIZE_MAX))
            errors.extend(fe.invalid(path, domain, f"prefix: {sentence}") for sentence in names.long_name(domain, False))
        if not own:
            errors.append(fe.invalid(path, "", "name must not be empty"))
        else:
            validate_identifier(own, path, errors)


def validate_identifier(name: str, path: str, errors: list[FieldError]) -> None:
    """Check an identifier as C has them."""
    if len(name.encode()) > IDENTIFIER_SIZE_MAX:
        errors.append(fe.too_long(path, IDENTIFIER_SIZE_MAX))
    errors.extend(fe.invalid(path, name, sentence) for sentence in names.c_identifier(name))


def validate_items(items: Sequence[Any] | None, count_max: int, check: Check, path: str, errors: list[FieldError]) -> None:
    """Check each item of a list, if it holds at most so many."""
    if items and len(items) > count_max:
        errors.append(fe.too_many(path, len(items), count_max))
        return
    for index, item in enumerate(items or ()):
        check(item, f"{path}[{index}]", errors)


def validate_set(items: Sequence[Any] | None, count_max: int, check: Check, path: str, errors: list[FieldError], key: str = "") -> None:
    """Check a list no two items of which are the same, or have the same `key`."""
    validate_items(items, count_max, check, path, errors)
    if len(items or ()) <= count_max:
        errors.extend(fe.duplicate(f"{path}[{index}]", value) for index, value, _ in repeated(items, key))


def repeated(items: Sequence[Any] | None, key: str) -> Iterator[tuple[int, Any, Any]]:
    """The items that have been there before, by a `key` or altogether: where they are, the key, the item."""
    seen: set[Any] = set()
    for index, item in enumerate(items or ()):
        value = ((item or {}).get(key) or "") if key else item
        if value in seen:
            yield index, value, item
        seen.add(value)


def validate_map(items: dict[str, Any] | None, check: Check, path: str, errors: list[FieldError], name: Check) -> None:
    """Check names and values of a map."""
    for key, item in sorted((items or {}).items()):
        name(key, path, errors)
        check(item or {}, f"{path}[{key}]", errors)
