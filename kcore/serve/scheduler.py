"""The scheduler as a part."""

from __future__ import annotations

from typing import Any

from kcore.base.config import DataDir
from kcore.scheduler.scheduler import Scheduler
from kcore.serve import client_part
from kcore.serve.client_part import Running

LEASE = "kube-scheduler"


async def serve(directory: DataDir, _settings: Any, ready_fd: int | None) -> None:
    """Schedule until SIGTERM, when leading."""

    async def work(running: Running) -> None:
        await client_part.lead(running, LEASE, lambda: Scheduler(running.client).run(running.ready))

    await client_part.serve("scheduler", directory, ready_fd, work)
