"""ServiceCIDR: the ranges of addresses of Services, one for each family; a second family may come later.

Source: Kubernetes `pkg/apis/networking/validation`, `pkg/registry/networking/servicecidr`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import cidr
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rules import KindRules, Object

_CIDRS: Final = "spec.cidrs"
_FAMILIES: Final = 2


def validate_ranges(value: Object) -> list[FieldError]:
    """Check the ranges: one or two, of different families."""
    errors: list[FieldError] = []
    ranges = _ranges(value)
    if not ranges:
        return [fe.required(_CIDRS, "at least one CIDR required")]
    if len(ranges) > _FAMILIES:
        return [fe.invalid(_CIDRS, {"CIDRs": ranges}, "may only hold up to 2 values")]
    for index, text in enumerate(ranges):
        cidr.validate_cidr(text, f"{_CIDRS}[{index}]", errors)
        network = cidr.parse_cidr(text)
        if network is not None and not errors and str(network) != text:
            errors.append(fe.invalid(f"{_CIDRS}[{index}]", text, f'must be in canonical form ("{network}")'))
    families = [cidr.family(text) for text in ranges]
    if len(ranges) == _FAMILIES and families[0] == families[1] != "":
        detail = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
        errors.append(fe.invalid(_CIDRS, ranges, detail))
    return errors


def validate_ranges_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update: a range stays, another family may be added."""
    fresh, stored = _ranges(new), _ranges(old)
    if len(fresh) == len(stored):
        return [fe.immutable(f"{_CIDRS}[{index}]", text) for index, text in enumerate(fresh) if text != stored[index]]
    if len(stored) == 1 and len(fresh) == _FAMILIES:
        errors = [] if fresh[0] == stored[0] else [fe.immutable(f"{_CIDRS}[0]", fresh[0])]
        return errors + validate_ranges(new)
    return [fe.immutable(_CIDRS, (new.get("spec") or {}).get("cidrs"))]


def _ranges(value: Object) -> list[str]:
    return (value.get("spec") or {}).get("cidrs") or []


RULES: Final = KindRules(validate=validate_ranges, validate_update=validate_ranges_update)
