"""The hollow nodes as a part, with an address manager for each node."""

from __future__ import annotations

import asyncio

from kcore.agent.hollow import HollowNodes
from kcore.agent.settings import HollowSettings, NodeSettings
from kcore.base.config import DataDir
from kcore.network import NodeIpam, SubnetAllocator, cluster_ranges
from kcore.serve.networks import CLUSTER_CIDRS
from kcore.serve.running import Running, Work, as_coroutine

Settings = tuple[NodeSettings, HollowSettings]


def work(_directory: DataDir, settings: Settings) -> Work:
    """What hollow nodes do."""
    node_settings, hollow_settings = settings
    subnets = None if node_settings.awaits_cidr else SubnetAllocator(cluster_ranges(CLUSTER_CIDRS))

    async def act(running: Running) -> None:
        hollow = HollowNodes(running.client, node_settings, addresses_for=NodeIpam, hollow_settings=hollow_settings, subnets=subnets)
        async with asyncio.TaskGroup() as group:
            group.create_task(as_coroutine(hollow.run()))
            await hollow.wait_ready()
            running.ready()

    return act
