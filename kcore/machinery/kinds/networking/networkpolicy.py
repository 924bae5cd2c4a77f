"""NetworkPolicy: who may talk to whom, by labels, namespaces or blocks of addresses.

Source: Kubernetes `pkg/apis/networking/validation`, `pkg/apis/networking/v1/defaults.go`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import cidr, labels, names
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing

_TYPES: Final = ("Ingress", "Egress")
_PROTOCOLS: Final = ("TCP", "UDP", "SCTP")

Part = dict[str, Any]


def default_policy(value: Object) -> None:
    """A policy is about what comes in, and about what goes out if it says so."""
    spec = value.setdefault("spec", {})
    if not spec.get("policyTypes"):
        spec["policyTypes"] = list(_TYPES if spec.get("egress") else _TYPES[:1])


def validate_policy(value: Object) -> list[FieldError]:
    """Check selectors, ports and peers."""
    errors: list[FieldError] = []
    spec = value.get("spec") or {}
    labels.validate_message(spec.get("podSelector") or {}, "spec.podSelector", errors)
    for field, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(field) or ()):
            path = f"spec.{field}[{index}]"
            for place, port in enumerate((rule or {}).get("ports") or ()):
                _validate_port(port or {}, f"{path}.ports[{place}]", errors)
            for place, peer in enumerate((rule or {}).get(peers) or ()):
                _validate_peer(peer or {}, f"{path}.{peers}[{place}]", errors)
    types = spec.get("policyTypes") or []
    if len(types) > len(_TYPES):
        errors.append(fe.invalid("spec.policyTypes", types, "may not specify more than two policyTypes"))
    else:
        unknown = [(index, kind) for index, kind in enumerate(types) if kind not in _TYPES]
        errors.extend(fe.not_supported(f"spec.policyTypes[{index}]", kind, _TYPES) for index, kind in unknown)
    return errors


def _validate_port(port: Part, path: str, errors: list[FieldError]) -> None:
    protocol, number, end = port.get("protocol"), port.get("port"), port.get("endPort")
    if protocol is not None and protocol not in _PROTOCOLS:
        errors.append(fe.not_supported(f"{path}.protocol", protocol, _PROTOCOLS))
    if isinstance(number, str):
        if end is not None:
            errors.append(fe.invalid(f"{path}.endPort", end, "may not be specified when `port` is non-numeric"))
        errors.extend(fe.invalid(f"{path}.port", number, sentence) for sentence in names.port_name(number))
    elif number is not None:
        errors.extend(fe.invalid(f"{path}.port", number, sentence) for sentence in names.port_number(number))
        if end is not None:
            if number > end:
                errors.append(fe.invalid(f"{path}.endPort", end, "must be greater than or equal to `port`"))
            errors.extend(fe.invalid(f"{path}.endPort", end, sentence) for sentence in names.port_number(end))
    elif end is not None:
        errors.append(fe.invalid(f"{path}.endPort", end, "may not be specified when `port` is not specified"))


def _validate_peer(peer: Part, path: str, errors: list[FieldError]) -> None:
    found = [field for field in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(field) is not None]
    for field in found:
        if field == "ipBlock":
            _validate_block(peer[field], f"{path}.ipBlock", errors)
        else:
            labels.validate_message(peer[field], f"{path}.{field}", errors)
    if not found:
        errors.append(fe.required(path, "must specify a peer"))
    elif len(found) > 1 and "ipBlock" in found:
        errors.append(fe.forbidden(path, "may not specify both ipBlock and another peer"))


def _validate_block(block: Part, path: str, errors: list[FieldError]) -> None:
    text = block.get("cidr") or ""
    if not text:
        errors.append(fe.required(f"{path}.cidr"))
        return
    own: list[FieldError] = []
    cidr.validate_cidr(text, f"{path}.cidr", own)
    errors += own
    network = cidr.parse_cidr(text)
    if own or network is None:
        return
    for index, part in enumerate(block.get("except") or ()):
        at, wrong = f"{path}.except[{index}]", list[FieldError]()
        cidr.validate_cidr(part, at, wrong)
        errors += wrong
        inner = cidr.parse_cidr(part)
        if not wrong and inner is not None and not _is_strictly_inside(inner, network):
            errors.append(fe.invalid(at, part, "must be a strict subset of `cidr`"))


def _is_strictly_inside(inner: cidr.Network, outer: cidr.Network) -> bool:
    return inner.version == outer.version and inner.prefixlen > outer.prefixlen and inner.network_address in outer


def validate_update(new: Object, _old: Object) -> list[FieldError]:
    """Check an update as a new policy."""
    return validate_policy(new)


RULES: Final = KindRules(
    default=default_policy, validate=validate_policy, validate_update=validate_update, prepare_create=nothing, prepare_update=keep_all,
)
