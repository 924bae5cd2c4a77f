"""A control plane in one event loop, for tests: there when a test needs it, and gone with its folder afterwards.

    async with Cluster(nodes=2) as cluster:
        await cluster.client.deployments.create(web)
        await cluster.wait_for(lambda: is_available(cluster, "web"))

It has the real API server and store, scheduler, controllers and hollow nodes, all on the time of the loop that it is started in: on a loop
of `kcore.base.virtual_loop` a day passes as fast as its events can be worked off. It listens on no port unless one is asked for, and its
commits are not synced to the disk, since nobody needs them after a crash.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import fields
from functools import partial
from inspect import isawaitable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kcore.base import garbage, limits
from kcore.base.clock import Clock, SystemClock, VirtualClock
from kcore.base.config import DataDir, Endpoints
from kcore.base.entropy import Entropy, SeededEntropy, SystemEntropy
from kcore.base.virtual_loop import VirtualLoop
from kcore.client.client import Client
from kcore.machinery.status import StatusError
from kcore.serve import parts, users
from kcore.serve.direct import DirectTransport
from kcore.serve.plane import Keys, Plane, assembled
from kcore.serve.running import Running
from kcore.store import Engine, Put, Txn
from kcore.store.history import ways_back
from kcore.store.storage import Operation
from kcore.testing.faulty_transport import FaultyTransport, Refusal
from kcore.testing.ghosts import Ghosts, uid_of
from kcore.testing.part import Part
from kcore.testing.settings import Settings
from kcore.testing.wait import Predicate, Stay, Wait

ADMIN = "admin"
EVENTS = b"/registry/events/"
NODE_LEASES = b"/registry/leases/kube-node-lease/"
REAL_LOOP = "a Cluster has the time of its loop; virtual_loop.run of kcore.base makes a virtual one, SyncCluster(virtual_time=True) has one"

Operator = Callable[[Client], Awaitable[None]]


class Cluster:
    """A control plane under test. Thread: the event loop's.

    client     calls as the admin, on the way whose faults are `faults`
    parts      what runs beside the API server, by name: each can be stopped, started and restarted, and has faults of its own
    directory  its temporary folder; with a port, `kcore --data-dir` and `connect.from_endpoints` take it, and it holds a kubeconfig
    """

    client: Client
    directory: Path

    def __init__(self, *, origin: Cluster | None = None, **settings: Any) -> None:
        """Describe a cluster by the fields of `Settings`; `async with` starts it, or `await` and later `close`."""
        self.settings = Settings(**settings)
        self.parts: dict[str, Part] = {}
        self._origin = origin
        self._stack = AsyncExitStack()
        self._clock: Clock = SystemClock()
        self._entropy: Entropy = SystemEntropy() if self.settings.seed is None else SeededEntropy(self.settings.seed)
        self._plane: Plane
        self._storage: Engine
        self._tokens: dict[str, str] = {}
        self._ghosts = Ghosts()
        self._start = 0

    # its life

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self.close)
            with garbage.held_back():
                await self._open()
            undo.pop_all()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self.check()
        finally:
            await self.close()

    def __await__(self) -> Generator[Any, None, Self]:
        return self.__aenter__().__await__()

    async def close(self) -> None:
        """End the parts, then the API server, and remove the folder."""
        await self._stack.aclose()

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        if isinstance(loop, VirtualLoop):
            self._clock = loop.clock
        elif self.settings.virtual_time:
            raise RuntimeError(REAL_LOOP)
        self.directory = Path(tempfile.mkdtemp(prefix="kcore-"))
        self._stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self._storage = self._opened_store()
        self._stack.callback(self._storage.close)
        self._tokens = self._made_tokens()
        by_token = users.by_token(self._tokens)
        shared = None if self._origin is None else self._origin._plane.server.hub
        features, keys = frozenset(self.settings.features), self._made_keys()
        self._plane = await assembled(self._storage, by_token, self._clock, self._entropy, origin=shared, keys=keys, features=features)
        self._stack.push_async_callback(cancelled, asyncio.create_task(self._plane.server.maintain(), name="maintenance"))
        if self.settings.port is not None:
            await self._open_port(self.settings.port)
        self.client = await self._stack.enter_async_context(self.connect())
        for name in self.settings.clients():
            self.parts[name] = self._part(name)
            self._stack.push_async_callback(self.parts[name].stop)
            self.parts[name].start()
        if self._origin is None:
            await self.ready()
        self._start = self.mark()

    def _opened_store(self) -> Engine:
        path = self.directory / "store"
        if self._origin is None:
            return Engine(path, self._clock, self._entropy, sync=False, threaded=False)
        return self._origin._storage.fork(path, self._clock, self._entropy)

    def _made_tokens(self) -> dict[str, str]:
        """A token for each user; in files only where others may come through a port."""
        if self.settings.port is None:
            return {name: users.new_token() for name in users.USERS}
        directory = DataDir(self.directory)
        users.ensure_tokens(directory.pki)
        return {name: directory.token(name).read_text() for name in users.USERS}

    def _made_keys(self) -> Keys:
        """Keys in files where others may come through a port, else none that outlive the cluster."""
        if self.settings.port is None:
            return Keys()
        from kcore.serve import pki

        directory = DataDir(self.directory)
        pki.ensure(directory.path, {"127.0.0.1"})
        return Keys(pki.ensure_signing_key(directory.pki), (directory.pki / "ca.crt").read_text())

    async def _open_port(self, port: int) -> None:
        from kcore.serve.apiserver import ApiServerSettings, ports_of

        opened = ports_of(self._plane, DataDir(self.directory), ApiServerSettings(port=0, grpc_port=port))
        ports = await self._stack.enter_async_context(opened)
        self._stack.push_async_callback(ports.stop, self._plane.server.hub.stop, 0.0)

    def _part(self, name: str) -> Part:
        directory, settings = DataDir(self.directory), self.settings.of(name)
        connect = partial(self._connect, name, name, self._ghosts.refusal)
        return Part(name, connect, lambda: parts.work(name, directory, settings))

    def _connect(self, user: str, field_manager: str, refusal: Refusal | None = None) -> Client:
        way = FaultyTransport(DirectTransport(self._plane.frontend, self._tokens[user]), self._clock, refusal=refusal)
        return Client(way, clock=self._clock, entropy=self._entropy, field_manager=field_manager)

    # who uses it

    def connect(self, field_manager: str = "") -> Client:
        """Make another client, with faults of its own (its `transport`), such as the one an operator under test gets."""
        return self._connect(ADMIN, field_manager)

    @asynccontextmanager
    async def running(self, operator: Operator, name: str = "operator") -> AsyncIterator[Part]:
        """Run an operator under test beside the parts, as one of them: it has faults of its own, can be restarted, and must not end.

        operator  a coroutine function that takes the client to work with
        """

        async def work(running: Running) -> None:
            running.ready()
            await operator(running.client)

        part = self.parts[name] = Part(name, lambda: self.connect(name), lambda: work)
        part.start()
        try:
            yield part
            part.check()
        finally:
            del self.parts[name]
            await part.stop()

    @property
    def faults(self) -> FaultyTransport:
        """What goes wrong on the way of `client`."""
        way = self.client.transport
        assert isinstance(way, FaultyTransport)
        return way

    @property
    def clock(self) -> VirtualClock:
        """The clock of a cluster on virtual time: `await cluster.clock.advance(hours=24)`."""
        if not isinstance(self._clock, VirtualClock):
            raise RuntimeError(f"this cluster is on real time: {REAL_LOOP}")
        return self._clock

    @property
    def kubeconfig(self) -> Path:
        """The file through which kubectl and the clients of other languages find a cluster with a port."""
        assert self.endpoints.rest is not None
        return DataDir(self.directory).kubeconfig

    @property
    def endpoints(self) -> Endpoints:
        """The addresses of a cluster with a port: gRPC, and HTTPS as `rest`."""
        found = Endpoints.read(DataDir(self.directory))
        if found is None:
            raise RuntimeError("this cluster has no port; start it with port=0")
        return found

    # what a test waits for

    async def ready(self) -> None:
        """Wait until all parts serve, and the nodes are there."""
        for part in self.parts.values():
            await part.wait_ready()

    def check(self) -> None:
        """Raise PartFailed if a part has ended that nobody stopped."""
        for part in self.parts.values():
            part.check()

    async def wait_for(self, predicate: Predicate, timeout_s: float = limits.TESTING_WAIT_S, what: str = "") -> Any:
        """Wait until a look returns something true, and return that; the time is the cluster's, real or virtual.

        predicate  looks, by itself or when awaited; a failed assertion and an object that is not there are *not yet*
        Raises     NotYet with what was seen at last
        """
        wait = Wait(what, timeout_s, self._clock.monotonic())
        while True:
            try:
                if wait.sees(seen := await value_of(predicate())):
                    return seen
            except (AssertionError, LookupError, StatusError) as error:
                wait.fails(error)
            await self.changed(wait.pause_s(self._clock.monotonic()))

    async def stays(self, predicate: Predicate, seconds: float) -> None:
        """Let so much time pass in which every look has to return something true. Raises NoLonger."""
        stay = Stay(seconds, self._clock.monotonic())
        while True:
            now = self._clock.monotonic()
            stay.sees(await value_of(predicate()))
            if not (pause_s := stay.pause_s(now)):
                return
            await self.changed(pause_s)

    async def changed(self, timeout_s: float) -> None:
        """Wait until something is written, at most so long. Raises PartFailed."""
        self.check()
        hub = self._plane.server.hub
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await hub.reached(hub.revision + 1)

    # its state

    @property
    def revision(self) -> int:
        """The revision that the cluster has reached."""
        return self._storage.revision

    def mark(self) -> int:
        """Remember what is there now, to `reset` to."""
        self._storage.flush()
        return self._storage.mark()

    def release(self, mark: int) -> None:
        """Let a mark go, since all that has changed after it is kept for its sake."""
        self._storage.release(mark)

    async def reset(self, mark: int | None = None) -> None:
        """Put all objects back to what they were at a mark, or when the cluster had started, in one commit that the parts see as any other.

        Faults are healed and stopped parts run again. What parts still write about what is gone is refused, or undone as well. Time does
        not go back, nor do revisions.
        """
        wanted = self._start if mark is None else mark
        self.faults.heal()
        for part in self.parts.values():
            await part.heal()
        for _ in range(limits.TESTING_RESET_ROUNDS_MAX):
            if not self._go_back(wanted):
                return
            await self._quiet()

    def _go_back(self, mark: int) -> bool:
        """Commit the way back to a mark, and note which objects vanish by it; -> whether there was anything to do."""
        way = [operation for operation in ways_back(self._storage, mark) if not is_heartbeat(operation)]
        found = (self._storage.head(operation.key) for operation in way)
        made = (kv for kv in found if kv is not None and kv.create_revision > mark and not kv.key.startswith(EVENTS))
        self._ghosts.add(uid_of(kv.value) for kv in made)
        if way:
            self._storage.submit(Txn((), way))
            self._storage.flush()
            self._plane.server.adopt()
        return bool(way)

    async def _quiet(self) -> None:
        """Let the parts take in what is committed, and act on it."""
        calm_turns = 0
        for _ in range(limits.TESTING_QUIET_TURNS_MAX):
            await asyncio.sleep(0)
            is_calm = self._plane.server.hub.is_idle and all(part.is_idle for part in self.parts.values())
            calm_turns = calm_turns + 1 if is_calm else 0
            if calm_turns == limits.TESTING_CALM_TURNS:
                return

    def fork(self, **changes: Any) -> Cluster:
        """An independent copy: same objects, revisions and uids, with parts of its own, which become `ready` after it answers.

        changes  of its settings
        """
        same = {field.name: getattr(self.settings, field.name) for field in fields(self.settings)}
        port = {} if self.settings.port is None else {"port": 0}
        return Cluster(origin=self, **{**same, **port, **changes})


def is_heartbeat(operation: Operation) -> bool:
    """Whether a step back would only take a node's newest renewal of its Lease back."""
    return isinstance(operation, Put) and operation.key.startswith(NODE_LEASES)


async def value_of(found: Any | Awaitable[Any]) -> Any:
    """A value, awaited if it has to be."""
    return await found if isawaitable(found) else found


async def cancelled(task: asyncio.Task[Any]) -> None:
    """End a task."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
