"""When each hollow node's heartbeat is due: spread evenly over the period, all that are due in one batch.

The queue is in order of due time, since all have the same period. What was late is due again at its own turn of the period, not
a period later: so the spread survives a pause, and a pause is followed by one renewal each, not by a burst of missed ones.

    period 10 s, four nodes          due      0 a   2.5 b   5 c   7.5 d   10 a ...
    asked at 6                       a b c    next  7.5 d   10 a   12.5 b  15 c
    asked at 31 after a pause        d a b c  next  32.5 b  35 c  37.5 d   40 a
"""

from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key")


class Heartbeats(Generic[Key]):
    """Due times of one kind of heartbeat."""

    __slots__ = ("_period_s", "_queue")

    def __init__(self, keys: Iterable[Key], period_s: float, start_s: float) -> None:
        """Spread the keys over the first period.

        start_s   steady time at which the first is due
        """
        ordered = list(keys)
        self._period_s = period_s
        self._queue = deque((start_s + period_s * index / len(ordered), key) for index, key in enumerate(ordered))

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def next_s(self) -> float:
        """Steady time at which something is due next; infinite if nothing ever is."""
        return self._queue[0][0] if self._queue else float("inf")

    def due(self, now_s: float) -> list[Key]:
        """Take those that are due, each once, longest due first.

        Cost      O(due), and a sort after a pause longer than the period
        """
        taken: list[Key] = []
        again: list[tuple[float, Key]] = []
        while self._queue and self._queue[0][0] <= now_s:
            due_s, key = self._queue.popleft()
            taken.append(key)
            missed = int((now_s - due_s) // self._period_s)
            again.append((due_s + (missed + 1) * self._period_s, key))
        if again and self._queue and again[0][0] >= self._queue[-1][0]:
            self._queue.extend(again)
        else:
            self._queue = deque(sorted([*self._queue, *again], key=lambda each: each[0]))
        return taken
