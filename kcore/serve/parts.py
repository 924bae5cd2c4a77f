"""The parts of a control plane, and the frame in which each runs as a process."""

from __future__ import annotations

import asyncio
import gc
import importlib
from collections.abc import Awaitable, Callable
from typing import Any

from kcore.base import limits, log, service
from kcore.base.config import DataDir
from kcore.serve.failure import PartError

# part -> "module:coroutine function", imported when the part runs.
PARTS = {
    "apiserver": "kcore.serve.apiserver:serve",
    "scheduler": "kcore.serve.scheduler:serve",
    "controllers": "kcore.serve.controllers:serve",
    "nodes": "kcore.serve.nodes:serve",
}

Serve = Callable[[DataDir, Any, int | None], Awaitable[None]]


def run(part: str, directory: DataDir, settings: Any, ready_fd: int | None, level: str = "info", json_log: bool = False) -> None:
    """Run a part until it is told to stop. Raises PartError, which its supervisor is told as well."""
    service.adopt(ready_fd)
    log.configure(directory.log(part) if ready_fd is not None else None, level, json_log)
    module, _, name = PARTS[part].partition(":")
    serve: Serve = getattr(importlib.import_module(module), name)
    service.await_turn(ready_fd)
    gc.freeze()  # what was imported stays
    gc.set_threshold(limits.GC_NEW_OBJECTS_MAX, *limits.GC_GENERATIONS)
    try:
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(as_coroutine(serve(directory, settings, ready_fd)))
    except PartError as error:
        service.report_failed(ready_fd, str(error))
        raise


async def as_coroutine(awaitable: Awaitable[None]) -> None:
    """A coroutine from anything that can be awaited."""
    await awaitable
