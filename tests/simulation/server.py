"""The API server of a simulated cluster: it can be killed at any moment, and opened again on the same folder."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from kcore.base.clock import Clock
from kcore.base.entropy import SeededEntropy
from kcore.client.transport import Transport
from kcore.machinery import status
from kcore.machinery.request import User
from kcore.serve import plane
from kcore.serve.direct import DirectTransport
from kcore.store import Engine
from tests.simulation.history import History


class Server:
    """An API server and its store. Thread: the event loop's."""

    def __init__(self, path: Path, users: Mapping[str, User], clock: Clock, seed: str, history: History) -> None:
        self._path, self._users, self._clock, self._seed, self._history = path, users, clock, seed, history
        self._starts = 0
        self._engine: Engine | None = None
        self._plane: plane.Plane | None = None
        self._ways: dict[str, DirectTransport] = {}
        self._maintenance: asyncio.Task[None] | None = None
        self.wrongs: list[str] = []

    async def start(self) -> None:
        """Open the store, and serve; what the store shows has to be what was committed."""
        self._starts += 1
        entropy = SeededEntropy(f"{self._seed}/server/{self._starts}")
        engine = self._engine = Engine(self._path, self._clock, entropy, sync=False, threaded=False)
        self.wrongs += self._history.reopened(engine.range(b"/", b"0").kvs)
        if engine.revision < self._history.revision:
            self.wrongs.append(f"the revision went back from {self._history.revision} to {engine.revision}")
        engine.subscribe(self._history.committed)
        self._plane = await plane.assembled(engine, self._users, self._clock, entropy)
        self._maintenance = asyncio.create_task(self._plane.server.maintain(), name="maintenance")

    async def kill(self) -> None:
        """End as a killed process does: what is submitted and not committed is lost, and nobody is answered any more."""
        engine, self._engine, self._plane = self._engine, None, None
        ways, self._ways = list(self._ways.values()), {}
        if self._maintenance is not None:
            self._maintenance.cancel()
            await asyncio.gather(self._maintenance, return_exceptions=True)
        if engine is not None:
            engine.is_closed = True
            engine.log.close()
            engine.lock.release()
        for way in ways:
            await way.close()

    @property
    def is_up(self) -> bool:
        """Whether it serves."""
        return self._plane is not None

    def compact(self) -> None:
        """Forget all history but the present state, so that watches have to begin anew."""
        if self._engine is not None and self._plane is not None:
            self._plane.server.compact(self._engine.revision)

    def way(self, token: str) -> Transport:
        """The way in, for who has a token. Raises StatusError while there is no server."""
        if self._plane is None:
            raise status.service_unavailable("connection refused")
        found = self._ways.get(token)
        if found is None:
            found = self._ways[token] = DirectTransport(self._plane.frontend, token)
        return found
