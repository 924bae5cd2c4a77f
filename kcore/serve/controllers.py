"""The controllers as a part, with the subnets that node-ipam gives out."""

from __future__ import annotations

from typing import Any

from kcore.base.config import DataDir
from kcore.controllers import manager
from kcore.controllers.settings import Settings
from kcore.network import SubnetAllocator, cluster_ranges
from kcore.serve import client_part
from kcore.serve.client_part import Running, Work
from kcore.serve.networks import CLUSTER_CIDRS, SERVICE_CIDRS


def work(directory: DataDir, _settings: Any) -> Work:
    """What the controllers do, when leading."""

    async def act(running: Running) -> None:
        settings = Settings(ca_pem=(directory.pki / "ca.crt").read_text(), identity=running.identity)
        subnets = SubnetAllocator(cluster_ranges(CLUSTER_CIDRS), reserved=SERVICE_CIDRS)
        await manager.run(running.client, settings, running.client.clock, running.client.entropy, running.ready, subnets)

    return act


async def serve(directory: DataDir, settings: Any, ready_fd: int | None) -> None:
    """Run the controllers until SIGTERM."""
    await client_part.serve("controllers", directory, ready_fd, work(directory, settings))
