"""What became of pods that were created, from one watch of all pods."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from kcore.api.core.v1 import pod_pb2
from kcore.base import limits
from kcore.client import kinds
from kcore.client.client import Client
from kcore.client.wire import DELETED
from kcore.load.bench.plane import BenchError
from kcore.machinery.projection import Projection
from kcore.machinery.status import StatusError

POD: Final = "kcore.api.core.v1.Pod"


@dataclass(slots=True)
class Group:
    """The pods of a step: which are waited for, and for what; when each was seen on a node, and which were tried."""

    wait: str
    left: set[str]
    bound_at: dict[str, float] = field(default_factory=dict)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def observe(self, key: str, node: str, raw: bytes, now: float) -> None:
        """Take in a pod as it is now."""
        if node:
            self.bound_at.setdefault(key, now)
        if key in self.left and (node or (self.wait == "attempted" and is_tried(raw))):
            self.left.discard(key)
            if not self.left:
                self.done.set()


def is_tried(raw: bytes) -> bool:
    """Whether the scheduler has said that a pod has to wait."""
    return any(each.type == "PodScheduled" and each.status == "False" for each in pod_pb2.Pod.FromString(raw).status.conditions)


class Following:
    """All pods of a cluster. Thread: the event loop's."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.pods = client.resource(kinds.resource("", "v1", "pods"))
        self.node = Projection(POD, ["spec.nodeName"])
        self.groups: dict[str, Group] = {}
        self.moved = client.clock.monotonic()

    def expect(self, keys: Iterable[str], wait: str) -> Group:
        """Look out for pods that will be created."""
        group = Group(wait, set(keys))
        self.groups.update(dict.fromkeys(group.left, group))
        self.moved = self.client.clock.monotonic()
        return group

    async def until(self, group: Group) -> None:
        """Wait until all pods of a group are where they should be. Raises BenchError when nothing moves any more."""
        count = len(group.left)
        while group.left:
            try:
                async with asyncio.timeout(limits.LOAD_TICK_S):
                    await group.done.wait()
            except TimeoutError:
                if self.client.clock.monotonic() - self.moved > limits.BENCH_CASE_STILL_S:
                    left = f"{len(group.left)} of {count} pods are not {group.wait}, such as {min(group.left)}"
                    raise BenchError(f"{left}, and none was for {limits.BENCH_CASE_STILL_S:g} s") from None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the pods meanwhile."""
        start = (await self.pods.list_page(limit=1, metadata_only=True)).resource_version
        task = asyncio.create_task(self.watch(start), name="following-pods")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def watch(self, start: str) -> None:
        """Follow; a watch that breaks goes on where it ended, or with what is there now if that is gone."""
        after = start
        while True:
            stream = self.pods.watch_raw(resource_version=after)
            try:
                while (batch := await stream.read()) is not None:
                    now = self.client.clock.monotonic()
                    for type_, raw, key, revision in batch:
                        after = str(revision)
                        if type_ != DELETED and (group := self.groups.get(key)) is not None:
                            self.observe(group, key, raw, now)
            except StatusError as error:
                if error.reason == "Expired":
                    after = ""
                await self.client.clock.sleep(limits.LOAD_TICK_S)
            finally:
                stream.cancel()

    def observe(self, group: Group, key: str, raw: bytes, now: float) -> None:
        """Take in a pod as it is now."""
        (node,) = self.node(raw)
        before = len(group.left)
        group.observe(key, node, raw, now)
        if len(group.left) < before:
            self.moved = now
