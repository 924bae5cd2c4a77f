"""Cells of services, endpoints, ingresses, policies and addresses.

Source: Kubernetes `pkg/printers/internalversion/printers.go`, recorded tables of 1.37.
"""

from __future__ import annotations

from typing import Final

from kcore.machinery.kinds.cells.forms import NONE, UNSET, Cells, Object, joined, part, plain, selector_text

ENDPOINTS_SHOWN: Final = 3
HTTP: Final = "80"
HTTP_AND_HTTPS: Final = "80, 443"


def service_ports(obj: Object) -> str:
    """`80:30080/TCP`."""
    ports = (obj.get("spec") or {}).get("ports") or ()
    return joined(f"{p['port']}{':' + str(p['nodePort']) if p.get('nodePort') else ''}/{p.get('protocol', 'TCP')}" for p in ports)


def service_external(obj: Object) -> str:
    """Addresses under which a Service is reached from outside."""
    spec = obj.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return spec.get("externalName") or NONE
    given = list(spec.get("externalIPs") or ())
    if spec.get("type") == "LoadBalancer":
        return ",".join(balanced(obj) + given) or "<pending>"
    return joined(given)


def balanced(obj: Object) -> list[str]:
    """Where a load balancer takes requests, each place once."""
    ingress = part(obj, "status.loadBalancer.ingress") or ()
    return sorted({each.get("ip") or each.get("hostname") or "" for each in ingress} - {""})


def endpoints(obj: Object) -> str:
    """The first addresses with their ports."""
    found = []
    if not obj.get("subsets"):
        return NONE
    for subset in obj["subsets"]:
        addresses = subset.get("addresses") or ()
        ports = subset.get("ports") or ()
        if not ports:
            found += [address.get("ip", "") for address in addresses]
        for port in ports:
            for address in addresses:
                ip = address.get("ip", "")
                found.append(f"[{ip}]:{port.get('port')}" if ":" in ip else f"{ip}:{port.get('port')}")
    return shortened(found)


def shortened(found: list[str]) -> str:
    """At most three, and how many more."""
    if len(found) <= ENDPOINTS_SHOWN:
        return ",".join(found)
    return f"{','.join(found[:ENDPOINTS_SHOWN])} + {len(found) - ENDPOINTS_SHOWN} more..."


def slice_ports(obj: Object) -> str:
    """Port numbers of an EndpointSlice."""
    ports = obj.get("ports")
    if not ports:
        return UNSET
    shown = [str(port["port"] if port.get("port") is not None else port.get("name", "*")) for port in ports]
    return shortened(shown) or UNSET


def slice_endpoints(obj: Object) -> str:
    """Addresses of an EndpointSlice."""
    found = [address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses") or ()]
    return shortened(found) if found else UNSET


def ingress_hosts(obj: Object) -> str:
    """The first hosts of an Ingress; `*` for all."""
    rules = part(obj, "spec.rules") or ()
    hosts: list[str] = []
    for rule in rules:
        if len(hosts) == ENDPOINTS_SHOWN:
            return f"{','.join(hosts)} + {len(rules) - ENDPOINTS_SHOWN} more..."
        hosts += [rule["host"]] if rule.get("host") else []
    return ",".join(hosts) or "*"


def ingress_address(obj: Object) -> str:
    """Where an Ingress is reached."""
    return ",".join(balanced(obj))


def ingress_parameters(obj: Object) -> str:
    """`Kind.group/name` of an IngressClass's parameters."""
    found = part(obj, "spec.parameters")
    if not found:
        return NONE
    group = f".{found['apiGroup']}" if found.get("apiGroup") else ""
    return f"{found.get('kind', '')}{group}/{found.get('name', '')}"


def parent(obj: Object) -> str:
    """`services/default/s`: whom an IPAddress belongs to."""
    found = part(obj, "spec.parentRef") or {}
    name = "/".join(found[key] for key in ("namespace", "name") if found.get(key))
    return f"{found.get('resource', '')}{'.' + found['group'] if found.get('group') else ''}/{name}"


CELLS: Final[Cells] = {
    ("", "Service", "Port(s)"): plain(service_ports),
    ("", "Service", "External-IP"): plain(service_external),
    ("", "Endpoints", "Endpoints"): plain(endpoints),
    ("discovery.k8s.io", "EndpointSlice", "Ports"): plain(slice_ports),
    ("discovery.k8s.io", "EndpointSlice", "Endpoints"): plain(slice_endpoints),
    ("networking.k8s.io", "Ingress", "Hosts"): plain(ingress_hosts),
    ("networking.k8s.io", "Ingress", "Address"): plain(ingress_address),
    ("networking.k8s.io", "Ingress", "Ports"): plain(lambda obj: HTTP_AND_HTTPS if part(obj, "spec.tls") else HTTP),
    ("networking.k8s.io", "IngressClass", "Parameters"): plain(ingress_parameters),
    ("networking.k8s.io", "IPAddress", "ParentRef"): plain(parent),
    ("networking.k8s.io", "NetworkPolicy", "Pod-Selector"): plain(lambda obj: selector_text(part(obj, "spec.podSelector")) or NONE),
    ("networking.k8s.io", "ServiceCIDR", "CIDRs"): plain(lambda obj: joined(part(obj, "spec.cidrs") or ())),
}
