"""Workers: take a key, reconcile it, and see to it that it comes back if that failed or is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from itertools import count
from typing import Final, TypeVar

from kcore.base import limits, log
from kcore.client.workqueue import ShutDown, WorkQueue
from kcore.machinery.status import StatusError

K = TypeVar("K", bound=Hashable)

_LOG = log.get("client.worker")


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
    async with asyncio.TaskGroup() as group:
        for number in range(workers):
            group.create_task(_worker(queue, reconcile), name=f"{queue.name}-{number}")


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
