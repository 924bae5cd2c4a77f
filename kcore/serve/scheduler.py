"""The scheduler as a part."""

from __future__ import annotations

from kcore.base.config import DataDir
from kcore.scheduler.configuration.reading import Configuration
from kcore.scheduler.scheduler import Scheduler
from kcore.serve.running import Running, Work, lead

LEASE = "kube-scheduler"


def work(_directory: DataDir, configuration: Configuration | None) -> Work:
    """What a scheduler does: it schedules while it leads."""

    async def act(running: Running) -> None:
        await lead(running, LEASE, lambda: Scheduler(running.client, configuration).run(running.ready))

    return act
