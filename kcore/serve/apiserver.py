"""The API server as a part: opens the store, makes keys at the first start, serves, writes the addresses."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from kcore.apiserver.authentication import TokenFileError, read_token_file
from kcore.base import lock, service
from kcore.base.clock import SystemClock
from kcore.base.config import DataDir, Endpoints
from kcore.base.entropy import SystemEntropy
from kcore.machinery.request import User
from kcore.serve import pki, users
from kcore.serve.diagnostics import Diagnostics
from kcore.serve.failure import PartError
from kcore.serve.networks import SERVICE_CIDRS
from kcore.serve.plane import Plane, assembled
from kcore.serve.rpc_port import RpcPort, Tls, run_until
from kcore.store import Engine, StoreError

PART = "apiserver"


@dataclass(frozen=True, slots=True)
class ApiServerSettings:
    """The command line of the API server."""

    bind: str = "127.0.0.1"
    grpc_port: int = 6444
    insecure: bool = False
    token_auth_file: Path | None = None
    service_cidrs: tuple[str, ...] = SERVICE_CIDRS


def tokens(directory: DataDir, settings: ApiServerSettings) -> dict[str, User]:
    """Whom each token belongs to. Raises PartError."""
    found = {directory.token(name).read_text(): user for name, user in users.USERS.items()}
    if settings.token_auth_file is not None:
        try:
            with open(settings.token_auth_file) as lines:
                found |= read_token_file(lines)
        except (OSError, TokenFileError) as error:
            raise PartError(f"{settings.token_auth_file}: {error}") from error
    return found


def address(bind: str, port: int) -> str:
    """HOST:PORT as gRPC writes it."""
    return f"[{bind}]:{port}" if ":" in bind else f"{bind}:{port}"


def reachable(bind: str) -> str:
    """The address under which a server that listens on `bind` is reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)


def port_to_use(directory: DataDir, settings: ApiServerSettings) -> int:
    """The port asked for; one picked before a restart stays, since clients know it."""
    if settings.grpc_port == 0 and (before := Endpoints.read(directory)) is not None and before.grpc:
        return int(before.grpc.rpartition(":")[2])
    return settings.grpc_port


def own_addresses(bind: str) -> set[str]:
    """The IP addresses for the certificate beside loopback."""
    if bind in ("0.0.0.0", "::"):
        return {str(info[4][0]).partition("%")[0] for info in socket.getaddrinfo(socket.gethostname(), None)}
    return {bind}


def is_loopback(bind: str) -> bool:
    """Whether an address is this machine's own; a name other than localhost may be any."""
    try:
        return ipaddress.ip_address(bind).is_loopback
    except ValueError:
        return bind == "localhost"


def open_store(directory: DataDir) -> Engine:
    """Open the embedded store. Raises PartError."""
    try:
        return Engine(directory.store, SystemClock(), SystemEntropy())
    except StoreError as error:
        raise PartError(str(error)) from error


@asynccontextmanager
async def port_of(plane: Plane, directory: DataDir, settings: ApiServerSettings) -> AsyncIterator[RpcPort]:
    """Open the port of an API server and write its address. Raises PartError."""
    pki.ensure(directory.path, own_addresses(settings.bind))
    rpc = RpcPort(plane.frontend)
    tls = None if settings.insecure else Tls(directory.pki / "apiserver.crt", directory.pki / "apiserver.key")
    try:
        port = rpc.listen(address(settings.bind, port_to_use(directory, settings)), tls)
    except RuntimeError as error:
        raise PartError(f"port {settings.grpc_port} of {settings.bind} cannot be opened: another program may listen there") from error
    await rpc.start()
    where = Endpoints(
        grpc=address(reachable(settings.bind), port),
        ca=None if settings.insecure else str(directory.pki / "ca.crt"),
        token=directory.token("admin").read_text(),
    )
    where.write(directory)
    yield rpc


@dataclass(frozen=True, slots=True)
class Opened:
    """An API server whose port is open and whose addresses are written."""

    plane: Plane
    rpc: RpcPort


@asynccontextmanager
async def opened(directory: DataDir, settings: ApiServerSettings, supervised: bool) -> AsyncIterator[Opened]:
    """Open the store and the port, and write the addresses; the store is closed at the end. Raises PartError."""
    if settings.insecure and not is_loopback(settings.bind):
        raise PartError(f"plain text is for loopback addresses only, and {settings.bind} is none")
    directory.make()
    held = lock.take(directory.part_lock(PART), supervised)
    if isinstance(held, lock.Holder):
        raise PartError(f"the API server of {directory.path} runs already, as process {held.pid}")
    users.ensure_tokens(directory.pki)
    storage = open_store(directory)
    try:
        plane = await assembled(storage, tokens(directory, settings), SystemClock(), SystemEntropy(), settings.service_cidrs)
        async with port_of(plane, directory, settings) as rpc:
            yield Opened(plane, rpc)
    finally:
        storage.close()
        held.release()


async def serve(directory: DataDir, settings: ApiServerSettings, ready_fd: int | None) -> None:
    """Serve until SIGTERM. Raises PartError if it cannot."""
    async with opened(directory, settings, supervised=ready_fd is not None) as api:
        diagnostics = Diagnostics(PART, directory)
        await diagnostics.start()
        stop = asyncio.Event()
        service.on_stop(asyncio.get_running_loop(), stop.set)
        diagnostics.ready = True
        service.report_ready(ready_fd)
        await run_until(stop, api.plane.server, api.rpc)
        await diagnostics.stop()
