"""Several schedulers of one cluster: one leads and another takes over, and profiles in two processes keep out of each other's way."""

import asyncio
from contextlib import asynccontextmanager

from kcore.base.config import DataDir
from kcore.client import kinds
from kcore.scheduler.configuration.reading import read
from kcore.scheduler.scheduler import Scheduler
from kcore.serve import scheduler as part
from kcore.serve.running import Running
from tests.unit.client.virtual import run
from tests.unit.scheduler.test_scheduler import a_node, a_pod, pods, scheduling, settle

LEASES = kinds.resource("coordination.k8s.io", "v1", "leases")


def configuration(name):
    return read({
        "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration", "profiles": [{"schedulerName": name}],
    })  # fmt: skip


@asynccontextmanager
async def standing(world, tmp_path, *identities):
    """Schedulers that stand for election, and those of them that are ready, in order."""
    ready, tasks = [], {}
    work = part.work(DataDir(tmp_path), None)
    for identity in identities:
        _, client = world.new_client()
        tasks[identity] = asyncio.create_task(work(Running(client, identity, lambda identity=identity: ready.append(identity))))
        await settle(world)
    try:
        yield tasks, ready
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)


def test_one_of_two_schedulers_leads_and_the_other_takes_over(tmp_path):
    async def test(world):
        await world.client.nodes.create(a_node("n0"))
        async with standing(world, tmp_path, "one", "two") as (tasks, ready):
            await world.client.pods.create(a_pod("first"))
            await settle(world, 5.0)
            assert ready == ["one"] and (await pods(world))["first"].spec.nodeName == "n0"
            tasks["one"].cancel()
            await world.client.pods.create(a_pod("second"))
            await settle(world, 60.0)
            assert ready == ["one", "two"] and (await pods(world))["second"].spec.nodeName == "n0"
            assert world.server.get(LEASES, f"kube-system/{part.LEASE}").spec.holderIdentity == "two"

    run(test)


def test_a_scheduler_that_starts_anew_keeps_the_node_that_was_cleared_for_a_pod():
    async def test(world):
        await world.client.nodes.create(a_node("n0", cpu="1100m"))
        large = {"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}}}]}
        async with scheduling(world):
            for name in ("low-0", "low-1"):
                await world.client.pods.create(a_pod(name))
            await settle(world)
            await world.client.pods.create(a_pod("high", {"priority": 5, **large}))
            await settle(world, 3.0)
        assert (await pods(world))["high"].status.nominatedNodeName == "n0"
        await world.client.pods.create(a_pod("middle", {"priority": 3}))
        async with scheduling(world):
            for name in ("low-0", "low-1"):
                await world.client.pods.delete(name, namespace="default", grace_period_seconds=0)
                await settle(world, 15.0)
                assert (await pods(world))["middle"].spec.nodeName == ""
            assert (await pods(world))["high"].spec.nodeName == "n0"

    run(test)


def test_two_schedulers_of_different_names_bind_their_own_pods_and_count_those_of_the_other():
    async def test(world):
        await world.client.nodes.create(a_node("n0", pods="3"))
        _, other = world.new_client()
        second = asyncio.create_task(Scheduler(other, configuration("b")).run(on_synced=lambda: None))
        async with scheduling(world, configuration("a")):
            for name in ("a", "b"):
                await world.client.pods.create(a_pod(f"{name}-0", {"schedulerName": name}))
                await settle(world)
                await world.client.pods.create(a_pod(f"{name}-1", {"schedulerName": name}))
                await settle(world)
            await settle(world, 15.0)
            bound = {name: each.spec.nodeName for name, each in (await pods(world)).items()}
            assert bound == {"a-0": "n0", "a-1": "n0", "b-0": "n0", "b-1": ""}
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)

    run(test)
