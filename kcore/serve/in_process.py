"""All parts of a control plane in one event loop of one process; what they say to the API server takes no socket.

The same files and locks as with processes, so that `status`, `down` and a second `up` find it: this process holds the supervisor's lock and
those of its parts. The ports are open for others. Nothing is started again: a part that fails ends the whole, with its sentence.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import uvloop

from kcore.agent.settings import HollowSettings, NodeSettings, NodeShape
from kcore.base import lock, service
from kcore.base.config import DataDir, write_private_json
from kcore.client.client import Client
from kcore.machinery.status import StatusError
from kcore.serve import apiserver, client_part, parts
from kcore.serve.apiserver import ApiServerSettings, Opened
from kcore.serve.diagnostics import Diagnostics
from kcore.serve.direct import DirectTransport
from kcore.serve.failure import PartError
from kcore.serve.running import Running

if TYPE_CHECKING:
    from kcore.controllers.settings import Settings
    from kcore.scheduler.configuration.reading import Configuration

SUPERVISOR = "supervisor"



@dataclass(frozen=True, slots=True)
class Plan:
    """What runs. `parts` names those beside the API server, `controlling` and `scheduling` say how two of them are set up."""

    api: ApiServerSettings
    parts: tuple[str, ...]
    nodes: int
    shapes: tuple[NodeShape, ...] = ()
    controlling: Settings | None = None
    scheduling: Configuration | None = None

    def settings(self, part: str) -> object:
        """The settings of a part."""
        if part == "scheduler":
            return self.scheduling
        if part != "nodes":
            return self.controlling if part == "controllers" else None
        return NodeSettings(count=self.nodes, awaits_cidr="controllers" in self.parts, shapes=self.shapes), HollowSettings()


@dataclass(slots=True)
class Together:
    """The parts of one process, and which of them are ready."""

    directory: DataDir
    plan: Plan
    on_ready: Callable[[float], None]
    began: float = field(default_factory=time.monotonic)
    waiting: set[str] = field(default_factory=set)

    def ready(self, part: str) -> None:
        """A part serves; the last one to say so makes the whole ready."""
        if part in self.waiting:
            self.waiting.discard(part)
            if not self.waiting:
                self.on_ready(time.monotonic() - self.began)

    async def serve(self) -> None:
        """Serve until SIGTERM. Raises PartError if a part cannot start, or ends."""
        async with apiserver.opened(self.directory, self.plan.api, supervised=True) as api:
            diagnostics = Diagnostics(apiserver.PART, self.directory, api.plane.may_get_metrics)
            await diagnostics.start()
            stop = asyncio.Event()
            service.on_stop(asyncio.get_running_loop(), stop.set)
            self.waiting = {apiserver.PART, *self.plan.parts}
            tasks = [asyncio.create_task(self.run_part(part, api), name=part) for part in self.plan.parts]
            stopping = asyncio.create_task(stop.wait())
            serving = asyncio.create_task(api.run_until(stop))
            diagnostics.ready = True
            self.ready(apiserver.PART)
            try:
                await asyncio.wait((stopping, serving, *tasks), return_when=asyncio.FIRST_COMPLETED)
                failed = [task for task in tasks if task.done()]
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                stop.set()
                await asyncio.gather(stopping, serving)
                await diagnostics.stop()
            for task in failed:
                raise PartError(f"{task.get_name()} failed: {why(task)}")

    async def run_part(self, part: str, api: Opened) -> None:
        """Do what a part does, as the user that it is."""
        transport = DirectTransport(api.plane.frontend, self.directory.token(part).read_text())
        work = parts.work(part, self.directory, self.plan.settings(part))
        held = lock.take(self.directory.part_lock(part), supervised=True)
        if isinstance(held, lock.Holder):
            raise PartError(f"it runs already, as process {held.pid}")
        try:
            async with Client(transport, field_manager=part) as client:
                identity = client_part.identity_of(part, held, self.directory)
                await work(Running(client, identity, lambda: self.ready(part)))
        finally:
            held.release()


def why(task: asyncio.Task[None]) -> str:
    """Why a part ended, in one sentence."""
    error = task.exception()
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if error is None:
        return "it ended"
    return str(error) if isinstance(error, PartError | StatusError) else f"{type(error).__name__}: {error}"


def run(directory: DataDir, plan: Plan, on_ready: Callable[[float], None]) -> None:
    """Run all parts in this process until SIGTERM. Raises PartError with a sentence for the user."""
    directory.make()
    with ExitStack() as stack:
        held = lock.take(directory.supervisor_lock)
        if isinstance(held, lock.Holder):
            raise PartError(f"{directory.path} is in use by another kcore up, process {held.pid}")
        stack.callback(held.release)
        service.clear_leftovers(directory)
        state = directory.part_state(SUPERVISOR)
        for path in (directory.endpoints, directory.part_state(apiserver.PART), state):
            path.unlink(missing_ok=True)
            stack.callback(path.unlink, missing_ok=True)
        write_private_json(state, {"pid": os.getpid(), "ready": False, "parts": {}})
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(Together(directory, plan, on_ready).serve())
