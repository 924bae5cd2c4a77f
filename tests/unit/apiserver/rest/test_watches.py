"""Watches over HTTP: streams of events that end with their client."""

from __future__ import annotations

import asyncio
import json
import struct
from contextlib import AsyncExitStack
from typing import Any

import psutil
import pytest

from kcore.api.meta.v1.meta_pb2 import WatchEvent
from kcore.base import limits
from kcore.machinery import codec
from tests.unit.apiserver.api import Api
from tests.unit.apiserver.rest.http import Http

MAPS = "/api/v1/namespaces/default/configmaps"
PROTOBUF = "application/vnd.kubernetes.protobuf"


def config(name: str, **data: str) -> dict[str, object]:
    return {"metadata": {"name": name}, "data": data}


async def pieces(sent: asyncio.Queue[Any]) -> bytes:
    """The next bytes that are no header and not empty."""
    while True:
        message = await asyncio.wait_for(sent.get(), 5)
        if body := message.get("body") or message.get("text", "").encode():
            return bytes(body)


async def events(sent: asyncio.Queue[Any], count: int) -> list[Any]:
    found: list[Any] = []
    while len(found) < count:
        found += [json.loads(line) for line in (await pieces(sent)).splitlines()]
    return found


async def test_what_is_there_comes_first_and_then_what_changes(http: Http, api: Api) -> None:
    await http("POST", MAPS, config("a"))
    async with http.watch(MAPS) as sent:
        started = await sent.get()
        assert started["status"] == 200 and (b"content-type", b"application/json") in started["headers"]
        assert [(event["type"], event["object"]["metadata"]["name"]) for event in await events(sent, 1)] == [("ADDED", "a")]
        await http("POST", MAPS, config("b"))
        await http("DELETE", f"{MAPS}/a")
        seen = [(event["type"], event["object"]["metadata"]["name"]) for event in await events(sent, 2)]
    assert seen == [("ADDED", "b"), ("DELETED", "a")]
    watched = api.server.hub.resources["configmaps"].watchers
    assert not watched, "a client that left is watched for no more"


async def test_a_watch_ends_with_its_time(http: Http) -> None:
    async with http.watch(MAPS, "watch=1&timeoutSeconds=1") as sent:
        kinds = [(await asyncio.wait_for(sent.get(), 5)).get("more_body", False) for _ in range(3)]
    assert kinds == [False, True, False], "headers, their flushing, the end"


async def test_initial_events_end_with_a_bookmark(http: Http) -> None:
    await http("POST", MAPS, config("a"))
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    async with http.watch(MAPS, query) as sent:
        first, last = await events(sent, 2)
    assert (first["type"], last["type"]) == ("ADDED", "BOOKMARK")
    assert last["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_a_table_has_heads_once(http: Http) -> None:
    for name in ("a", "b"):
        await http("POST", MAPS, config(name))
    async with http.watch(MAPS, accept="application/json;as=Table;v=v1;g=meta.k8s.io") as sent:
        first, second = await events(sent, 2)
    assert [column["name"] for column in first["object"]["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert second["object"]["columnDefinitions"] is None
    assert [event["object"]["rows"][0]["cells"][0] for event in (first, second)] == ["a", "b"]


@pytest.mark.parametrize("transform", ["", ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1"])
async def test_protobuf_events_have_their_length_before_them(http: Http, transform: str) -> None:
    await http("POST", MAPS, config("a", k="v"))
    async with http.watch(MAPS, accept=PROTOBUF + transform) as sent:
        assert (b"content-type", f"{PROTOBUF};stream=watch".encode()) in (await sent.get())["headers"]
        data = await pieces(sent)
    (length,) = struct.unpack(">I", data[:4])
    assert length == len(data) - 4
    event = WatchEvent.FromString(data[4:])
    assert event.type == "ADDED"
    _, kind, raw = codec.open_envelope(event.object.raw)
    assert kind == ("PartialObjectMetadata" if transform else "ConfigMap")
    assert codec.decode("kcore.api.core.v1.ConfigMap", raw).get("data") == (None if transform else {"k": "v"})


async def test_history_that_is_gone_is_told_as_an_event(http: Http, api: Api) -> None:
    made = (await http("POST", MAPS, config("a"))).json()
    await http("DELETE", f"{MAPS}/a")
    api.server.hub.resources["configmaps"].floor = api.storage.revision
    api.storage.compact(api.storage.revision)
    async with http.watch(MAPS, f"watch=1&resourceVersion={int(made['metadata']['resourceVersion']) - 1}") as sent:
        assert (await sent.get())["status"] == 200
        [event] = await events(sent, 1)
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


async def test_the_old_paths_of_watches_still_lead_to_them(http: Http) -> None:
    await http("POST", MAPS, config("a"))
    await http("POST", MAPS, config("b"))
    async with http.watch("/api/v1/watch/namespaces/default/configmaps/b", "") as sent:
        [event] = await events(sent, 1)
    assert event["object"]["metadata"]["name"] == "b"


async def test_a_watch_may_begin_after_a_revision_that_is_still_to_come(http: Http, api: Api) -> None:
    async with http.watch(MAPS, f"watch=1&resourceVersion={api.storage.revision + 1}") as sent:
        assert (await sent.get())["status"] == 200
        await http("POST", MAPS, config("too-early"))
        await http("POST", MAPS, config("seen"))
        [event] = await events(sent, 1)
    assert event["object"]["metadata"]["name"] == "seen"


async def test_events_come_over_a_web_socket(http: Http) -> None:
    await http("POST", MAPS, config("a"))
    async with http.watch(MAPS, kind="websocket") as sent:
        assert (await sent.get())["type"] == "websocket.accept"
        [event] = await events(sent, 1)
    assert event["object"]["metadata"]["name"] == "a"


async def test_a_web_socket_is_refused_like_any_request(http: Http) -> None:
    async with http.watch(MAPS, kind="websocket", authorization="Bearer nobody's") as sent:
        assert (await sent.get())["status"] == 401
        assert json.loads((await sent.get())["body"])["reason"] == "Unauthorized"
    async with http.watch(f"{MAPS}/c", kind="websocket") as sent:
        assert (await sent.get())["status"] == 404


async def test_ten_thousand_idle_watches_take_little_memory_and_are_left_alone(http: Http, api: Api) -> None:
    count, process = 10_000, psutil.Process()
    before_bytes = process.memory_info().rss
    async with AsyncExitStack() as stack:
        watches: list[asyncio.Queue[Any]] = []
        for number in range(count):
            query = f"watch=1&allowWatchBookmarks=true&fieldSelector=metadata.name%3Dmap-{number}"
            watches.append(await stack.enter_async_context(http.watch(MAPS, query)))
            assert (await watches[-1].get())["status"] == 200
        assert len(api.server.hub.resources["configmaps"].watchers) == count
        assert process.memory_info().rss - before_bytes < 300 << 20, "without TLS, with the test's own clients"
        for sent in watches:
            assert (await sent.get())["body"] == b""  # which sends the head
        await http("POST", MAPS, config("map-7777"))
        assert [event["type"] for event in await events(watches[7777], 1)] == ["ADDED"]
        assert all(sent.empty() for sent in watches)
        api.server.hub.tick(limits.BOOKMARK_PERIOD_S)
        assert {event["type"] for sent in watches for event in await events(sent, 1)} == {"BOOKMARK"}
    assert not api.server.hub.resources["configmaps"].watchers
