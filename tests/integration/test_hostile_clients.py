"""Clients that send what nobody should, or too slowly, or read nothing, over the real ports: what they cost is bounded."""

from __future__ import annotations

import asyncio
import json
import ssl
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import jwt
import pytest

from kcore.api.meta.v1 import meta_pb2
from kcore.base import limits
from tests.integration.ports import Line, Ports, open_ports, request, until

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
LIST, WATCH = (f"/kcore.api.core.v1.ConfigMapService/{name}" for name in ("List", "Watch"))
DEADLINE_S = 60.0
MIB = 1 << 20
IDLE_WATCHES = 300
YAML = {"Content-Type": "application/yaml"}


@pytest.fixture
async def ports(tmp_path: Path) -> AsyncIterator[Ports]:
    async with asyncio.timeout(DEADLINE_S), open_ports(tmp_path) as found:
        yield found


async def is_well(ports: Ports) -> bool:
    """Whether the server answers, and nothing is left of the watches."""
    await until(lambda: not watchers(ports))
    return (await ports.ask("GET", CONFIGMAPS)).code == 200


def watchers(ports: Ports) -> list[Any]:
    return list(ports.api.plane.server.hub.resources["configmaps"].watchers)


# bodies


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("a0: &a0 [x,x]\n" + "\n".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)), "excessive aliasing"),
        ("a: &a [*a]", "contains itself"),
        (f"a: [{'x,' * (limits.YAML_NODES_MAX + 1)}]", f"more than {limits.YAML_NODES_MAX} nodes"),
        ("[" * 100_000 + "]" * 100_000, "yaml: "),
        (f"kind: ConfigMap\napiVersion: v1\nnumber: 1{':59' * 900_000}", "name or generateName is required"),
        (f"kind: ConfigMap\napiVersion: v1\nnumber: {'9' * 100_000}", "yaml: "),
    ],
)
async def test_yaml_that_grows_or_nests_is_refused_with_a_reason(ports: Ports, body: str, said: str) -> None:
    reply = await (await ports.line()).ask("POST", CONFIGMAPS, ports.admin, body.encode(), YAML)
    assert reply.code in (400, 422) and said in reply.json()["message"], reply.json()["message"][:200]
    assert await is_well(ports)


@pytest.mark.parametrize("body", [b'{"a":' + b"[" * MIB, b'{"a":' * 400_000 + b"1" + b"}" * 400_000, b'{"a": ' + b"9" * MIB + b"}"])
async def test_json_that_nests_or_counts_without_end_is_refused(ports: Ports, body: bytes) -> None:
    for method, path in (("POST", CONFIGMAPS), ("DELETE", f"{CONFIGMAPS}/c")):
        reply = await (await ports.line()).ask(method, path, ports.admin, body)
        assert reply.code == 400 and reply.json()["kind"] == "Status"
    assert await is_well(ports)


async def test_a_body_of_three_mebibytes_is_read_and_a_larger_one_is_not(ports: Ports) -> None:
    filled = {"metadata": {"name": "c"}, "data": {"a": ""}}
    room = limits.REQUEST_BODY_BYTES_MAX - len(json.dumps(filled))
    filled["data"]["a"] = "x" * room
    reply = await ports.ask("POST", CONFIGMAPS, filled)
    assert reply.code == 422 and "1048576" in reply.json()["message"]
    filled["data"]["a"] += "x"
    line = await ports.line()
    reply = await line.ask("POST", CONFIGMAPS, ports.admin, json.dumps(filled).encode())
    assert (reply.code, reply.json()["reason"]) == (413, "RequestEntityTooLarge")
    assert await line.is_ended()


async def test_a_body_without_end_is_not_read_to_its_end(ports: Ports) -> None:
    line = await ports.line()
    await line.send(request("POST", CONFIGMAPS, ports.admin, headers={"Transfer-Encoding": "chunked", "Content-Length": ""}).replace(
        b"Content-Length: \r\n", b""
    ))  # fmt: skip
    with pytest.raises((ConnectionError, ssl.SSLError)):
        await line.send_without_end(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
    assert await is_well(ports)


# slow clients


async def test_a_head_that_comes_too_slowly_is_given_up(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HTTP_HEAD_WAIT_S", 0.2)
    silent, slow = await ports.line(), await ports.line()
    await slow.send(b"GET /version HTTP/1.1\r\nHost: kcore\r\n")
    later = await ports.line()
    assert (await later.ask("GET", "/version")).code == 200
    await later.send(b"GET /vers")
    assert [await line.is_ended() for line in (silent, slow, later)] == [True] * 3
    assert await is_well(ports)


async def test_a_body_that_comes_too_slowly_is_given_up(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HTTP_BODY_WAIT_S", 0.2)
    line = await ports.line()
    await line.send(request("POST", CONFIGMAPS, ports.admin, headers={"Content-Length": "100"}) + b"{")
    reply = await line.answer()
    assert (reply.code, reply.json()["reason"]) == (504, "Timeout")
    assert await line.is_ended() and await is_well(ports)


async def test_a_client_that_reads_nothing_of_a_long_answer_is_given_up(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HTTP_SEND_WAIT_S", 0.2)
    for number in range(30):
        assert (await ports.ask("POST", CONFIGMAPS, {"metadata": {"name": f"c{number}"}, "data": {"a": "x" * 900_000}})).code == 201
    line = await ports.line()
    line.reader._limit = 1  # type: ignore[attr-defined]
    await line.send(request("GET", CONFIGMAPS, ports.admin))
    server = ports.api.ports.rest.server
    assert server is not None
    await until(lambda: any(each.patience for each in server.server_state.connections))  # type: ignore[union-attr]
    await until(lambda: not server.server_state.connections)
    line.reader._limit = 1 << 26  # type: ignore[attr-defined]
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await line.answer()


async def test_a_watch_whose_client_reads_nothing_costs_a_bounded_queue_and_ends(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HTTP_SEND_WAIT_S", 0.2)
    line = await ports.line()
    assert await line.begin("GET", f"{CONFIGMAPS}?watch=1", ports.admin) == 200
    line.reader._limit = 1  # type: ignore[attr-defined]
    [watcher] = watchers(ports)
    writer, number = await ports.line(), 0
    while watchers(ports):
        body = {"metadata": {"name": f"c{number}"}, "data": {"a": "x" * 900_000}}
        assert (await writer.ask("POST", CONFIGMAPS, ports.admin, json.dumps(body).encode())).code == 201
        assert watcher.queued_bytes <= limits.WATCHER_QUEUE_BYTES_MAX
        number += 1
    assert number < 200 and await is_well(ports)


async def test_watches_of_clients_that_vanish_end(ports: Ports) -> None:
    lines = [await ports.line() for _ in range(20)]
    for line in lines:
        assert await line.begin("GET", f"{CONFIGMAPS}?watch=1", ports.admin) == 200
    assert len(watchers(ports)) == 20
    for line in lines:
        line.writer.transport.abort()
    assert await is_well(ports)


async def test_idle_watches_cost_little_each(ports: Ports) -> None:
    lines = []
    for _ in range(IDLE_WATCHES):
        lines.append(await ports.line())
        assert await lines[-1].begin("GET", f"{CONFIGMAPS}?watch=1", ports.admin) == 200
    tasks = len(asyncio.all_tasks())
    assert len(watchers(ports)) == IDLE_WATCHES and tasks < 4 * IDLE_WATCHES + 50
    assert all(watcher.queued_bytes == 0 and not watcher.queue for watcher in watchers(ports))
    assert (await ports.ask("POST", CONFIGMAPS, {"metadata": {"name": "c"}})).code == 201
    for line in lines:
        assert json.loads(await line.chunk())["type"] == "ADDED"


# heads


async def test_heads_that_are_too_large_are_refused(ports: Ports) -> None:
    many = {f"X-{number}": "1" for number in range(limits.HTTP_HEADERS_MAX + 1)}
    for headers in (many, {"X-Long": "x" * (limits.HTTP_HEAD_BYTES_MAX + 1)}):
        line = await ports.line()
        assert (await line.ask("GET", "/version", headers=headers)).code == 431
        assert await line.is_ended()
    line = await ports.line()
    assert (await line.ask("GET", f"/version?{'x' * limits.HTTP_URL_BYTES_MAX}")).code == 414
    assert (await (await ports.line()).ask("GET", "/version", headers={"X-Long": "x" * 100_000})).code == 200
    assert await is_well(ports)


async def test_a_head_without_end_is_not_read_to_its_end(ports: Ports) -> None:
    line = await ports.line()
    await line.send(b"GET /version HTTP/1.1\r\n")
    with pytest.raises((ConnectionError, ssl.SSLError)):
        await line.send_without_end(b"X-Long: " + b"x" * 1_000 + b"\r\n")
    assert await is_well(ports)


async def test_a_selector_that_is_too_long_is_refused(ports: Ports) -> None:
    selector = "a=b," * (limits.SELECTOR_CHARS_MAX // 4) + "a=b"
    asked = meta_pb2.ListRequest(namespace="default", label_selector=selector).SerializeToString()
    credentials = grpc.ssl_channel_credentials((ports.directory.pki / "ca.crt").read_bytes())
    async with grpc.aio.secure_channel(ports.grpc, credentials) as channel:
        call = channel.unary_unary(LIST)(asked, metadata=(("authorization", f"Bearer {ports.admin}"),))
        assert await call.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert "at most" in str(await call.details())


@pytest.mark.parametrize(
    "head", [b"GET /version HTTP/9.9", b"\0\0\0", b"GET\n\n", b"GET /version HTTP/1.1\r\nContent-Length: -1", b"PRI * HTTP/2.0"]
)
async def test_what_is_no_http_ends_its_connection(ports: Ports, head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HTTP_HEAD_WAIT_S", 0.2)
    line = await ports.line()
    await line.send(head + b"\r\n\r\n")
    said = await line.reader.read()
    assert said.startswith(b"HTTP/1.1 400 ") or not said
    assert await is_well(ports)


# TLS


async def test_plain_http_and_garbage_on_the_tls_port_end_their_connections(ports: Ports) -> None:
    for data in (b"GET /version HTTP/1.1\r\n\r\n", b"\x16\x03\x01" + struct.pack(">H", 2_000) + b"\0" * 2_000, bytes(range(256)) * 10):
        line = await ports.line(tls=False)
        await line.send(data)
        said = b""
        try:
            while piece := await line.reader.read(1_000):
                said += piece
        except ConnectionError:
            pass
        assert b"HTTP" not in said
    assert await is_well(ports)


async def test_a_handshake_that_does_not_go_on_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HTTP_TLS_WAIT_S", 0.2)
    async with asyncio.timeout(DEADLINE_S), open_ports(tmp_path) as ports:
        silent, begun = await ports.line(tls=False), await ports.line(tls=False)
        await begun.send(b"\x16\x03\x01\x02\x00\x01")
        assert [await line.is_ended() for line in (silent, begun)] == [True, True]
        assert await is_well(ports)


async def test_without_certificate_or_token_one_is_anonymous_and_a_stranger_s_certificate_is_refused(ports: Ports) -> None:
    line = await ports.line()
    assert (await line.ask("GET", "/version")).code == 200
    reply = await line.ask("GET", CONFIGMAPS)
    assert reply.code == 403 and "system:anonymous" in reply.json()["message"]
    context = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection(*ports.https, ssl=context)
    assert await is_well(ports)


# credentials


async def test_forged_and_ended_tokens_are_nobody_s(ports: Ports) -> None:
    account = "/api/v1/namespaces/default/serviceaccounts"
    assert (await ports.ask("POST", account, {"metadata": {"name": "robot"}})).code == 201
    reply = await ports.ask("POST", f"{account}/robot/token", {"spec": {"expirationSeconds": 600}})
    token = reply.json()["status"]["token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    key = ports.api.plane.server.tokens.key
    ended = jwt.encode({**claims, "exp": claims["iat"] - 1}, key.private, "ES256", {"kid": key.id})
    head, payload, signature = token.split(".")
    none = jwt.encode(claims, None, "none")
    forged = [
        ended, none, f"{head}.{payload}.", f"{head}.{payload}.{signature[::-1]}", f"{head}.{payload[:-2]}AA.{signature}",
        jwt.encode(claims, "secret" * 10, "HS256", {"kid": key.id}), "x" * 40_000, ports.admin[:-1], f"{ports.admin}x", "\xff\xfe",
        "a.b.c",
    ]  # fmt: skip
    line = await ports.line()
    assert (await line.ask("GET", "/api", token)).code == 200
    for each in forged:
        reply = await line.ask("GET", "/api", each)
        assert (reply.code, reply.json()["reason"]) == (401, "Unauthorized"), each[:50]


# paths


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/default/configmaps%2fc", "/api/v1/../../healthz", "//api//v1//configmaps",
        "/api/v1/namespaces/%2e%2e/configmaps",
        "/api/v1/namespaces/a%00b/configmaps", "/api/v1/namespaces/default/configmaps/%00", f"/api/v1/{'x' * 100_000}",
        f"/{'a/' * 50_000}", "/api/v1/namespaces/default/configmaps/..", "/api/v1/namespaces/default/configmaps/.%2f.", "/%ff%fe",
        "/apis/%2e%2e/v1/pods", "/api/v1/namespaces/default/configmaps/c/%2e%2e/%2e%2e/secrets", "/api/v1/nodes/n%2fproxy", "/%",
        "/api/v1/namespaces/default/configmaps/c;a=b", "/api/v1/namespaces/kube-system%2fsecrets",
    ],
)  # fmt: skip
async def test_paths_lead_nowhere_that_their_text_does_not_say(ports: Ports, path: str) -> None:
    reply = await (await ports.line()).ask("GET", path, "quiet-token")
    assert reply.code in (400, 403, 404, 414), reply.code
    reply = await (await ports.line()).ask("GET", path, ports.admin)
    assert reply.code in (400, 404, 405, 414) or (reply.json()["kind"].endswith("List") and not reply.json()["items"]), reply.body[:200]
    assert await is_well(ports)


async def test_a_name_is_one_part_of_a_path_whatever_it_holds(ports: Ports) -> None:
    for name in ("..%2f..%2fsecrets%2fs", "%2e%2e", "a%2fb", "a%00"):
        reply = await ports.ask("GET", f"{CONFIGMAPS}/{name}")
        assert reply.code in (400, 404) and reply.json()["kind"] == "Status"


# stopping


async def test_a_stopping_server_ends_watches_and_answers_what_is_under_way(tmp_path: Path) -> None:
    async with asyncio.timeout(DEADLINE_S):
        async with open_ports(tmp_path) as ports:
            watch, writers = await ports.line(), [await ports.line() for _ in range(20)]
            assert await watch.begin("GET", f"{CONFIGMAPS}?watch=1", ports.admin) == 200
            credentials = grpc.ssl_channel_credentials((ports.directory.pki / "ca.crt").read_bytes())
            channel = grpc.aio.secure_channel(ports.grpc, credentials)
            asked = meta_pb2.WatchRequest(namespace="default", resource_version="1").SerializeToString()
            call: Any = channel.unary_stream(WATCH)(asked, metadata=(("authorization", f"Bearer {ports.admin}"),))
            await call.initial_metadata()
            acknowledged: list[str] = []
            writing = [asyncio.create_task(write_on(line, ports, acknowledged, str(index))) for index, line in enumerate(writers)]
            await until(lambda: len(acknowledged) >= 50)
        events = b""
        while piece := await watch.chunk():
            events += piece
        assert events.count(b'"ADDED"') > 0
        async for _ in call:
            pass
        assert await call.code() == grpc.StatusCode.OK
        await channel.close()
        await asyncio.wait(writing)
        async with open_ports(tmp_path) as ports:
            found = {obj["metadata"]["name"] for obj in (await ports.ask("GET", CONFIGMAPS)).json()["items"]}
    assert set(acknowledged) <= found


async def write_on(line: Line, ports: Ports, acknowledged: list[str], prefix: str) -> None:
    """Create one object after the other until the server has gone."""
    for number in range(100_000):
        name = f"c-{prefix}-{number}"
        try:
            reply = await line.ask("POST", CONFIGMAPS, ports.admin, json.dumps({"metadata": {"name": name}}).encode())
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            return
        assert reply.code == 201
        acknowledged.append(name)


