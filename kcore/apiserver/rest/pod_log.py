"""The log of a pod as a stream: lines as they are printed, until the container ends or the pod goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from kcore.apiserver.logs.podlog import Follower, Piece
from kcore.apiserver.reads import Reads
from kcore.base.clock import Clock
from kcore.machinery import codec
from kcore.machinery.request import Request
from kcore.machinery.scheme import KindSpec
from kcore.watch import DELETED, Watcher, WatchExpired

Object = dict[str, Any]
GONE = b""


def state(event_type: str, value: bytes, _revision: int) -> bytes:
    """A pod as an event leaves it: its message, nothing if it is gone."""
    return GONE if event_type == DELETED else codec.open_envelope(value)[2]


async def follow(
    reads: Reads, clock: Clock, spec: KindSpec, request: Request, pod: Object, log: Follower, first: Piece
) -> AsyncGenerator[bytes, None]:
    """What a follower reads.

    pod    as `first` was read from
    first  what is there already
    """
    options = {"fieldSelector": f"metadata.name={request.name}", "resourceVersion": pod["metadata"]["resourceVersion"]}
    watcher = await reads.open_watch(spec, request.namespace, options, state)
    present: Object | None = pod
    piece = first
    try:
        while True:
            if piece.data:
                yield piece.data
            if piece.is_over:
                return
            present = await later(watcher, spec, present, None if piece.wake_s is None else piece.wake_s - clock.now())
            piece = log.feed(present, clock.now())
    except WatchExpired:
        return
    finally:
        reads.hub.unwatch(spec.storage, watcher)


async def later(watcher: Watcher, spec: KindSpec, present: Object | None, wait_s: float | None) -> Object | None:
    """The pod when it has changed or the time is over; None if it is gone. Raises WatchExpired."""
    try:
        async with asyncio.timeout(None if wait_s is None else max(0.0, wait_s)):
            states = await watcher.next_batch()
    except TimeoutError:
        return present
    if not states or GONE in states:
        return None
    return codec.decode(spec.message, states[-1], spec.api_version, spec.kind)
