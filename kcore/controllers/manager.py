"""Runs the controllers: the literal table of all there are, the informers they share, and when they may begin.

Only the leader runs controllers. It starts its informers when it begins to lead, never before: their first list shows all that the leader
before it wrote. Workers start when every informer has synced; then `ready` is called.

Thread: one event loop. A process whose Lease is lost ends: `run` returns, and its supervisor starts it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from kcore.api.meta.v1 import meta_pb2
from kcore.base import log
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.base.features import GENERIC_WORKLOAD
from kcore.client import kinds
from kcore.client.client import Client
from kcore.client.election import LeaderElector
from kcore.client.informer import Informer, Informers
from kcore.client.kinds import Resource
from kcore.client.recorder import EventRecorder
from kcore.client.reflector import EVERYTHING, Selection
from kcore.client.workqueue import work
from kcore.controllers import (
    clusterrole_aggregation,
    deployment,
    disruption,
    endpoints,
    endpointslice,
    garbage_collector,
    namespace_content,
    node_ipam,
    node_lifecycle,
    node_ttl,
    pod_garbage_collector,
    pod_group_protection,
    replicaset,
    replicationcontroller,
    resource_claims,
    resourcequota,
    root_ca_publisher,
    serviceaccount,
    servicecidr,
    statefulset,
    taint_eviction,
    volume_protection,
)
from kcore.controllers.adoption import OWNERSHIP
from kcore.controllers.controller import IGNORE, Changed, Claimant, Context, Controller
from kcore.controllers.daemonset import reconciler as daemonset
from kcore.controllers.job import orphans as job_orphans
from kcore.controllers.job import reconciler as job
from kcore.controllers.job import ttl_after_finished
from kcore.controllers.node_ipam import Subnets
from kcore.controllers.ownership import Look, Ownership
from kcore.controllers.settings import Settings
from kcore.controllers.volumes import reconciler as volumes

Make = Callable[[Context], Controller]

CONTROLLERS: Final[dict[str, Make]] = {
    "replicaset": replicaset.make,
    "replicationcontroller": replicationcontroller.make,
    "deployment": deployment.make,
    "statefulset": statefulset.make,
    "daemonset": daemonset.make,
    "job": job.make,
    job_orphans.NAME: job_orphans.make,
    ttl_after_finished.NAME: ttl_after_finished.make,
    "endpoints": endpoints.make,
    "endpointslice": endpointslice.make,
    "node-lifecycle": node_lifecycle.make,
    node_ttl.NAME: node_ttl.make,
    "taint-eviction": taint_eviction.make,
    "pod-garbage-collector": pod_garbage_collector.make,
    volume_protection.OF_CLAIMS: volume_protection.make_of_claims,
    volume_protection.OF_VOLUMES: volume_protection.make_of_volumes,
    volume_protection.OF_CLASSES: volume_protection.make_of_classes,
    "serviceaccount": serviceaccount.make,
    "root-ca-certificate-publisher": root_ca_publisher.make,
    disruption.NAME: disruption.make,
    resourcequota.NAME: resourcequota.make,
    clusterrole_aggregation.NAME: clusterrole_aggregation.make,
    servicecidr.NAME: servicecidr.make,
    resource_claims.NAME: resource_claims.make,
    "namespace": namespace_content.make,
    "garbage-collector": garbage_collector.make,
}
"""By the name under which `Settings.controllers` selects them. Those that want whole objects come before those that want metadata."""

OPTIONAL: Final[dict[str, Make]] = {
    volumes.NAME: volumes.make,
}
"""Those that run only when they are asked for by name."""

OF_FEATURES: Final[dict[str, dict[str, Make]]] = {
    GENERIC_WORKLOAD: {pod_group_protection.NAME: pod_group_protection.make},
}
"""Those that run when a feature is on."""

NODE_IPAM: Final = "node-ipam"
"""The one controller beside the table: it exists where there is something to allocate from."""

COMPONENTS: Final = {
    "disruption": "controllermanager",
    "endpoints": "endpoint-controller",
    "endpointslice": "endpoint-slice-controller",
    "node-lifecycle": "node-controller",
    "replicationcontroller": "replication-controller",
    NODE_IPAM: "cidrAllocator",
}
"""Fixed by Kubernetes: as what controllers sign their Events; the others sign as `<name>-controller`."""

ACCOUNTS: Final = {
    "replicationcontroller": "replication-controller",
    "daemonset": "daemon-set-controller",
    job_orphans.NAME: "job-controller",
    "endpoints": "endpoint-controller",
    "node-lifecycle": "node-controller",
    node_ttl.NAME: "ttl-controller",
    "taint-eviction": "node-controller",
    "pod-garbage-collector": "pod-garbage-collector",
    "serviceaccount": "service-account-controller",
    "root-ca-certificate-publisher": "root-ca-cert-publisher",
    servicecidr.NAME: "service-cidrs-controller",
    volume_protection.OF_CLAIMS: "pvc-protection-controller",
    volume_protection.OF_VOLUMES: "pv-protection-controller",
    volumes.NAME: "persistent-volume-binder",
    resource_claims.NAME: "resource-claim-controller",
    "garbage-collector": "generic-garbage-collector",
    NODE_IPAM: "node-controller",
}
"""Fixed by Kubernetes: as which service account of kube-system controllers write; the others as `<name>-controller`."""

LEASE_NAMESPACE: Final = "kube-system"
LEASE_NAME: Final = "kube-controller-manager"
COMPONENT: Final = "kube-controller-manager"
METADATA: Final = Selection(metadata_only=True)
PACKED: Final = frozenset((kinds.resource("", "v1", "pods"),))
"""What a cluster has very many of and controllers look at by ones: kept as bytes."""


_LOG = log.get("controllers")


async def run(
    client: Client, settings: Settings, clock: Clock, entropy: Entropy, ready: Callable[[], None], subnets: Subnets | None = None
) -> None:
    """Run the controllers while this process leads; returns when the Lease is lost, runs until cancelled otherwise.

    ready    called once, when all informers have synced and workers begin
    subnets  what nodes get their podCIDRs from; None: they get none
    """
    if not settings.leader_elect:
        await lead(client, settings, clock, entropy, ready, subnets)
        return
    elector = LeaderElector(client, LEASE_NAMESPACE, LEASE_NAME, settings.identity)
    await elector.run(lambda: lead(client, settings, clock, entropy, ready, subnets))


async def lead(
    client: Client, settings: Settings, clock: Clock, entropy: Entropy, ready: Callable[[], None], subnets: Subnets | None = None
) -> None:
    """Run the controllers until cancelled."""
    informers = SharedInformers(Informers(client))
    recorder = EventRecorder(client, COMPONENT)
    context = Context(client, informers.whole, informers.metadata, recorder, clock, entropy, settings)
    controllers = [
        make(
            replace(
                context,
                api=client.acting(ACCOUNTS.get(name, f"{name}-controller")),
                recorder=recorder.named(COMPONENTS.get(name, f"{name}-controller")),
            )
        )
        for name, make in _table(subnets, settings).items()
        if not settings.controllers or name in settings.controllers
    ]
    for controller in controllers:
        informers.connect(controller)
    async with asyncio.TaskGroup() as group:
        group.create_task(recorder.run(), name="recorder")
        group.create_task(informers.informers.run(), name="informers")
        await informers.informers.wait_synced()
        for controller in controllers:
            for key in controller.first_keys:
                controller.queue.add(key)
            group.create_task(work(controller.queue, controller.reconcile, controller.workers), name=controller.name)
        _LOG.info("controllers run", count=len(controllers))
        ready()


def _table(subnets: Subnets | None, settings: Settings) -> dict[str, Make]:
    asked_for = {name: make for name, make in OPTIONAL.items() if name in (*settings.optional, *settings.controllers)}
    for feature in settings.features:
        asked_for |= OF_FEATURES.get(feature, {})
    if subnets is None:
        return asked_for | CONTROLLERS
    return {NODE_IPAM: lambda context: node_ipam.make(context, subnets), **asked_for, **CONTROLLERS}


class SharedInformers:
    """One informer for each resource and selection; metadata is read from whole objects where these are followed anyway."""

    def __init__(self, informers: Informers) -> None:
        self.informers = informers
        self._whole: dict[tuple[Resource, Selection], Informer[Any]] = {}
        self._metadata: dict[Resource, Informer[Any]] = {}
        self._owned: dict[tuple[Informer[Any], tuple[str, ...]], Ownership] = {}

    def whole(self, resource: Resource, selection: Selection = EVERYTHING) -> Informer[Any]:
        """Return the informer of whole objects of a resource."""
        name = (resource, selection)
        if name not in self._whole:
            self._whole[name] = self.informers.informer_of(resource, selection, packed=resource in PACKED)
        return self._whole[name]

    def metadata(self, resource: Resource, selection: Selection = EVERYTHING) -> Informer[Any]:
        """Return the informer of a resource's metadata: always the same, once somebody asked for it."""
        assert selection == EVERYTHING, "metadata is followed of all objects"
        if resource not in self._metadata:
            whole = self._whole.get((resource, EVERYTHING))
            self._metadata[resource] = whole or self.informers.informer_of(resource, METADATA, meta_pb2.PartialObjectMetadata.FromString)
        return self._metadata[resource]

    def connect(self, controller: Controller) -> None:
        """Put what changes into a controller's queue."""
        for source in controller.sources:
            informer = self.metadata(source.resource) if source.metadata_only else self.whole(source.resource, source.selection)
            look = partial(controller.queue.add_after, delay_s=source.gather_s)
            if isinstance(source.changed, Claimant):
                self._ownership(informer, source.reads_if_owned).add(source.changed, look)
            elif source.changed is not IGNORE:
                follow(informer, partial(look_at_all, source.changed, look), source.reads, source.reads_if_owned)

    def _ownership(self, informer: Informer[Any], reads: tuple[str, ...]) -> Ownership:
        """Return who is told of the owners of a resource's objects, together with all who read the same of those."""
        found = self._owned.get((informer, reads))
        if found is None:
            found = self._owned[informer, reads] = Ownership()
            follow(informer, found.changed, OWNERSHIP, reads)
        return found


def look_at_all(changed: Changed, look: Look, old: Any, new: Any) -> None:
    """Have all keys looked at that a change means."""
    for key in changed(old, new):
        look(key)


def follow(informer: Informer[Any], tell: Callable[[Any, Any], None], reads: Iterable[str] | None, reads_if_owned: Iterable[str]) -> None:
    """Be told of all changes, with None for what is not there."""
    informer.add_handler(
        on_add=partial(tell, None),
        on_update=tell,
        on_delete=lambda old: tell(old, None),
        reads=reads,
        reads_if_owned=reads_if_owned,
    )
