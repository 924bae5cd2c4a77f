"""What a part that is a client of the API works with, and how it works while it leads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kcore.base import log
from kcore.client.client import Client
from kcore.client.election import LeaderElector

LOG = log.get("serve")
LEASE_NAMESPACE = "kube-system"


@dataclass(frozen=True, slots=True)
class Running:
    """What a part works with.

    identity  this process's name in elections: the same over restarts while it holds the part's lock, else by chance
    ready     to be called once, when it serves
    elects    whether others may stand for the same work, so that a Lease decides
    """

    client: Client
    identity: str
    ready: Callable[[], None]
    elects: bool = True


Work = Callable[[Running], Awaitable[None]]


async def lead(running: Running, lease: str, work: Callable[[], Awaitable[None]]) -> None:
    """Work while this process holds a Lease; a lost Lease ends the part, which its supervisor starts again."""
    if not running.elects:
        await work()
        return
    elector = LeaderElector(running.client, LEASE_NAMESPACE, lease, running.identity)
    await elector.run(lambda: as_coroutine(work()))
    LOG.warning("the Lease was lost", lease=lease)


async def as_coroutine(awaitable: Awaitable[None]) -> None:
    """A coroutine from anything that can be awaited."""
    await awaitable
