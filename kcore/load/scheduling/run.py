"""Runs a case: a fresh control plane, its steps one after the other, and the figures of what is measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import Any, Final

from kcore.base import limits
from kcore.base.config import DataDir
from kcore.client import items
from kcore.client.client import Client
from kcore.client.items import Item
from kcore.load import processes
from kcore.load.bench import plane, report
from kcore.load.bench.plane import BenchError
from kcore.load.scheduling import exposition, windows, workload
from kcore.load.scheduling.following import Following, Group
from kcore.load.scheduling.workload import Churn, Create, Delete, Made, Plan, Workload

Figures = dict[str, Any]
PART: Final = "scheduler"
NODES_ARE_OBJECTS: Final = ("--parts", "apiserver,scheduler")


def run(size: str, cases: Iterable[Workload], on_case: Callable[[str], None]) -> Figures:
    """Run cases; -> the report, in the form of other benches."""
    where, found = report.machine(), dict[str, Figures]()
    for case in cases:
        on_case(case.name)
        try:
            plan = workload.plan(case, size)
            figures = measure(plan) | {"targets": dict(plan.targets)}
        except BenchError as error:
            figures = {"error": str(error), "targets": {}}
        found[case.name] = {"about": case.about, "size": dict(case.sizes.get(size, {})), "beside": dict(case.beside)} | figures
    return {"size": size, "machine": where, "rows": found, "missed": report.missed(found), "not_measured": []}


def measure(plan: Plan) -> Figures:
    """Run a case on a control plane of its own."""
    with plane.data_directory() as directory:
        options = () if plan.hollow else NODES_ARE_OBJECTS
        further = ("--with-controllers", ",".join(plan.workload.controllers)) if plan.workload.controllers else ()
        plane.start(directory, plan.hollow, *options, *further)
        figures = plane.ask(directory, lambda client: Run(plan, client, directory).run())
        return figures | {"restarts": processes.restarts(directory)}


class Run:
    """One run of a case. Thread: the event loop's."""

    def __init__(self, plan: Plan, client: Client, directory: DataDir) -> None:
        self.plan, self.client, self.directory = plan, client, directory
        self.following = Following(client)
        self.made: dict[str, list[Made]] = {}
        self.figures: Figures = {}

    async def run(self) -> Figures:
        """Carry the steps out; -> the figures."""
        beside: list[asyncio.Task[None]] = []
        try:
            async with self.following.running():
                for step in self.plan.steps:
                    if isinstance(step, Create):
                        await self.create(step)
                    else:
                        beside.append(asyncio.create_task(self.churn(step) if isinstance(step, Churn) else self.delete(step)))
                    ended = [task for task in beside if task.done()]
                    for task in ended:
                        task.result()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
        return self.figures

    async def create(self, step: Create) -> None:
        """Create the objects of a step, and wait for what it waits for."""
        made = list(workload.objects(step, self.plan.workload.templates))
        if step.name:
            self.made[step.name] = made
        group = self.following.expect((each.key for each in made), step.wait) if step.wait else None
        writes = creating(made)
        if group is not None and step.measured:
            await self.measured(writes, group)
            return
        await self.write(writes, may_exist=group is None)
        if step.status:
            await self.write([writing("update", each, "status") for each in made])
        if group is not None:
            await self.following.until(group)

    async def measured(self, writes: Sequence[Item], group: Group) -> None:
        """Create pods, and see when each is scheduled."""
        counted, used = exposition.fetch(self.directory, PART), self.used_s()
        began = self.client.clock.monotonic()
        await asyncio.gather(self.write(writes), self.following.until(group))
        spent = processes.spent_s(used, self.used_s())
        await self.client.clock.sleep(limits.LOAD_TICK_S)  # the scheduler counts what it has bound when it is answered
        self.figures = windows.rates([at - began for at in group.bound_at.values()])
        self.figures |= exposition.told(counted, exposition.fetch(self.directory, PART))
        self.figures["cpu_us_per_pod"] = {part: round(used_s / len(writes) * 1e6, 1) for part, used_s in spent.items()}

    def used_s(self) -> dict[str, float]:
        """Processor seconds of each part so far, and of this process, which makes the pods and watches them."""
        return processes.cpu_s(self.directory) | {"bench": time.process_time()}

    async def churn(self, step: Churn) -> None:
        """Create an object of each template every so often, and delete it the next time."""
        templates = self.plan.workload.templates
        alive: list[Made] = []
        for turn in count():
            await self.client.clock.sleep(step.interval_s)
            if step.recreate and alive:
                writes, alive = [deleting(each) for each in alive], []
            else:
                alive = [workload.one(templates[each], turn) for each in step.templates]
                writes = creating(alive)
            await self.write(writes)

    async def delete(self, step: Delete) -> None:
        """Delete the pods of a step in their rhythm."""
        began, done, made = self.client.clock.monotonic(), 0, self.made[step.name]
        while done < len(made):
            await self.client.clock.sleep(limits.LOAD_TICK_S)
            due = round((self.client.clock.monotonic() - began) * step.per_s)
            await self.write([deleting(each) for each in made[done:due]])
            done = max(done, due)

    async def write(self, writes: Sequence[Item], may_exist: bool = False) -> None:
        """Write, a few requests at a time. Raises BenchError with the first refusal; a controller may have made an object before."""
        slots = asyncio.Semaphore(limits.LOAD_REQUESTS_IN_FLIGHT)

        async def one(part: Sequence[Item]) -> None:
            async with slots:
                for result in await self.client.bulk.write(part):
                    if result.error is not None and not (may_exist and result.error.reason == "AlreadyExists"):
                        raise BenchError(f"a write was refused: {result.error.message}")

        await asyncio.gather(*map(one, parts(writes)))


def parts(writes: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """What goes into one request each."""
    size = limits.LOAD_ITEMS_PER_REQUEST
    return (writes[start : start + size] for start in range(0, len(writes), size))


def creating(made: Iterable[Made]) -> list[Item]:
    """The writes that create objects. A node is tainted until somebody says that it is ready, which an update does."""
    return [writing(verb, each) for each in made for verb in (("create", "update") if each.resource.kind == "Node" else ("create",))]


def writing(verb: str, made: Made, subresource: str = "") -> Item:
    """The write of an object as it was made."""
    return items.raw(verb, made.resource, made.raw, namespace=made.namespace, name=made.name, subresource=subresource)


def deleting(made: Made) -> Item:
    """The write that deletes an object."""
    return items.delete(made.resource, made.name, namespace=made.namespace)
