"""How code that is no coroutine reaches an event loop: calls go in, answers come out.

    ThreadPortal     a loop in a thread of its own: the cluster goes on while the test does something else, as clients of its port need it
    VirtualPortal    a loop on virtual time that runs only while a call is under way, in the caller's thread: time stands still in between
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from kcore.base.clock import VirtualClock
from kcore.base.virtual_loop import VirtualLoop

T = TypeVar("T")


class Portal(Protocol):
    """The way into a loop."""

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end in the loop. Raises what it raises."""
        ...

    def close(self) -> None:
        """End the loop and what still runs in it."""
        ...


class ThreadPortal:
    """A loop in a thread of its own."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kcore-cluster", daemon=True)
        self._thread.start()
        self._started.wait()

    def _run(self) -> None:
        with self._runner:
            self._runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._started.set()
        await self._stop.wait()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end in the loop."""
        assert threading.current_thread() is not self._thread, "the cluster's own loop cannot wait for itself; await the coroutine there"
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        finally:
            future.cancel()  # the test may have been interrupted while it waited

    def close(self) -> None:
        """End the loop."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()


class VirtualPortal:
    """A loop on virtual time in the caller's thread."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=lambda: VirtualLoop(VirtualClock()))

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end in the loop; everything else in it runs meanwhile."""
        return self._runner.run(coroutine)

    def close(self) -> None:
        """End the loop."""
        self._runner.close()
