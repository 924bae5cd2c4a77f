"""The frame of every part that is a client of the API: lock, connection, health port, stop."""

from __future__ import annotations

import asyncio
import contextlib

from kcore.base import lock, service
from kcore.base.config import DataDir
from kcore.base.entropy import SystemEntropy
from kcore.base.lock import FileLock
from kcore.client import connect
from kcore.client.client import Client
from kcore.machinery.status import StatusError
from kcore.serve import slow_start
from kcore.serve.diagnostics import Diagnostics, by_reviews
from kcore.serve.failure import PartError
from kcore.serve.running import Running, Work, as_coroutine


def identity_of(part: str, held: object, directory: DataDir) -> str:
    """Under which name a process stands for election."""
    if isinstance(held, FileLock):
        return f"{part}_{directory.path}"
    return f"{part}_{SystemEntropy().uid()}"


async def serve(part: str, directory: DataDir, ready_fd: int | None, work: Work) -> None:
    """Run a part's work until SIGTERM. Raises PartError if it cannot be begun, or failed."""
    directory.make()
    held = service.lock_part(directory, part, ready_fd)
    if isinstance(held, lock.Holder) and ready_fd is not None:
        raise PartError(f"the {part} of {directory.path} runs already, as process {held.pid}")
    client = await opened(part, directory)
    diagnostics = Diagnostics(part, directory, by_reviews(client))
    await diagnostics.start()

    def ready() -> None:
        diagnostics.ready = True
        service.report_ready(ready_fd)

    telling = asyncio.ensure_future(slow_start.tell(lambda: diagnostics.ready, client.clock))
    task = asyncio.ensure_future(as_coroutine(work(Running(client, identity_of(part, held, directory), ready))))
    service.on_stop(asyncio.get_running_loop(), task.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    except* StatusError as errors:
        raise PartError(f"the API server refused the {part}: {errors.exceptions[0]}") from errors
    finally:
        telling.cancel()
        await client.close()
        await diagnostics.stop()
        if isinstance(held, FileLock):
            held.release()


async def opened(part: str, directory: DataDir) -> Client:
    """Connect as the part. Raises PartError."""
    try:
        return await connect.from_endpoints(directory.path, token_file=directory.token(part), field_manager=part)
    except FileNotFoundError as error:
        raise PartError(f"no API server runs in {directory.path}") from error
    except StatusError as error:
        raise PartError(f"the API server of {directory.path} does not answer: {error.message}") from error
