"""The transport within one process, over handlers made for the test."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest

from kcore.apiserver.rpc_frontend import RpcFrontend
from kcore.base import limits
from kcore.machinery.status import StatusError
from kcore.serve.direct import DirectTransport

DEADLINE_S = 5.0


class Handlers:
    """Handlers, and what became of them."""

    def __init__(self) -> None:
        self.produced = 0
        self.closed = asyncio.Event()

    async def echo(self, request: bytes, context: Any) -> bytes:
        authorization: str = context.invocation_metadata()[0][1]
        return request + authorization.encode()

    async def refuse(self, request: bytes, context: Any) -> bytes:
        await context.abort(grpc.StatusCode.NOT_FOUND, "nothing there")
        return b""

    async def never(self, request: bytes, context: Any) -> bytes:
        await asyncio.Event().wait()
        return b""

    async def count(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        try:
            for self.produced in range(1, 1001):
                yield b"%d" % self.produced
        finally:
            self.closed.set()

    async def double(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        async for request in requests:
            if request == b"end":
                return
            yield request * 2

    def transport(self) -> DirectTransport:
        unary: Any = grpc.unary_unary_rpc_method_handler
        found = {"/echo": unary(self.echo), "/refuse": unary(self.refuse), "/never": unary(self.never)}
        found["/count"] = cast(Any, grpc.unary_stream_rpc_method_handler)(self.count)
        found["/double"] = cast(Any, grpc.stream_stream_rpc_method_handler)(self.double)
        return DirectTransport(cast(RpcFrontend, SimpleNamespace(handlers=found)), "secret")


async def test_a_call_carries_its_token_and_its_answer() -> None:
    assert await Handlers().transport().unary("/echo", b"a ") == b"a Bearer secret"


async def test_a_refusal_has_the_reason_of_its_code() -> None:
    with pytest.raises(StatusError, match="nothing there") as caught:
        await Handlers().transport().unary("/refuse", b"")
    assert caught.value.reason == "NotFound"


async def test_a_call_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(StatusError) as caught:
        await Handlers().transport().unary("/never", b"", timeout_s=0.01)
    assert caught.value.reason == "Timeout"


async def test_a_method_that_is_not_there_is_refused() -> None:
    with pytest.raises(StatusError) as caught:
        await Handlers().transport().unary("/other", b"")
    assert caught.value.reason == "MethodNotAllowed"


async def test_all_answers_come_in_order_and_then_the_end() -> None:
    stream = Handlers().transport().stream("/count", b"")
    assert [await stream.read() for _ in range(1001)] == [*(b"%d" % number for number in range(1, 1001)), None]


async def test_a_reader_that_waits_holds_its_stream_up_and_cancelling_closes_the_handler() -> None:
    handlers = Handlers()
    stream = handlers.transport().stream("/count", b"")
    assert await stream.read() == b"1"
    for _ in range(100):
        await asyncio.sleep(0)
    assert handlers.produced <= limits.DIRECT_MESSAGES_WAITING_MAX + 2
    stream.cancel()
    async with asyncio.timeout(DEADLINE_S):
        await handlers.closed.wait()
    with pytest.raises(StatusError, match="cancelled"):
        await stream.read()


async def test_requests_and_answers_go_both_ways_until_the_handler_ends() -> None:
    stream = Handlers().transport().duplex("/double")
    await stream.write(b"x")
    assert await stream.read() == b"xx"
    await stream.write(b"end")
    assert await stream.read() is None
    with pytest.raises(StatusError):
        await stream.write(b"y")


async def test_closing_ends_what_is_under_way_and_refuses_the_rest() -> None:
    transport = Handlers().transport()
    waiting = asyncio.create_task(transport.unary("/never", b""))
    stream = transport.duplex("/double")
    await asyncio.sleep(0)
    async with asyncio.timeout(DEADLINE_S):
        await transport.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(StatusError, match="cancelled"):
            await stream.read()
    with pytest.raises(StatusError, match="the client is closed"):
        await transport.unary("/echo", b"")
