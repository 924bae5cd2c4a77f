"""The rules of a Service's spec and status.

Source: Kubernetes `pkg/apis/core/validation`, observed answers of 1.37.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import cidr, labels, meta, names
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.kinds.addresses import validate_ordinary_ip
from kcore.machinery.kinds.core.endpoints import PROTOCOLS
from kcore.machinery.kinds.rules import Object
from kcore.machinery.kinds.values import validate_port

CLUSTER_IP: Final = "ClusterIP"
NODE_PORT: Final = "NodePort"
LOAD_BALANCER: Final = "LoadBalancer"
EXTERNAL_NAME: Final = "ExternalName"
NO_IP: Final = "None"
CLIENT_IP: Final = "ClientIP"
CLUSTER: Final = "Cluster"
LOCAL: Final = "Local"
SINGLE_STACK: Final = "SingleStack"
KUBELET_PORT: Final = 10250
AFFINITY_TIMEOUT_S_MAX: Final = 86_400
SOURCE_RANGES_ANNOTATION: Final = "service.beta.kubernetes.io/load-balancer-source-ranges"

_TYPES: Final = (CLUSTER_IP, EXTERNAL_NAME, LOAD_BALANCER, NODE_PORT)
_AFFINITIES: Final = (CLIENT_IP, "None")
_POLICIES: Final = (CLUSTER, LOCAL)
_FAMILIES: Final = (cidr.IPV4, cidr.IPV6)
_FAMILY_POLICIES: Final = ("PreferDualStack", "RequireDualStack", SINGLE_STACK)
_DISTRIBUTIONS: Final = ("PreferClose", "PreferSameZone", "PreferSameNode")
_IP_MODES: Final = ("Proxy", "VIP")
_ONLY_LOAD_BALANCER: Final = "may only be used when `type` is 'LoadBalancer'"
_NOT_FOR_EXTERNAL_NAME: Final = "may not be set for ExternalName services"
_ONCE: Final = "may not change once set"
_AFFINITY_NEEDED: Final = "when session affinity type is ClientIP"
_PORT_FIELDS: Final = (
    StructField("Name", "name", ""), StructField("Protocol", "protocol", ""), StructField("AppProtocol", "appProtocol"),
    StructField("Port", "port", 0), StructField("TargetPort", "targetPort", 0), StructField("NodePort", "nodePort", 0),
)

Spec = dict[str, Any]


def is_headless(spec: Spec) -> bool:
    """Say whether the service asks for no cluster IP."""
    return bool(spec.get("clusterIPs")) and len(spec["clusterIPs"]) == 1 and spec["clusterIPs"][0] == NO_IP


def is_externally_accessible(spec: Spec) -> bool:
    """Say whether the service can be reached from outside the cluster."""
    return spec.get("type") in (LOAD_BALANCER, NODE_PORT) or (spec.get("type") == CLUSTER_IP and bool(spec.get("externalIPs")))


def needs_health_check(spec: Spec) -> bool:
    """Say whether the service has a node port for health checks."""
    return spec.get("type") == LOAD_BALANCER and spec.get("externalTrafficPolicy") == LOCAL


def validate_service(value: Object, stored: Spec | None = None) -> list[FieldError]:
    """Check a service whose allocated fields are set; `stored` is the spec whose addresses may stay."""
    errors: list[FieldError] = []
    spec: Spec = value.get("spec") or {}
    if not spec.get("ports") and not is_headless(spec) and spec.get("type") != EXTERNAL_NAME:
        errors.append(fe.required("spec.ports"))
    _validate_by_type(spec, errors)
    _validate_port_list(spec, errors)
    labels.validate_labels(spec.get("selector"), "spec.selector", errors)
    _validate_affinity(spec, errors)
    validate_cluster_ips(spec, errors, stored)
    for index, text in enumerate(spec.get("externalIPs") or ()):
        path, count = f"spec.externalIPs[{index}]", len(errors)
        cidr.validate_ip(text, path, errors, (stored or {}).get("externalIPs") or ())
        if len(errors) == count:
            validate_ordinary_ip(text, path, errors)
    _validate_type(spec, errors)
    _validate_distinct_ports(spec, errors)
    _validate_source_ranges(value, spec, stored, errors)
    if spec.get("allocateLoadBalancerNodePorts") is not None and spec.get("type") != LOAD_BALANCER:
        errors.append(fe.forbidden("spec.allocateLoadBalancerNodePorts", _ONLY_LOAD_BALANCER))
    _validate_load_balancer_class(spec, None, errors)
    _validate_traffic(spec, errors)
    return errors


def validate_service_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; what was given out stays."""
    fresh, stored = new.get("spec") or {}, old.get("spec") or {}
    if needs_health_check(fresh) and needs_health_check(stored):
        before, after = stored.get("healthCheckNodePort") or 0, fresh.get("healthCheckNodePort") or 0
        if before and after != before:
            return [fe.forbidden("spec.healthCheckNodePort", fe.IMMUTABLE)]
    errors: list[FieldError] = []
    if EXTERNAL_NAME not in (fresh.get("type"), stored.get("type")):
        _validate_same_ips(fresh, stored, errors)
        _validate_same_families(fresh, stored, errors)
    _validate_load_balancer_class(fresh, stored, errors)
    return errors + validate_service(new, stored)


def validate_status_update(new: Object, _old: Object) -> list[FieldError]:
    """Check the addresses of a load balancer."""
    errors: list[FieldError] = []
    spec, path = new.get("spec") or {}, "status.loadBalancer.ingress"
    ingresses = ((new.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    if ingresses and spec.get("type") != LOAD_BALANCER:
        return [fe.forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")]
    for index, ingress in enumerate(ingresses):
        validate_ingress(ingress or {}, f"{path}[{index}]", errors)
    return errors


def validate_ingress(ingress: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    """Check one address of a load balancer."""
    ip, mode, host = ingress.get("ip") or "", ingress.get("ipMode"), ingress.get("hostname") or ""
    if ip:
        cidr.validate_ip(ip, f"{path}.ip", errors)
    if ip and mode is None:
        errors.append(fe.required(f"{path}.ipMode", "must be specified when `ip` is set"))
    elif mode is not None and not ip:
        errors.append(fe.forbidden(f"{path}.ipMode", "may not be specified when `ip` is not set"))
    elif mode is not None and mode not in _IP_MODES:
        errors.append(fe.not_supported(f"{path}.ipMode", mode, _IP_MODES))
    if host:
        errors.extend(fe.invalid(f"{path}.hostname", host, sentence) for sentence in names.dns1123_subdomain(host))
        if cidr.parse_ip_sloppy(host) is not None:
            errors.append(fe.invalid(f"{path}.hostname", host, "must be a DNS name, not an IP address"))


def _validate_by_type(spec: Spec, errors: list[FieldError]) -> None:
    kind = spec.get("type")
    if kind == LOAD_BALANCER:
        for index, port in enumerate(spec.get("ports") or ()):
            if port.get("port") == KUBELET_PORT:
                detail = f"may not expose port {KUBELET_PORT} externally since it is used by kubelet"
                errors.append(fe.invalid(f"spec.ports[{index}]", KUBELET_PORT, detail))
    if kind in (LOAD_BALANCER, NODE_PORT) and is_headless(spec):
        errors.append(fe.invalid("spec.clusterIPs[0]", NO_IP, f"may not be set to 'None' for {kind} services"))
    if kind == EXTERNAL_NAME:
        if spec.get("clusterIP") or spec.get("clusterIPs"):
            errors.append(fe.forbidden("spec.clusterIPs", _NOT_FOR_EXTERNAL_NAME))
        if spec.get("ipFamilies"):
            errors.append(fe.forbidden("spec.ipFamilies", _NOT_FOR_EXTERNAL_NAME))
        if spec.get("ipFamilyPolicy") is not None:
            errors.append(fe.forbidden("spec.ipFamilyPolicy", _NOT_FOR_EXTERNAL_NAME))
        _validate_external_name(spec.get("externalName") or "", errors)


def _validate_external_name(name: str, errors: list[FieldError]) -> None:
    host = name.removesuffix(".")
    if not host:
        errors.append(fe.required("spec.externalName"))
    errors.extend(fe.invalid("spec.externalName", host, sentence) for sentence in (names.dns1123_subdomain(host) if host else ()))


def _validate_port_list(spec: Spec, errors: list[FieldError]) -> None:
    ports = spec.get("ports") or ()
    seen: set[str] = set()
    for index, port in enumerate(ports):
        _validate_service_port(port or {}, len(ports) > 1, seen, f"spec.ports[{index}]", errors)


def _validate_service_port(port: dict[str, Any], named: bool, seen: set[str], path: str, errors: list[FieldError]) -> None:
    name, protocol, target = port.get("name") or "", port.get("protocol") or "", port.get("targetPort") or 0
    if name:
        errors.extend(fe.invalid(f"{path}.name", name, sentence) for sentence in names.dns1123_label(name))
        if name in seen:
            errors.append(fe.duplicate(f"{path}.name", name))
        seen.add(name)
    elif named:
        errors.append(fe.required(f"{path}.name"))
    validate_port(port.get("port"), f"{path}.port", errors)
    if not protocol:
        errors.append(fe.required(f"{path}.protocol"))
    elif protocol not in PROTOCOLS:
        errors.append(fe.not_supported(f"{path}.protocol", protocol, PROTOCOLS))
    wrong = names.port_name(target) if isinstance(target, str) else names.port_number(target)
    errors.extend(fe.invalid(f"{path}.targetPort", target, sentence) for sentence in wrong)
    if port.get("appProtocol") is not None:
        app = port["appProtocol"]
        errors.extend(fe.invalid(f"{path}.appProtocol", app, sentence) for sentence in names.qualified_name(app))


def _validate_affinity(spec: Spec, errors: list[FieldError]) -> None:
    affinity, config, path = spec.get("sessionAffinity") or "", spec.get("sessionAffinityConfig"), "spec.sessionAffinityConfig"
    if not affinity:
        errors.append(fe.required("spec.sessionAffinity"))
    elif affinity not in _AFFINITIES:
        errors.append(fe.not_supported("spec.sessionAffinity", affinity, _AFFINITIES))
    if affinity == "None" and config is not None:
        errors.append(fe.forbidden(path, "must not be set when session affinity is None"))
    if affinity != CLIENT_IP:
        return
    client = (config or {}).get("clientIP")
    timeout_s = (client or {}).get("timeoutSeconds")
    if config is None:
        errors.append(fe.required(path, _AFFINITY_NEEDED))
    elif client is None:
        errors.append(fe.required(f"{path}.clientIP", _AFFINITY_NEEDED))
    elif timeout_s is None:
        errors.append(fe.required(f"{path}.clientIP.timeoutSeconds", _AFFINITY_NEEDED))
    elif not 0 < timeout_s <= AFFINITY_TIMEOUT_S_MAX:
        detail = f"must be greater than 0 and less than {AFFINITY_TIMEOUT_S_MAX}"
        errors.append(fe.invalid(f"{path}.clientIP.timeoutSeconds", timeout_s, detail))


def validate_cluster_ips(spec: Spec, errors: list[FieldError], stored: Spec | None = None) -> None:
    """Check cluster IPs, families and family policy against each other; also before any of them is allocated."""
    if spec.get("type") == EXTERNAL_NAME:
        return
    own: list[FieldError] = []
    ip, ips = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    if ip and not ips:
        own.append(fe.required("spec.clusterIPs"))
    elif ip and ips[0] != ip:
        own.append(fe.invalid("spec.clusterIPs", ips, "first value must match `clusterIP`"))
    elif ips and not ip:
        own.append(fe.invalid("spec.clusterIPs", ips, "must be empty when `clusterIP` is not specified"))
    _validate_families(spec, own)
    if _validate_each_ip(ips, (stored or {}).get("clusterIPs") or (), own):
        if len(ips) > 1 and len({cidr.family(text) for text in ips}) < len(ips):
            own.append(fe.invalid("spec.clusterIPs", ips, "may specify no more than one IP for each IP family"))
        if not own and not is_headless(spec) and spec.get("ipFamilies"):
            _validate_ip_families(ips, spec["ipFamilies"], own)
    errors += own


def _validate_families(spec: Spec, errors: list[FieldError]) -> None:
    seen: set[str] = set()
    for index, family in enumerate(spec.get("ipFamilies") or ()):
        if family not in _FAMILIES:
            errors.append(fe.not_supported(f"spec.ipFamilies[{index}]", family, _FAMILIES))
        if family in seen:
            errors.append(fe.duplicate(f"spec.ipFamilies[{index}]", family))
        seen.add(family)
    policy = spec.get("ipFamilyPolicy")
    if policy is not None and policy not in _FAMILY_POLICIES:
        errors.append(fe.not_supported("spec.ipFamilyPolicy", policy, _FAMILY_POLICIES))


def _validate_each_ip(ips: list[str], stored: Any, errors: list[FieldError]) -> bool:
    """Check the addresses one by one; Returns whether all are well-formed."""
    count = len(errors)
    for index, text in enumerate(ips):
        if index == 0 and text == NO_IP:
            if len(ips) > 1:
                errors.append(fe.invalid("spec.clusterIPs", ips, "'None' must be the first and only value"))
            continue
        cidr.validate_ip(text, f"spec.clusterIPs[{index}]", errors, stored)
    fine = len(errors) == count
    if len(ips) > 2:
        errors.append(fe.invalid("spec.clusterIPs", ips, "may only hold up to 2 values"))
    return fine


def _validate_ip_families(ips: list[str], families: list[str], errors: list[FieldError]) -> None:
    for index, text in enumerate(ips):
        if index >= len(families):
            break
        if cidr.family(text) != families[index]:
            detail = f"expected an {families[index]} value as indicated by `ipFamilies[{index}]`"
            errors.append(fe.invalid(f"spec.clusterIPs[{index}]", text, detail))


def _validate_type(spec: Spec, errors: list[FieldError]) -> None:
    kind = spec.get("type") or ""
    if not kind:
        errors.append(fe.required("spec.type"))
    elif kind not in _TYPES:
        errors.append(fe.not_supported("spec.type", kind, _TYPES))
    if kind == CLUSTER_IP:
        for index, port in enumerate(spec.get("ports") or ()):
            if port.get("nodePort"):
                errors.append(fe.forbidden(f"spec.ports[{index}].nodePort", "may not be used when `type` is 'ClusterIP'"))


def _validate_distinct_ports(spec: Spec, errors: list[FieldError]) -> None:
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(spec.get("ports") or ()):
        key = (port.get("protocol") or "", port.get("nodePort") or 0)
        if key[1] and key in seen:
            errors.append(fe.duplicate(f"spec.ports[{index}].nodePort", key[1]))
        seen.add(key)
    seen.clear()
    for index, port in enumerate(spec.get("ports") or ()):
        key = (port.get("protocol") or "", port.get("port") or 0)
        if key in seen:
            errors.append(fe.duplicate(f"spec.ports[{index}]", fe.struct({"protocol": key[0], "port": key[1]}, _PORT_FIELDS)))
        seen.add(key)


def _validate_source_ranges(value: Object, spec: Spec, stored: Spec | None, errors: list[FieldError]) -> None:
    ranges, path = spec.get("loadBalancerSourceRanges"), "spec.LoadBalancerSourceRanges"
    if ranges:
        if spec.get("type") != LOAD_BALANCER:
            errors.append(fe.forbidden(path, _ONLY_LOAD_BALANCER))
        for index, text in enumerate(ranges):
            cidr.validate_cidr(text.strip(), f"{path}[{index}]", errors, (stored or {}).get("loadBalancerSourceRanges") or ())
    elif SOURCE_RANGES_ANNOTATION in meta.annotations(value):
        text, path = meta.annotations(value)[SOURCE_RANGES_ANNOTATION].strip(), f"metadata.annotations[{SOURCE_RANGES_ANNOTATION}]"
        if spec.get("type") != LOAD_BALANCER:
            errors.append(fe.forbidden(path, _ONLY_LOAD_BALANCER))
        for part in text.split(",") if text else ():
            cidr.validate_cidr(part.strip(), path, errors)


def _validate_load_balancer_class(spec: Spec, stored: Spec | None, errors: list[FieldError]) -> None:
    name, path = spec.get("loadBalancerClass"), "spec.loadBalancerClass"
    balances = spec.get("type") == LOAD_BALANCER
    if stored is not None and balances and stored.get("type") == LOAD_BALANCER and name != stored.get("loadBalancerClass"):
        errors.append(fe.invalid(path, name, _ONCE))
    if name is None:
        return
    if balances:
        errors.extend(fe.invalid(path, name, sentence) for sentence in names.qualified_name(name))
    else:
        errors.append(fe.forbidden(path, _ONLY_LOAD_BALANCER))


def _validate_traffic(spec: Spec, errors: list[FieldError]) -> None:
    external, internal = spec.get("externalTrafficPolicy") or "", spec.get("internalTrafficPolicy")
    distribution = spec.get("trafficDistribution")
    if not is_externally_accessible(spec):
        if external:
            errors.append(fe.invalid("spec.externalTrafficPolicy", external, "may only be set for externally-accessible services"))
    elif not external:
        errors.append(fe.required("spec.externalTrafficPolicy"))
    elif external not in _POLICIES:
        errors.append(fe.not_supported("spec.externalTrafficPolicy", external, _POLICIES))
    _validate_health_check(spec, errors)
    if internal is None:
        if spec.get("type") in (NODE_PORT, LOAD_BALANCER, CLUSTER_IP):
            errors.append(fe.required("spec.internalTrafficPolicy"))
    elif internal not in _POLICIES:
        errors.append(fe.not_supported("spec.internalTrafficPolicy", internal, _POLICIES))
    if distribution is not None and distribution not in _DISTRIBUTIONS:
        errors.append(fe.not_supported("spec.trafficDistribution", distribution, _DISTRIBUTIONS))


def _validate_health_check(spec: Spec, errors: list[FieldError]) -> None:
    port, path = spec.get("healthCheckNodePort") or 0, "spec.healthCheckNodePort"
    if port and not needs_health_check(spec):
        detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        errors.append(fe.invalid(path, port, detail))
    elif port:
        validate_port(port, path, errors)


def _validate_same_ips(fresh: Spec, stored: Spec, errors: list[FieldError]) -> None:
    if is_headless(fresh) and is_headless(stored):
        return
    _validate_kept(fresh, stored, "clusterIPs", "clusterIP", errors)


def _validate_same_families(fresh: Spec, stored: Spec, errors: list[FieldError]) -> None:
    if is_headless(fresh) and not fresh.get("selector"):
        return
    _validate_kept(fresh, stored, "ipFamilies", "ipFamily", errors)


def _validate_kept(fresh: Spec, stored: Spec, field: str, noun: str, errors: list[FieldError]) -> None:
    """Let a second address or family come and go, but never change what is there."""
    path, before, after = f"spec.{field}", stored.get(field) or [], fresh.get(field) or []
    if len(before) == len(after):
        errors.extend(fe.invalid(f"{path}[{index}]", after, _ONCE) for index, text in enumerate(before) if text != after[index])
    elif len(before) > len(after):
        if not after:
            errors.append(fe.invalid(f"{path}[0]", after, f"primary {noun} can not be unset"))
        elif after[0] != before[0]:
            errors.append(fe.invalid(f"{path}[0]", after, _ONCE))
        if len(after) == 1 and fresh.get("ipFamilyPolicy") != SINGLE_STACK:
            detail = f"must be set to 'SingleStack' when releasing the secondary {noun}"
            errors.append(fe.invalid("spec.ipFamilyPolicy", fresh.get("ipFamilyPolicy"), detail))
    elif before and after[0] != before[0]:
        errors.append(fe.invalid(f"{path}[0]", after, _ONCE))
