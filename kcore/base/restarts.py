"""Whether and when a part that died is started again.

A part that dies before it was ever ready gets a few tries with growing pauses. One that was ready in between gets many, since
something from outside killed it (a fault test, the kernel's memory killer, an operator); its pause starts anew once it lived a while.
Pure: times are given.
"""

from dataclasses import dataclass, field

from kcore.base import limits


@dataclass(frozen=True, slots=True)
class Restart:
    """Start it again after a pause."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It will not get better, for this reason."""

    reason: str


@dataclass(slots=True)
class History:
    """What became of one part so far; times are monotonic seconds."""

    deaths: list[float] = field(default_factory=list)
    deaths_unready_count: int = 0
    backoff_s: float = limits.RESTART_BACKOFF_S

    def died(self, now: float, ready_since: float | None) -> Restart | GiveUp:
        """Note a death of a part that was ready since then, or not at all, and say what to do."""
        self.deaths = [death for death in self.deaths if death > now - limits.RESTARTS_WINDOW_S] + [now]
        self.deaths_unready_count = self.deaths_unready_count + 1 if ready_since is None else 0
        if self.deaths_unready_count > limits.RESTARTS_UNREADY_MAX:
            return GiveUp(f"died {self.deaths_unready_count} times in a row before it was ready")
        if len(self.deaths) > limits.RESTARTS_MAX:
            return GiveUp(f"died {len(self.deaths)} times within {limits.RESTARTS_WINDOW_S:.0f} s")
        if ready_since is not None and now - ready_since >= limits.RESTART_STABLE_S:
            self.backoff_s = limits.RESTART_BACKOFF_S
        delay = self.backoff_s
        self.backoff_s = min(2 * self.backoff_s, limits.RESTART_BACKOFF_S_MAX)
        return Restart(delay)
