"""Endpoints: subsets of addresses and ports.

Source: Kubernetes `pkg/apis/core/validation`, `pkg/registry/core/endpoint`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import cidr, names
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.addresses import validate_ordinary_ip
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing
from kcore.machinery.kinds.values import validate_port

PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
DEPRECATION: Final = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"

_ADDRESS_LISTS: Final = ("addresses", "notReadyAddresses")


def validate_endpoints(value: Object) -> list[FieldError]:
    """Check every subset."""
    errors: list[FieldError] = []
    for index, subset in enumerate(value.get("subsets") or ()):
        _validate_subset(subset or {}, f"subsets[{index}]", errors)
    return errors


def validate_endpoints_update(new: Object, old: Object) -> list[FieldError]:
    """Check subsets that changed."""
    return [] if (new.get("subsets") or None) == (old.get("subsets") or None) else validate_endpoints(new)


def _validate_subset(subset: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    if not any(subset.get(field) for field in _ADDRESS_LISTS):
        errors.append(fe.required(path, "must specify `addresses` or `notReadyAddresses`"))
    for field in _ADDRESS_LISTS:
        for index, address in enumerate(subset.get(field) or ()):
            _validate_address(address or {}, f"{path}.{field}[{index}]", errors)
    ports = subset.get("ports") or ()
    for index, port in enumerate(ports):
        _validate_port(port or {}, len(ports) > 1, f"{path}.ports[{index}]", errors)


def _validate_address(address: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    ip = address.get("ip") or ""
    cidr.validate_ip(ip, f"{path}.ip", errors)
    host = address.get("hostname")
    if host:
        errors.extend(fe.invalid(f"{path}.hostname", host, sentence) for sentence in names.dns1123_label(host))
    if address.get("nodeName") is not None:
        node = address["nodeName"]
        errors.extend(fe.invalid(f"{path}.nodeName", node, sentence) for sentence in names.dns1123_subdomain(node))
    validate_ordinary_ip(ip, f"{path}.ip", errors)


def _validate_port(port: dict[str, Any], named: bool, path: str, errors: list[FieldError]) -> None:
    name, protocol = port.get("name") or "", port.get("protocol") or ""
    if name:
        errors.extend(fe.invalid(f"{path}.name", name, sentence) for sentence in names.dns1123_label(name))
    elif named:
        errors.append(fe.required(f"{path}.name"))
    validate_port(port.get("port"), f"{path}.port", errors)
    if not protocol:
        errors.append(fe.required(f"{path}.protocol"))
    elif protocol not in PROTOCOLS:
        errors.append(fe.not_supported(f"{path}.protocol", protocol, PROTOCOLS))
    if port.get("appProtocol") is not None:
        app = port["appProtocol"]
        errors.extend(fe.invalid(f"{path}.appProtocol", app, sentence) for sentence in names.qualified_name(app))


RULES: Final = KindRules(
    validate=validate_endpoints, validate_update=validate_endpoints_update, prepare_create=nothing, prepare_update=keep_all,
    allow_create_on_update=True, deprecation=DEPRECATION,
)
