"""A load: creates what a plan says on a server, watches the pods, and stops when all run or nothing moves any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from typing import TextIO

from kcore.api.core.v1 import pod_pb2
from kcore.base import limits
from kcore.client.wire import MODIFIED
from kcore.load import measure, sender
from kcore.load.arrivals import arrivals
from kcore.load.measure import Times
from kcore.load.pods import RUN_LABEL, Plan, Wanted, wanted
from kcore.load.sender import Group, Pace
from kcore.load.server import Server
from kcore.load.tracker import Seen, Tracker
from kcore.machinery.projection import Projection
from kcore.machinery.status import StatusError

POD = "kcore.api.core.v1.Pod"
Progress = Callable[[Times], None]


@dataclass(frozen=True, slots=True)
class Churn:
    """Pods that come and go once all run: so many of the oldest are deleted a second, for so long, and others made in their place."""

    rate: float
    seconds: float


class Load:
    """One run. Thread: the event loop's."""

    def __init__(
        self, server: Server, plan: Plan, pace: Pace, progress: Progress, acked: TextIO | None = None, dropped: Callable[[], int] = int
    ) -> None:
        self.server, self.plan, self.pace, self.progress, self.acked, self.dropped = server, plan, pace, progress, acked, dropped
        self.tracker = Tracker(has_owners=plan.kind != "pods")
        self.wanted = wanted(plan, server.entropy)
        self.read = Projection(POD, ["metadata.name", "metadata.uid", "spec.nodeName", "status.phase"])
        self.moved = server.clock.monotonic()
        self.done = asyncio.Event()
        self.sent_all = False

    def now(self) -> float:
        return self.server.clock.monotonic()

    async def run(self, churn: Churn | None = None) -> measure.Report:
        """Create, watch and measure."""
        dropped = self.dropped()
        nodes = await self.server.node_count()
        async with self.watching():
            await sender.send(islice(self.wanted, self.plan.count), self.pace, self.server.clock, self.create)
            await self.settled()
            if churn is not None:
                self.tracker.begin_churn()
                await self.churn(churn)
                await self.settled()
        self.progress(self.tracker.first.times)
        first, times = self.tracker.first, self.tracker.first.times
        last = max(max(each.values(), default=0.0) for each in (times.acknowledged, times.bound, times.running))
        report = measure.report(self.plan.count, nodes, times, last, self.dropped() - dropped, first.refused)
        if churn is None:
            return report
        second = self.tracker.phase
        return replace(report, churn=measure.churned(churn.rate, second.times, second.deletes, second.deleted))

    # sending

    async def create(self, group: Group) -> None:
        """Create the objects of a group."""
        self.tracker.sent(group, self.now())
        outcomes = await self.server.create(self.plan.resource, self.plan.namespace, group)
        now = self.now()
        for item, error in zip(group, outcomes, strict=True):
            self.answered(item, error, now)

    def answered(self, item: Wanted, error: StatusError | None, now: float) -> None:
        """Note what the server answered."""
        self.tracker.answered(item, error, now)
        if error is None and self.acked is not None:
            self.acked.write(f"{self.plan.namespace}/{item.name}\n")
            self.acked.flush()

    async def churn(self, churn: Churn) -> None:
        """Delete pods in their rhythm, and make others unless their Deployments do."""
        self.sent_all, self.moved = False, self.now()
        began, owed = self.now(), 0
        for due in takewhile(lambda due: due < churn.seconds, arrivals("steady", churn.rate, 0)):
            if (pause_s := began + due - self.now()) > 0:
                await self.exchange(owed)
                owed = 0
                await self.server.clock.sleep(max(pause_s, limits.LOAD_SEND_TICK_S))
            owed += 1
        await self.exchange(owed)

    async def exchange(self, count: int) -> None:
        """Delete so many of the pods that run, the oldest first."""
        names = self.tracker.take_oldest(count, self.now())
        if not names:
            return
        made = () if self.tracker.has_owners else tuple(islice(self.wanted, len(names)))
        await self.server.delete_pods(self.plan.namespace, names)
        if made:
            await self.create(made)

    async def cleanup(self) -> None:
        """Delete what the run made."""
        await self.server.delete_all(self.plan.resource, self.plan.namespace, self.selector)

    # watching

    @property
    def selector(self) -> str:
        """What the run's objects have in common."""
        return f"{RUN_LABEL}={self.plan.run}"

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Follow the run's pods and show progress meanwhile."""
        start = await self.server.revision(self.plan.namespace)
        tasks = [asyncio.create_task(self.watch(start)), asyncio.create_task(self.tick())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def watch(self, start: str) -> None:
        """Follow the run's pods; a watch that breaks goes on where it ended."""
        after = start
        while True:
            stream = self.server.watch(self.plan.namespace, self.selector, after)
            try:
                while (batch := await stream.read()) is not None:
                    now = self.now()
                    for event in batch:
                        if event.raw:
                            self.observe(event.type, event.raw, now)
                        after = str(event.revision)
                    self.moved = now
                    self.judge()
            except StatusError as error:
                if error.reason == "Expired":
                    after = ""  # what happened in between is gone: see what is there now, and go on from that
                await self.server.clock.sleep(limits.LOAD_TICK_S)
            finally:
                stream.cancel()

    def observe(self, event: str, raw: bytes, now: float) -> None:
        """Take in a pod as it is now."""
        name, uid, node, phase = self.read(raw)
        has_no_node = not node and event == MODIFIED and is_unschedulable(pod_pb2.Pod.FromString(raw))
        self.tracker.observe(event, Seen(name, uid, node, phase, has_no_node), now)

    async def settled(self) -> None:
        """Wait until all that was sent runs, or nothing moves any more."""
        self.done.clear()
        self.sent_all = True
        self.judge()
        await self.done.wait()

    def judge(self) -> None:
        """Whether there is nothing more to wait for."""
        if self.sent_all and self.tracker.phase.is_complete:
            self.done.set()

    async def tick(self) -> None:
        """Show progress, and give up when nothing has moved for a while."""
        while True:
            await self.server.clock.sleep(limits.LOAD_TICK_S)
            self.progress(self.tracker.first.times)
            if self.sent_all and self.now() - self.moved > self.patience_s():
                self.done.set()

    def patience_s(self) -> float:
        """How long nothing may move before the run is given up: not long if all that is left does not fit."""
        return limits.LOAD_STILL_S if self.tracker.phase.left > 0 else limits.LOAD_SETTLED_S


def is_unschedulable(pod: pod_pb2.Pod) -> bool:
    """Whether the scheduler found no node for a pod."""
    return any(each.type == "PodScheduled" and each.status == "False" and each.reason == "Unschedulable" for each in pod.status.conditions)
