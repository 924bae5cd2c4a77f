"""How calls under way are shared between users and connections, and what those hear who have to wait."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from kcore.apiserver import rpc_errors
from kcore.apiserver.authentication import Authenticator
from kcore.apiserver.entry.gate import Caller
from kcore.apiserver.rpc_frontend import RpcFrontend
from kcore.base.flow import Flows
from kcore.client import retry
from kcore.client.failures import retry_after_s
from kcore.machinery import status
from kcore.machinery.request import Request, User
from kcore.machinery.status import StatusError
from kcore.serve.direct import DirectTransport
from tests.unit.apiserver.api import Api

MASTERS = ("system:masters",)


def let_in(flows: Flows, user: str, connection: str, asked: int) -> int:
    """How many of so many calls may begin."""
    return sum(flows.begin(user, connection) for _ in range(asked))


def test_one_connection_alone_has_a_third_of_the_bound() -> None:
    assert let_in(Flows(600), "flood", "a", 6_000) == 200


def test_whoever_floods_leaves_room_for_others() -> None:
    flows = Flows(600)
    let_in(flows, "flood", "a", 6_000)
    assert let_in(flows, "flood", "b", 6_000) == 67
    assert let_in(flows, "quiet", "c", 10) == 10


def test_many_connections_of_one_user_leave_room_for_another_user() -> None:
    flows = Flows(600)
    flooded = sum(let_in(flows, "flood", str(connection), 10) for connection in range(1_000))
    assert 200 < flooded <= 300
    assert let_in(flows, "quiet", "c", 50) == 50


def test_as_many_users_as_there_are_share_alike() -> None:
    flows = Flows(600)
    begun = Counter(user for _ in range(600) for user in "abcd" if flows.begin(user, user))
    assert begun == dict.fromkeys("abcd", 100)
    assert let_in(flows, "e", "e", 600) == 67


def test_ended_calls_give_their_places_back_and_leave_nothing_behind() -> None:
    flows = Flows(30)
    for _ in range(3):
        assert let_in(flows, "u", "a", 20) == 10
        for _ in range(10):
            flows.end("u", "a")
    assert (flows.total, flows._users, flows._connections) == (0, {}, {})


class Held:
    """A front-end with one method, whose calls wait until they are let go."""

    def __init__(self, api: Api) -> None:
        self.frontend = RpcFrontend(api.pipeline, Authenticator({"f": User("flood", groups=MASTERS), "q": User("quiet", groups=MASTERS)}))
        self.gate = api.pipeline.gate
        self.gate.bound = Flows(12)
        self.go = asyncio.Event()
        handler: Any = self.frontend.handlers["/kcore.api.core.v1.PodService/Get"]
        self.frontend.handlers = {"/held": handler._replace(unary_unary=self.frontend.guarded(self.wait))}
        self.flooding, self.quiet = (DirectTransport(self.frontend, token) for token in "fq")

    async def wait(self, data: bytes, caller: Caller) -> bytes:
        async with self.gate.seat(Request("get", "", "v1", "pods", user=caller.user), caller.connection):
            await self.go.wait()
            return caller.user.name.encode()


async def test_a_flood_hears_when_to_come_back_while_a_quiet_user_is_served(api: Api) -> None:
    held = Held(api)
    flood = [asyncio.ensure_future(held.flooding.unary("/held", b"")) for _ in range(120)]
    quiet = asyncio.ensure_future(held.quiet.unary("/held", b""))
    await asyncio.wait(flood[4:])
    refused = [call.exception() for call in flood if call.done()]
    assert len(refused) == 116
    for error in refused:
        assert isinstance(error, StatusError)
        assert (error.code, error.reason, error.grpc_code, retry_after_s(error)) == (429, "TooManyRequests", "RESOURCE_EXHAUSTED", 1)
        assert retry.is_refused(error)
    held.go.set()
    assert await quiet == b"quiet"
    assert await asyncio.gather(*flood[:4]) == [b"flood"] * 4
    assert held.gate.bound.total == 0


async def test_failures_and_clients_that_went_give_their_places_back(api: Api) -> None:
    held = Held(api)
    call = asyncio.ensure_future(held.flooding.unary("/held", b""))
    for _ in range(3):
        await asyncio.sleep(0)
    assert held.gate.bound.total == 1
    call.cancel()
    await asyncio.wait([call])
    with pytest.raises(StatusError, match="Unauthorized"):
        await DirectTransport(held.frontend, "nobody's").unary("/held", b"")
    await held.flooding.close()
    assert held.gate.bound.total == 0


def test_the_trailer_says_when_to_come_back_to_those_who_repeat_by_themselves() -> None:
    assert dict(rpc_errors.trailer(status.too_many_requests("later", 3)))["grpc-retry-pushback-ms"] == "3000"
    assert "grpc-retry-pushback-ms" not in dict(rpc_errors.trailer(status.not_found("pods", "", "p")))
