"""A command's connection to a server, and its errors as sentences."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kcore.base.config import DataDir
from kcore.client import connect
from kcore.client.client import Client
from kcore.machinery.status import StatusError

if TYPE_CHECKING:
    from kcore.load.rest import RestServer

T = TypeVar("T")

ENDING = frozenset(("Unauthorized", "ServiceUnavailable", "Timeout"))
"""Failures that the next call would meet as well."""


async def opened(directory: DataDir, address: str | None, ca: Path | None, token: str | None, insecure: bool) -> Client:
    """Connect as the options say. Raises ClickException."""
    try:
        if address is not None:
            return await connect.connect(address, ca_file=ca, token=token or "", insecure=insecure)
        return await connect.from_endpoints(directory.path)
    except FileNotFoundError:
        raise click.ClickException(f"no control plane runs in {directory.path}; start one with kcore up") from None
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    except StatusError as error:
        if error.reason != "Timeout":
            raise
        where = address or f"the address in {directory.endpoints}"
        hint = "" if address is None or ca or insecure else ", or its certificate needs --ca"
        raise click.ClickException(f"no API server answers at {where}{hint} ({error.message})") from error


def run(
    act: Callable[[Client], Awaitable[T]], directory: DataDir, address: str | None, ca: Path | None, token: str | None, insecure: bool
) -> T:
    """Connect, act, disconnect. A refusal by the server becomes a ClickException."""

    async def main() -> T:
        async with await opened(directory, address, ca, token, insecure) as client:
            return await act(client)

    return finished(main())


def finished(work: Coroutine[Any, Any, T]) -> T:
    """Do some work for a command. A refusal by the server becomes a ClickException."""
    try:
        return asyncio.run(work)
    except StatusError as error:
        raise click.ClickException(error.message) from error


def over_rest(act: Callable[[RestServer], Awaitable[T]], kubeconfig: Path, context: str, in_flight: int) -> T:
    """Act on the API server that a kubeconfig leads to, any Kubernetes. A refusal by the server becomes a ClickException."""
    from kcore.base.clock import SystemClock
    from kcore.base.entropy import SystemEntropy
    from kcore.load.kubeconfig import KubeconfigError, read
    from kcore.load.rest import RestServer

    try:
        access = read(kubeconfig, context)
    except KubeconfigError as error:
        raise click.ClickException(str(error)) from error

    async def main() -> T:
        async with RestServer(access, in_flight, SystemClock(), SystemEntropy()).opened() as server:
            return await act(server)

    return finished(main())
