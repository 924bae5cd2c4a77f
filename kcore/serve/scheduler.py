"""The scheduler as a part."""

from __future__ import annotations

from typing import Any

from kcore.base.config import DataDir
from kcore.scheduler.scheduler import Scheduler
from kcore.serve import client_part
from kcore.serve.client_part import Running, Work

LEASE = "kube-scheduler"


def work(_directory: DataDir, _settings: Any) -> Work:
    """What a scheduler does: it schedules while it leads."""

    async def act(running: Running) -> None:
        await client_part.lead(running, LEASE, lambda: Scheduler(running.client).run(running.ready))

    return act


async def serve(directory: DataDir, settings: Any, ready_fd: int | None) -> None:
    """Schedule until SIGTERM."""
    await client_part.serve("scheduler", directory, ready_fd, work(directory, settings))
