"""A token bucket: so many at once, so many a second after that. Pure: whoever asks brings the time."""

from __future__ import annotations


class TokenBucket:
    """Tokens that come back at a rate, up to a burst."""

    __slots__ = ("_at", "_burst", "_rate_per_s", "_tokens")

    def __init__(self, rate_per_s: float, burst: int) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = float(burst)
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Take a token if there is one."""
        self._refill(now)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def reserve(self, now: float) -> float:
        """Take a token that may come later; returns the seconds until it does."""
        self._refill(now)
        self._tokens -= 1.0
        return max(0.0, -self._tokens / self._rate_per_s)

    def _refill(self, now: float) -> None:
        if self._at is not None:
            self._tokens = min(float(self._burst), self._tokens + max(0.0, now - self._at) * self._rate_per_s)
        self._at = now
