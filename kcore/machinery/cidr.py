"""IP addresses and CIDRs: strict reading, rules with Kubernetes' sentences, and warnings about forms that are legal but not canonical.

Sloppy reading takes leading zeros as decimal, as Kubernetes did for years; new values must be strict, values that are stored may stay.

Source: Kubernetes apimachinery `pkg/util/validation/ip.go`, `k8s.io/utils/net`.
"""
from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

IPV4: Final = "IPv4"
IPV6: Final = "IPv6"
LINK_LOCAL_MULTICAST: Final[dict[int, Network]] = {4: IPv4Network("224.0.0.0/24"), 6: IPv6Network("ff02::/16")}
IP_SENTENCE: Final = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_STRICT_IPV4: Final = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
"""Nearly all addresses there are: reading one costs ten times as much."""
CIDR_SENTENCE: Final = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def parse_ip(text: str) -> Address | None:
    """Read an address strictly: no leading zeros, no zone; None if it is none."""
    if "%" in text or "/" in text:
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None


def parse_ip_sloppy(text: str) -> Address | None:
    """Read an address; leading zeros of IPv4 parts are ignored."""
    return parse_ip(text) or parse_ip(_without_leading_zeros(text))


def parse_cidr(text: str) -> Network | None:
    """Read a CIDR strictly but for bits beyond the prefix, which are dropped; None if it is none."""
    address, slash, length = text.partition("/")
    if not slash or parse_ip(address) is None or not _is_length(length) or (len(length) > 1 and length[0] == "0"):
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def parse_cidr_sloppy(text: str) -> Network | None:
    """Read a CIDR; leading zeros are ignored, bits beyond the prefix dropped."""
    address, slash, length = text.partition("/")
    return parse_cidr(f"{_without_leading_zeros(address)}/{int(length)}") if slash and _is_length(length) else None


def family(text: str) -> str:
    """Name the family of an address or CIDR; the empty string if it is neither."""
    found = parse_cidr_sloppy(text) if "/" in text else parse_ip_sloppy(text)
    return "" if found is None else IPV4 if found.version == 4 else IPV6


def validate_ip(value: str, path: str, errors: list[FieldError], stored: Collection[str] = ()) -> None:
    """Check an address; one that is among the `stored` ones stays legal."""
    if value in stored or _STRICT_IPV4.fullmatch(value):
        return
    if parse_ip_sloppy(value) is None:
        errors.append(fe.invalid(path, value, IP_SENTENCE))
        return
    strict = parse_ip(value)
    if strict is None:
        errors.append(fe.invalid(path, value, "must not have leading 0s"))
    elif _is_mapped(strict):
        errors.append(fe.invalid(path, value, "must not be an IPv4-mapped IPv6 address"))


def validate_cidr(value: str, path: str, errors: list[FieldError], stored: Collection[str] = ()) -> None:
    """Check a CIDR; one that is among the `stored` ones stays legal."""
    if value in stored:
        return
    if parse_cidr_sloppy(value) is None:
        errors.append(fe.invalid(path, value, CIDR_SENTENCE))
        return
    network = parse_cidr(value)
    if network is None:
        errors.append(fe.invalid(path, value, "must not have leading 0s in IP or prefix length"))
        return
    address = ip_address(value.partition("/")[0])
    if _is_mapped(address):
        errors.append(fe.invalid(path, value, "must not have an IPv4-mapped IPv6 address"))
    if address != network.network_address:
        errors.append(fe.invalid(path, value, "must not have bits set beyond the prefix length"))


def warn_ip(value: str, path: str) -> list[str]:
    """Warn of an address that other software may read in another way."""
    address = parse_ip_sloppy(value)
    if address is None:
        return []
    if parse_ip(value) is None:
        return [f'{path}: non-standard IP address "{value}" will be considered invalid in a future Kubernetes release: use "{address}"']
    if address.version == 6 and str(address) != value and not _is_mapped(address):
        return [f'{path}: IPv6 address "{value}" should be in RFC 5952 canonical format ("{address}")']
    return []


def warn_cidr(value: str, path: str) -> list[str]:
    """Warn of a CIDR that other software may read in another way."""
    network = parse_cidr_sloppy(value)
    if network is None:
        return []
    address = parse_ip_sloppy(value.partition("/")[0])
    if parse_cidr(value) is None or address != network.network_address:
        return [f'{path}: non-standard CIDR value "{value}" will be considered invalid in a future Kubernetes release: use "{network}"']
    if network.version == 6 and str(network) != value:
        return [f'{path}: IPv6 CIDR value "{value}" should be in RFC 5952 canonical format ("{network}")']
    return []


def _is_mapped(address: Address) -> bool:
    return address.version == 6 and address.ipv4_mapped is not None


def _is_length(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _without_leading_zeros(text: str) -> str:
    head, colon, tail = text.rpartition(":")
    if "." not in tail:
        return text
    return head + colon + ".".join(part.lstrip("0") or part[:1] for part in tail.split("."))
