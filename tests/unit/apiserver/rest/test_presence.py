"""What is sent ends with its client, and with nothing else."""

import asyncio
from typing import Any

import pytest

from kcore.apiserver.rest.presence import while_present

GONE = "http.disconnect"


class Client:
    """Says what it is told to say, and then nothing."""

    def __init__(self, *messages: str) -> None:
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for message in messages:
            self.say(message)

    def say(self, message: str) -> None:
        self.messages.put_nowait({"type": message})


async def test_what_is_sent_to_the_end_ends_whatever_the_client_does() -> None:
    sent: list[int] = []

    async def sending() -> None:
        sent.append(1)

    await while_present(sending(), Client().messages.get, GONE)
    await while_present(sending(), Client("http.request").messages.get, GONE)
    assert sent == [1, 1]
    ending, _ = await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
    assert all(task.cancelled() for task in ending)  # nobody listens to the client any more


async def test_a_client_that_leaves_ends_what_is_sent_and_what_else_it_says_does_not() -> None:
    client, ended = Client("http.request"), list[str]()

    async def sending() -> None:
        try:
            client.say(GONE)
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append("sending")

    await while_present(sending(), client.messages.get, GONE)
    assert ended == ["sending"] and client.messages.empty()


async def test_what_goes_wrong_while_sending_is_told() -> None:
    async def sending() -> None:
        raise TimeoutError("the client took nothing")

    with pytest.raises(TimeoutError, match="took nothing"):
        await while_present(sending(), Client().messages.get, GONE)


async def test_who_is_cancelled_from_outside_ends_what_is_sent() -> None:
    begun, ended = asyncio.Event(), list[str]()

    async def sending() -> None:
        begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append("sending")

    task = asyncio.ensure_future(while_present(sending(), Client().messages.get, GONE))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["sending"]
