"""A large write: the loop serves others while it is read and judged; what comes of it is what comes of any other."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from kcore.apiserver.entry import aside
from kcore.apiserver.objects import Outcome, durable
from kcore.base import limits
from kcore.machinery import status
from kcore.machinery.request import Request
from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import MERGE_PATCH, Api, Object


def many(count: int, name: str = "many") -> Object:
    return {"metadata": {"name": name}, "data": {f"key-{number}": "v" for number in range(count)}}


def request(api: Api, verb: str, obj: Object, resource: str = "configmaps", content_type: str = "application/json") -> Request:
    name = "" if verb == "create" else obj["metadata"]["name"]
    found = api.request(verb, resource, name, json.dumps(obj).encode())
    found.content_type, found.manager = content_type, "test"
    return found


class Turns:
    """Counts the turns of the loop while something goes on."""

    def __init__(self) -> None:
        self.count = 0

    async def during(self, going_on: Any) -> Any:
        task = asyncio.ensure_future(going_on)
        while not task.done():
            self.count += 1
            await asyncio.sleep(0)
        return task.result()


async def test_the_loop_goes_on_while_a_large_object_is_written(api: Api) -> None:
    large, small = Turns(), Turns()
    made = await large.during(api.pipeline.written(request(api, "create", many(20_000))))
    await small.during(api.pipeline.written(request(api, "create", many(20, "few"))))
    assert len(made.obj()["data"]) == 20_000
    assert large.count > 10 * small.count


async def test_what_is_written_large_is_what_is_written_in_one_go(api: Api) -> None:
    await api.pipeline.written(request(api, "create", many(20_000, "one")))
    await durable(api.send(request(api, "create", many(20_000, "other"))))
    one, other = api.get("configmaps", "one"), api.get("configmaps", "other")
    assert one["data"] == other["data"]
    assert one["metadata"]["managedFields"] == other["metadata"]["managedFields"]


async def test_a_large_object_is_refused_by_the_same_words(api: Api) -> None:
    wrong = many(20_000)
    wrong["data"]["not a key"] = "v"
    with pytest.raises(StatusError) as large:
        await api.pipeline.written(request(api, "create", wrong))
    with pytest.raises(StatusError) as plain:
        api.send(request(api, "create", wrong))
    assert large.value.status == plain.value.status and large.value.code == 422


async def test_a_patch_of_a_large_object_is_large_however_short(api: Api) -> None:
    await api.pipeline.written(request(api, "create", many(20_000)))
    turns = Turns()
    patch = request(api, "patch", {"metadata": {"name": "many"}, "data": {"one": "more"}}, content_type=MERGE_PATCH)
    found = await turns.during(api.pipeline.written(patch))
    assert len(found.obj()["data"]) == 20_001 and turns.count > 50


async def test_who_loses_a_race_meanwhile_is_decided_anew(api: Api) -> None:
    await api.pipeline.written(request(api, "create", many(20_000)))
    patch = request(api, "patch", {"metadata": {"name": "many"}, "data": {"one": "more"}}, content_type=MERGE_PATCH)
    task = asyncio.ensure_future(api.pipeline.written(patch))
    await asyncio.sleep(0)
    await api.patch("configmaps", "many", {"data": {"another": "one"}})
    assert not task.done()
    assert {"one", "another"} <= set((await task).obj()["data"])


async def test_of_two_large_creates_of_one_name_the_second_is_told_that_it_exists(api: Api) -> None:
    both = (api.pipeline.written(request(api, "create", many(20_000))) for _ in range(2))
    found = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(each.reason if isinstance(each, StatusError) else "made" for each in found) == ["AlreadyExists", "made"]


async def test_who_always_loses_is_decided_in_one_go_at_last() -> None:
    asked: list[bool] = []

    def decide() -> Outcome:
        asked.append(aside.is_large())
        aside.done(list)
        if aside.is_large():
            raise status.conflict("pods", "", "p")
        return Outcome("", "", "", b"")

    assert (await aside.decided(decide)).stored == b""
    assert asked == [True] * limits.LARGE_WRITE_TRIES + [False]


async def test_a_write_whose_client_is_gone_ends_where_it_stands() -> None:
    ended: list[str] = []

    def decide() -> Outcome:
        try:
            aside.done(lambda: None)
            raise AssertionError("nobody waits for it any more")
        finally:
            ended.append("ended")

    task = asyncio.ensure_future(aside.decided(decide))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait((task,))
    assert task.cancelled() and ended == ["ended"]


async def test_an_object_that_no_store_of_kubernetes_takes_is_refused(api: Api) -> None:
    env = [{"name": f"variable-{number}", "value": "v" * 20} for number in range(40_000)]
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i", "env": env}]}}
    for act in (api.pipeline.written(request(api, "create", pod, "pods")), api.create("pods", pod)):
        with pytest.raises(StatusError) as refused:
            await act
        assert refused.value.code == 413 and refused.value.message == "Request entity too large: limit is 1572864"


async def test_an_object_that_grows_without_end_is_not_judged(api: Api) -> None:
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{}] * 60_000}}
    with pytest.raises(StatusError) as refused:
        await api.pipeline.written(request(api, "create", pod, "pods"))
    assert refused.value.code == 413


async def test_no_more_errors_are_told_than_anybody_reads(api: Api) -> None:
    env: list[Object] = [{"value": str(number)} for number in range(limits.ERRORS_SHOWN_MAX + 5)]
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i", "env": env}]}}
    with pytest.raises(StatusError) as refused:
        await api.pipeline.written(request(api, "create", pod, "pods"))
    assert refused.value.message.endswith(", and 5 more]")
    assert len(refused.value.status["details"]["causes"]) == limits.ERRORS_SHOWN_MAX
