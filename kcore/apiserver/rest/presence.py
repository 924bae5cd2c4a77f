"""Sending to a client for as long as it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]


async def while_present(sending: Coroutine[Any, Any, None], receive: Receive, gone: str) -> None:
    """Carry on until all is sent, or the message `gone` says that nobody takes it any more; what else a client says is not listened to."""
    leaving, present = asyncio.ensure_future(left(receive, gone)), asyncio.timeout(None)
    end = partial(expire, present)
    try:
        async with present:
            leaving.add_done_callback(end)
            await sending
    except TimeoutError:
        if not present.expired():
            raise
    finally:
        leaving.remove_done_callback(end)
        leaving.cancel()


def expire(present: asyncio.Timeout, _leaving: asyncio.Future[None]) -> None:
    """End at once what is done in a timeout, unless it has ended in this turn of the loop."""
    with suppress(RuntimeError):
        present.reschedule(0)


async def left(receive: Receive, gone: str) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != gone:
        pass
