"""Addresses of endpoints: an address that can be reached from elsewhere.

Source: Kubernetes `pkg/apis/core/validation` (ValidateNonSpecialIP).
"""
from __future__ import annotations

from kcore.machinery import cidr
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError


def validate_ordinary_ip(value: str, path: str, errors: list[FieldError]) -> None:
    """Refuse addresses that mean this host, this link, or nothing."""
    address = cidr.parse_ip_sloppy(value)
    if address is None:
        errors.append(fe.invalid(path, value, "must be a valid IP address"))
        return
    if address.is_unspecified:
        errors.append(fe.invalid(path, value, f"may not be unspecified ({value})"))
    if address.is_loopback:
        errors.append(fe.invalid(path, value, "may not be in the loopback range (127.0.0.0/8, ::1/128)"))
    if address.is_link_local:
        errors.append(fe.invalid(path, value, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"))
    if address in cidr.LINK_LOCAL_MULTICAST[address.version]:
        errors.append(fe.invalid(path, value, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"))
