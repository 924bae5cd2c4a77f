"""EndpointSlice: addresses of one family, ports with distinct names, hints.

Source: Kubernetes `pkg/apis/discovery/validation`, `pkg/registry/discovery/endpointslice`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import cidr, labels, names
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.addresses import validate_ordinary_ip
from kcore.machinery.kinds.core.endpoints import PROTOCOLS
from kcore.machinery.kinds.disabled import drop_unless_stored
from kcore.machinery.kinds.rules import KindRules, Object

ADDRESS_TYPES: Final = ("FQDN", "IPv4", "IPv6")
ENDPOINTS_COUNT_MAX: Final = 1000
ADDRESSES_COUNT_MAX: Final = 100
PORTS_COUNT_MAX: Final = 20000
TOPOLOGY_COUNT_MAX: Final = 16
HINTS_COUNT_MAX: Final = 8
_TOPOLOGY: Final = ("endpoints", "*", "deprecatedTopology")
HOSTNAME_LABEL: Final = "kubernetes.io/hostname"


def validate_endpoint_slice(value: Object) -> list[FieldError]:
    """Check type, endpoints and ports."""
    errors: list[FieldError] = []
    kind = value.get("addressType") or ""
    if not kind:
        errors.append(fe.required("addressType"))
    elif kind not in ADDRESS_TYPES:
        errors.append(fe.not_supported("addressType", kind, ADDRESS_TYPES))
    endpoints = value.get("endpoints") or ()
    if len(endpoints) > ENDPOINTS_COUNT_MAX:
        errors.append(fe.too_many("endpoints", len(endpoints), ENDPOINTS_COUNT_MAX))
    else:
        for index, endpoint in enumerate(endpoints):
            _validate_endpoint(endpoint or {}, kind, f"endpoints[{index}]", errors)
    _validate_ports(value.get("ports") or (), errors)
    return errors


def validate_endpoint_slice_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; the type stays."""
    errors = validate_endpoint_slice(new)
    if (new.get("addressType") or "") != (old.get("addressType") or ""):
        errors.append(fe.immutable("addressType", None))
    return errors


def prepare_create(value: Object) -> None:
    """Drop the topology that endpoints had before they had zones and nodes."""
    drop_unless_stored(value, None, _TOPOLOGY)


def prepare_update(new: Object, old: Object) -> None:
    """Drop it where it was not before."""
    drop_unless_stored(new, old, _TOPOLOGY)


def _validate_endpoint(endpoint: dict[str, Any], kind: str, path: str, errors: list[FieldError]) -> None:
    addresses = endpoint.get("addresses") or ()
    if not addresses:
        errors.append(fe.required(f"{path}.addresses"))
    elif len(addresses) > ADDRESSES_COUNT_MAX:
        errors.append(fe.too_many(f"{path}.addresses", len(addresses), ADDRESSES_COUNT_MAX))
    for index, address in enumerate(addresses):
        _validate_address(address, kind, f"{path}.addresses[{index}]", errors)
    if endpoint.get("nodeName") is not None:
        node = endpoint["nodeName"]
        errors.extend(fe.invalid(f"{path}.nodeName", node, sentence) for sentence in names.dns1123_subdomain(node))
    _validate_topology(endpoint.get("deprecatedTopology") or {}, f"{path}.deprecatedTopology", errors)
    if endpoint.get("hostname") is not None:
        host = endpoint["hostname"]
        errors.extend(fe.invalid(f"{path}.hostname", host, sentence) for sentence in names.dns1123_label(host))
    for field in ("forZones", "forNodes"):
        _validate_hints((endpoint.get("hints") or {}).get(field) or (), f"{path}.hints.{field}", errors)


def _validate_address(address: str, kind: str, path: str, errors: list[FieldError]) -> None:
    if kind == "FQDN":
        errors.extend(fe.invalid(path, address, sentence) for sentence in names.fully_qualified_domain_name(address))
    elif kind in ("IPv4", "IPv6"):
        own: list[FieldError] = []
        cidr.validate_ip(address, path, own)
        if not own and cidr.family(address) != kind:
            article = "an" if kind[0] == "I" else "a"
            own.append(fe.invalid(path.rpartition("[")[0], address, f"must be {article} {kind} address"))
        errors += own
        if cidr.parse_ip(address) is not None:
            validate_ordinary_ip(address, path, errors)


def _validate_topology(topology: dict[str, str], path: str, errors: list[FieldError]) -> None:
    if len(topology) > TOPOLOGY_COUNT_MAX:
        errors.append(fe.too_many(path, len(topology), TOPOLOGY_COUNT_MAX))
    labels.validate_labels(topology, path, errors)
    if HOSTNAME_LABEL in topology:
        errors.append(fe.forbidden(f"{path}[{HOSTNAME_LABEL}]", "may not be set; use nodeName"))


def _validate_hints(hints: Any, path: str, errors: list[FieldError]) -> None:
    if len(hints) > HINTS_COUNT_MAX:
        errors.append(fe.too_many(path, len(hints), HINTS_COUNT_MAX))
        return
    seen: set[str] = set()
    for index, hint in enumerate(hints):
        name = (hint or {}).get("name") or ""
        if name in seen:
            errors.append(fe.duplicate(f"{path}[{index}].name", name))
        seen.add(name)
        errors.extend(fe.invalid(f"{path}[{index}].name", name, sentence) for sentence in names.label_value(name))


def _validate_ports(ports: Any, errors: list[FieldError]) -> None:
    if len(ports) > PORTS_COUNT_MAX:
        errors.append(fe.too_many("ports", len(ports), PORTS_COUNT_MAX))
        return
    seen: set[str] = set()
    for index, port in enumerate(ports):
        _validate_endpoint_port(port or {}, seen, f"ports[{index}]", errors)


def _validate_endpoint_port(port: dict[str, Any], seen: set[str], path: str, errors: list[FieldError]) -> None:
    name = port.get("name") or ""
    if name:
        errors.extend(fe.invalid(f"{path}.name", name, sentence) for sentence in names.dns1123_label(name))
    if name in seen:
        errors.append(fe.duplicate(f"{path}.name", name))
    seen.add(name)
    if port.get("protocol") is None:
        errors.append(fe.required(f"{path}.protocol"))
    elif port["protocol"] not in PROTOCOLS:
        errors.append(fe.not_supported(f"{path}.protocol", port["protocol"], PROTOCOLS))
    if port.get("appProtocol") is not None:
        app = port["appProtocol"]
        errors.extend(fe.invalid(f"{path}.appProtocol", app, sentence) for sentence in names.qualified_name(app))


RULES: Final = KindRules(
    validate=validate_endpoint_slice, validate_update=validate_endpoint_slice_update, prepare_create=prepare_create,
    prepare_update=prepare_update,
)
