"""From an address to a client: the `endpoints.json` of a data folder, or server, CA and token (DESIGN section 6)."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kcore.base import limits
from kcore.client.channel import GrpcTransport
from kcore.client.client import Client
from kcore.machinery.status import StatusError

ENDPOINTS_FILE = "endpoints.json"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an API server's gRPC port is, and what it takes to be let in.

    ca        PEM certificates that vouch for the server; None in an insecure cluster
    """

    server: str
    ca: bytes | None
    token: str
    insecure: bool = False


def read_endpoint(data_dir: Path | str, token_file: Path | str | None = None) -> Endpoint:
    """Read where the cluster of a data folder is.

    token_file  holds the token to use instead of the admin's, such as `DIR/pki/scheduler.token`
    Raises      FileNotFoundError if no cluster runs there, ValueError if it serves no gRPC
    """
    found = json.loads((Path(data_dir) / ENDPOINTS_FILE).read_bytes())
    server = found.get("grpc", "")
    if not server:
        raise ValueError(f"the cluster in {data_dir} serves no gRPC")
    token = Path(token_file).read_text().strip() if token_file else found.get("token", "")
    ca_file = found.get("ca", "")
    ca = Path(data_dir, ca_file).read_bytes() if ca_file else None
    return Endpoint(server, ca, token, insecure=ca is None)


async def to_endpoint(endpoint: Endpoint, *, timeout_s: float = limits.CONNECT_TIMEOUT_S, connections: int = 1, **more: Any) -> Client:
    """Connect and wait until the server can be reached; `more` is what `Client` takes.

    Raises  StatusError (Timeout) if it cannot be in time
    """
    transport = GrpcTransport(
        endpoint.server,
        ca=endpoint.ca,
        token=endpoint.token,
        insecure=endpoint.insecure,
        connections=connections,
        agent=more.get("field_manager") or "kcore",
    )
    try:
        await transport.ready(timeout_s)
    except (StatusError, asyncio.CancelledError):
        await transport.close()
        raise
    return Client(transport, **more)


async def from_endpoints(data_dir: Path | str, *, token_file: Path | str | None = None, **more: Any) -> Client:
    """Connect to the cluster of a data folder."""
    return await to_endpoint(read_endpoint(data_dir, token_file), **more)


async def connect(server: str, *, ca_file: Path | str | None = None, token: str = "", insecure: bool = False, **more: Any) -> Client:
    """Connect to a server by its address; without `ca_file` it must be one whose certificate the system trusts."""
    return await to_endpoint(Endpoint(server, _read(ca_file), token, insecure), **more)


def _read(file: Path | str | None) -> bytes | None:
    return Path(file).read_bytes() if file else None
