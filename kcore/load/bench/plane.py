"""A control plane for one row: a fresh data directory, started and stopped by commands."""

from __future__ import annotations

import asyncio
import atexit
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import cache
from shutil import rmtree
from typing import TypeVar

from kcore.api.core.v1 import service_account_pb2
from kcore.base import limits, service
from kcore.base.config import DataDir
from kcore.client import connect
from kcore.client.client import Client

T = TypeVar("T")
NAMESPACE = "default"


class BenchError(Exception):
    """A row could not be run; the text is one sentence."""


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `kcore` as a user would. Raises BenchError with its sentence if it fails."""
    return program(sys.executable, "-m", "kcore", *arguments, name=f"kcore {arguments[0]}")


def program(*arguments: str, name: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program to its end. Raises BenchError with what it says if it fails."""
    try:
        done = subprocess.run(
            arguments, capture_output=True, text=True, timeout=limits.BENCH_COMMAND_TIMEOUT_S, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        raise BenchError(f"{name} did not end within {limits.BENCH_COMMAND_TIMEOUT_S:g} s") from None
    if done.returncode:
        raise BenchError(f"{name} failed: {(done.stderr or done.stdout).strip()[-limits.REASON_CHARS_MAX :]}")
    return done


@contextmanager
def data_directory() -> Iterator[DataDir]:
    """A fresh data directory; what runs in it is stopped at the end, also if this process is told to end."""
    directory = DataDir.at(tempfile.mkdtemp(prefix="kcore-bench-"))
    before = signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        yield directory
    finally:
        service.stop_all(directory)
        rmtree(directory.path, ignore_errors=True)
        signal.signal(signal.SIGTERM, before)


def start(directory: DataDir, nodes: int, *options: str) -> float:
    """Start a control plane; -> seconds from exec until it is ready."""
    began = time.monotonic()
    ports = ("--port", "0", "--grpc-port", "0", "--etcd-port", "0")
    command("up", "--data-dir", str(directory.path), "--nodes", str(nodes), *ports, *options, "--detach")
    return time.monotonic() - began


@contextmanager
def api_server() -> Iterator[DataDir]:
    """An API server alone, in which pods can be created: nobody else asks it anything."""
    with data_directory() as directory:
        start(directory, 0, "--parts", "apiserver")
        ask(directory, make_account)
        yield directory


async def make_account(client: Client) -> None:
    """Do what a controller would: pods need their namespace's account."""
    account = service_account_pb2.ServiceAccount()
    account.metadata.name, account.metadata.namespace = "default", NAMESPACE
    await client.serviceaccounts.create(account)


@cache
def runner() -> asyncio.Runner:
    """The one loop of all rows: grpcio goes on waking the loop that it met first, and complains when that is closed."""
    made = asyncio.Runner()
    atexit.register(made.close)
    return made


def ask(directory: DataDir, act: Callable[[Client], Awaitable[T]]) -> T:
    """Connect, act, disconnect."""

    async def main() -> T:
        async with await connect.from_endpoints(directory.path) as client:
            return await act(client)

    return runner().run(main())
