"""Sending to a client for as long as it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]


async def while_present(sending: Coroutine[Any, Any, None], receive: Receive, gone: str) -> None:
    """Carry on until all is sent, or the message `gone` says that nobody takes it any more; what else a client says is not listened to."""
    tasks = [asyncio.ensure_future(sending), asyncio.ensure_future(left(receive, gone))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def left(receive: Receive, gone: str) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != gone:
        pass
