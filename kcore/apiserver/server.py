"""Puts an API server together over an open store, and serves it over gRPC."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2

from kcore.apiserver import bootstrap
from kcore.apiserver.admission import Chain
from kcore.apiserver.admission.cluster import Cluster
from kcore.apiserver.admission.service_addresses import ServiceAddresses
from kcore.apiserver.authentication import Authenticator
from kcore.apiserver.pipeline import Pipeline
from kcore.apiserver.reads import Reads
from kcore.apiserver.registry import Registry
from kcore.apiserver.rpc_frontend import RpcFrontend
from kcore.apiserver.rpc_reflection import ReflectionHandler
from kcore.apiserver.views import views
from kcore.base import limits, log
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.scheme import Scheme
from kcore.store.storage import Storage, StoreError
from kcore.watch import Hub

LOG = log.get("apiserver")
SERVICE = GroupVersionKind("", "v1", "Service")
OPTIONS = [
    ("grpc.max_receive_message_length", limits.RPC_RECEIVE_BYTES_MAX),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_concurrent_streams", limits.RPC_STREAMS_PER_CONNECTION_MAX),
    ("grpc.so_reuseport", 0),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.keepalive_permit_without_calls", 1),
]


@dataclass(frozen=True, slots=True)
class Tls:
    """The serving certificate and key, in PEM files."""

    certificate: Path
    key: Path


class ApiServer:
    """An API server. Thread: the event loop's."""

    def __init__(self, scheme: Scheme, storage: Storage, clock: Clock, entropy: Entropy, service_cidrs: list[str]) -> None:
        self.storage, self.clock = storage, clock
        self.hub = Hub(storage, views(scheme))
        cluster = Cluster(scheme, storage)
        addresses = ServiceAddresses(service_cidrs, entropy)
        addresses.reset(cluster.every(SERVICE))
        self.registry = Registry(scheme, storage, clock, entropy, Chain(cluster, addresses))
        self.pipeline = Pipeline(scheme, self.registry, Reads(scheme, self.hub, clock))
        self.service_address = addresses.first()

    async def bootstrap(self) -> None:
        """Create the objects that every cluster has."""
        last = bootstrap.ensure(self.registry, self.service_address)
        if last is not None:
            await last.durable()

    async def maintain(self) -> None:
        """Bookmarks, expiry and compaction, for ever."""
        compact_at = self.clock.monotonic() + limits.COMPACTION_PERIOD_S
        floor = self.storage.revision
        while True:
            await self.clock.sleep(limits.MAINTENANCE_PERIOD_S)
            now = self.clock.monotonic()
            self.hub.tick(now)
            self.storage.expire()
            if now >= compact_at:
                self.compact(floor)
                floor, compact_at = self.storage.revision, now + limits.COMPACTION_PERIOD_S

    def compact(self, revision: int) -> None:
        """Forget history before a revision, unless it is forgotten already."""
        if revision <= self.storage.compact_revision:
            return
        try:
            self.storage.compact(revision)
        except StoreError as error:
            LOG.warning("compaction failed", reason=str(error))


class RpcServer:
    """The gRPC port of an API server."""

    def __init__(self, server: ApiServer, authenticator: Authenticator) -> None:
        self.server = grpc.aio.server(options=OPTIONS)
        made: Any = health
        self.health = made.aio.HealthServicer()
        self.frontend = RpcFrontend(server.pipeline, authenticator)
        handlers = (health_handler(self.health), ReflectionHandler(server.pipeline.scheme), self.frontend)
        self.server.add_generic_rpc_handlers(handlers)

    def listen(self, address: str, tls: Tls | None) -> int:
        """Open a port; -> its number. Raises RuntimeError if it is taken."""
        if tls is None:
            return self.server.add_insecure_port(address)
        credentials = grpc.ssl_server_credentials([(tls.key.read_bytes(), tls.certificate.read_bytes())])
        return self.server.add_secure_port(address, credentials)

    async def start(self) -> None:
        """Serve."""
        await self.server.start()
        await self.health.set("", health_pb2.HealthCheckResponse.SERVING)

    async def stop(self, grace_s: float) -> None:
        """Refuse new calls and end those that are there within a time."""
        await self.health.enter_graceful_shutdown()
        await self.server.stop(grace_s)


def health_handler(servicer: Any) -> grpc.GenericRpcHandler[Any, Any]:
    """The standard health service, put together by hand: service stubs are dear to import."""
    forms = {
        "request_deserializer": health_pb2.HealthCheckRequest.FromString,
        "response_serializer": health_pb2.HealthCheckResponse.SerializeToString,
    }
    methods = {
        "Check": grpc.unary_unary_rpc_method_handler(servicer.Check, **forms),
        "Watch": grpc.unary_stream_rpc_method_handler(servicer.Watch, **forms),
    }
    return grpc.method_handlers_generic_handler(health.SERVICE_NAME, methods)


async def run_until(stop: asyncio.Event, server: ApiServer, rpc: RpcServer) -> None:
    """Serve until told to stop."""
    maintenance = asyncio.create_task(server.maintain())
    try:
        await stop.wait()
    finally:
        maintenance.cancel()
        await rpc.stop(limits.RPC_STOP_GRACE_S)
