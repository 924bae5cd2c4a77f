"""How often a key is looked at when each look costs time in proportion to what belongs to it.

A set of ten thousand pods whose pods all report changes would be counted thousands of times a second; instead the looks of such a key are
spaced so that counting takes a bounded share of the loop, while a small one is looked at at once.
"""

from __future__ import annotations


class Pace:
    """The earliest time of the next look, by key. Times are monotonic."""

    def __init__(self, pause_s: float) -> None:
        """Space looks by so many seconds for each thing that belongs to the key."""
        self._pause_s = pause_s
        self._next_at: dict[str, float] = {}

    def early_s(self, key: str, now: float) -> float:
        """Return how long to wait before looking; 0.0 if the time has come."""
        return max(0.0, self._next_at.get(key, 0.0) - now)

    def looked(self, key: str, size: int, now: float) -> None:
        """Note a look at a key to which `size` things belong."""
        self._next_at[key] = now + size * self._pause_s

    def forget(self, key: str) -> None:
        """The key is gone."""
        self._next_at.pop(key, None)
