"""A load: creates the pods of a plan through a client, watches them, and stops when all run or nothing moves any more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TextIO

from kcore.api.core.v1 import pod_pb2
from kcore.base import limits
from kcore.client import items, kinds
from kcore.client.client import Client
from kcore.client.objects import ResourceClient
from kcore.client.wire import ADDED, MODIFIED
from kcore.load import measure
from kcore.load.measure import Times
from kcore.load.pods import RUN_LABEL, Plan, pods
from kcore.machinery.projection import Projection
from kcore.machinery.status import StatusError

POD = "kcore.api.core.v1.Pod"
Progress = Callable[[Times], None]


@dataclass(frozen=True, slots=True)
class Pace:
    """How a load is sent.

    rate      creates a second; 0 is as fast as they are taken
    via       "bulk" or "unary"
    in_flight unary creates at once
    """

    rate: float = 0.0
    via: str = "bulk"
    in_flight: int = 64


class Load:
    """One run. Thread: the event loop's."""

    def __init__(
        self, client: Client, plan: Plan, pace: Pace, progress: Progress, acked: TextIO | None = None, dropped: Callable[[], int] = int
    ) -> None:
        self.client, self.plan, self.pace, self.progress, self.acked, self.dropped = client, plan, pace, progress, acked, dropped
        self.times = Times()
        self.failures: dict[str, StatusError] = {}
        self.read = Projection(POD, ["metadata.name", "spec.nodeName", "status.phase"])
        self.moved = client.clock.monotonic()
        self.done = asyncio.Event()
        self.sent_all = False

    def now(self) -> float:
        return self.client.clock.monotonic()

    async def run(self) -> measure.Report:
        """Create, watch and measure."""
        dropped = self.dropped()
        nodes = len((await self.client.nodes.list(metadata_only=True)).items)
        start = (await self.pods().list_page(limit=1, namespace=self.plan.namespace, metadata_only=True)).resource_version
        watching = asyncio.create_task(self.watch(start))
        ticking = asyncio.create_task(self.tick())
        try:
            await self.create()
            self.sent_all = True
            self.judge()
            await self.done.wait()
        finally:
            for task in (watching, ticking):
                task.cancel()
            await asyncio.gather(watching, ticking, return_exceptions=True)
        self.progress(self.times)
        last = max(
            (max(times.values(), default=0.0) for times in (self.times.acknowledged, self.times.bound, self.times.running)), default=0.0
        )
        return measure.report(self.plan.count, nodes, self.times, last, self.dropped() - dropped, len(self.failures))

    def pods(self) -> ResourceClient[pod_pb2.Pod]:
        return self.client.resource(kinds.resource("", "v1", "pods"))

    # sending

    async def create(self) -> None:
        """Send all creates."""
        wanted = pods(self.plan, self.client.entropy)
        if self.pace.via == "bulk":
            await self.in_parallel(chunks(wanted, self.chunk_size()), self.create_chunk, limits.LOAD_REQUESTS_IN_FLIGHT)
        else:
            await self.in_parallel(((pod,) for pod in wanted), self.create_one, self.pace.in_flight)

    def chunk_size(self) -> int:
        """Pods in a bulk write: fewer at a low rate, so that it is even."""
        size = limits.LOAD_ITEMS_PER_REQUEST
        return max(1, min(size, int(self.pace.rate / 10))) if self.pace.rate else size

    async def in_parallel(
        self, groups: Iterator[tuple[tuple[str, bytes], ...]], act: Callable[[tuple[tuple[str, bytes], ...]], Awaitable[None]], at_once: int
    ) -> None:
        """Act on each group, so many at once, in the rhythm of the rate."""
        slots = asyncio.Semaphore(at_once)
        due = self.now()

        async def one(group: tuple[tuple[str, bytes], ...]) -> None:
            try:
                await act(group)
            finally:
                slots.release()

        async with asyncio.TaskGroup() as tasks:
            for group in groups:
                await slots.acquire()
                if self.pace.rate:
                    if (pause := due - self.now()) > 0:
                        await self.client.clock.sleep(pause)
                    due += len(group) / self.pace.rate
                tasks.create_task(one(group))

    async def create_chunk(self, group: tuple[tuple[str, bytes], ...]) -> None:
        resource = kinds.resource("", "v1", "pods")
        wanted = [items.raw("create", resource, raw, namespace=self.plan.namespace, name=name) for name, raw in group]
        sent = self.now()
        self.times.sent.update((name, sent) for name, _ in group)
        results = await self.client.bulk.write(wanted)
        now = self.now()
        for (name, _), result in zip(group, results, strict=True):
            self.acknowledge(name, result.error, now)

    async def create_one(self, group: tuple[tuple[str, bytes], ...]) -> None:
        ((name, raw),) = group
        self.times.sent[name] = self.now()
        error: StatusError | None = None
        try:
            await self.pods().create(pod_pb2.Pod.FromString(raw))
        except StatusError as refused:
            error = refused
        self.acknowledge(name, error, self.now())

    def acknowledge(self, name: str, error: StatusError | None, now: float) -> None:
        """Note what the server answered."""
        if error is not None:
            self.failures[name] = error
            return
        self.times.acknowledged[name] = now
        if self.acked is not None:
            self.acked.write(f"{self.plan.namespace}/{name}\n")
            self.acked.flush()

    # watching

    async def watch(self, start: str) -> None:
        """Follow the run's pods; a watch that breaks goes on where it ended."""
        after = start
        while True:
            stream = self.pods().watch_raw(
                namespace=self.plan.namespace, label_selector=f"{RUN_LABEL}={self.plan.run}", resource_version=after
            )
            try:
                while (batch := await stream.read()) is not None:
                    now = self.now()
                    for event in batch:
                        if event.type in (ADDED, MODIFIED):
                            name, node, phase = self.read(event.raw)
                            self.times.observe(name, node, phase, now)
                            if not node and event.type == MODIFIED and is_unschedulable(pod_pb2.Pod.FromString(event.raw)):
                                self.times.unschedulable.add(name)
                        after = str(event.revision)
                    self.moved = now
                    self.judge()
            except StatusError as error:
                if error.reason == "Expired":
                    after = ""  # what happened in between is gone: see what is there now, and go on from that
                await self.client.clock.sleep(limits.LOAD_TICK_S)
            finally:
                stream.cancel()

    def judge(self) -> None:
        """Whether there is nothing more to wait for."""
        if self.sent_all and len(self.times.running) >= self.plan.count - len(self.failures):
            self.done.set()

    async def tick(self) -> None:
        """Show progress, and give up when nothing has moved for a while."""
        while True:
            await self.client.clock.sleep(limits.LOAD_TICK_S)
            self.progress(self.times)
            if self.sent_all and self.now() - self.moved > self.patience_s():
                self.done.set()

    def patience_s(self) -> float:
        """How long nothing may move before the run is given up: not long if all that is left does not fit."""
        left = self.plan.count - len(self.failures) - len(self.times.running) - len(self.times.unschedulable)
        return limits.LOAD_STILL_S if left > 0 else limits.LOAD_SETTLED_S

    async def cleanup(self) -> None:
        """Delete the run's pods."""
        await self.pods().delete_collection(
            namespace=self.plan.namespace, label_selector=f"{RUN_LABEL}={self.plan.run}", grace_period_seconds=0
        )


def is_unschedulable(pod: pod_pb2.Pod) -> bool:
    """Whether the scheduler found no node for a pod."""
    return any(each.type == "PodScheduled" and each.status == "False" and each.reason == "Unschedulable" for each in pod.status.conditions)


def chunks(wanted: Iterator[tuple[str, bytes]], size: int) -> Iterator[tuple[tuple[str, bytes], ...]]:
    """Groups of a size."""
    while group := tuple(islice(wanted, size)):
        yield group
