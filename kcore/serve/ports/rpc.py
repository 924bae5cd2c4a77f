"""The gRPC port of an API server: TLS, health, reflection, and the front-end behind it."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2

from kcore.apiserver.rpc_frontend import RpcFrontend
from kcore.apiserver.rpc_reflection import ReflectionHandler
from kcore.base import limits

OPTIONS = [
    ("grpc.max_receive_message_length", limits.RPC_RECEIVE_BYTES_MAX),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_concurrent_streams", limits.RPC_STREAMS_PER_CONNECTION_MAX),
    ("grpc.so_reuseport", 1),
    ("grpc.server.max_pending_requests", limits.RPC_UNREAD_CALLS_MAX),
    ("grpc.server.max_pending_requests_hard_limit", limits.RPC_UNREAD_CALLS_MAX),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.keepalive_permit_without_calls", 1),
]


@dataclass(frozen=True, slots=True)
class Tls:
    """The serving certificate and key, in PEM files."""

    certificate: Path
    key: Path


class RpcPort:
    """The port: several listeners on one address, each with its own order of calls. Thread: the event loop's."""

    def __init__(self, frontend: RpcFrontend) -> None:
        made: Any = health
        self.health = made.aio.HealthServicer()
        handlers = (health_handler(self.health), ReflectionHandler(frontend.pipeline.scheme), frontend)
        self.servers = [grpc.aio.server(options=OPTIONS) for _ in range(limits.RPC_LISTENERS)]
        for server in self.servers:
            server.add_generic_rpc_handlers(handlers)

    def listen(self, address: str, tls: Tls | None) -> int:
        """Open a port; -> its number. Raises RuntimeError if it is taken."""
        refuse_taken(address)
        credentials = None if tls is None else grpc.ssl_server_credentials([(tls.key.read_bytes(), tls.certificate.read_bytes())])
        host, _, number = address.rpartition(":")
        for server in self.servers:
            address = f"{host}:{number}"
            number = str(server.add_insecure_port(address) if credentials is None else server.add_secure_port(address, credentials))
        return int(number)

    async def start(self) -> None:
        """Serve."""
        for server in self.servers:
            await server.start()
        await self.health.set("", health_pb2.HealthCheckResponse.SERVING)

    async def stop(self, grace_s: float) -> None:
        """Refuse new calls and end those that are there within a time."""
        await self.health.enter_graceful_shutdown()
        await asyncio.gather(*(server.stop(grace_s) for server in self.servers))


def refuse_taken(address: str) -> None:
    """Refuse a port on which somebody listens already, whom the listeners would else share it with. Raises RuntimeError."""
    host, _, number = address.rpartition(":")
    host = host.strip("[]")
    try:
        socket.create_server((host, int(number)), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        raise RuntimeError(f"{address}: {error}") from error


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
