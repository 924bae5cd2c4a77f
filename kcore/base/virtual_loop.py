"""An asyncio loop on virtual time: hours of timers run in the moments that their callbacks take.

Mechanism: an asyncio loop asks its selector to wait until the next timer is due. Here the selector looks for I/O without
waiting, and where there is none it moves the virtual clock by the time it should have waited. Sockets and threads still work:
time stands still while work is in an executor, and a loop without any timer waits for real.
"""

import asyncio
import selectors
from asyncio.events import AbstractEventLoop
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar

from kcore.base.clock import VirtualClock

_T = TypeVar("_T")


class _VirtualSelector(selectors.BaseSelector):
    """The real selector, except that waiting moves the clock."""

    def __init__(self, clock: VirtualClock, is_busy: Callable[[], bool]) -> None:
        self._real = selectors.DefaultSelector()
        self._clock = clock
        self._is_busy = is_busy

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is not None and not self._is_busy() and self._clock.step(timeout):
            return []
        return self._real.select(None)

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    """A selector loop whose ``time()`` is that of a virtual clock, `clock`."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self._executing_count = 0
        super().__init__(_VirtualSelector(clock, lambda: self._executing_count > 0))

    def time(self) -> float:
        """Return the virtual clock's monotonic time."""
        return self.clock.monotonic()

    def run_in_executor(self, executor: Executor | None, func: Callable[..., _T], *args: Any) -> asyncio.Future[_T]:  # type: ignore[override]
        """Run in a thread, with virtual time standing still until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self._executing_count += 1
        future.add_done_callback(self._executed)
        return future

    def _executed(self, _: object) -> None:
        self._executing_count -= 1


def run(main: Coroutine[Any, Any, _T], clock: VirtualClock | None = None) -> _T:
    """Run a coroutine to its end on a fresh virtual loop, as ``asyncio.run`` does on a real one."""

    def make_loop() -> AbstractEventLoop:
        return VirtualLoop(clock or VirtualClock())

    with asyncio.Runner(loop_factory=make_loop) as runner:
        return runner.run(main)
