"""Endpoints: the addresses behind a service in one object, for clients of the older form.

Source: Kubernetes `pkg/controller/endpoint`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from kcore.api.core.v1.endpoints_pb2 import EndpointAddress, Endpoints, EndpointSubset
from kcore.client import kinds
from kcore.client.wire import split_key
from kcore.controllers import actions, service_pods
from kcore.controllers.actions import Action, Create, Delete, Update
from kcore.controllers.controller import DONE, Context, Controller, Result, Source, own_keys
from kcore.controllers.pod_state import is_finished, is_ready
from kcore.controllers.service_pods import Port

NAME: Final = "endpoints-controller"
ENDPOINTS: Final = kinds.resource("", "v1", "endpoints")
MANAGED_BY: Final = "endpoints.kubernetes.io/managed-by"
MANAGER: Final = "endpoint-controller"
OVER_CAPACITY: Final = "endpoints.kubernetes.io/over-capacity"
ADDRESSES_MAX: Final = 1_000


def plan(service: Any | None, pods: Sequence[Any], current: Any | None) -> list[Action]:
    """Make the Endpoints of a service what its pods say; None for a service that is gone or has no selector."""
    if service is None:
        ours = current is not None and current.metadata.labels.get(MANAGED_BY) == MANAGER
        return (
            [Delete(ENDPOINTS, current.metadata.namespace, current.metadata.name, uid=current.metadata.uid)]
            if ours and current is not None
            else []
        )
    if not service_pods.has_endpoints(service):
        return []
    wanted = Endpoints()
    if current is not None:
        wanted.CopyFrom(current)
    wanted.metadata.name, wanted.metadata.namespace = service.metadata.name, service.metadata.namespace
    labels = service_pods.labels_for(service)
    labels[MANAGED_BY] = MANAGER
    wanted.metadata.labels.clear()
    wanted.metadata.labels.update(labels)
    del wanted.subsets[:]
    kept, is_cut = bounded(subsets(service, pods))
    wanted.subsets.extend(kept)
    if is_cut:
        wanted.metadata.annotations[OVER_CAPACITY] = "truncated"
    else:
        wanted.metadata.annotations.pop(OVER_CAPACITY, None)
    if current is None:
        return [Create(wanted)]
    return [] if wanted == current else [Update(wanted)]


def subsets(service: Any, pods: Sequence[Any]) -> list[EndpointSubset]:
    """The addresses, grouped by the ports that they have."""
    groups: defaultdict[tuple[Port, ...], tuple[list[EndpointAddress], list[EndpointAddress]]] = defaultdict(lambda: ([], []))
    for pod in pods:
        if is_finished(pod) or pod.metadata.HasField("deletionTimestamp") or not pod.status.podIP:
            continue
        ports = tuple(sorted(service_pods.ports_in(service, pod), key=lambda port: (port.number, port.protocol, port.name)))
        if service.spec.ports and not ports:
            continue
        serves = is_ready(pod) or service.spec.publishNotReadyAddresses
        groups[ports][0 if serves else 1].append(address(service, pod))
    found = []
    for ports, (ready, unready) in sorted(groups.items()):
        subset = EndpointSubset(addresses=sorted(ready, key=by_ip), notReadyAddresses=sorted(unready, key=by_ip))
        for port in ports:
            added = subset.ports.add(name=port.name, port=port.number, protocol=port.protocol)
            if port.app_protocol:
                added.appProtocol = port.app_protocol
        found.append(subset)
    return found


def by_ip(found: Any) -> tuple[str, str]:
    """Order of addresses."""
    return found.ip, found.targetRef.uid


def address(service: Any, pod: Any) -> EndpointAddress:
    """The address of a pod."""
    found = EndpointAddress(ip=pod.status.podIP, hostname=service_pods.hostname_in(service, pod))
    if pod.spec.nodeName:
        found.nodeName = pod.spec.nodeName
    meta = pod.metadata
    found.targetRef.kind, found.targetRef.namespace, found.targetRef.name, found.targetRef.uid = "Pod", meta.namespace, meta.name, meta.uid
    return found


def bounded(found: list[EndpointSubset]) -> tuple[list[EndpointSubset], bool]:
    """At most a thousand addresses, ready ones first; -> whether some are missing."""
    total = sum(len(subset.addresses) + len(subset.notReadyAddresses) for subset in found)
    if total <= ADDRESSES_MAX:
        return found, False
    room = ADDRESSES_MAX
    for subset in found:
        del subset.addresses[room:]
        room -= len(subset.addresses)
    for subset in found:
        del subset.notReadyAddresses[room:]
        room -= len(subset.notReadyAddresses)
    return [subset for subset in found if subset.addresses or subset.notReadyAddresses], True


class Reconciler:
    """Keeps the Endpoints of each service."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.services = service_pods.index_services(context.informer)
        self.pods = service_pods.index_pods(context.informer)
        self.endpoints = context.informer(ENDPOINTS).lister

    async def reconcile(self, key: str) -> Result:
        """Look at one service."""
        namespace, name = split_key(key)
        service = self.services.get(name, namespace=namespace)
        pods = service_pods.pods_of(service, self.pods) if service is not None and service_pods.has_endpoints(service) else []
        wanted = plan(service, pods, self.endpoints.get(name, namespace=namespace))
        actions.raise_first(await actions.apply(wanted, self.context.api.bulk, self.context.recorder), harmless=("NotFound",))
        return DONE

    def pod_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the services of a pod."""
        return service_pods.keys_of_pod(old, new, self.services)


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = (Source(service_pods.SERVICES, own_keys), Source(service_pods.PODS, reconciler.pod_changed), Source(ENDPOINTS, own_keys))
    return Controller(NAME, context.queue(NAME), reconciler.reconcile, sources)
