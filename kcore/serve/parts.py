"""The parts of a control plane, and the frame in which each runs as a process."""

from __future__ import annotations

import asyncio
import gc
import importlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from kcore.base import limits, log, service
from kcore.base.config import DataDir
from kcore.serve.failure import PartError

if TYPE_CHECKING:
    from kcore.serve.running import Work

# part -> module, imported when the part runs. The API server's has `serve`, the others, which are clients of it, `work`.
PARTS = {
    "apiserver": "kcore.serve.apiserver",
    "scheduler": "kcore.serve.scheduler",
    "controllers": "kcore.serve.controllers",
    "nodes": "kcore.serve.nodes",
}

Serve = Callable[[DataDir, Any, int | None], Awaitable[None]]


def work(part: str, directory: DataDir, settings: Any) -> Work:
    """What a client of the API does as a part."""
    made: Work = importlib.import_module(PARTS[part]).work(directory, settings)
    return made


def serving(part: str) -> Serve:
    """What serves a part in a process of its own; everything is imported now."""
    module = importlib.import_module(PARTS[part])
    if part == "apiserver":
        serve: Serve = module.serve
        return serve
    from kcore.serve import client_part

    return lambda directory, settings, ready_fd: client_part.serve(part, directory, ready_fd, module.work(directory, settings))


def run(part: str, directory: DataDir, settings: Any, ready_fd: int | None, level: str = "info", json_log: bool = False) -> None:
    """Run a part until it is told to stop. Raises PartError, which its supervisor is told as well."""
    service.adopt(ready_fd)
    log.configure(directory.log(part) if ready_fd is not None else None, level, json_log)
    serve = serving(part)
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
