"""Service: defaults that depend on the type, linked and allocated fields on update, warnings.

Cluster IPs and node ports are allocated by the API server, between `prepare_*` and the checks; which families a service gets is decided
in `service_families`, and the rules stand in `service_validation`.

Source: Kubernetes `pkg/apis/core/v1/defaults.go`, `pkg/registry/core/service`, `pkg/api/service/warnings.go`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import cidr, names
from kcore.machinery.kinds.core import service_validation
from kcore.machinery.kinds.core.service_validation import CLIENT_IP, CLUSTER, CLUSTER_IP, EXTERNAL_NAME, LOAD_BALANCER, NO_IP, NODE_PORT
from kcore.machinery.kinds.rules import KindRules, Object, drop_status, keep_status

AFFINITY_TIMEOUT_S: Final = 10_800
_CANONICAL: Final = "spec.externalIPs is deprecated and may no longer be implemented in some clusters"


def default_service(value: Object) -> None:
    """Set the defaults that depend on type, affinity and ports."""
    spec = value.setdefault("spec", {})
    _default_affinity(spec)
    kind = spec.get("type") or CLUSTER_IP
    spec["type"] = kind
    for port in spec.get("ports") or ():
        if not port.get("targetPort"):
            port["targetPort"] = port.get("port") or 0
    if service_validation.is_externally_accessible(spec) and not spec.get("externalTrafficPolicy"):
        spec["externalTrafficPolicy"] = CLUSTER
    if spec.get("internalTrafficPolicy") is None and kind in (CLUSTER_IP, NODE_PORT, LOAD_BALANCER):
        spec["internalTrafficPolicy"] = CLUSTER
    if kind == LOAD_BALANCER:
        if spec.get("allocateLoadBalancerNodePorts") is None:
            spec["allocateLoadBalancerNodePorts"] = True
        for ingress in ((value.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ():
            if ingress.get("ip") and ingress.get("ipMode") is None:
                ingress["ipMode"] = "VIP"


def _default_affinity(spec: dict[str, Any]) -> None:
    affinity = spec.get("sessionAffinity") or "None"
    spec["sessionAffinity"] = affinity
    if affinity == "None":
        spec.pop("sessionAffinityConfig", None)
    elif affinity == CLIENT_IP:
        client = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        if client.get("timeoutSeconds") is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": AFFINITY_TIMEOUT_S}}


def prepare_create(value: Object) -> None:
    """Drop the status; let `clusterIPs` follow `clusterIP`."""
    drop_status(value)
    spec = value.get("spec") or {}
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]


def prepare_update(new: Object, old: Object) -> None:
    """Keep status and allocated values that the client left out; drop what the new type has no use for."""
    keep_status(new, old)
    fresh, stored = new.setdefault("spec", {}), old.get("spec") or {}
    _keep_allocated(fresh, stored)
    _link_cluster_ips(fresh, stored)
    _drop_unused(fresh, stored)


def needs_cluster_ip(spec: dict[str, Any]) -> bool:
    """Say whether the type has a cluster IP (`None` counts as one)."""
    return spec.get("type") != EXTERNAL_NAME


def may_have_node_ports(spec: dict[str, Any]) -> bool:
    """Say whether the type knows node ports."""
    return spec.get("type") in (NODE_PORT, LOAD_BALANCER)


def needs_node_ports(spec: dict[str, Any]) -> bool:
    """Say whether ports without a node port are given one."""
    return spec.get("type") == NODE_PORT or (may_have_node_ports(spec) and spec.get("allocateLoadBalancerNodePorts") is not False)


def _keep_allocated(fresh: dict[str, Any], stored: dict[str, Any]) -> None:
    if needs_cluster_ip(stored) and needs_cluster_ip(fresh):
        if not fresh.get("clusterIP") and stored.get("clusterIP"):
            fresh["clusterIP"] = stored["clusterIP"]
        if not fresh.get("clusterIPs") and fresh.get("clusterIP") == stored.get("clusterIP") and stored.get("clusterIPs"):
            fresh["clusterIPs"] = list(stored["clusterIPs"])
    if may_have_node_ports(stored) and may_have_node_ports(fresh):
        _keep_node_ports(fresh, stored)
    check = service_validation.needs_health_check
    if check(stored) and check(fresh) and not fresh.get("healthCheckNodePort") and stored.get("healthCheckNodePort"):
        fresh["healthCheckNodePort"] = stored["healthCheckNodePort"]


def _keep_node_ports(fresh: dict[str, Any], stored: dict[str, Any]) -> None:
    """Give ports the node ports that ports of the same name had, unless another port has asked for them."""
    used = _node_ports(stored) & _node_ports(fresh)
    by_name = {port.get("name") or "": port.get("nodePort") or 0 for port in stored.get("ports") or ()}
    for port in fresh.get("ports") or ():
        known = by_name.get(port.get("name") or "", 0)
        if not port.get("nodePort") and known and known not in used:
            port["nodePort"] = known
            used.add(known)


def _node_ports(spec: dict[str, Any]) -> set[int]:
    return {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}


def _link_cluster_ips(fresh: dict[str, Any], stored: dict[str, Any]) -> None:
    """Let `clusterIPs` follow a client that changed only `clusterIP`."""
    before, after = stored.get("clusterIP") or "", fresh.get("clusterIP") or ""
    listed = fresh.get("clusterIPs") or []
    if before != after and (not listed or listed == stored.get("clusterIPs")):
        if after:
            fresh["clusterIPs"] = [after]
        else:
            fresh.pop("clusterIPs", None)
    elif before == after and stored.get("clusterIPs") and not fresh.get("clusterIPs"):
        fresh["clusterIPs"] = list(stored["clusterIPs"])


def _drop_unused(fresh: dict[str, Any], stored: dict[str, Any]) -> None:
    """Drop values that the server had set for the old type, where the client did not touch them."""
    if needs_cluster_ip(stored) and not needs_cluster_ip(fresh):
        if _same(fresh, stored, "clusterIP") and _same(fresh, stored, "clusterIPs"):
            _drop(fresh, "clusterIP", "clusterIPs")
        for field in ("ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
            _drop_if_same(fresh, stored, field)
    if may_have_node_ports(stored) and not may_have_node_ports(fresh) and _listed_ports(fresh) == _listed_ports(stored):
        for port in fresh.get("ports") or ():
            port.pop("nodePort", None)
    if service_validation.needs_health_check(stored) and not service_validation.needs_health_check(fresh):
        _drop_if_same(fresh, stored, "healthCheckNodePort")
    if stored.get("type") == LOAD_BALANCER and fresh.get("type") != LOAD_BALANCER:
        for field in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
            _drop_if_same(fresh, stored, field)
    if service_validation.is_externally_accessible(stored) and not service_validation.is_externally_accessible(fresh):
        _drop_if_same(fresh, stored, "externalTrafficPolicy")


def _listed_ports(spec: dict[str, Any]) -> set[int]:
    return {port.get("nodePort") or 0 for port in spec.get("ports") or ()}


def _same(fresh: dict[str, Any], stored: dict[str, Any], field: str) -> bool:
    return (fresh.get(field) or None) == (stored.get(field) or None)


def _drop_if_same(fresh: dict[str, Any], stored: dict[str, Any], field: str) -> None:
    if _same(fresh, stored, field):
        fresh.pop(field, None)


def _drop(spec: dict[str, Any], *fields: str) -> None:
    for field in fields:
        spec.pop(field, None)


def _ignored_if_headless(spec: dict[str, Any]) -> list[str]:
    if spec.get("type") != CLUSTER_IP or spec.get("clusterIP") != NO_IP:
        return []
    given = {
        "loadBalancerIP": spec.get("loadBalancerIP"), "externalIPs": spec.get("externalIPs"),
        "SessionAffinity": (spec.get("sessionAffinity") or NO_IP) != NO_IP,
    }
    return [f"spec.{field} is ignored for headless services" for field, value in given.items() if value]


def warn_service(new: Object, old: Object | None) -> list[str]:
    """Warn of deprecated and ignored fields, and of addresses in unusual forms."""
    spec, stored = new.get("spec") or {}, (old or {}).get("spec") or {}
    warnings: list[str] = []
    for field, warn in (("clusterIPs", cidr.warn_ip), ("externalIPs", cidr.warn_ip), ("loadBalancerSourceRanges", cidr.warn_cidr)):
        for index, text in enumerate(spec.get(field) or ()):
            if text != NO_IP:
                warnings += warn(text, f"spec.{field}[{index}]")
        if field == "clusterIPs":
            warnings += _ignored_if_headless(spec)
    if spec.get("loadBalancerIP"):
        warnings += cidr.warn_ip(spec["loadBalancerIP"], "spec.loadBalancerIP")
    if spec.get("externalIPs") and spec["externalIPs"] != stored.get("externalIPs"):
        warnings.append(_CANONICAL)
    if spec.get("type") == EXTERNAL_NAME and spec.get("externalIPs"):
        warnings.append('spec.externalIPs is ignored when spec.type is "ExternalName"')
    if spec.get("type") != EXTERNAL_NAME and spec.get("externalName"):
        warnings.append('spec.externalName is ignored when spec.type is not "ExternalName"')
    if spec.get("trafficDistribution") == "PreferClose" and stored.get("trafficDistribution") != "PreferClose":
        warnings.append('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
    return warnings


RULES: Final = KindRules(
    default=default_service, validate=service_validation.validate_service, validate_update=service_validation.validate_service_update,
    validate_status_update=service_validation.validate_status_update, prepare_create=prepare_create, prepare_update=prepare_update,
    warnings=warn_service, name_validator=names.label_name, allow_create_on_update=True,
)
