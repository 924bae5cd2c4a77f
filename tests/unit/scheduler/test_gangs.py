"""Groups of pods at work against a fake API server on virtual time."""

from __future__ import annotations

from typing import Any

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.scheduling.v1beta1.pod_group_pb2 import PodGroup
from kcore.base.features import GENERIC_WORKLOAD
from kcore.machinery import status
from kcore.scheduler.configuration.reading import Configuration
from kcore.scheduler.gangs.attempt import feasibility
from tests.unit.client.virtual import run
from tests.unit.scheduler.test_scheduler import a_node, a_pod, events, pods, scheduling, settle, waiting_for

ON = Configuration(features=frozenset((GENERIC_WORKLOAD,)))


def a_group(name: str, min_count: int, **spec: Any) -> PodGroup:
    policy = {"gang": {"minCount": min_count}}
    return PodGroup(metadata={"name": name, "namespace": "default"}, spec={"schedulingPolicy": policy, **spec})


def a_member(name: str, group: str = "g", **spec: Any) -> Pod:
    return a_pod(name, {"schedulingGroup": {"podGroupName": group}, **spec})


async def conditions(world: Any, name: str = "g") -> list[tuple[str, str, str]]:
    group = await world.client.of(PodGroup).get(name, namespace="default")
    return [(each.status, each.reason, each.message) for each in group.status.conditions if each.type == "PodGroupInitiallyScheduled"]


def test_a_group_is_bound_together_and_says_so_for_good() -> None:
    async def test(world: Any) -> None:
        await world.client.nodes.create(a_node("n0", cpu="1"))
        async with scheduling(world, ON):
            await world.client.of(PodGroup).create(a_group("g", 3))
            for name in ("a", "b"):
                await world.client.pods.create(a_member(name))
            await settle(world)
            assert {each.spec.nodeName for each in (await pods(world)).values()} == {""} and await conditions(world) == []
            await world.client.pods.create(a_member("c"))
            await settle(world)
            assert {each.spec.nodeName for each in (await pods(world)).values()} == {""}
            why = "pod group is unschedulable, minCount (3) cannot be satisfied: 2 scheduled, 0 remaining"
            why = f"{why}, pod group preemption: No preemption victims found for incoming preemptor"
            assert await conditions(world) == [("False", "Unschedulable", why)]
            assert waiting_for((await pods(world))["a"]) == [("False", "Unschedulable", f"pod group is unschedulable, {why}")]
            await world.client.nodes.create(a_node("n1", cpu="1"))
            await settle(world, 20.0)
            assert "" not in {each.spec.nodeName for each in (await pods(world)).values()}
            assert await conditions(world) == [("True", "Scheduled", "")]
            for name in ("a", "b", "c"):
                await world.client.pods.delete(name, namespace="default")
            await world.client.pods.create(a_member("d", nodeSelector={"disk": "ssd"}))
            await settle(world, 20.0)
            assert await conditions(world) == [("True", "Scheduled", "")]

    run(test)


def test_without_the_feature_each_pod_of_a_group_goes_for_itself() -> None:
    async def test(world: Any) -> None:
        await world.client.nodes.create(a_node("n0"))
        async with scheduling(world):
            await world.client.pods.create(a_member("a"))
            await settle(world)
            assert (await pods(world))["a"].spec.nodeName == "n0"

    run(test)


def test_pods_of_a_group_that_differ_in_priority_are_an_error_of_the_group() -> None:
    async def test(world: Any) -> None:
        await world.client.nodes.create(a_node("n0"))
        async with scheduling(world, ON):
            await world.client.of(PodGroup).create(a_group("g", 1, priority=5))
            await world.client.pods.create(a_member("a"))
            await settle(world)
            why = "all pods in a single pod group should have the same priority as the pod group's priority, got 0 and 5"
            assert await conditions(world) == [("False", "SchedulerError", why)]
            assert waiting_for((await pods(world))["a"]) == [("False", "SchedulerError", why)]

    run(test)


def test_a_binding_that_fails_is_made_up_for_by_the_group() -> None:
    async def test(world: Any) -> None:
        await world.client.nodes.create(a_node("n0"))
        refusals = [status.too_many_requests("no")]
        write = world.client.bulk.write

        async def refuse(items: Any, **more: Any) -> Any:
            if refusals:
                raise refusals.pop()
            return await write(items, **more)

        async with scheduling(world, ON) as scheduler:
            world.client.bulk.write = refuse
            await world.client.of(PodGroup).create(a_group("g", 2))
            for name in ("a", "b"):
                await world.client.pods.create(a_member(name))
            await settle(world, 10.0)
            assert {each.spec.nodeName for each in (await pods(world)).values()} == {"n0"}
            assert len(scheduler.core.queue) == 0
            scheduler.core.cache.verify()

    run(test)


def test_a_group_preempts_and_its_victims_are_told_by_whom() -> None:
    async def test(world: Any) -> None:
        await world.client.nodes.create(a_node("n0", cpu="1"))
        async with scheduling(world, ON):
            for name in ("x", "y"):
                await world.client.pods.create(a_pod(name))
            await settle(world)
            await world.client.of(PodGroup).create(a_group("g", 2, priority=9))
            for name in ("a", "b"):
                await world.client.pods.create(a_member(name, priority=9))
            await settle(world, 5.0)
            assert [each.status.nominatedNodeName for name, each in (await pods(world)).items() if name in "ab"] == ["n0", "n0"]
            for name in ("x", "y"):
                await world.client.pods.delete(name, namespace="default", grace_period_seconds=0)
            await settle(world, 20.0)
            assert {name: each.spec.nodeName for name, each in (await pods(world)).items()} == {"a": "n0", "b": "n0"}
            uid = (await world.client.of(PodGroup).get("g", namespace="default")).metadata.uid
            assert ("x", "Preempted", f"Preempted by podgroup {uid} on node cluster") in await events(world)

    run(test)


def test_whether_enough_pods_are_placed_is_said_in_numbers() -> None:
    assert feasibility(3, 3, 0) == (True, True, "")
    assert feasibility(3, 1, 2) == (False, True, "minCount (3) is not yet satisfied: 1 scheduled, 2 remaining")
    assert feasibility(3, 1, 1) == (False, False, "minCount (3) cannot be satisfied: 1 scheduled, 1 remaining")
