"""Sends the creates of a load when they are due, in bulk or one by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

from kcore.base import limits
from kcore.base.clock import Clock
from kcore.load.arrivals import arrivals
from kcore.load.pods import Wanted

Group = tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class Pace:
    """How a load is sent.

    rate      creates a second; 0 is as fast as they are taken
    via       "bulk", "unary" or "rest"
    in_flight creates at once that go one by one
    pattern   of `arrivals`, with its seed
    """

    rate: float = 0.0
    via: str = "bulk"
    in_flight: int = 64
    pattern: str = "steady"
    seed: int = 0

    @property
    def group_size(self) -> int:
        """Most creates in one request."""
        return limits.LOAD_ITEMS_PER_REQUEST if self.via == "bulk" else 1

    @property
    def requests(self) -> int:
        """Most requests under way."""
        return limits.LOAD_REQUESTS_IN_FLIGHT if self.via == "bulk" else self.in_flight


async def groups(wanted: Iterator[Wanted], pace: Pace, clock: Clock) -> AsyncIterator[Group]:
    """Creates when they are due; those that came due while nobody asked come together."""
    began, group = clock.monotonic(), list[Wanted]()
    for item, due in zip(wanted, arrivals(pace.pattern, pace.rate, pace.seed), strict=False):
        pause_s = began + due - clock.monotonic()
        if group and (pause_s > 0 or len(group) == pace.group_size):
            yield tuple(group)
            group.clear()
            pause_s = began + due - clock.monotonic()
        if pause_s > 0:
            await clock.sleep(max(pause_s, limits.LOAD_SEND_TICK_S))
        group.append(item)
    if group:
        yield tuple(group)


async def send(wanted: Iterator[Wanted], pace: Pace, clock: Clock, act: Callable[[Group], Awaitable[None]]) -> None:
    """Act on all groups, each when it is due and a request is free."""
    slots = asyncio.Semaphore(pace.requests)

    async def one(group: Group) -> None:
        try:
            await act(group)
        finally:
            slots.release()

    async with asyncio.TaskGroup() as tasks:
        async for group in groups(wanted, pace, clock):
            await slots.acquire()
            tasks.create_task(one(group))
