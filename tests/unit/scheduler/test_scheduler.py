"""The scheduler at work against a fake API server on virtual time."""

import asyncio
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kcore.api.apps.v1.replica_set_pb2 import ReplicaSet
from kcore.api.core.v1.event_pb2 import Event
from kcore.api.core.v1.namespace_pb2 import Namespace
from kcore.api.core.v1.node_pb2 import Node
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.core.v1.service_pb2 import Service
from kcore.api.policy.v1.pod_disruption_budget_pb2 import PodDisruptionBudget
from kcore.base import metrics
from kcore.machinery import status
from kcore.scheduler.configuration.reading import read
from kcore.scheduler.rows import Peer
from kcore.scheduler.scheduler import Scheduler
from tests.unit.client.virtual import run
from tests.unit.scheduler.pods import node_bytes, pod_bytes

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def a_node(name: str, labels: dict[str, str] | None = None, **allocatable: str) -> Node:
    node = Node.FromString(node_bytes(name, **allocatable))
    node.metadata.labels.update(labels or {})
    return node


def a_pod(name: str, spec: dict | None = None, **metadata: Any) -> Pod:
    return Pod.FromString(pod_bytes(spec, name=name, uid="", **metadata))


@asynccontextmanager
async def scheduling(world, configuration=None):
    scheduler = Scheduler(world.client, configuration)
    synced = asyncio.Event()
    task = asyncio.create_task(scheduler.run(on_synced=synced.set))
    try:
        await synced.wait()
        yield scheduler
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def settle(world, seconds=1.0):
    await world.clock.sleep(seconds)


async def pods(world) -> dict[str, Pod]:
    return {each.metadata.name: each for each in (await world.client.pods.list_page()).items}


async def events(world) -> list[tuple[str, str, str]]:
    return [(each.involvedObject.name, each.reason, each.message) for each in (await world.client.of(Event).list_page()).items]


def waiting_for(pod: Pod) -> list[tuple[str, str, str]]:
    return [(each.status, each.reason, each.message) for each in pod.status.conditions if each.type == "PodScheduled"]


def test_pods_are_bound_and_events_say_so():
    async def test(world):
        for name in ("n0", "n1"):
            await world.client.nodes.create(a_node(name))
        await world.client.pods.create(a_pod("early"))
        async with scheduling(world) as scheduler:
            await world.client.pods.create(a_pod("late"))
            await settle(world)
            bound = await pods(world)
            assert {each.spec.nodeName for each in bound.values()} == {"n0", "n1"}
            assert ("early", "Scheduled", f"Successfully assigned default/early to {bound['early'].spec.nodeName}") in await events(world)
            assert len(scheduler.core.queue) == 0
            assert not scheduler.core.cache.is_assumed("default/late")

    run(test)


def test_a_pod_that_fits_nowhere_says_why_and_goes_when_a_node_comes():
    async def test(world):
        await world.client.nodes.create(a_node("small", cpu="100m"))
        async with scheduling(world):
            await world.client.pods.create(a_pod("a"))
            await settle(world)
            message = (
                "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: "
                "1 Preemption is not helpful for scheduling."
            )
            assert waiting_for((await pods(world))["a"]) == [("False", "Unschedulable", message)]
            assert ("a", "FailedScheduling", message) in await events(world)
            await world.client.nodes.create(a_node("large"))
            await settle(world, 2.0)
            assert (await pods(world))["a"].spec.nodeName == "large"

    run(test)


def test_each_attempt_is_counted_once():
    def counted():
        return [metrics.SCHEDULE_ATTEMPTS.value(result, "default-scheduler") for result in ("scheduled", "unschedulable", "error")]

    async def test(world):
        before = counted()
        await world.client.nodes.create(a_node("n0", cpu="500m"))
        async with scheduling(world):
            await world.client.pods.create(a_pod("fits"))
            await settle(world)
            await world.client.pods.create(a_pod("waits"))
            await settle(world)
        assert [now - then for now, then in zip(counted(), before, strict=True)] == [1, 1, 0]

    run(test)


def test_a_pod_waits_for_a_node_where_there_is_none():
    async def test(world):
        async with scheduling(world):
            await world.client.pods.create(a_pod("a"))
            await settle(world)
            assert waiting_for((await pods(world))["a"]) == [("False", "Unschedulable", "no nodes available to schedule pods")]
            await world.client.nodes.create(a_node("n0"))
            await settle(world, 2.0)
            assert (await pods(world))["a"].spec.nodeName == "n0"

    run(test)


def test_a_gated_pod_is_told_of_its_gates_and_left_alone():
    async def test(world):
        await world.client.nodes.create(a_node("n0"))
        async with scheduling(world):
            await world.client.pods.create(a_pod("a", {"schedulingGates": [{"name": "wait"}]}))
            await settle(world)
            gated = (await pods(world))["a"]
            assert gated.spec.nodeName == ""
            assert waiting_for(gated) == [("False", "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates")]

    run(test)


def test_the_pods_of_a_service_and_of_a_workload_are_spread_over_nodes():
    async def test(world):
        for name in ("n0", "n1"):
            await world.client.nodes.create(a_node(name, labels={"kubernetes.io/hostname": name}))
        spec = {"containers": [{"name": "c", "image": "web", "resources": {"requests": {"cpu": "0", "memory": "0"}}}]}
        await world.client.services.create(Service(metadata={"name": "s", "namespace": "default"}, spec={"selector": {"app": "web"}}))
        replica_set = ReplicaSet(metadata={"name": "r", "namespace": "default"}, spec={"selector": {"matchLabels": {"app": "db"}}})
        await world.client.replicasets.create(replica_set)
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "u", "controller": True}
        async with scheduling(world) as scheduler:
            for app, more in (("web", {}), ("db", {"ownerReferences": [owner]})):
                for number in range(6):
                    await world.client.pods.create(a_pod(f"{app}-{number}", spec, labels={"app": app}, **more))
                    await settle(world, 0.1)
                nodes = [pod.spec.nodeName for name, pod in (await pods(world)).items() if name.startswith(app)]
                assert sorted(nodes) == ["n0"] * 3 + ["n1"] * 3
            await world.client.services.delete("s", namespace="default")
            await settle(world)
            assert not scheduler.core.columns.owners.selector(Peer("default", (("app", "web"),)), None)

    run(test)


def test_a_pod_goes_on_when_the_pods_it_wants_come_and_their_namespace_is_labelled():
    async def test(world):
        await world.client.nodes.create(a_node("n0", labels={"zone": "a"}))
        await world.client.namespaces.create(Namespace(metadata={"name": "other"}))
        web, team = {"matchLabels": {"app": "web"}}, {"matchLabels": {"team": "x"}}
        term = {"topologyKey": "zone", "labelSelector": web, "namespaceSelector": team}
        async with scheduling(world):
            await world.client.pods.create(a_pod("a", {"affinity": {"podAffinity": {REQUIRED: [term]}}}))
            await world.client.pods.create(a_pod("b", labels={"app": "web"}, namespace="other"))
            await settle(world, 20.0)
            assert [message.partition(".")[0] for _, _, message in waiting_for((await pods(world))["a"])] == [
                "0/1 nodes are available: 1 node(s) didn't match pod affinity rules"
            ]
            labelled = await world.client.namespaces.get("other")
            labelled.metadata.labels["team"] = "x"
            await world.client.namespaces.update(labelled)
            await settle(world)
            assert (await pods(world))["a"].spec.nodeName == "n0"

    run(test)


def test_pods_of_other_schedulers_are_left_alone():
    async def test(world):
        await world.client.nodes.create(a_node("n0"))
        async with scheduling(world):
            await world.client.pods.create(a_pod("a", {"schedulerName": "mine"}))
            await settle(world)
            assert (await pods(world))["a"].spec.nodeName == ""

    run(test)


def test_a_refused_binding_is_taken_back_and_tried_again():
    async def test(world):
        await world.client.nodes.create(a_node("n0"))
        refusals = [status.too_many_requests("no")]
        write = world.client.bulk.write

        async def refuse(items, **more):
            if refusals:
                raise refusals.pop()
            return await write(items, **more)

        world.client.bulk.write = refuse
        async with scheduling(world) as scheduler:
            await world.client.pods.create(a_pod("a"))
            await settle(world, 0.5)
            assert len(scheduler.core.cache) == 0
            assert scheduler.core.columns.requested.sum() == 0
            await settle(world, 2.0)
            assert (await pods(world))["a"].spec.nodeName == "n0"
            assert ("a", "FailedScheduling", "binding rejected: no") in await events(world)

    run(test)


@pytest.mark.parametrize("happened", [True, False])
def test_a_binding_whose_answer_is_lost_keeps_its_room_until_it_is_known(happened):
    async def test(world):
        await world.client.nodes.create(a_node("n0", pods="1"))
        losses = [status.service_unavailable("the connection broke")]
        write = world.client.bulk.write

        async def lose(items, **more):
            if losses:
                world.transport.hold_watches(resource="pods")
                if happened:
                    await write(items, **more)
                raise losses.pop()
            return await write(items, **more)

        await world.client.pods.create(a_pod("a"))
        await world.client.pods.create(a_pod("b"))
        world.client.bulk.write = lose
        async with scheduling(world):
            await settle(world, 5.0)
            world.transport.release_watches()
            await settle(world, 15.0)
            found = await pods(world)
            assert sorted(each.spec.nodeName for each in found.values()) == ["", "n0"]
            assert happened is not any(message.startswith("binding rejected") for _, _, message in await events(world))

    run(test)


def test_what_a_deleted_pod_took_is_free_again():
    async def test(world):
        await world.client.nodes.create(a_node("n0", cpu="600m"))
        async with scheduling(world):
            await world.client.pods.create(a_pod("a"))
            await settle(world)
            await world.client.pods.create(a_pod("b"))
            await settle(world)
            assert (await pods(world))["b"].spec.nodeName == ""
            await world.client.pods.delete("a", namespace="default", grace_period_seconds=0)
            await settle(world, 3.0)
            assert (await pods(world))["b"].spec.nodeName == "n0"

    run(test)


def test_a_pod_preempts_one_of_lower_priority_and_takes_its_place():
    async def test(world):
        await world.client.nodes.create(a_node("n0", cpu="600m"))
        async with scheduling(world):
            await world.client.pods.create(a_pod("low"))
            await settle(world)
            await world.client.pods.create(a_pod("high", {"priority": 5}))
            await settle(world, 8.0)
            high, low = (await pods(world))["high"], (await pods(world))["low"]
            assert high.spec.nodeName == "" and high.status.nominatedNodeName == "n0"
            assert low.metadata.HasField("deletionTimestamp")
            reasons = {each.type: (each.status, each.reason, each.message) for each in low.status.conditions}
            message = "default-scheduler: preempting to accommodate a higher priority pod"
            assert reasons["DisruptionTarget"] == ("True", "PreemptionByScheduler", message)
            told = await events(world)
            assert ("low", "Preempted", f"Preempted by pod {high.metadata.uid} on node n0") in told
            preempting = "0/1 nodes are available: 1 Insufficient cpu. preemption: "
            assert ("high", "FailedScheduling", f"{preempting}found a potential placement for pod on node n0, preempting 1 victims") in told
            await world.client.pods.delete("low", namespace="default", grace_period_seconds=0)
            await settle(world, 3.0)
            assert (await pods(world))["high"].spec.nodeName == "n0"

    run(test)


def test_a_pod_waits_for_its_victims_without_preempting_more():
    async def test(world):
        for name in ("n0", "n1"):
            await world.client.nodes.create(a_node(name, cpu="600m"))
            await world.client.pods.create(a_pod(f"low-{name}"))
        async with scheduling(world):
            await settle(world)
            await world.client.pods.create(a_pod("high", {"priority": 5}))
            await settle(world)
            await world.client.nodes.create(a_node("n2", cpu="500m", pods="0"))
            await settle(world, 400.0)
            found = await pods(world)
            assert sorted(each.metadata.HasField("deletionTimestamp") for each in found.values()) == [False, False, True]
            [(_, _, message)] = waiting_for(found["high"])
            assert message.endswith("preemption: not eligible due to a terminating pod on the nominated node.")
            assert found["high"].status.nominatedNodeName

    run(test)


def test_a_budget_decides_which_node_is_cleared():
    async def test(world):
        for name in ("n0", "n1"):
            await world.client.nodes.create(a_node(name, cpu="600m"))
        budget = PodDisruptionBudget(metadata={"name": "b", "namespace": "default"})
        budget.spec.selector.matchLabels["app"] = "kept"
        async with scheduling(world):
            await world.client.of(PodDisruptionBudget).create(budget)
            for name in ("kept", "free"):
                low = a_pod(name)
                low.metadata.labels["app"] = name
                await world.client.pods.create(low)
            await settle(world)
            await world.client.pods.create(a_pod("high", {"priority": 5}))
            await settle(world)
            found = await pods(world)
            assert found["high"].status.nominatedNodeName == found["free"].spec.nodeName

    run(test)


def test_a_pod_that_could_not_be_preempted_is_tried_again():
    async def test(world):
        await world.client.nodes.create(a_node("n0", cpu="600m"))
        async with scheduling(world) as scheduler:
            await world.client.pods.create(a_pod("low"))
            await settle(world)
            refusals = [status.internal("no")]
            write = scheduler._statuses.write

            async def refuse(items, **more):
                if refusals:
                    raise refusals.pop()
                return await write(items, **more)

            scheduler._statuses.write = refuse
            await world.client.pods.create(a_pod("high", {"priority": 5}))
            await settle(world)
            assert (await pods(world))["low"].metadata.HasField("deletionTimestamp")

    run(test)


def test_schedulers_side_by_side_bind_the_pods_of_their_name_and_see_each_others():
    async def test(world):
        await world.client.nodes.create(a_node("n0", cpu="1"))
        await world.client.nodes.create(a_node("n1", cpu="1"))
        mine = read({
            "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration", "profiles": [{"schedulerName": "mine"}],
        })  # fmt: skip
        async with scheduling(world) as first, scheduling(world, mine) as second:
            for number in range(6):
                name = "mine" if number % 2 else "default-scheduler"
                await world.client.pods.create(a_pod(f"p{number}", {"schedulerName": name}))
                await settle(world)
            found = await pods(world)
            assert sorted(each.spec.nodeName for each in found.values()) == ["", "", "n0", "n0", "n1", "n1"]
            assert first.core.columns.held() == second.core.columns.held()
            told = {each.involvedObject.name: each.source.component for each in (await world.client.of(Event).list_page()).items}
            assert told == {f"p{number}": "mine" if number % 2 else "default-scheduler" for number in range(6)}

    run(test)
