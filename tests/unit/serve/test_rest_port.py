"""A client that takes nothing of what waits for it is given up."""

import asyncio
from contextlib import suppress
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState

from kcore.base import limits, virtual_loop
from kcore.serve.ports.rest import Protocol


class Transport(asyncio.Transport):
    """Remembers whether it was aborted."""

    aborted = False

    def abort(self) -> None:
        self.aborted = True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def close(self) -> None:
        """Nobody is there."""

    def pause_reading(self) -> None:
        """Nothing comes."""


async def silence(_scope: Any, _receive: Any, _send: Any) -> None:
    """An application that answers nothing."""


async def passes(seconds: float) -> None:
    """Let virtual time pass."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().create_future()


def protocol() -> tuple[Protocol, Transport]:
    config = Config(silence, http=Protocol, ws="none", lifespan="off", log_config=None)
    made, transport = Protocol(config, ServerState(), {}), Transport()
    made.connection_made(transport)
    made.stop_waiting()  # for a head
    return made, transport


def test_a_client_is_given_up_when_it_took_nothing_for_too_long() -> None:
    async def main() -> None:
        waiting, transport = protocol()
        waiting.pause_writing()
        await passes(limits.HTTP_SEND_WAIT_S - 1)
        assert not transport.aborted
        await passes(2)
        assert transport.aborted

    virtual_loop.run(main())


def test_a_client_that_takes_something_or_leaves_is_not_waited_for() -> None:
    async def main() -> None:
        for end in (Protocol.resume_writing, lambda each: each.connection_lost(None)):
            waiting, transport = protocol()
            waiting.pause_writing()
            await passes(limits.HTTP_SEND_WAIT_S - 1)
            end(waiting)
            await passes(limits.HTTP_SEND_WAIT_S)
            assert not transport.aborted

    virtual_loop.run(main())
