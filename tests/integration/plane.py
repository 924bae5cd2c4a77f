"""A control plane of processes for tests, and the command line that talks to it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kcore.base import service
from kcore.base.config import DataDir
from kcore.base.lock import Holder, holder_of
from kcore.client import connect
from tests.lint.sources import ROOT

COMMAND_TIMEOUT_S = 60.0
DEADLINE_S = 40.0
FREE_PORTS = ("--port", "0", "--grpc-port", "0", "--etcd-port", "0")


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str

    def lines(self) -> list[str]:
        return self.out.splitlines()

    def json(self) -> Any:
        return json.loads(self.out)


def process(*arguments: str, stdin: str = "", home: Path | None = None) -> Done:
    """Run `kcore ARGUMENTS` as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)} | ({"HOME": str(home)} if home else {})
    done = subprocess.run(
        [sys.executable, "-m", "kcore", *arguments],
        capture_output=True,
        text=True,
        timeout=COMMAND_TIMEOUT_S,
        input=stdin,
        env=environment,
        cwd=home or ROOT,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True, slots=True)
class Plane:
    """The control plane of one data directory."""

    directory: DataDir

    def kcore(self, *arguments: str, stdin: str = "") -> Done:
        """Run a command about it as a process."""
        return process(*arguments, "--data-dir", str(self.directory.path), stdin=stdin)

    def up(self, *arguments: str) -> Done:
        return self.kcore("up", "--detach", *FREE_PORTS, *arguments)

    def objects(self, resource: str, namespace: str = "", name: str = "", selector: str = "") -> list[dict[str, Any]]:
        """What is there, asked by this process."""

        async def ask() -> list[dict[str, Any]]:
            async with await connect.from_endpoints(self.directory.path) as client:
                group, _, plural = resource.rpartition("/")
                found = await client.dynamic.resource(group, "v1", plural).list(namespace=namespace, label_selector=selector)
                items: list[dict[str, Any]] = found.get("items") or []
                return [item for item in items if name in ("", item["metadata"]["name"])]

        return asyncio.run(ask())

    def holder(self, part: str) -> Holder:
        """The process that is a part."""
        found = holder_of(self.directory.part_lock(part))
        assert found is not None and found.is_alive(), f"{part} does not run"
        return found

    def kill(self, *parts: str) -> None:
        """Kill -9."""
        holders = [self.holder(part) for part in parts]
        for holder in holders:
            holder.send(signal.SIGKILL)
        for holder in holders:
            assert holder.wait(DEADLINE_S)

    def restarts(self, part: str) -> int | None:
        """How often a part was started again; None while any part is not ready."""
        parts = json.loads(self.directory.part_state("supervisor").read_text())["parts"]
        return int(parts[part]["restarts"]) if all(each["state"] == "ready" for each in parts.values()) else None

    def end(self) -> None:
        """Leave nothing behind."""
        for holder in service.running(self.directory).values():
            holder.send(signal.SIGKILL)
            holder.wait(DEADLINE_S)


def wait_for(condition: Callable[[], object], what: str = "the condition") -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true"
        os.sched_yield()
