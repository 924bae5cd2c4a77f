"""Carries a script's steps out: what people do goes through the API as the admin, what breaks is broken in the world."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from kcore.api.core.v1.node_pb2 import Node
from kcore.client import kinds
from kcore.machinery import status
from kcore.machinery.status import StatusError
from kcore.testing.faulty_transport import FaultyTransport
from tests.simulation import workloads
from tests.simulation.script import Step
from tests.simulation.workloads import NAMESPACE
from tests.simulation.world import SERVER, World

TRIES_MAX: Final = 20
PAUSE_S: Final = 0.5
TAINT: Final = "example.com/drained"
BREAKING: Final = ("kill", "revive", "cut_watches", "hold_watches", "release_watches", "refuse", "lose_answers", "slow", "jump", "compact")
WORKLOADS: Final = ("Deployment", "ReplicaSet", "StatefulSet")


class Actor:
    """Plays a script in a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.deleted: set[str] = set()

    async def play(self, script: list[Step]) -> None:
        """Let it all happen in order; what breaks does not wait for people, who may wait for it to be mended."""
        people = [step for step in script if step.what not in BREAKING]
        breaking = [step for step in script if step.what in BREAKING]
        await asyncio.gather(self._play(people), self._play(breaking))

    async def _play(self, script: list[Step]) -> None:
        began = self._world.clock.monotonic()
        for step in script:
            pause_s = began + step.at_s - self._world.clock.monotonic()
            if pause_s > 0:
                await self._world.clock.sleep(pause_s)
            self._world.check()
            await getattr(self, step.what)(*step.arguments)

    # what people do

    async def _insist(self, act: Callable[[], Awaitable[Any]]) -> Any:
        """Do something until the server has a say, as a person would; what it says no to is let be."""
        for _ in range(TRIES_MAX):
            try:
                return await act()
            except StatusError as error:
                if error.reason in ("NotFound", "AlreadyExists"):
                    return None
                await self._world.clock.sleep(PAUSE_S)
        return None

    async def _create(self, message: Any) -> None:
        await self._insist(lambda: self._world.admin.of(type(message)).create(message, namespace=NAMESPACE))

    async def create_deployment(self, name: str, replicas: int, cpu: int, surge: int | str, unavailable: int | str) -> None:
        await self._create(workloads.deployment(name, replicas, cpu, surge, unavailable))

    async def create_replicaset(self, name: str, replicas: int, cpu: int) -> None:
        await self._create(workloads.replicaset(name, replicas, cpu))

    async def create_statefulset(self, name: str, replicas: int, cpu: int, policy: str) -> None:
        await self._create(workloads.statefulset(name, replicas, cpu, policy))

    async def create_job(self, name: str, completions: int, parallelism: int, indexed: bool) -> None:
        await self._create(workloads.job(name, completions, parallelism, indexed))

    async def create_service(self, name: str) -> None:
        await self._create(workloads.service(name))

    async def create_pod(self, name: str, cpu: int) -> None:
        await self._create(workloads.pod(name, cpu))

    async def _change(self, calls: Any, name: str, namespace: str, change: Callable[[Any], None]) -> None:
        async def act() -> None:
            found = await calls.get(name, namespace=namespace)
            change(found)
            await calls.update(found)

        await self._insist(act)

    def _calls(self, kind: str) -> Any:
        group = "apps" if kind in WORKLOADS else ""
        return self._world.admin.resource(kinds.of_kind(group, "v1", kind))

    async def scale(self, kind: str, name: str, replicas: int) -> None:
        await self._change(self._calls(kind), name, NAMESPACE, lambda found: setattr(found.spec, "replicas", replicas))

    async def roll_out(self, kind: str, name: str, image: str) -> None:
        def change(found: Any) -> None:
            found.spec.template.spec.containers[0].image = image

        await self._change(self._calls(kind), name, NAMESPACE, change)

    async def delete(self, kind: str, name: str, policy: str) -> None:
        await self._insist(lambda: self._calls(kind).delete(name, namespace=NAMESPACE, propagation_policy=policy))

    async def delete_pod(self, number: int, grace_s: int | None) -> None:
        pods = sorted((pod.metadata.name, pod.metadata.uid) for pod in self._world.history.all("Pod"))
        if pods:
            name, uid = pods[number % len(pods)]
            self.deleted.add(uid)
            await self._insist(
                lambda: self._world.admin.pods.delete(name, namespace=NAMESPACE, uid=uid, grace_period_seconds=grace_s)
            )

    async def cordon(self, name: str, on: bool) -> None:
        await self._change(self._world.admin.of(Node), name, "", lambda node: setattr(node.spec, "unschedulable", on))

    async def taint(self, name: str, effect: str, on: bool) -> None:
        def change(node: Any) -> None:
            kept = [taint for taint in node.spec.taints if taint.key != TAINT]
            del node.spec.taints[:]
            node.spec.taints.extend(kept)
            if on:
                node.spec.taints.add(key=TAINT, effect=effect)

        await self._change(self._world.admin.of(Node), name, "", change)

    async def delete_node(self, name: str) -> None:
        await self._insist(lambda: self._world.admin.of(Node).delete(name))

    async def meddle(self, kind: str, times: int) -> None:
        """Write to all objects of a kind what concerns nobody, so that who is about to write one meets a conflict."""
        for number in range(times):
            for found in list(self._world.history.all(kind)):
                patch = {"metadata": {"annotations": {"example.com/touched": str(number)}}}
                await self._insist(
                    lambda found=found, patch=patch: self._calls(kind).patch(found.metadata.name, patch, namespace=found.metadata.namespace)
                )

    # what breaks

    async def kill(self, part: str) -> None:
        if part == SERVER:
            await self._world.server.kill()
        else:
            await self._world.kill(part)

    async def revive(self, part: str) -> None:
        if part == SERVER:
            if not self._world.server.is_up:
                await self._world.server.start()
        else:
            self._world.revive(part)

    def _faults(self, name: str) -> FaultyTransport:
        """The faults of a part; of one that is dead, those of nobody."""
        part = self._world.parts[name]
        return part.faults if part.is_running else FaultyTransport(self._world.admin.transport, self._world.clock)

    async def cut_watches(self, part: str, reason: str) -> None:
        self._faults(part).break_streams(failure(reason) if reason else None)

    async def hold_watches(self, part: str, resource: str) -> None:
        self._faults(part).hold_watches(resource=resource)

    async def release_watches(self, part: str) -> None:
        self._faults(part).release_watches()

    async def refuse(self, part: str, verb: str, reason: str, times: int) -> None:
        self._faults(part).fail(verb, failure(reason), times=times)

    async def lose_answers(self, part: str, verb: str, reason: str, times: int) -> None:
        self._faults(part).fail(verb, failure(reason), times=times, after=True)

    async def slow(self, part: str, verb: str, seconds: float, times: int) -> None:
        self._faults(part).delay(verb, seconds, times=times)

    async def jump(self, clock: str, seconds: float) -> None:
        self._world.clocks[clock].jump(seconds)

    async def compact(self) -> None:
        self._world.server.compact()


def failure(reason: str) -> StatusError:
    """An error as the network or the server gives it."""
    return status.failure(reason, "by the script")
