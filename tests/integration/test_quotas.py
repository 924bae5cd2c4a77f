"""Quotas and budgets in a whole control plane: what admission charges, what the controllers give back and allow."""

from __future__ import annotations

from kcore.api.apps.v1.deployment_pb2 import Deployment
from kcore.api.core.v1.resource_quota_pb2 import ResourceQuota
from kcore.api.policy.v1.pod_disruption_budget_pb2 import PodDisruptionBudget
from kcore.base import virtual_loop
from kcore.testing import Cluster

LABELS = {"app": "web"}


def deployment(replicas: int) -> Deployment:
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "c", "image": "nginx:1"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": LABELS}, "template": template}
    return Deployment(metadata={"name": "web", "namespace": "default"}, spec=spec)


async def pods(cluster: Cluster) -> list[str]:
    return [pod.metadata.name for pod in (await cluster.client.pods.list(namespace="default")).items]


async def used(cluster: Cluster) -> str:
    found = await cluster.client.resourcequotas.get("q", namespace="default")
    return str(found.status.used["pods"].string)


async def bounded(cluster: Cluster, count: int) -> None:
    quota = ResourceQuota(metadata={"name": "q", "namespace": "default"})
    quota.spec.hard["pods"].string = str(count)
    await cluster.client.resourcequotas.create(quota)

    async def counted() -> bool:
        return await used(cluster) == "0"

    await cluster.wait_for(counted)


def test_a_deployment_stops_at_the_quota_and_goes_on_when_there_is_room() -> None:
    async def story() -> None:
        async with Cluster(nodes=2) as cluster:
            await bounded(cluster, 3)
            await cluster.client.deployments.create(deployment(5))
            await cluster.wait_for(lambda: full(cluster, 3))
            await cluster.stays(lambda: full(cluster, 3), 60)
            quota = await cluster.client.resourcequotas.get("q", namespace="default")
            quota.spec.hard["pods"].string = "5"
            await cluster.client.resourcequotas.update(quota)
            await cluster.wait_for(lambda: full(cluster, 5), 120)
            await cluster.client.deployments.delete("web", namespace="default")
            await cluster.wait_for(lambda: full(cluster, 0), 120)

    virtual_loop.run(story())


async def full(cluster: Cluster, count: int) -> bool:
    return len(await pods(cluster)) == count and await used(cluster) == str(count)


def test_a_budget_allows_what_its_deployment_can_spare() -> None:
    async def story() -> None:
        async with Cluster(nodes=2) as cluster:
            budget = PodDisruptionBudget(metadata={"name": "b", "namespace": "default"}, spec={"selector": {"matchLabels": LABELS}})
            budget.spec.maxUnavailable.type, budget.spec.maxUnavailable.strVal = 1, "50%"
            await cluster.client.poddisruptionbudgets.create(budget)
            await cluster.client.deployments.create(deployment(4))

            async def spared() -> bool:
                status = (await cluster.client.poddisruptionbudgets.get("b", namespace="default")).status
                return (status.expectedPods, status.currentHealthy, status.disruptionsAllowed) == (4, 4, 2)

            await cluster.wait_for(spared)

    virtual_loop.run(story())
