"""Time as an interface, so that whoever decides by the clock can be run on any clock.

``SystemClock`` is the machine's. ``VirtualClock`` stands still until its loop (``kcore.base.virtual_loop``) has nothing else to do
and then goes to the next timer at once, or until somebody calls ``advance``.
"""

import asyncio
import time
from math import inf
from typing import Protocol

from kcore.base import limits


class Clock(Protocol):
    """Tell the time and wait for it to pass."""

    def now(self) -> float:
        """Return the wall clock's time in seconds since 1970, which may jump."""
        ...

    def monotonic(self) -> float:
        """Return seconds since some fixed moment; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait until so much time has passed."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return the wall clock's time in seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Return the kernel's monotonic clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait on the running loop."""
        await asyncio.sleep(seconds)


class VirtualClock:
    """A clock that only its owner moves.

    Guarantees
    - ``monotonic`` never goes back and never passes the horizon; ``advance`` moves the horizon.
    - With ``horizon=inf`` (the default) a virtual loop jumps from timer to timer by itself; with ``horizon=0.0`` time stands
      still until ``advance`` lets it go on.
    - ``jump`` moves the wall clock alone, as a correction by NTP or an operator does.

    Thread: that of its loop.
    """

    def __init__(self, start: float = limits.VIRTUAL_TIME_START_S, horizon: float = inf) -> None:
        self._offset = start
        self._elapsed = 0.0
        self._horizon = horizon

    def now(self) -> float:
        """Return virtual seconds since 1970."""
        return self._offset + self._elapsed

    def monotonic(self) -> float:
        """Return virtual seconds since the clock was made."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Wait for a timer of the running loop, which must be a virtual one with this clock."""
        await asyncio.sleep(seconds)

    async def advance(self, seconds: float = 0.0, *, minutes: float = 0.0, hours: float = 0.0) -> None:
        """Let so much time pass, running every timer on its way in order; for a clock with a finite horizon."""
        distance = seconds + 60.0 * minutes + 3600.0 * hours
        self._horizon = max(self._horizon, self._elapsed + distance)
        await asyncio.sleep(distance)

    def jump(self, seconds: float) -> None:
        """Move the wall clock; timers do not notice."""
        self._offset += seconds

    def step(self, seconds: float) -> bool:
        """Let at most so much time pass, at most up to the horizon; return whether any did. For the virtual loop."""
        target = min(self._elapsed + seconds, self._horizon)
        moved = target > self._elapsed
        self._elapsed = max(self._elapsed, target)
        return moved
