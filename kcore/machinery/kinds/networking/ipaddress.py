"""IPAddress: that an address, its name, belongs to an object; it never belongs to another.

Source: Kubernetes `pkg/apis/networking/validation`, `pkg/registry/networking/ipaddress`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import cidr, names
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing

_PARENT: Final = "spec.parentRef"


def address_name(value: str, _prefix: bool) -> names.Sentences:
    """A name is an address in its canonical form."""
    address = cidr.parse_ip(value)
    if address is None:
        return (cidr.IP_SENTENCE if cidr.parse_ip_sloppy(value) is None else "must not have leading 0s",)
    return () if str(address) == value else (f'must be in canonical form ("{address}")',)


def validate_address(value: Object) -> list[FieldError]:
    """Check to whom the address belongs."""
    errors: list[FieldError] = []
    parent = (value.get("spec") or {}).get("parentRef")
    if parent is None:
        return [fe.required(_PARENT)]
    group = parent.get("group") or ""
    errors.extend(fe.invalid(f"{_PARENT}.group", group, sentence) for sentence in (names.dns1123_subdomain(group) if group else ()))
    for field in ("resource", "name", "namespace"):
        text = parent.get(field) or ""
        if not text and field != "namespace":
            errors.append(fe.required(f"{_PARENT}.{field}"))
        errors.extend(fe.invalid(f"{_PARENT}.{field}", text, sentence) for sentence in names.path_segment(text))
    return errors


def validate_address_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; the owner stays."""
    errors = validate_address(new)
    if (new.get("spec") or {}).get("parentRef") != (old.get("spec") or {}).get("parentRef"):
        errors.append(fe.immutable(_PARENT, None))
    return errors


RULES: Final = KindRules(
    validate=validate_address, validate_update=validate_address_update, prepare_create=nothing, prepare_update=keep_all,
    name_validator=address_name,
)
