"""Which failed calls are tried again, how often and after how long.

A call that may have happened although it failed (the connection broke) is repeated only where that changes nothing: reads. A write is
repeated when the server says that it did not carry it out and when to come back (TooManyRequests or ServiceUnavailable, with
retryAfterSeconds). Everything else is for the caller to judge: a controller looks again and decides anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from kcore.base import limits
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.client.failures import retry_after_s
from kcore.machinery.status import StatusError

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that double, up to a bound, each shortened by chance so that many who fail together do not come back together.

    jitter  the share of a pause that chance may take away
    """

    first_s: float
    max_s: float
    jitter: float = 0.5

    def pause_s(self, failure_count: int, chance: float) -> float:
        """Return the pause after so many failures (1 is the first); `chance` is in [0, 1)."""
        full = self.max_s if failure_count > 60 else min(self.first_s * 2.0 ** (failure_count - 1), self.max_s)
        return full * (1.0 - self.jitter * chance)


@dataclass(frozen=True, slots=True)
class Policy:
    """How a failed call is tried again.

    again  whether a failure is one of those that another attempt may cure without harm
    """

    attempts_max: int
    backoff: Backoff
    again: Callable[[StatusError], bool]

    def pause_s(self, error: StatusError, failure_count: int, chance: float) -> float | None:
        """Return how long to wait before the next attempt; None if the failure stands."""
        if failure_count >= self.attempts_max or not self.again(error):
            return None
        return max(self.backoff.pause_s(failure_count, chance), retry_after_s(error))


def is_refused(error: StatusError) -> bool:
    """Tell whether the server did nothing and asked to come back later."""
    return error.reason in ("TooManyRequests", "ServiceUnavailable") and retry_after_s(error) > 0


def is_transient(error: StatusError) -> bool:
    """Tell whether a read that failed so is worth another attempt."""
    return error.reason in ("ServiceUnavailable", "ServerTimeout") or is_refused(error)


def is_conflict(error: StatusError) -> bool:
    """Tell whether another writer came first."""
    return error.reason == "Conflict"


READS: Final = Policy(limits.CALL_ATTEMPTS_MAX, Backoff(limits.CALL_BACKOFF_S, limits.CALL_BACKOFF_S_MAX), is_transient)
WRITES: Final = Policy(limits.CALL_ATTEMPTS_MAX, Backoff(limits.CALL_BACKOFF_S, limits.CALL_BACKOFF_S_MAX), is_refused)
CONFLICTS: Final = Policy(limits.CONFLICT_ATTEMPTS_MAX, Backoff(limits.CONFLICT_BACKOFF_S, limits.CALL_BACKOFF_S_MAX), is_conflict)
NEVER: Final = Policy(1, Backoff(0.0, 0.0), lambda _: False)


async def call(operation: Callable[[], Awaitable[_T]], policy: Policy, clock: Clock, entropy: Entropy) -> _T:
    """Carry an operation out, again where the policy says so.

    Raises  StatusError of the last attempt
    """
    failure_count = 0
    while True:
        try:
            return await operation()
        except StatusError as error:
            failure_count += 1
            pause_s = policy.pause_s(error, failure_count, entropy.random())
            if pause_s is None:
                raise
        await clock.sleep(pause_s)
