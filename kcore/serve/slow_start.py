"""Says in a part's log what it waits for when it does not become ready: the innermost line of each of its tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from kcore.base import limits, log
from kcore.base.clock import Clock

LOG = log.get("serve")


async def tell(is_ready: Callable[[], bool], clock: Clock) -> None:
    """Log what tasks wait for, in a rhythm, until the part is ready."""
    while True:
        await clock.sleep(limits.SLOW_START_S)
        if is_ready():
            return
        LOG.warning("not ready yet", waiting="; ".join(sorted(set(places(asyncio.all_tasks())))))


def places(tasks: Iterable[asyncio.Task[Any]]) -> Iterable[str]:
    """`informer-pods at reflector.py:94` for each task."""
    for task in tasks:
        coroutine: Any = task.get_coro()
        while (inner := getattr(coroutine, "cr_await", None)) is not None and getattr(inner, "cr_frame", None) is not None:
            coroutine = inner
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None:
            yield f"{task.get_name()} at {Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
