"""The controllers as a part, with the subnets that node-ipam gives out."""

from __future__ import annotations

from typing import Any

from kcore.base.config import DataDir
from kcore.controllers import manager
from kcore.controllers.settings import Settings
from kcore.network import SubnetAllocator, cluster_ranges
from kcore.serve.networks import CLUSTER_CIDRS, SERVICE_CIDRS
from kcore.serve.running import Running, Work


def work(directory: DataDir, optional: Any) -> Work:
    """What the controllers do, when leading; optional: names of controllers to run that are off by default."""

    async def act(running: Running) -> None:
        ca = directory.pki / "ca.crt"
        settings = Settings(ca.read_text() if ca.exists() else "", running.identity, leader_elect=running.elects, optional=optional or ())
        subnets = SubnetAllocator(cluster_ranges(CLUSTER_CIDRS), reserved=SERVICE_CIDRS)
        await manager.run(running.client, settings, running.client.clock, running.client.entropy, running.ready, subnets)

    return act
