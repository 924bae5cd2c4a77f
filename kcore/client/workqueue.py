"""A queue of keys, and the workers that take a key, reconcile it, and see to it that it comes back if that failed or is wanted.

Guarantees (those of client-go's workqueue)
- A key waits at most once: added again while it waits, nothing changes.
- A key is never processed by two workers at once. Added while it is processed, it is queued again when it is done.
- Keys are handed out in the order in which they were added.
- A key added after a delay is queued when that has passed; added again with a shorter delay it comes at the earlier time.
- After `shut_down` nothing is accepted; with `drain` what waits is still handed out, and `drained` waits until all is done.
- The queue is bounded (WORKQUEUE_ITEMS_MAX).

Each key is in at most two of these places, and the pair tells what is to happen to it:

    dirty        must be processed: from `add` to `get`
    processing   a worker has it: from `get` to `done`
    queue        the order of the dirty keys that no worker has

                 add            get                   add               done              get
    dirty        {a}            {}                    {a}               {a}               {}
    queue        [a]            []                    []                [a]               []
    processing   {}             {a}                   {a}               {}                {a}

Thread: the event loop's. Cost: add, get and done 1 us together.
Source: client-go `util/workqueue`.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from itertools import count
from typing import Final, Generic, TypeVar

from kcore.base import limits, log, metrics
from kcore.base.clock import Clock
from kcore.client.retry import TokenBucket
from kcore.machinery.status import StatusError

K = TypeVar("K", bound=Hashable)

_LOG = log.get("client.workqueue")


class QueueFull(Exception):
    """More keys wait than a cluster has objects."""


class ShutDown(Exception):
    """The queue hands nothing out any more."""


class WorkQueue(Generic[K]):
    """A queue of keys."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        *,
        backoff_s: float = limits.WORKQUEUE_BACKOFF_S,
        backoff_s_max: float = limits.WORKQUEUE_BACKOFF_S_MAX,
        items_max: int = limits.WORKQUEUE_ITEMS_MAX,
    ) -> None:
        self.name = name
        self._clock = clock
        self._backoff_s, self._backoff_s_max, self._items_max = backoff_s, backoff_s_max, items_max
        self._queue: deque[K] = deque()
        self._dirty: set[K] = set()
        self._processing: dict[K, float] = {}
        self._added_at: dict[K, float] = {}
        self._failure_counts: dict[K, int] = {}
        self._retries = TokenBucket(limits.WORKQUEUE_RETRIES_PER_S, limits.WORKQUEUE_RETRIES_BURST)
        self._delayed = _Delayed[K]()
        self._timer: asyncio.Task[None] | None = None
        self._timer_due_at = 0.0
        self._getters: deque[asyncio.Future[None]] = deque()
        self._idle = asyncio.Event()
        self._is_shut_down = False

    def __len__(self) -> int:
        """Return how many keys wait for a worker."""
        return len(self._queue)

    @property
    def delayed_count(self) -> int:
        """How many keys wait for their time."""
        return len(self._delayed)

    @property
    def processing_count(self) -> int:
        """How many keys workers have."""
        return len(self._processing)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is processed; keys whose time has not come do not count."""
        return not self._queue and not self._processing

    def add(self, key: K) -> None:
        """Have a key processed.

        Raises  QueueFull
        """
        if self._is_shut_down or key in self._dirty:
            return
        if len(self._dirty) >= self._items_max:
            raise QueueFull(f"workqueue {self.name} holds {len(self._dirty)} keys")
        metrics.WORKQUEUE_ADDS.inc(self.name)
        self._dirty.add(key)
        self._added_at[key] = self._clock.monotonic()
        if key not in self._processing:
            self._enqueue(key)

    def add_after(self, key: K, delay_s: float) -> None:
        """Have a key processed when so much time has passed."""
        if self._is_shut_down:
            return
        if delay_s <= 0:
            self.add(key)
            return
        if len(self._delayed) >= self._items_max:
            raise QueueFull(f"workqueue {self.name} delays {len(self._delayed)} keys")
        self._delayed.push(key, self._clock.monotonic() + delay_s)
        self._set_timer()

    def add_rate_limited(self, key: K) -> None:
        """Have a key processed again that failed: after its own backoff, and no faster than all retries together may be."""
        metrics.WORKQUEUE_RETRIES.inc(self.name)
        self.add_after(key, self._retry_delay_s(key))

    def forget(self, key: K) -> None:
        """The key succeeded: its next failure starts with the shortest backoff."""
        self._failure_counts.pop(key, None)

    def failure_count(self, key: K) -> int:
        """Return how often a key was added again by `add_rate_limited` since `forget`."""
        return self._failure_counts.get(key, 0)

    async def get(self) -> K:
        """Wait for a key and take it; `done` must follow, whatever happens.

        Raises  ShutDown when nothing will come any more
        """
        while not self._queue:
            if self._is_shut_down:
                raise ShutDown(self.name)
            getter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._getters.append(getter)
            try:
                await getter
            except asyncio.CancelledError:
                if getter.done() and not getter.cancelled():
                    self._wake()
                raise
        key = self._queue.popleft()
        now = self._clock.monotonic()
        self._dirty.discard(key)
        self._processing[key] = now
        metrics.WORKQUEUE_QUEUE_SECONDS.observe(now - self._added_at.pop(key, now), self.name)
        metrics.WORKQUEUE_DEPTH.set(len(self._queue), self.name)
        return key

    def done(self, key: K) -> None:
        """Give a key back; it is queued again if it was added meanwhile."""
        started_at = self._processing.pop(key, None)
        assert started_at is not None, f"{key} is not being processed"
        metrics.WORKQUEUE_WORK_SECONDS.observe(self._clock.monotonic() - started_at, self.name)
        if key in self._dirty:
            self._enqueue(key)
        elif self.is_idle:
            self._idle.set()

    def shut_down(self, *, drain: bool = False) -> None:
        """Accept nothing any more; without `drain`, what waits is dropped. What workers have they finish."""
        self._is_shut_down = True
        if self._timer is not None:
            self._timer.cancel()
        self._delayed = _Delayed()
        if not drain:
            self._dirty.difference_update(self._queue)
            self._queue.clear()
            for key in self._processing:
                self._dirty.discard(key)
        if self.is_idle:
            self._idle.set()
        while self._getters:
            self._wake()

    async def drained(self) -> None:
        """Wait until workers have finished everything, after `shut_down`."""
        while not self.is_idle:
            self._idle.clear()
            await self._idle.wait()

    def _enqueue(self, key: K) -> None:
        self._queue.append(key)
        metrics.WORKQUEUE_DEPTH.set(len(self._queue), self.name)
        self._wake()

    def _wake(self) -> None:
        """Wake one worker that waits."""
        while self._getters:
            getter = self._getters.popleft()
            if not getter.done():
                getter.set_result(None)
                return

    def _retry_delay_s(self, key: K) -> float:
        failure_count = self._failure_counts.get(key, 0)
        self._failure_counts[key] = failure_count + 1
        own_s = self._backoff_s_max if failure_count > 60 else min(self._backoff_s * 2.0**failure_count, self._backoff_s_max)
        return max(own_s, self._retries.reserve(self._clock.monotonic()))

    def _set_timer(self) -> None:
        """Have the timer wake up when the first delayed key is due."""
        due_at = self._delayed.first_at()
        if due_at is None:
            return
        if self._timer is not None and not self._timer.done():
            if self._timer_due_at <= due_at:
                return
            self._timer.cancel()
        self._timer_due_at = due_at
        self._timer = asyncio.create_task(self._wait(due_at), name=f"workqueue-{self.name}")

    def stop_timer(self) -> None:
        """Wait for no delayed key any more: nobody is there to take it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _wait(self, due_at: float) -> None:
        while (left_s := due_at - self._clock.monotonic()) > 0:
            await self._clock.sleep(left_s)
        for key in self._delayed.pop_due(self._clock.monotonic()):
            self.add(key)
        self._timer = None
        self._set_timer()


class _Delayed(Generic[K]):
    """Keys by the time when they are due; of a key added twice the earlier time counts.

    The heap may hold later times of a key that is gone from `due_at` or has an earlier one; they are skipped when they come up.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, K]] = []
        self._due_at: dict[K, float] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._due_at)

    def push(self, key: K, due_at: float) -> None:
        known = self._due_at.get(key)
        if known is not None and known <= due_at:
            return
        self._due_at[key] = due_at
        self._count += 1
        heapq.heappush(self._heap, (due_at, self._count, key))

    def first_at(self) -> float | None:
        while self._heap and self._due_at.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: float) -> list[K]:
        due = []
        while (first_at := self.first_at()) is not None and first_at <= now:
            _, _, key = heapq.heappop(self._heap)
            del self._due_at[key]
            due.append(key)
        return due


@dataclass(frozen=True, slots=True)
class Result:
    """What a reconciliation wants besides.

    requeue_after_s  look at the key again after this time; None: when something changes
    """

    requeue_after_s: float | None = None


DONE: Final = Result()

Reconcile = Callable[[K], Awaitable[Result | None]]


async def work(queue: WorkQueue[K], reconcile: Reconcile[K], workers: int) -> None:
    """Run workers until the queue is shut down and they have finished, or until cancelled."""
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(workers):
                group.create_task(_worker(queue, reconcile), name=f"{queue.name}-{number}")
    finally:
        queue.stop_timer()


async def _worker(queue: WorkQueue[K], reconcile: Reconcile[K]) -> None:
    for turn in count():
        if turn % limits.WORKER_KEYS_PER_TURN == 0:
            await asyncio.sleep(0)
        try:
            key = await queue.get()
        except ShutDown:
            return
        try:
            await _process(queue, reconcile, key)
        finally:
            queue.done(key)


async def _process(queue: WorkQueue[K], reconcile: Reconcile[K], key: K) -> None:
    try:
        result = await reconcile(key)
    except StatusError as error:
        if error.reason != "Conflict":
            _LOG.warning("reconcile failed", queue=queue.name, key=key, reason=error.reason, message=error.message)
        queue.add_rate_limited(key)
    except Exception as error:  # a worker outlives every key: one of the three places (STYLE)
        _LOG.error("reconcile failed", error, queue=queue.name, key=key, failure=queue.failure_count(key) + 1)
        queue.add_rate_limited(key)
    else:
        queue.forget(key)
        if result is not None and result.requeue_after_s is not None:
            queue.add_after(key, result.requeue_after_s)
