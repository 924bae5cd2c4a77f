"""EndpointSlices: the addresses behind a service, up to a hundred in an object, of one family and with the same ports.

A slice that exists keeps its endpoints as long as they are wanted, so that a change of one pod is a write of one slice. New endpoints fill
slices that are written anyway, then one that has room for all of them, then the one with most room, then new ones: few writes come before
full slices.

Differs from upstream: the slices of a service that is gone are deleted here too, not only by the garbage collector.

Source: Kubernetes `k8s.io/endpointslice` (reconciler), KEP-752, KEP-4444, KEP-3015.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from kcore.api.discovery.v1.endpoint_slice_pb2 import Endpoint, EndpointPort, EndpointSlice
from kcore.base import limits
from kcore.client import kinds
from kcore.client.wire import split_key
from kcore.controllers import actions, adoption, live, service_pods
from kcore.controllers.actions import Action, Create, Delete, Update
from kcore.controllers.controller import DONE, Context, Controller, Result, Source, own_keys
from kcore.controllers.node_lifecycle import BY_NODE, NODE_READS, by_node
from kcore.controllers.pod_state import is_finished, is_ready
from kcore.controllers.ports import Lister
from kcore.controllers.service_pods import IPV4, IPV6, Port

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


def plan(service: Any | None, pods: Sequence[Any], zones: Mapping[str, str], slices: Sequence[Any]) -> list[Action]:
    """Make the slices of a service what its pods say.

    service  None for one that is gone: its slices go; those of one without selector are left alone
    zones    the zone of each node that is there, '' for one without
    """
    ours = [each for each in slices if each.metadata.labels.get(MANAGED_BY) == MANAGER]
    if service is None:
        return [remove(each) for each in ours]
    if not service_pods.has_endpoints(service):
        return []
    wanted = endpoints(service, pods, zones)
    present: defaultdict[Group, list[Any]] = defaultdict(list)
    foreign = []
    for each in ours:
        owner = adoption.controller_of(each)
        if owner is not None and owner.uid == service.metadata.uid:
            present[group_of(each)].append(each)
        else:
            foreign.append(each)
    for family in families(service):
        if not any(group.family == family for group in wanted):
            wanted[Group(family, ())] = {}
    found: list[Action] = []
    for group, ends in sorted(wanted.items(), key=lambda item: item[0]):
        found += fit(service, group, ends, sorted(present.pop(group, []), key=lambda each: str(each.metadata.name)))
    return found + [remove(each) for left in (foreign, *present.values()) for each in left]


def families(service: Any) -> Sequence[str]:
    """The families of a service."""
    return service.spec.ipFamilies or (IPV6 if ":" in service.spec.clusterIP else IPV4,)


def remove(each: Any) -> Delete:
    """Delete a slice."""
    return Delete(SLICES, each.metadata.namespace, each.metadata.name, uid=each.metadata.uid)


def group_of(each: Any) -> Group:
    """The group of a slice that exists."""
    return Group(each.addressType, tuple(sorted(Port(port.name, port.port, port.protocol, port.appProtocol) for port in each.ports)))


def endpoints(service: Any, pods: Sequence[Any], zones: Mapping[str, str]) -> dict[Group, dict[str, Endpoint]]:
    """The endpoints by group, and in a group by the uid of the pod.

    A pod whose node is gone is left out, unless the service wants all that have an address.
    """
    found: defaultdict[Group, dict[str, Endpoint]] = defaultdict(dict)
    for pod in pods:
        node = pod.spec.nodeName
        if is_finished(pod) or (node and node not in zones and not service.spec.publishNotReadyAddresses):
            continue
        ports = tuple(sorted(service_pods.ports_in(service, pod)))
        for family in families(service):
            if addresses := service_pods.addresses_of(pod, family):
                found[Group(family, ports)][pod.metadata.uid] = endpoint(service, pod, addresses[0], zones.get(node, ""))
    return found


def endpoint(service: Any, pod: Any, ip: str, zone: str) -> Endpoint:
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
    if zone:
        found.zone = zone
    if found.conditions.ready:
        hint(found, service.spec.trafficDistribution)
    return found


def hint(found: Endpoint, distribution: str) -> None:
    """Say for whom an endpoint is; with SAME_NODE its zone as well, for proxies that know no better."""
    if distribution == SAME_NODE and found.nodeName:
        found.hints.forNodes.add(name=found.nodeName)
    if distribution in (*SAME_ZONE, SAME_NODE) and found.zone:
        found.hints.forZones.add(name=found.zone)


def fit(service: Any, group: Group, wanted: Mapping[str, Endpoint], slices: Sequence[Any]) -> Iterator[Action]:
    """Put the endpoints of a group into its slices; what is empty goes, but for one slice where nothing is wanted."""
    left = dict(wanted)
    kept = [[left.pop(each.targetRef.uid) for each in one.endpoints if each.targetRef.uid in left] for one in slices]
    is_changed = [ends != list(one.endpoints) for one, ends in zip(slices, kept, strict=True)]
    fresh = spread(list(left.values()), kept, is_changed)
    spare = next((one for one, ends in zip(slices, kept, strict=True) if not ends), None) if not wanted else None
    for one, ends in zip(slices, kept, strict=True):
        if not ends and one is not spare:
            yield remove(one)
        elif (updated := built(service, group, ends, one)) != one:
            yield Update(updated)
    if not wanted and spare is None:
        yield Create(built(service, group, (), None))
    for ends in fresh:
        yield Create(built(service, group, ends, None))


def spread(rest: list[Endpoint], kept: Sequence[list[Endpoint]], is_changed: Sequence[bool]) -> list[list[Endpoint]]:
    """Put endpoints where there is room, and return what new slices hold.

    kept        what the slices hold; is added to
    is_changed  which of them are written anyway

        room of 100     60 written, 90, 5       30 more: 60 takes all
                        90, 5                   3 more: 90 takes all; 30 more: 5 does; 98 more: 5 takes 95, a new one 3
    """

    def fill(ends: list[Endpoint]) -> None:
        room = ENDPOINTS_MAX - len(ends)
        ends += rest[:room]
        del rest[:room]

    for ends in sorted((ends for ends, changes in zip(kept, is_changed, strict=True) if changes), key=len, reverse=True):
        fill(ends)
    others = sorted((ends for ends, changes in zip(kept, is_changed, strict=True) if not changes), key=len, reverse=True)
    if rest and others:
        fill(next((ends for ends in others if len(ends) + len(rest) <= ENDPOINTS_MAX), others[-1]))
    return [rest[start : start + ENDPOINTS_MAX] for start in range(0, len(rest), ENDPOINTS_MAX)]


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
        context.informer(service_pods.PODS).add_index(BY_NODE, by_node, NODE_READS)
        self.nodes = context.informer(NODES).lister
        informer = context.informer(SLICES)
        informer.add_index(BY_SERVICE, by_service)
        self.slices: Lister[Any] = informer.lister
        self.unseen: dict[str, dict[str, float]] = {}

    async def reconcile(self, key: str) -> Result:
        """Look at one service, once everything written before is seen."""
        namespace, name = split_key(key)
        slices = self.slices.by_index(BY_SERVICE, key)
        if not await self.is_settled(key, slices):
            return Result(limits.SLICE_UNSEEN_S)  # the change that is waited for brings the key back sooner
        service = self.services.get(name, namespace=namespace)
        pods = service_pods.pods_of(service, self.pods) if service is not None and service_pods.has_endpoints(service) else []
        outcomes = await actions.apply(plan(service, pods, self.zones(pods), slices), self.context.api.bulk, self.context.recorder)
        now = self.context.clock.monotonic()
        created = {outcome.name: now for outcome in outcomes if outcome.error is None and isinstance(outcome.action, Create)}
        if created:
            self.unseen[key] = created
        actions.raise_first(actions.undisturbed(outcomes), harmless=("NotFound",))
        return DONE

    async def is_settled(self, key: str, slices: Sequence[Any]) -> bool:
        """Whether all slices created before are known, so that none is created twice; those that went unseen are found out live."""
        missing = self.unseen.get(key, {})
        for name in missing.keys() & {each.metadata.name for each in slices}:
            del missing[name]
        now = self.context.clock.monotonic()
        for name in [name for name, since in missing.items() if now - since >= limits.SLICE_UNSEEN_S]:
            if await live.find(self.context.api, SLICES, split_key(key)[0], name, metadata_only=True) is None:
                missing.pop(name, None)
        if not missing:
            self.unseen.pop(key, None)
        return not missing

    def zones(self, pods: Iterable[Any]) -> dict[str, str]:
        """The zones of the nodes of pods, of those nodes that are there."""
        names = {pod.spec.nodeName for pod in pods}
        return {name: node.metadata.labels.get(ZONE, "") for name in names if name and (node := self.nodes.get(name)) is not None}

    def pod_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the services of a pod."""
        return service_pods.keys_of_pod(old, new, self.services)

    def node_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the services of a node's pods if the node came, went or is in another zone."""
        if old is not None and new is not None and old.metadata.labels.get(ZONE) == new.metadata.labels.get(ZONE):
            return ()
        pods = self.pods.by_index(BY_NODE, (old if new is None else new).metadata.name)
        return {key for pod in pods for key in service_pods.services_of(pod, self.services)}

    def slice_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the service of a slice, and at that it had before; one that went is waited for no longer."""
        keys = {service_key(each) for each in (old, new) if each is not None} - {""}
        if new is None:
            for key in keys:
                self.unseen.get(key, {}).pop(old.metadata.name, None)
        return keys


def by_service(each: Any) -> list[str]:
    """What the index of slices by service holds of one."""
    return [key] if (key := service_key(each)) else []


def service_key(each: Any) -> str:
    """The service of a slice; empty if it says none."""
    name = each.metadata.labels.get(SERVICE_NAME, "")
    return f"{each.metadata.namespace}/{name}" if name else ""


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = (
        Source(service_pods.SERVICES, own_keys),
        Source(service_pods.PODS, reconciler.pod_changed, reads=service_pods.READS),
        Source(SLICES, reconciler.slice_changed),
        Source(NODES, reconciler.node_changed),
    )
    return Controller(NAME, context.queue(NAME), reconciler.reconcile, sources)
