"""Ingress: hosts, paths and the backends that they lead to.

Source: Kubernetes `pkg/apis/networking/validation`, `pkg/registry/networking/ingress`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import cidr, meta, names
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.networking.reference import validate_local_reference
from kcore.machinery.kinds.rules import KindRules, Object

CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"

_PATH_TYPES: Final = ("Exact", "ImplementationSpecific", "Prefix")
_BAD_PARTS: Final = ("//", "/./", "/../", "%2f", "%2F")
_BAD_ENDS: Final = ("/..", "/.")
_NOT_AN_IP: Final = "must be a DNS name, not an IP address"

Part = dict[str, Any]


def validate_new_ingress(value: Object) -> list[FieldError]:
    """Check a new Ingress: its class is named in one place only."""
    errors: list[FieldError] = []
    annotation = meta.annotations(value).get(CLASS_ANNOTATION)
    if annotation is not None and (value.get("spec") or {}).get("ingressClassName") is not None:
        path = f"metadata.annotations[{CLASS_ANNOTATION}]"
        errors.append(fe.invalid(path, annotation, "can not be set when the class field is also set"))
    return validate_ingress(value) + errors


def validate_ingress(value: Object) -> list[FieldError]:
    """Check the spec."""
    errors: list[FieldError] = []
    spec = value.get("spec") or {}
    if not spec.get("rules") and spec.get("defaultBackend") is None:
        errors.append(fe.invalid("spec", spec.get("rules"), "either `defaultBackend` or `rules` must be specified"))
    if spec.get("defaultBackend") is not None:
        _validate_backend(spec["defaultBackend"], "spec.defaultBackend", errors)
    for index, rule in enumerate(spec.get("rules") or ()):
        _validate_rule(rule or {}, f"spec.rules[{index}]", errors)
    for index, tls in enumerate(spec.get("tls") or ()):
        _validate_tls(tls or {}, f"spec.tls[{index}]", errors)
    name = spec.get("ingressClassName")
    if name is not None:
        errors.extend(fe.invalid("spec.ingressClassName", name, sentence) for sentence in names.dns1123_subdomain(name))
    return errors


def _host_sentences(host: str) -> names.Sentences:
    return names.wildcard_dns1123_subdomain(host) if "*" in host else names.dns1123_subdomain(host)


def _validate_tls(tls: Part, path: str, errors: list[FieldError]) -> None:
    for index, host in enumerate(tls.get("hosts") or ()):
        errors.extend(fe.invalid(f"{path}.hosts[{index}]", host, sentence) for sentence in _host_sentences(host))
    secret = tls.get("secretName") or ""
    if secret:
        errors.extend(fe.invalid(f"{path}.secretName", secret, sentence) for sentence in names.dns1123_subdomain(secret))


def _validate_rule(rule: Part, path: str, errors: list[FieldError]) -> None:
    host = rule.get("host") or ""
    if host:
        if cidr.parse_ip_sloppy(host) is not None:
            errors.append(fe.invalid(f"{path}.host", host, _NOT_AN_IP))
        errors.extend(fe.invalid(f"{path}.host", host, sentence) for sentence in _host_sentences(host))
    if rule.get("http") is None:
        return
    paths = rule["http"].get("paths") or ()
    if not paths:
        errors.append(fe.required(f"{path}.http.paths"))
    for index, each in enumerate(paths):
        _validate_path(each or {}, f"{path}.http.paths[{index}]", errors)


def _validate_path(part: Part, path: str, errors: list[FieldError]) -> None:
    kind, where = part.get("pathType"), part.get("path") or ""
    if kind is None:
        errors.append(fe.required(f"{path}.pathType", "pathType must be specified"))
        return
    if kind not in _PATH_TYPES:
        errors.append(fe.not_supported(f"{path}.pathType", kind, _PATH_TYPES))
    else:
        _validate_where(kind, where, f"{path}.path", errors)
    _validate_backend(part.get("backend") or {}, f"{path}.backend", errors)


def _validate_where(kind: str, where: str, path: str, errors: list[FieldError]) -> None:
    exact = kind != "ImplementationSpecific"
    if (exact or where) and not where.startswith("/"):
        errors.append(fe.invalid(path, where, "must be an absolute path"))
    if exact and where:
        errors.extend(fe.invalid(path, where, f"must not contain '{bad}'") for bad in _BAD_PARTS if bad in where)
        errors.extend(fe.invalid(path, where, f"cannot end with '{bad}'") for bad in _BAD_ENDS if where.endswith(bad))


def _validate_backend(backend: Part, path: str, errors: list[FieldError]) -> None:
    resource, service = backend.get("resource"), backend.get("service")
    if resource is not None and service is not None:
        errors.append(fe.invalid(path, "", "cannot set both resource and service backends"))
    elif resource is not None:
        validate_local_reference(resource, f"{path}.resource", errors)
    elif service is not None:
        _validate_service(service, path, errors)
    else:
        errors.append(fe.invalid(path, "", "resource or service backend is required"))


def _validate_service(service: Part, path: str, errors: list[FieldError]) -> None:
    name, port = service.get("name") or "", service.get("port") or {}
    if not name:
        errors.append(fe.required(f"{path}.service.name"))
    else:
        errors.extend(fe.invalid(f"{path}.service.name", name, sentence) for sentence in names.dns1123_label(name))
    port_name, number = port.get("name") or "", port.get("number") or 0
    if port_name and number:
        errors.append(fe.invalid(path, "", "cannot set both port name & port number"))
    elif port_name:
        errors.extend(fe.invalid(f"{path}.service.port.name", port_name, sentence) for sentence in names.port_name(port_name))
    elif number:
        errors.extend(fe.invalid(f"{path}.service.port.number", number, sentence) for sentence in names.port_number(number))
    else:
        errors.append(fe.required(path, "port name or number is required"))


def validate_update(new: Object, _old: Object) -> list[FieldError]:
    """Check an update as an Ingress that was there before."""
    return validate_ingress(new)


def validate_status_update(new: Object, _old: Object) -> list[FieldError]:
    """Check the addresses of the load balancer."""
    errors: list[FieldError] = []
    for index, ingress in enumerate(((new.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()):
        path, ip, host = f"status.loadBalancer.ingress[{index}]", ingress.get("ip") or "", ingress.get("hostname") or ""
        if ip:
            cidr.validate_ip(ip, f"{path}.ip", errors)
        if host:
            errors.extend(fe.invalid(f"{path}.hostname", host, sentence) for sentence in names.dns1123_subdomain(host))
            if cidr.parse_ip_sloppy(host) is not None:
                errors.append(fe.invalid(f"{path}.hostname", host, _NOT_AN_IP))
    return errors


def warn_ingress(new: Object, old: Object | None) -> list[str]:
    """Warn of the annotation that the class field has replaced."""
    if CLASS_ANNOTATION in meta.annotations(new) and old is None:
        return [f'annotation "{CLASS_ANNOTATION}" is deprecated, please use \'spec.ingressClassName\' instead']
    return []


RULES: Final = KindRules(
    validate=validate_new_ingress, validate_update=validate_update, validate_status_update=validate_status_update, warnings=warn_ingress,
)
