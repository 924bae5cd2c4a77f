"""Puts an API server together over an open store; front-ends are opened by those who serve it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import partial

from kcore.apiserver import bootstrap
from kcore.apiserver.admission import Chain
from kcore.apiserver.admission.cluster import Cluster
from kcore.apiserver.admission.service_addresses import ServiceAddresses
from kcore.apiserver.authentication import Authenticator
from kcore.apiserver.authentication.accounts import AccountTokens
from kcore.apiserver.authentication.keys import SigningKey, new_key
from kcore.apiserver.authorization import Authorizer
from kcore.apiserver.bootstrap import network
from kcore.apiserver.bootstrap.flow_upkeep import FlowUpkeep
from kcore.apiserver.pipeline import Pipeline
from kcore.apiserver.reads import Reads
from kcore.apiserver.registry import Registry
from kcore.apiserver.reviews import access, identity, token_request
from kcore.apiserver.views import views
from kcore.base import limits, log, metrics
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.base.features import NO_FEATURES, Features
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.request import User
from kcore.machinery.scheme import Scheme
from kcore.store.storage import Storage, StoreError
from kcore.watch import Hub

LOG = log.get("apiserver")
SERVICE = GroupVersionKind("", "v1", "Service")


class ApiServer:
    """An API server. Thread: the event loop's."""

    def __init__(
        self,
        scheme: Scheme,
        storage: Storage,
        clock: Clock,
        entropy: Entropy,
        service_cidrs: list[str],
        origin: Hub | None = None,
        signing_key: bytes | None = None,
        features: Features = NO_FEATURES,
    ) -> None:
        """Put it together.

        origin       the hub of the store that `storage` is a fork of: its present objects are shared
        features     those that are on
        signing_key  in PEM: it signs the tokens of service accounts; without it they are good as long as this server runs
        """
        self.storage, self.clock = storage, clock
        self.hub = Hub(storage, views(scheme), origin)
        cluster = Cluster(scheme, storage)
        self.cluster, self.addresses = cluster, ServiceAddresses(service_cidrs, entropy, cluster)
        self.adopt()
        self.registry = Registry(scheme, storage, clock, entropy, Chain(cluster, self.addresses), features)
        self.authorizer = cluster.authorizer = Authorizer(scheme, storage)
        self.by_storage = {spec.storage: spec for spec in scheme.served() if spec.storage}
        self.pipeline = Pipeline(scheme, self.registry, Reads(scheme, self.hub, clock), self.authorizer)
        self.tokens = AccountTokens(SigningKey(signing_key or new_key()), scheme, storage, clock, entropy)
        self.pipeline.creating |= access.handlers(self.authorizer) | token_request.handlers(self.tokens)
        self.pipeline.creating["selfsubjectreviews", ""] = identity.review_self
        self.flow_upkeep = FlowUpkeep(self.pipeline)
        self.service_address = self.addresses.first()

    def authenticator(self, users: Mapping[str, User]) -> Authenticator:
        """The one that says who calls, by these tokens and all that the store knows; it answers TokenReviews, too."""
        found = Authenticator(users, self.tokens, self.authorizer, self.clock)
        self.pipeline.creating |= identity.handlers(found)
        return found

    def adopt(self) -> None:
        """Take over what the store holds, at the start or after it was changed by others than the registry."""
        self.addresses.reset(self.cluster.every(SERVICE))
        self.cluster.adopt()

    async def bootstrap(self, client_ca: str = "") -> None:
        """Put the objects in place that every cluster has; `client_ca` in PEM is what client certificates are checked by."""
        for act in (partial(bootstrap.ensure, self.registry, self.service_address, client_ca), self.flow_upkeep.judge):
            last = act()
            if last is not None:
                await last.durable()

    async def advertise(self, address: str | None, port: int) -> None:
        """Publish the address and port at which pods reach the REST front-end, as endpoints of the Service `kubernetes`.

        A name is not published, nor a loopback address, which leads pods to themselves: endpoints may have neither.
        """
        if address is None or not is_published(address):
            return
        last = network.publish(self.registry, address, port)
        if last is not None:
            await last.durable()

    async def maintain(self) -> None:
        """Bookmarks, expiry, flow schemas and compaction, for ever."""
        compact_at = self.clock.monotonic() + limits.COMPACTION_PERIOD_S
        floor = self.storage.revision
        while True:
            await self.clock.sleep(limits.MAINTENANCE_PERIOD_S)
            now = self.clock.monotonic()
            self.hub.tick(now)
            self.report()
            self.storage.expire()
            self.flow_upkeep.tick(now)
            if now >= compact_at:
                self.compact(floor)
                floor, compact_at = self.storage.revision, now + limits.COMPACTION_PERIOD_S

    def report(self) -> None:
        """Tell the metrics how things are."""
        self.pipeline.gate.report()
        metrics.STORAGE_BYTES.set(self.storage.used_bytes, "")
        for name, state in self.hub.resources.items():
            spec = self.by_storage[name]
            labels = (spec.group, spec.resource)
            if state.present or state.changes:
                metrics.RESOURCE_OBJECTS.set(len(state.present), *labels)
                metrics.STORAGE_EVENTS.inc(*labels, amount=state.changes - metrics.STORAGE_EVENTS.value(*labels))
                metrics.WATCH_CACHE_REVISION.set(state.history[-1].revision if state.history else state.floor, *labels)
            if state.watchers or metrics.LONG_RUNNING.value("apiserver", *labels, "", "", "WATCH", spec.version):
                metrics.LONG_RUNNING.set(len(state.watchers), "apiserver", *labels, "", "", "WATCH", spec.version)

    def compact(self, revision: int) -> None:
        """Forget history before a revision, unless it is forgotten already."""
        if revision <= self.storage.compact_revision:
            return
        try:
            self.storage.compact(revision)
        except StoreError as error:
            LOG.warning("compaction failed", reason=str(error))


def is_published(address: str) -> bool:
    """Whether endpoints may have an address."""
    try:
        return not ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
