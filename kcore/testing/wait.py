"""What a test waits for: looks again and again until it is so, and says what was seen at last if it never is.

A wait cannot be passed by accident. What is waited for has to be returned, and true: a look that forgets to return anything, or whose
assertion or look-up fails, or whose object is not there yet, is *not yet*, and *not yet* at the end of the time is a failure.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from kcore.base import limits
from kcore.machinery.status import StatusError

Predicate = Callable[[], Any | Awaitable[Any]]


class NotYet(AssertionError):
    """What a test waited for did not come true in time."""


class NoLonger(AssertionError):
    """What should have stayed true did not."""


def longest_pause_s(seconds: float) -> float:
    """The longest pause between two looks in a wait of a length."""
    return max(limits.TESTING_LOOK_PAUSE_S_MAX, seconds / limits.TESTING_LOOKS_MIN)


class Wait:
    """One wait. Pure: whoever waits brings the time, looks, and pauses."""

    def __init__(self, what: str, timeout_s: float, now: float) -> None:
        self.what, self.timeout_s = what or "what was waited for", timeout_s
        self.deadline = now + timeout_s
        self.seen: object = None
        self._next_pause_s = limits.TESTING_LOOK_PAUSE_S
        self._pause_s_max = longest_pause_s(timeout_s)

    def sees(self, value: object) -> bool:
        """Take in what a look returned; -> whether the wait is over."""
        self.seen = value
        return bool(value)

    def fails(self, error: AssertionError | LookupError | StatusError) -> None:
        """Take in how a look failed. Raises it if waiting does not help."""
        if isinstance(error, StatusError) and error.reason != "NotFound":
            raise error
        self.seen = error

    def pause_s(self, now: float) -> float:
        """How long to wait for a change before the next look. Raises NotYet when the time is up."""
        left_s = self.deadline - now
        if left_s <= 0:
            hint = "; a look has to return what it waits for" if self.seen is None else ""
            raise NotYet(f"{self.what} did not come true within {self.timeout_s:g} s; at last it was {self.seen!r}{hint}")
        pause_s = min(self._next_pause_s, left_s)
        self._next_pause_s = min(self._next_pause_s * 2, self._pause_s_max)
        return pause_s


class Stay:
    """A time in which something has to stay true. Pure, as a wait is."""

    def __init__(self, seconds: float, now: float) -> None:
        self.seconds, self.end = seconds, now + seconds

    def sees(self, value: object) -> None:
        """Take in what a look returned. Raises NoLonger."""
        if not value:
            raise NoLonger(f"it was to stay true for {self.seconds:g} s; now it is {value!r}")

    def pause_s(self, now: float) -> float:
        """How long to wait for a change before the next look; 0 when the time is over and the last look was taken."""
        return min(max(0.0, self.end - now), longest_pause_s(self.seconds))
