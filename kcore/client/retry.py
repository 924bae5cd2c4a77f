"""Which failed calls are tried again, how often and after how long.

A call that may have happened although it failed (the connection broke) is repeated only where that changes nothing: reads. A write is
repeated when the server says that it did not carry it out and when to come back (TooManyRequests or ServiceUnavailable, with
retryAfterSeconds). Everything else is for the caller to judge: a controller looks again and decides anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from kcore.api.meta.v1 import meta_pb2
from kcore.base import limits
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.client.failures import retry_after_s
from kcore.client.transport import Transport
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


class TokenBucket:
    """Tokens that come back at a rate, up to a burst. Whoever asks brings the time (seconds on any clock)."""

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


class Caller:
    """What all calls of a client share: carries them out, again where that is safe, and knows what writes carry along."""

    def __init__(self, transport: Transport, clock: Clock, entropy: Entropy, field_manager: str) -> None:
        self.transport = transport
        self.clock = clock
        self.entropy = entropy
        self.field_manager = field_manager

    async def read(self, method: str, request: bytes) -> bytes:
        """Make a call that changes nothing."""
        return await call(lambda: self.transport.unary(method, request), READS, self.clock, self.entropy)

    async def write(self, method: str, request: bytes) -> bytes:
        """Make a call that changes something."""
        return await call(lambda: self.transport.unary(method, request), WRITES, self.clock, self.entropy)

    async def once(self, method: str, request: bytes) -> bytes:
        """Make a call whose failure is an answer."""
        return await self.transport.unary(method, request)

    def write_options(self, dry_run: bool = False, field_manager: str = "") -> meta_pb2.WriteOptions | None:
        """Return the options of a write; None if there are none."""
        manager = field_manager or self.field_manager
        if not dry_run and not manager:
            return None
        return meta_pb2.WriteOptions(dry_run=["All"] if dry_run else [], field_manager=manager or None)

    def write_options_bytes(self, dry_run: bool = False, field_manager: str = "") -> bytes:
        """Return the options of a write as bytes; empty if there are none."""
        options = self.write_options(dry_run, field_manager)
        return options.SerializeToString() if options else b""
