"""Requests are let in in the order of their flows, a few in each turn of the loop; who finds no place hears when to come back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from kcore.apiserver.authorization import Attributes
from kcore.apiserver.entry.gate import Caller, Gate, Refused
from kcore.base import limits
from kcore.machinery.request import Request, User
from tests.unit.apiserver.api import ADMIN, Api

KNOWN = "system:authenticated"
FLOOD, QUIET = (User(name, groups=(KNOWN,)) for name in ("flood", "quiet"))


@pytest.fixture
def gate(api: Api) -> Gate:
    return api.pipeline.gate


def get(user: User, resource: str = "pods") -> Request:
    return Request("get", "", "v1", resource, namespace="default", name="p", user=user)


class Visits:
    """Requests that take a turn, and stay until they are let go if they are to."""

    def __init__(self, gate: Gate) -> None:
        self.gate, self.order, self.go = gate, list[str](), asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    async def visit(self, user: User, connection: str, stays: bool, verb: str) -> None:
        request = get(user)
        request.verb = verb
        async with self.gate.seat(request, connection):
            self.order.append(f"{user.name}{connection}")
            if stays:
                await self.go.wait()

    def come(self, user: User, count: int, connection: str = "", stays: bool = False, verb: str = "get") -> None:
        self.tasks += [asyncio.ensure_future(self.visit(user, connection, stays, verb)) for _ in range(count)]

    async def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(1_000):
            if condition():
                return
            await asyncio.sleep(0)
        raise AssertionError("it did not come true")

    async def refused(self) -> int:
        """How many were refused when all others have gone."""
        self.go.set()
        found = await asyncio.gather(*self.tasks, return_exceptions=True)
        assert all(each is None or isinstance(each, Refused) for each in found)
        return sum(isinstance(each, Refused) for each in found)


async def test_a_request_alone_waits_for_nothing(gate: Gate) -> None:
    seat = gate.seat(get(FLOOD))
    assert seat.turn is None and seat.flow.schema.name == "global-default"
    async with seat:
        assert seat.flow.level.executing == 1
    assert seat.flow.level.executing == 0


async def test_a_quiet_user_passes_a_flood_by(gate: Gate) -> None:
    visits = Visits(gate)
    visits.come(FLOOD, 250)
    await asyncio.sleep(0)
    visits.come(QUIET, 1)
    await visits.until(lambda: "quiet" in visits.order)
    assert visits.order.index("quiet") < 3 * limits.GATE_TURN_WIDTH
    assert await visits.refused() == 0
    assert len(visits.order) == 251 and gate.waiting == 0 and not gate.levels["global-default"].executing


async def test_a_quiet_connection_of_an_exempt_user_passes_his_flood_by(gate: Gate) -> None:
    visits = Visits(gate)
    visits.come(ADMIN, 1_000, "a")
    await asyncio.sleep(0)
    visits.come(ADMIN, 1, "b")
    await visits.until(lambda: "adminb" in visits.order)
    assert visits.order.index("adminb") < 3 * limits.GATE_TURN_WIDTH
    assert await visits.refused() == 0 and gate.bound.total == 0


async def test_a_turn_lets_few_in(gate: Gate) -> None:
    visits = Visits(gate)
    visits.come(FLOOD, 100)
    seen = [0]
    await asyncio.sleep(0)
    while len(visits.order) < 100:
        seen.append(len(visits.order))
        await asyncio.sleep(0)
    assert max(later - before for before, later in pairwise(seen)) <= limits.GATE_TURN_WIDTH
    await visits.refused()


async def test_a_full_hand_of_lines_is_refused_with_the_uids_of_what_decided(api: Api, gate: Gate) -> None:
    visits = Visits(gate)
    visits.come(FLOOD, 1_000, stays=True)
    await asyncio.sleep(0)
    seat = gate.seat(get(FLOOD))
    with pytest.raises(Refused) as caught:
        await seat.__aenter__()
    error = caught.value
    assert (error.code, error.status["details"]["retryAfterSeconds"]) == (429, 1)
    schema = api.get("flowschemas@v1.flowcontrol.apiserver.k8s.io", "global-default")
    level = api.get("prioritylevelconfigurations@v1.flowcontrol.apiserver.k8s.io", "global-default")
    assert dict(error.flow.headers) == {
        b"x-kubernetes-pf-flowschema-uid": schema["metadata"]["uid"].encode(),
        b"x-kubernetes-pf-prioritylevel-uid": level["metadata"]["uid"].encode(),
    }
    for task in visits.tasks:
        task.cancel()
    await asyncio.wait(visits.tasks)
    assert gate.levels["global-default"].executing == 0


async def test_who_is_let_in_has_no_more_seats_than_there_are(gate: Gate) -> None:
    visits = Visits(gate)
    visits.come(FLOOD, 640, stays=True)
    await visits.until(lambda: not gate.is_busy and len(visits.order) > 1)
    level = gate.levels["global-default"]
    assert level.seats < level.executing == len(visits.order) < limits.FLOW_SEATS
    visits.come(User("system:kube-scheduler", groups=(KNOWN,)), 40, stays=True)
    await visits.until(lambda: visits.order.count("system:kube-scheduler") == 40)
    await visits.refused()


async def test_an_open_watch_takes_no_seat_and_a_long_list_takes_several(api: Api, gate: Gate) -> None:
    for number in range(350):
        await api.create("configmaps", {"metadata": {"name": f"c{number}"}})
    wide = Request("list", "", "v1", "configmaps", namespace="default", user=QUIET)
    assert gate.seat(wide).width == 4
    wide.options = {"limit": 120}
    assert gate.seat(wide).width == 2
    assert gate.seat(get(QUIET, "configmaps")).width == 1


async def test_who_went_while_waiting_leaves_nothing_behind(gate: Gate) -> None:
    visits = Visits(gate)
    visits.come(ADMIN, 50, "a", stays=True)
    await asyncio.sleep(0)
    for task in visits.tasks[10:]:
        task.cancel()
    await visits.until(lambda: gate.waiting == 0)
    await asyncio.wait(visits.tasks[10:])
    visits.go.set()
    await asyncio.wait(visits.tasks)
    assert (gate.bound.total, gate.levels["exempt"].executing, gate.levels["exempt"].lines.count) == (0, 0, 0)


async def test_refusals_are_told_one_after_the_other(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    seat = gate.seat(get(FLOOD))
    told = [gate.refused(gate.seat(get(FLOOD))).refused_at for _ in range(10)]
    assert [round(later - before, 6) for before, later in pairwise(told)] == [1 / limits.FLOW_REFUSALS_PER_S] * 9
    monkeypatch.setattr(limits, "FLOW_REFUSAL_WAIT_S_MAX", 0.001)
    assert gate.refused(seat).refused_at < told[-1]


async def test_what_is_long_under_way_waits_with_the_others_and_is_not_refused(gate: Gate) -> None:
    visits = Visits(gate)
    visits.come(FLOOD, 30)
    await asyncio.sleep(0)
    flow = gate.flow(get(ADMIN))
    for _ in range(30):
        await gate.give_way(flow, Caller(ADMIN))
    assert len(visits.order) > limits.GATE_TURN_WIDTH
    await visits.refused()
    await gate.give_way(flow, Caller(ADMIN))
    assert flow.level.executing == 0 and gate.bound.total == 0


def schema_for(user: str, level: str) -> dict[str, Any]:
    rules = [{
        "subjects": [{"kind": "User", "user": {"name": user}}],
        "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"], "clusterScope": True}],
    }]  # fmt: skip
    spec = {"matchingPrecedence": 50, "priorityLevelConfiguration": {"name": level}, "rules": rules}
    return {"metadata": {"name": f"for-{user}"}, "spec": spec}


async def test_schemas_and_levels_hold_from_when_they_are_written(api: Api, gate: Gate) -> None:
    assert gate.flow(get(FLOOD)).schema.name == "global-default"
    await api.create("flowschemas", schema_for("flood", "slow"))
    assert gate.flow(get(FLOOD)).schema.name == "global-default"
    limited = {"nominalConcurrencyShares": 1, "limitResponse": {"type": "Reject"}, "borrowingLimitPercent": 0}
    await api.create("prioritylevelconfigurations", {"metadata": {"name": "slow"}, "spec": {"type": "Limited", "limited": limited}})
    assert gate.flow(get(FLOOD)).schema.name == "for-flood"
    visits = Visits(gate)
    visits.come(FLOOD, 20, stays=True)
    await visits.until(lambda: len(visits.order) == 3)
    assert gate.levels["slow"].seats == 3 and await visits.refused() == 17
    await api.delete("flowschemas", "for-flood")
    assert gate.flow(get(FLOOD)).schema.name == "global-default"


async def test_without_any_schema_masters_are_exempt_and_others_share_what_is_left(api: Api, gate: Gate) -> None:
    for resource in ("flowschemas", "prioritylevelconfigurations"):
        for obj in (await api.list(resource))["items"]:
            await api.delete(resource, obj["metadata"]["name"])
    assert gate.flow(get(ADMIN)).schema.name == "exempt"
    assert gate.flow(get(FLOOD)).schema.name == "catch-all"


async def test_paths_that_are_no_resource_have_flows_as_well(gate: Gate) -> None:
    nobody = Caller(User("system:anonymous", groups=("system:unauthenticated",)), "c")
    assert gate.seat_of_path(nobody, Attributes("get", path="/healthz")).flow.schema.name == "probes"
    assert gate.seat_of_path(nobody, Attributes("get", path="/version")).flow.schema.name == "global-default"
