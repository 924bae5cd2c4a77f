"""EndpointSlices: the addresses behind a service, up to a hundred in an object, of one family and with the same ports.

A slice that exists keeps its endpoints as long as they are wanted, so that a change of one pod is a write of one slice; new endpoints
fill what has room.

Source: Kubernetes `k8s.io/endpointslice` (reconciler), KEP-752.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from kcore.api.discovery.v1.endpoint_slice_pb2 import Endpoint, EndpointPort, EndpointSlice
from kcore.client import kinds
from kcore.client.wire import split_key
from kcore.controllers import actions, adoption, service_pods
from kcore.controllers.actions import Action, Create, Delete, Update
from kcore.controllers.controller import DONE, IGNORE, Context, Controller, Result, Source, own_keys
from kcore.controllers.pod_state import is_finished, is_ready
from kcore.controllers.ports import Lister
from kcore.controllers.service_pods import Port

NAME: Final = "endpointslice-controller"
SLICES: Final = kinds.resource("discovery.k8s.io", "v1", "endpointslices")
NODES: Final = kinds.resource("", "v1", "nodes")
SERVICE_NAME: Final = "kubernetes.io/service-name"
MANAGED_BY: Final = "endpointslice.kubernetes.io/managed-by"
MANAGER: Final = "endpointslice-controller.k8s.io"
BY_SERVICE: Final = "service"
ZONE: Final = "topology.kubernetes.io/zone"
ENDPOINTS_MAX: Final = 100
SAME_ZONE: Final = ("PreferClose", "PreferSameZone")
SAME_NODE: Final = "PreferSameNode"


class Group(NamedTuple):
    """What the endpoints of a slice have in common."""

    family: str
    ports: tuple[Port, ...]


def plan(service: Any | None, pods: Sequence[Any], zones: dict[str, str], slices: Sequence[Any]) -> list[Action]:
    """Make the slices of a service what its pods say.

    service  None for one that is gone or has no selector: slices of it go as well
    zones    the zone of each node
    """
    ours = [each for each in slices if each.metadata.labels.get(MANAGED_BY) == MANAGER]
    if service is None or not service_pods.has_endpoints(service):
        return [remove(each) for each in ours]
    wanted = endpoints(service, pods, zones)
    present: defaultdict[Group, list[Any]] = defaultdict(list)
    for each in ours:
        present[group_of(each)].append(each)
    found: list[Action] = []
    for family in service.spec.ipFamilies or ("IPv4",):
        if not any(group.family == family for group in wanted):
            wanted[Group(family, ())] = {}
    for group, ends in sorted(wanted.items(), key=lambda item: item[0]):
        found += fit(service, group, ends, sorted(present.pop(group, []), key=lambda each: str(each.metadata.name)))
    return found + [remove(each) for left in present.values() for each in left]


def remove(each: Any) -> Delete:
    """Delete a slice."""
    return Delete(SLICES, each.metadata.namespace, each.metadata.name, uid=each.metadata.uid)


def group_of(each: Any) -> Group:
    """The group of a slice that exists."""
    return Group(each.addressType, tuple(sorted(Port(port.name, port.port, port.protocol, port.appProtocol) for port in each.ports)))


def endpoints(service: Any, pods: Sequence[Any], zones: dict[str, str]) -> dict[Group, dict[str, Endpoint]]:
    """The endpoints by group, and in a group by the uid of the pod."""
    found: defaultdict[Group, dict[str, Endpoint]] = defaultdict(dict)
    for pod in pods:
        if is_finished(pod):
            continue
        ports = tuple(sorted(service_pods.ports_in(service, pod)))
        if service.spec.ports and not ports:
            continue
        for family in service.spec.ipFamilies or ("IPv4",):
            addresses = [each.ip for each in pod.status.podIPs if (":" in each.ip) == (family == "IPv6")]
            if addresses:
                found[Group(family, ports)][pod.metadata.uid] = endpoint(service, pod, addresses[0], zones)
    return found


def endpoint(service: Any, pod: Any, ip: str, zones: dict[str, str]) -> Endpoint:
    """The endpoint of a pod."""
    serving, terminating = is_ready(pod), pod.metadata.HasField("deletionTimestamp")
    found = Endpoint(addresses=[ip])
    found.conditions.ready = service.spec.publishNotReadyAddresses or (serving and not terminating)
    found.conditions.serving, found.conditions.terminating = serving, terminating
    meta, node = pod.metadata, pod.spec.nodeName
    found.targetRef.kind, found.targetRef.namespace, found.targetRef.name, found.targetRef.uid = "Pod", meta.namespace, meta.name, meta.uid
    if node:
        found.nodeName = node
    if hostname := service_pods.hostname_in(service, pod):
        found.hostname = hostname
    if zone := zones.get(node):
        found.zone = zone
    distribution = service.spec.trafficDistribution
    if found.conditions.ready and distribution in SAME_ZONE and zone:
        found.hints.forZones.add(name=zone)
    elif found.conditions.ready and distribution == SAME_NODE and node:
        found.hints.forNodes.add(name=node)
    return found


def fit(service: Any, group: Group, wanted: dict[str, Endpoint], slices: Sequence[Any]) -> Iterator[Action]:
    """Put the endpoints of a group into its slices: those that are there stay where they are, the others fill up, what is empty goes."""
    left = dict(wanted)
    kept = [[left.pop(each.targetRef.uid) for each in one.endpoints if each.targetRef.uid in left] for one in slices]
    rest = list(left.values())
    for ends in kept:
        take = max(0, ENDPOINTS_MAX - len(ends)) if rest else 0
        ends += rest[:take]
        rest = rest[take:]
    is_first = True
    for one, ends in zip(slices, kept, strict=True):
        if not ends and not (is_first and not wanted):
            yield remove(one)
            continue
        is_first = False
        updated = built(service, group, ends, one)
        if updated != one:
            yield Update(updated)
    while rest or (is_first and not wanted):
        is_first = False
        yield Create(built(service, group, rest[:ENDPOINTS_MAX], None))
        rest = rest[ENDPOINTS_MAX:]


def built(service: Any, group: Group, ends: Sequence[Endpoint], old: Any | None) -> EndpointSlice:
    """A slice."""
    found = EndpointSlice()
    if old is not None:
        found.CopyFrom(old)
    else:
        found.metadata.generateName, found.metadata.namespace = f"{service.metadata.name}-", service.metadata.namespace
        found.addressType = group.family
        adoption.set_controller(found, service, service_pods.SERVICES)
    found.metadata.labels.clear()
    found.metadata.labels.update(service_pods.labels_for(service) | {SERVICE_NAME: service.metadata.name, MANAGED_BY: MANAGER})
    del found.endpoints[:]
    found.endpoints.extend(ends)
    if old is None:
        for port in group.ports:
            added = EndpointPort(name=port.name, port=port.number, protocol=port.protocol)
            if port.app_protocol:
                added.appProtocol = port.app_protocol
            found.ports.append(added)
    return found


class Reconciler:
    """Keeps the slices of each service."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.services = service_pods.index_services(context.informer)
        self.pods = service_pods.index_pods(context.informer)
        self.nodes = context.informer(NODES).lister
        informer = context.informer(SLICES)
        informer.add_index(BY_SERVICE, lambda each: [service_key(each)])
        self.slices: Lister[Any] = informer.lister
        self.unseen: dict[str, dict[str, str]] = {}

    async def reconcile(self, key: str) -> Result:
        """Look at one service, once everything written before is seen."""
        namespace, name = split_key(key)
        slices = self.slices.by_index(BY_SERVICE, key)
        if not self.is_settled(key, slices):
            return DONE  # the change that is waited for brings the key back
        service = self.services.get(name, namespace=namespace)
        pods = service_pods.pods_of(service, self.pods) if service is not None and service_pods.has_endpoints(service) else []
        outcomes = await actions.apply(plan(service, pods, self.zones(pods), slices), self.context.api.bulk, self.context.recorder)
        created = {outcome.name: outcome.uid for outcome in outcomes if outcome.error is None and isinstance(outcome.action, Create)}
        if created:
            self.unseen[key] = created
        actions.raise_first(outcomes, harmless=("NotFound",))
        return DONE

    def is_settled(self, key: str, slices: Sequence[Any]) -> bool:
        """Whether all slices created before are known, so that none is created twice."""
        missing = self.unseen.get(key)
        if not missing:
            return True
        known = {each.metadata.name for each in slices}
        left = {name: uid for name, uid in missing.items() if name not in known}
        if left:
            self.unseen[key] = left
        else:
            del self.unseen[key]
        return not left

    def zones(self, pods: Iterable[Any]) -> dict[str, str]:
        """The zones of the nodes of pods."""
        found = {}
        for name in {pod.spec.nodeName for pod in pods}:
            node = self.nodes.get(name) if name else None
            if node is not None and node.metadata.labels.get(ZONE):
                found[name] = node.metadata.labels[ZONE]
        return found

    def pod_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the services of a pod."""
        return service_pods.keys_of_pod(old, new, self.services)

    def slice_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the service of a slice; one that went is waited for no longer."""
        key = service_key(old if new is None else new)
        if new is None and key in self.unseen:
            self.unseen[key].pop(old.metadata.name, None)
        return (key,) if key else ()


def service_key(each: Any) -> str:
    """The service of a slice; empty if it says none."""
    name = each.metadata.labels.get(SERVICE_NAME, "")
    return f"{each.metadata.namespace}/{name}" if name else ""


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = (
        Source(service_pods.SERVICES, own_keys),
        Source(service_pods.PODS, reconciler.pod_changed),
        Source(SLICES, reconciler.slice_changed),
        Source(NODES, IGNORE),
    )
    return Controller(NAME, context.queue(NAME), reconciler.reconcile, sources)
