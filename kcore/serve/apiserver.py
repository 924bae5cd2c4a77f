"""The API server as a part: opens the store, makes keys at the first start, serves, writes the addresses."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kcore.apiserver.authentication import TokenFileError, read_token_file
from kcore.base import limits, lock, service
from kcore.base.clock import Clock, SystemClock
from kcore.base.config import DataDir, Endpoints
from kcore.base.entropy import SystemEntropy
from kcore.base.features import NO_FEATURES, Features
from kcore.machinery.request import User
from kcore.serve import kubeconfig, pki, users
from kcore.serve.diagnostics import Diagnostics
from kcore.serve.failure import PartError
from kcore.serve.networks import SERVICE_CIDRS
from kcore.serve.plane import Keys, Plane, assembled
from kcore.serve.ports.rest import RestPort
from kcore.serve.ports.rpc import RpcPort, Tls
from kcore.store import Engine, StoreError

PART = "apiserver"
DISCARD = 9


@dataclass(frozen=True, slots=True)
class ApiServerSettings:
    """The command line of the API server. Port 0 picks a free one, None for `port` serves no HTTP; a kubeconfig is written to DIR too.

    features  those that are on; clock: by which it goes
    """

    bind: str = "127.0.0.1"
    port: int | None = 6443
    grpc_port: int = 6444
    insecure: bool = False
    token_auth_file: Path | None = None
    kubeconfig: Path | None = None
    service_cidrs: tuple[str, ...] = SERVICE_CIDRS
    features: Features = NO_FEATURES
    clock: Clock = field(default_factory=SystemClock)


def tokens(directory: DataDir, settings: ApiServerSettings) -> dict[str, User]:
    """Whom each token belongs to. Raises PartError."""
    found = users.by_token({name: directory.token(name).read_text() for name in users.USERS})
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


def advertised(bind: str) -> str | None:
    """The address that endpoints of the Service `kubernetes` name; None if this machine has none that leads out.

    As upstream: of a server that listens everywhere, or for this machine alone, the address from which the default route leads out.
    """
    family, somewhere = (socket.AF_INET6, "2001:db8::1") if ":" in bind else (socket.AF_INET, "192.0.2.1")
    if bind not in ("0.0.0.0", "::") and not is_loopback(bind):
        return bind
    with socket.socket(family, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect((somewhere, DISCARD))  # a datagram's socket has a route then, and sends nothing
        return str(probe.getsockname()[0])
    return None


def port_to_use(asked: int, before: str | None) -> int:
    """The port asked for; one picked before a restart stays, since clients know it."""
    return int(before.rpartition(":")[2]) if asked == 0 and before else asked


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


def open_store(directory: DataDir, clock: Clock) -> Engine:
    """Open the embedded store. Raises PartError."""
    try:
        return Engine(directory.store, clock, SystemEntropy())
    except StoreError as error:
        raise PartError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Ports:
    """The open ports of an API server."""

    rpc: RpcPort
    rest: RestPort

    async def stop(self, end_watches: Callable[[], None], grace_s: float = limits.RPC_STOP_GRACE_S) -> None:
        """Refuse what is new, end watches, and let requests that are there end within a time."""
        stopping = asyncio.gather(self.rpc.stop(grace_s), self.rest.stop())
        end_watches()
        await stopping


@asynccontextmanager
async def ports_of(plane: Plane, directory: DataDir, settings: ApiServerSettings) -> AsyncIterator[Ports]:
    """Open the ports of an API server and write their addresses. Raises PartError."""
    ports = Ports(RpcPort(plane.frontend), RestPort(plane.rest))
    tls = None if settings.insecure else Tls(directory.pki / "apiserver.crt", directory.pki / "apiserver.key")
    before = Endpoints.read(directory) or Endpoints()
    host = reachable(settings.bind)
    try:
        asked = settings.grpc_port
        grpc_port = ports.rpc.listen(address(settings.bind, port_to_use(asked, before.grpc)), tls)
        rest = None
        if settings.port is not None:
            asked = settings.port
            number = await ports.rest.listen(settings.bind, port_to_use(asked, before.rest), tls, directory.pki / "ca.crt")
            await plane.server.advertise(advertised(settings.bind), number)
            rest = f"{'http' if tls is None else 'https'}://{address(host, number)}"
    except (RuntimeError, OSError) as error:
        raise PartError(f"port {asked} of {settings.bind} cannot be opened: another program may listen there") from error
    await ports.rpc.start()
    where = Endpoints(
        rest=rest,
        grpc=address(host, grpc_port),
        ca=None if settings.insecure else str(directory.pki / "ca.crt"),
        token=directory.token("admin").read_text(),
    )
    kubeconfig.write(directory, where, settings.kubeconfig)
    where.write(directory)
    yield ports


@dataclass(frozen=True, slots=True)
class Opened:
    """An API server whose ports are open and whose addresses are written."""

    plane: Plane
    ports: Ports

    async def run_until(self, stop: asyncio.Event) -> None:
        """Serve until told to stop."""
        maintenance = asyncio.create_task(self.plane.server.maintain())
        try:
            await stop.wait()
        finally:
            maintenance.cancel()
            await self.ports.stop(self.plane.server.hub.stop)


@asynccontextmanager
async def opened(directory: DataDir, settings: ApiServerSettings, supervised: bool) -> AsyncIterator[Opened]:
    """Open the store and the ports, and write the addresses; the store is closed at the end. Raises PartError."""
    if settings.insecure and not is_loopback(settings.bind):
        raise PartError(f"plain text is for loopback addresses only, and {settings.bind} is none")
    directory.make()
    held = lock.take(directory.part_lock(PART), supervised)
    if isinstance(held, lock.Holder):
        raise PartError(f"the API server of {directory.path} runs already, as process {held.pid}")
    users.ensure_tokens(directory.pki)
    storage = open_store(directory, settings.clock)
    try:
        pki.ensure(directory.path, own_addresses(settings.bind))
        keys = Keys(pki.ensure_signing_key(directory.pki), (directory.pki / "ca.crt").read_text())
        by_token = tokens(directory, settings)
        entropy, cidrs = SystemEntropy(), settings.service_cidrs
        plane = await assembled(storage, by_token, settings.clock, entropy, cidrs, keys=keys, features=settings.features)
        async with ports_of(plane, directory, settings) as ports:
            yield Opened(plane, ports)
    finally:
        storage.close()
        held.release()


async def serve(directory: DataDir, settings: ApiServerSettings, ready_fd: int | None) -> None:
    """Serve until SIGTERM. Raises PartError if it cannot."""
    async with opened(directory, settings, supervised=ready_fd is not None) as api:
        diagnostics = Diagnostics(PART, directory, api.plane.may_get_metrics)
        await diagnostics.start()
        stop = asyncio.Event()
        service.on_stop(asyncio.get_running_loop(), stop.set)
        diagnostics.ready = True
        service.report_ready(ready_fd)
        await api.run_until(stop)
        await diagnostics.stop()
