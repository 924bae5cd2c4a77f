"""Services and the pods that they select: what endpoints and endpointslice share.

Source: Kubernetes `pkg/controller/endpoint`, `k8s.io/endpointslice`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from kcore.client import kinds
from kcore.client.wire import join_key
from kcore.controllers.adoption import DELETING, label_keys, labels_of
from kcore.controllers.controller import InformerOf
from kcore.controllers.pod_state import is_finished, is_ready
from kcore.controllers.ports import Lister

SERVICES: Final = kinds.resource("", "v1", "services")
PODS: Final = kinds.resource("", "v1", "pods")
BY_SELECTOR: Final = "service-selector"
BY_LABEL: Final = "namespace-label"
HEADLESS_LABEL: Final = "service.kubernetes.io/headless"
NONE: Final = "None"
EXTERNAL_NAME: Final = "ExternalName"
PROTOCOL: Final = "TCP"
STRING: Final = 1
IPV4: Final = "IPv4"
IPV6: Final = "IPv6"


class Port(NamedTuple):
    """A port of an endpoint; a protocol of TCP is the default."""

    name: str
    number: int
    protocol: str
    app_protocol: str


def index_services(informer_of: InformerOf) -> Lister[Any]:
    """The services, with an index by one label of their selectors."""
    informer = informer_of(SERVICES)
    informer.add_index(BY_SELECTOR, selector_values)
    return informer.lister


def index_pods(informer_of: InformerOf) -> Lister[Any]:
    """The pods, with an index by namespace and label."""
    informer = informer_of(PODS)
    informer.add_index(BY_LABEL, label_values, ("metadata.labels",))
    return informer.lister


def selector_values(service: Any) -> list[str]:
    """What the index of services holds of one."""
    return [selector_value(service)] if service.spec.selector else []


def label_values(pod: Any) -> list[str]:
    """What the index of pods holds of one."""
    return label_keys(pod)[1:]


def label_value(namespace: str, key: str, value: str) -> str:
    """The index value of a label in a namespace."""
    return f"{namespace}/{key}={value}"


def selector_value(service: Any) -> str:
    """The index value of a service: the first label of its selector."""
    key = min(service.spec.selector)
    return label_value(service.metadata.namespace, key, service.spec.selector[key])


def is_selected(service: Any, labels: Any) -> bool:
    """Whether a pod with these labels is one of a service's."""
    return all(labels.get(key) == value for key, value in service.spec.selector.items())


def has_endpoints(service: Any) -> bool:
    """Whether a controller makes the endpoints of a service."""
    return bool(service.spec.selector) and service.spec.type != EXTERNAL_NAME


def pods_of(service: Any, pods: Lister[Any]) -> list[Any]:
    """The pods that a service selects, by name."""
    found = [pod for pod in pods.by_index(BY_LABEL, selector_value(service)) if is_selected(service, pod.metadata.labels)]
    return sorted(found, key=lambda pod: str(pod.metadata.name))


def services_of(pod: Any, services: Lister[Any]) -> Iterator[str]:
    """Keys of the services that select a pod."""
    labels = labels_of(pod)
    for service in services.by_any(BY_SELECTOR, label_keys(pod)):
        if is_selected(service, labels):
            yield join_key(service.metadata.namespace, service.metadata.name)


def shown(pod: Any) -> tuple[Any, ...]:
    """What endpoints tell of a pod; as long as it stays, nobody looks."""
    status, meta = pod.status, pod.metadata
    return (
        tuple(address.ip for address in status.podIPs),
        status.podIP,
        is_ready(pod),
        meta.HasField("deletionTimestamp"),
        is_finished(pod),
        pod.spec.nodeName,
        pod.spec.hostname,
        pod.spec.subdomain,
    )


READS: Final = (
    "metadata.labels", DELETING, "status.podIPs[]@raw", "status.podIP", "status.conditions[]@raw", "status.phase", "spec.nodeName",
    "spec.hostname", "spec.subdomain",
)  # fmt: skip
"""What `keys_of_pod` reads, `shown` included."""


def keys_of_pod(old: Any, new: Any, services: Lister[Any]) -> Iterable[str]:
    """The services to look at after a change of a pod; most pods have none, which is found out first."""
    if old is None or new is None:
        return list(services_of(new if old is None else old, services))
    found = list(services_of(new, services))
    if labels_of(old) == labels_of(new):
        return found if found and shown(old) != shown(new) else ()
    return {*services_of(old, services), *found}


def family_of(service: Any, pod: Any) -> str:
    """The family of a service's first address: what it says, or what it has, or what a pod of a headless one has."""
    if service.spec.ipFamilies:
        return str(service.spec.ipFamilies[0])
    ip = pod.status.podIP if service.spec.clusterIP in ("", NONE) else service.spec.clusterIP
    return IPV6 if ":" in ip else IPV4


def addresses_of(pod: Any, family: str) -> list[str]:
    """The addresses of a pod in a family."""
    ips = [each.ip for each in pod.status.podIPs] or ([pod.status.podIP] if pod.status.podIP else [])
    return [ip for ip in ips if (":" in ip) == (family == IPV6)]


def target_port(port: Any, pod: Any) -> int | None:
    """The number behind a port of a service in a pod; None if the pod has no port of that name."""
    target = port.targetPort
    if target.type != STRING:
        number: int = target.intVal or port.port
        return number
    if not target.strVal:
        return int(port.port)
    containers = [*pod.spec.containers, *(each for each in pod.spec.initContainers if each.restartPolicy == "Always")]
    for container in containers:
        for each in container.ports:
            if each.name == target.strVal and (each.protocol or PROTOCOL) == (port.protocol or PROTOCOL):
                return int(each.containerPort)
    return None


def ports_in(service: Any, pod: Any) -> list[Port]:
    """The ports of a service as a pod has them; those that it lacks are left out."""
    found = []
    for port in service.spec.ports:
        number = target_port(port, pod)
        if number is not None:
            found.append(Port(port.name, number, port.protocol or PROTOCOL, port.appProtocol))
    return found


def hostname_in(service: Any, pod: Any) -> str:
    """The name under which DNS knows a pod in a service; empty if none."""
    if pod.spec.hostname and pod.spec.subdomain == service.metadata.name and pod.metadata.namespace == service.metadata.namespace:
        return str(pod.spec.hostname)
    return ""


def labels_for(service: Any) -> dict[str, str]:
    """Labels that a service hands on; whether it is headless is the controller's word."""
    labels = {key: value for key, value in service.metadata.labels.items() if key != HEADLESS_LABEL}
    if service.spec.clusterIP == NONE:
        labels[HEADLESS_LABEL] = ""
    return labels
