"""Endpoints: the addresses behind a service in one object, for clients of the older form.

Source: Kubernetes `pkg/controller/endpoint`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import ceil
from typing import Any, Final

from kcore.api.core.v1.endpoints_pb2 import EndpointAddress, Endpoints, EndpointSubset
from kcore.client import kinds
from kcore.client.wire import split_key
from kcore.controllers import actions, service_pods
from kcore.controllers.actions import Action, Create, Delete, Event, Update
from kcore.controllers.controller import DONE, Context, Controller, Result, Source, key_of, own_keys
from kcore.controllers.pod_state import is_finished, is_ready
from kcore.controllers.service_pods import Port

NAME: Final = "endpoints-controller"
ENDPOINTS: Final = kinds.resource("", "v1", "endpoints")
MANAGED_BY: Final = "endpoints.kubernetes.io/managed-by"
MANAGER: Final = "endpoint-controller"
OVER_CAPACITY: Final = "endpoints.kubernetes.io/over-capacity"
ADDRESSES_MAX: Final = 1_000


def plan(service: Any | None, pods: Sequence[Any], current: Any | None, was_there: bool = False) -> list[Action]:
    """Make the Endpoints of a service what its pods say; those of a service without selector are left alone.

    service    None if there is none
    was_there  the service was there and was deleted: its Endpoints go, whoever made them
    """
    if service is None:
        if current is None or not (was_there or current.metadata.labels.get(MANAGED_BY) == MANAGER):
            return []
        return [Delete(ENDPOINTS, current.metadata.namespace, current.metadata.name, uid=current.metadata.uid)]
    if not service_pods.has_endpoints(service):
        return []
    wanted = built(service, pods, current)
    meta = wanted.metadata
    if current is None:
        what = f"Failed to create endpoint for service {meta.namespace}/{meta.name}: "
        return [Create(wanted, failed=Event(wanted, actions.WARNING, "FailedToCreateEndpoint", what))]
    what = f"Failed to update endpoint {meta.namespace}/{meta.name}: "
    return [] if wanted == current else [Update(wanted, failed=Event(wanted, actions.WARNING, "FailedToUpdateEndpoint", what))]


def built(service: Any, pods: Sequence[Any], current: Any | None) -> Endpoints:
    """The Endpoints of a service."""
    wanted = Endpoints()
    if current is not None:
        wanted.CopyFrom(current)
    meta = wanted.metadata
    meta.name, meta.namespace = service.metadata.name, service.metadata.namespace
    meta.labels.clear()
    meta.labels.update(service_pods.labels_for(service) | {MANAGED_BY: MANAGER})
    del wanted.subsets[:]
    kept, is_cut = bounded(subsets(service, pods))
    wanted.subsets.extend(kept)
    if is_cut:
        meta.annotations[OVER_CAPACITY] = "truncated"
    else:
        meta.annotations.pop(OVER_CAPACITY, None)
    return wanted


def subsets(service: Any, pods: Sequence[Any]) -> list[EndpointSubset]:
    """The addresses, grouped by the ports that they have."""
    groups: defaultdict[tuple[Port, ...], tuple[list[EndpointAddress], list[EndpointAddress]]] = defaultdict(lambda: ([], []))
    publishes_all = service.spec.publishNotReadyAddresses
    for pod in pods:
        if is_finished(pod) or (pod.metadata.HasField("deletionTimestamp") and not publishes_all):
            continue
        ips = service_pods.addresses_of(pod, service_pods.family_of(service, pod))
        ports = tuple(sorted(service_pods.ports_in(service, pod), key=lambda port: (port.number, port.protocol, port.name)))
        if not ips or (service.spec.ports and not ports):
            continue
        groups[ports][0 if publishes_all or is_ready(pod) else 1].append(address(service, pod, ips[0]))
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


def address(service: Any, pod: Any, ip: str) -> EndpointAddress:
    """The address of a pod."""
    found = EndpointAddress(ip=ip)
    if hostname := service_pods.hostname_in(service, pod):
        found.hostname = hostname
    if pod.spec.nodeName:
        found.nodeName = pod.spec.nodeName
    meta = pod.metadata
    found.targetRef.kind, found.targetRef.namespace, found.targetRef.name, found.targetRef.uid = "Pod", meta.namespace, meta.name, meta.uid
    return found


def bounded(found: list[EndpointSubset]) -> tuple[list[EndpointSubset], bool]:
    """Keep at most a thousand addresses, ready ones first, of each subset its share; returns whether some were left out."""
    ready = sum(len(subset.addresses) for subset in found)
    unready = sum(len(subset.notReadyAddresses) for subset in found)
    if ready + unready <= ADDRESSES_MAX:
        return found, False
    if ready > ADDRESSES_MAX:
        for subset in found:
            del subset.notReadyAddresses[:]
        cut([subset.addresses for subset in found], ready, ADDRESSES_MAX)
    else:
        cut([subset.notReadyAddresses for subset in found], unready, ADDRESSES_MAX - ready)
    return [subset for subset in found if subset.addresses or subset.notReadyAddresses], True


def cut(lists: Sequence[Any], total: int, room: int) -> None:
    """Shorten lists to what fits in all, each in proportion, rounded up as long as there is room."""
    left = room
    for each in lists:
        kept = min(left, ceil(len(each) * room / total))
        del each[kept:]
        left -= kept


class Reconciler:
    """Keeps the Endpoints of each service."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.services = service_pods.index_services(context.informer)
        self.pods = service_pods.index_pods(context.informer)
        self.endpoints = context.informer(ENDPOINTS).lister
        self.deleted: set[str] = set()

    async def reconcile(self, key: str) -> Result:
        """Look at one service."""
        namespace, name = split_key(key)
        service = self.services.get(name, namespace=namespace)
        pods = service_pods.pods_of(service, self.pods) if service is not None and service_pods.has_endpoints(service) else []
        wanted = plan(service, pods, self.endpoints.get(name, namespace=namespace), key in self.deleted)
        outcomes = await actions.apply(wanted, self.context.api.bulk, self.context.recorder)
        actions.raise_first(actions.undisturbed(outcomes), harmless=("NotFound",))
        self.deleted.discard(key)
        return DONE

    def service_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at a service, and remember that it was there if it is no more."""
        if new is None:
            self.deleted.add(key_of(old))
        else:
            self.deleted.discard(key_of(new))
        return own_keys(old, new)

    def pod_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the services of a pod."""
        return service_pods.keys_of_pod(old, new, self.services)


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = (
        Source(service_pods.SERVICES, reconciler.service_changed),
        Source(service_pods.PODS, reconciler.pod_changed, reads=service_pods.READS),
        Source(ENDPOINTS, own_keys),
    )
    return Controller(NAME, context.queue(NAME), reconciler.reconcile, sources)
