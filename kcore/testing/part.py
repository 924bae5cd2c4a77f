"""A part of a cluster under test: it is stopped and started again, and its way to the API server has faults of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kcore.base import limits
from kcore.client.client import Client
from kcore.serve.running import Running, Work
from kcore.testing.faulty_transport import FaultyTransport


class PartFailed(AssertionError):
    """A part ended that nobody stopped: what a test sees after that proves nothing."""


class Part:
    """One part. Thread: the event loop's."""

    def __init__(self, name: str, connect: Callable[[], Client], work: Callable[[], Work]) -> None:
        self.name = name
        self._connect, self._work = connect, work
        self._client: Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    @property
    def faults(self) -> FaultyTransport:
        """What goes wrong on the part's way to the API server; a part that is started anew has a new way."""
        assert self._client is not None, f"{self.name} does not run"
        way = self._client.transport
        assert isinstance(way, FaultyTransport)
        return way

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Start it; it is ready some time later."""
        assert not self.is_running, f"{self.name} runs already"
        self._ready = asyncio.Event()
        self._client = self._connect()
        running = Running(self._client, f"{self.name}_testing", self._ready.set, elects=False)
        self._task = asyncio.create_task(self._run(running), name=f"part-{self.name}")

    async def _run(self, running: Running) -> None:
        await self._work()(running)

    async def wait_ready(self) -> None:
        """Wait until it serves. Raises PartFailed if it ended instead, or took too long."""
        assert self._task is not None, f"{self.name} was not started"
        ready = asyncio.ensure_future(self._ready.wait())
        try:
            done, _ = await asyncio.wait((ready, self._task), timeout=limits.PART_START_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        self.check()
        if not done:
            raise PartFailed(f"{self.name} was not ready within {limits.PART_START_TIMEOUT_S:g} s")

    def check(self) -> None:
        """Raise PartFailed if it ended though nobody stopped it."""
        if self._task is not None and self._task.done():
            error = None if self._task.cancelled() else self._task.exception()
            raise PartFailed(f"{self.name} ended: {error!r}") from error

    async def stop(self) -> None:
        """End it at once, whatever it is at, as a killed process ends; what it has sent may arrive or not."""
        task, client = self._task, self._client
        self._task = self._client = None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if client is not None:
            await client.close()

    async def restart(self) -> None:
        """Stop it, start it anew, and wait until it is ready."""
        await self.stop()
        self.start()
        await self.wait_ready()

    async def heal(self) -> None:
        """Let nothing go wrong any more; a part that was stopped runs again."""
        if self._task is None:
            self.start()
            await self.wait_ready()
        else:
            self.faults.heal()

    @property
    def is_idle(self) -> bool:
        """Whether it has read all that was sent to it."""
        return self._client is None or self.faults.is_idle
