"""A cluster for tests that are no coroutines: the same names, and every call returns what its coroutine would.

    with SyncCluster(nodes=2) as cluster:
        cluster.client.deployments.create(web)
        cluster.wait_for(lambda: cluster.client.deployments.get("web", namespace="default").status.availableReplicas == 3)

An operator that is written with asyncio runs beside it in `running`; `run` hands a coroutine function the cluster as it is in its loop.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import AsyncGeneratorType, TracebackType
from typing import Any, Self, TypeVar

from kcore.base import limits
from kcore.base.config import Endpoints
from kcore.client.bulk import BulkClient
from kcore.client.dynamic import DynamicClient, DynamicResource, DynamicWatch
from kcore.client.objects import RawWatch, ResourceClient, Watch
from kcore.machinery.status import StatusError
from kcore.testing.cluster import Cluster, Operator
from kcore.testing.faulty_transport import FaultyTransport
from kcore.testing.part import Part
from kcore.testing.portal import Portal, ThreadPortal, VirtualPortal
from kcore.testing.settings import Settings
from kcore.testing.wait import Stay, Wait

T = TypeVar("T")


class SyncCluster:
    """A control plane under test. Thread: any, one at a time."""

    def __init__(self, **settings: Any) -> None:
        """Describe a cluster by the fields of `Settings`; `with` starts it, or `start` and later `close`."""
        self.settings = Settings(**settings)
        self._cluster = Cluster(**settings)
        self._portal: Portal | None = None
        self._owns_loop = True

    # its life

    def start(self) -> Self:
        """Start it, in a loop of its own."""
        if self._portal is None:
            self._portal = VirtualPortal() if self.settings.virtual_time else ThreadPortal()
        with ExitStack() as undo:
            undo.callback(self.close)
            self._call(self._cluster.__aenter__())
            undo.pop_all()
        return self

    def close(self) -> None:
        """End it and its loop."""
        portal, self._portal = self._portal, None
        if portal is None:
            return
        try:
            portal.call(self._cluster.close())
        finally:
            if self._owns_loop:
                portal.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self.check()
        finally:
            self.close()

    def fork(self, **changes: Any) -> SyncCluster:
        """An independent copy, started; it is in the same loop, and goes before its origin."""
        copy = SyncCluster.__new__(SyncCluster)
        copy._cluster, copy._portal, copy._owns_loop = self._cluster.fork(**changes), self._portal, False
        copy.settings = copy._cluster.settings
        return copy.start()

    def _call(self, coroutine: Any) -> Any:
        assert self._portal is not None, "the cluster does not run"
        return self._portal.call(coroutine)

    def run(self, story: Callable[[Cluster], Awaitable[T]]) -> T:
        """Run a coroutine function with the cluster, in its loop: where an operator written with asyncio runs beside it."""

        async def told() -> T:
            return await story(self._cluster)

        result: T = self._call(told())
        return result

    @contextmanager
    def running(self, operator: Operator, name: str = "operator") -> Iterator[Any]:
        """Run an operator under test beside the parts, as one of them; it is a coroutine function that takes a client."""
        started = self._cluster.running(operator, name)
        part = self._call(started.__aenter__())
        with ExitStack() as stack:
            stack.push(lambda *error: self._call(started.__aexit__(*error)))
            yield Blocking(part, self._call)

    # what there is

    @property
    def client(self) -> Any:
        """The client, whose calls return instead of being awaited; a watch is an iterator."""
        return Blocking(self._cluster.client, self._call)

    @property
    def parts(self) -> dict[str, Any]:
        """What runs beside the API server, by name."""
        return {name: Blocking(part, self._call) for name, part in self._cluster.parts.items()}

    @property
    def faults(self) -> Any:
        """What goes wrong on the way of `client`."""
        return Blocking(self._cluster.faults, self._call)

    @property
    def clock(self) -> Any:
        """The clock of a cluster on virtual time: `cluster.clock.advance(hours=24)`."""
        return Blocking(self._cluster.clock, self._call)

    @property
    def directory(self) -> Path:
        """Its temporary folder."""
        return self._cluster.directory

    @property
    def kubeconfig(self) -> Path:
        """The file through which kubectl and the clients of other languages find a cluster with a port."""
        return self._cluster.kubeconfig

    @property
    def endpoints(self) -> Endpoints:
        """The addresses of a cluster with a port."""
        return self._cluster.endpoints

    @property
    def revision(self) -> int:
        """The revision that the cluster has reached."""
        return self._cluster.revision

    # what a test does with it

    def mark(self) -> int:
        """Remember what is there now, to `reset` to."""
        return int(self.run(as_coroutine(Cluster.mark)))

    def release(self, mark: int) -> None:
        """Let a mark go."""
        self.run(as_coroutine(lambda cluster: cluster.release(mark)))

    def reset(self, mark: int | None = None) -> None:
        """Put all objects back to what they were at a mark, or when the cluster had started."""
        self._call(self._cluster.reset(mark))

    def ready(self) -> None:
        """Wait until all parts serve, and the nodes are there."""
        self._call(self._cluster.ready())

    def check(self) -> None:
        """Raise PartFailed if a part has ended that nobody stopped."""
        self.run(as_coroutine(Cluster.check))

    def wait_for(self, predicate: Callable[[], Any], timeout_s: float = limits.TESTING_WAIT_S, what: str = "") -> Any:
        """Wait until a look returns something true, and return that, as `Cluster.wait_for` does."""
        wait = Wait(what, timeout_s, self._now())
        while True:
            try:
                if wait.sees(seen := predicate()):
                    return seen
            except (AssertionError, LookupError, StatusError) as error:
                wait.fails(error)
            self._call(self._cluster.changed(wait.pause_s(self._now())))

    def stays(self, predicate: Callable[[], Any], seconds: float) -> None:
        """Let so much time pass in which every look has to return something true. Raises NoLonger."""
        stay = Stay(seconds, self._now())
        while True:
            now = self._now()
            stay.sees(predicate())
            if not (pause_s := stay.pause_s(now)):
                return
            self._call(self._cluster.changed(pause_s))

    def _now(self) -> float:
        return self._cluster.client.clock.monotonic()


def as_coroutine(method: Callable[[Cluster], T]) -> Callable[[Cluster], Awaitable[T]]:
    """A method that has to run in the loop's thread, though it waits for nothing."""

    async def act(cluster: Cluster) -> T:
        return method(cluster)

    return act


AWAITED = (
    *(BulkClient, DynamicClient, DynamicResource, DynamicWatch, RawWatch, ResourceClient, Watch),
    *(FaultyTransport, Part, AsyncGeneratorType),
)
"""What has coroutines among its methods, of all that is reached from a cluster."""


class Blocking:
    """An object of the loop as seen from outside: what would be awaited is waited for, what is iterated comes one by one."""

    def __init__(self, inner: Any, call: Callable[[Any], Any]) -> None:
        self._inner, self._call = inner, call

    def __getattr__(self, name: str) -> Any:
        return self._shown(getattr(self._inner, name))

    def __iter__(self) -> Iterator[Any]:
        coming = aiter(self._inner)
        while True:
            try:
                yield self._call(next_of(coming))
            except StopAsyncIteration:
                return

    def __enter__(self) -> Any:
        return self._shown(self._call(self._inner.__aenter__()))

    def __exit__(self, *error: Any) -> None:
        self._call(self._inner.__aexit__(*error))

    def _shown(self, found: Any) -> Any:
        if inspect.ismethod(found):
            return functools.wraps(found)(functools.partial(self._called, found))
        return Blocking(found, self._call) if isinstance(found, AWAITED) else found

    def _called(self, method: Any, *arguments: Any, **named: Any) -> Any:
        async def act() -> Any:
            found = method(*arguments, **named)
            return await found if inspect.isawaitable(found) else found

        return self._shown(self._call(act()))


async def next_of(coming: AsyncIterator[Any]) -> Any:
    """The next of what is iterated."""
    return await anext(coming)
