"""The wall clock of one machine, which may be set; the time that passes is the same for all."""

from __future__ import annotations

from kcore.base.clock import Clock


class MachineClock:
    """A clock whose wall time is off. Implements `Clock`."""

    def __init__(self, true: Clock) -> None:
        self._true = true
        self._off_s = 0.0

    def now(self) -> float:
        """What the machine takes for seconds since 1970."""
        return self._true.now() + self._off_s

    def monotonic(self) -> float:
        """Seconds since some moment; nobody sets these."""
        return self._true.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._true.sleep(seconds)

    def jump(self, seconds: float) -> None:
        """Set the wall clock."""
        self._off_s += seconds
