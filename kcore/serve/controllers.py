"""The controllers as a part, with the subnets that node-ipam gives out."""

from __future__ import annotations

from dataclasses import replace

from kcore.base.config import DataDir
from kcore.controllers import manager
from kcore.controllers.settings import Settings
from kcore.network import SubnetAllocator, cluster_ranges
from kcore.serve.networks import CLUSTER_CIDRS, SERVICE_CIDRS
from kcore.serve.running import Running, Work


def work(directory: DataDir, given: Settings | None) -> Work:
    """What the controllers do, when leading; given: what was decided about them beside what belongs to this process."""

    async def act(running: Running) -> None:
        ca = directory.pki / "ca.crt"
        ca_pem = ca.read_text() if ca.exists() else ""
        settings = replace(given or Settings(), ca_pem=ca_pem, identity=running.identity, leader_elect=running.elects)
        subnets = SubnetAllocator(cluster_ranges(CLUSTER_CIDRS), reserved=SERVICE_CIDRS)
        await manager.run(running.client, settings, running.client.clock, running.client.entropy, running.ready, subnets)

    return act
