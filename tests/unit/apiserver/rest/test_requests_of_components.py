"""What kube-scheduler and kube-controller-manager send, byte for byte as client-go wrote it: protobuf, metadata alone, watches that begin
with a list, leases, bindings, events, tokens, reviews; each as the user that its sender is. `tests/clients/rest/go/components` records
it."""

from __future__ import annotations

import asyncio
import base64
import json
import lzma
import re
import struct
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kcore.api.meta.v1.meta_pb2 import PartialObjectMetadata, PartialObjectMetadataList, Unknown, WatchEvent
from kcore.machinery import codec, scheme
from tests.unit.apiserver.api import Api
from tests.unit.apiserver.rest.http import Http, Reply

RECORDED = Path(__file__).with_name("components.jsonl.xz")
PROTOBUF = "application/vnd.kubernetes.protobuf"
CORE = "/api/v1/namespaces/components"
SET = "/apis/apps/v1/namespaces/components/replicasets/web"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler"
INITIAL_END = "k8s.io/initial-events-end"
Line = dict[str, Any]


@cache
def recorded() -> list[Line]:
    """The requests, each with what answered it."""
    with lzma.open(RECORDED, "rt") as file:
        return [json.loads(line) for line in file]


def is_watch(line: Line) -> bool:
    return "watch=true" in line["Query"]


def headers(line: Line) -> dict[str, str]:
    """What a request says about itself and its sender."""
    found = {"accept": line["Accept"], "content_type": line["ContentType"], "impersonate_user": line["User"]}
    return {name: text for name, text in found.items() if text}


class Senders:
    """Sends recorded requests again, with the uids and the revisions of this server in the place of the recorded ones."""

    def __init__(self, http: Http) -> None:
        self.http = http
        self.uids: dict[bytes, bytes] = {}

    async def send(self, line: Line) -> Reply:
        """One request, and what is answered."""
        reply = await self.http(line["Method"], line["Path"], await self.body(line), line["Query"], **headers(line))
        if line["Uid"]:
            self.uids[line["Uid"].encode()] = PartialObjectMetadata.FromString(codec.open_envelope(reply.body)[2]).metadata.uid.encode()
        return reply

    async def send_all(self, *senders: str) -> None:
        """What is sent by an administrator, and by those who are named."""
        for line in recorded():
            if line["User"].rpartition(":")[2] in ("", *senders) and not is_watch(line):
                await self.send(line)

    async def body(self, line: Line) -> bytes:
        """The body that is to be sent."""
        data = base64.b64decode(line["Body"] or "")
        for old, new in self.uids.items():
            data = data.replace(old, new)
        if line["Method"] != "PUT":
            return data
        revision = (await self.http("GET", line["Path"].removesuffix("/finalize"))).json()["metadata"]["resourceVersion"]
        if not data.startswith(codec.MAGIC):
            return re.sub(rb'"resourceVersion":"\d+"', f'"resourceVersion":"{revision}"'.encode(), data)
        envelope = Unknown.FromString(data.removeprefix(codec.MAGIC))
        known = scheme.load()
        name = known.message_of(envelope.typeMeta.apiVersion, envelope.typeMeta.kind)
        assert name is not None
        message: Any = known.message_class(name).FromString(envelope.raw)
        message.metadata.resourceVersion = revision
        envelope.raw = message.SerializeToString()
        return bytes(codec.MAGIC + envelope.SerializeToString())


async def test_components_are_answered_in_the_forms_that_they_ask_for(http: Http) -> None:
    senders = Senders(http)
    for line in recorded():
        if is_watch(line):
            continue
        reply = await senders.send(line)
        assert (reply.code, reply.headers["content-type"]) == (line["Code"], line["Answer"]), (line, reply.body)
        if not line["Kind"]:
            continue
        _, kind, raw = codec.open_envelope(reply.body)
        assert kind == line["Kind"]
        if kind.startswith("PartialObjectMetadata"):
            shown = (PartialObjectMetadataList if kind.endswith("List") else PartialObjectMetadata).FromString(raw)
            shown.DiscardUnknownFields()
            assert shown.SerializeToString() == raw, "nothing but metadata"


WATCHES = [line for line in recorded() if is_watch(line)]


@pytest.mark.parametrize("line", WATCHES, ids=lambda line: f"{line['User'].rpartition(':')[2]} {line['Path']}")
async def test_watches_of_components_begin_with_all_there_is(http: Http, api: Api, line: Line) -> None:
    await Senders(http).send_all("kube-scheduler")
    selection = "&".join(part for part in line["Query"].split("&") if "Selector" in part)
    listed = (await http("GET", line["Path"], query=selection)).json()["items"]
    async with http.watch(line["Path"], line["Query"], **headers(line)) as sent:
        assert (b"content-type", line["Answer"].encode()) in (await sent.get())["headers"]
        found, is_whole = [], False
        while not is_whole:
            for event in events((await asyncio.wait_for(sent.get(), 5)).get("body", b"")):
                _, kind, raw = codec.open_envelope(event.object.raw)
                assert kind == "PartialObjectMetadata" or "PartialObjectMetadata" not in line["Accept"]
                metadata = PartialObjectMetadata.FromString(raw).metadata
                is_whole = INITIAL_END in metadata.annotations
                assert event.type == ("BOOKMARK" if is_whole else "ADDED")
                found += [] if is_whole else [metadata.uid]
    assert sorted(found) == sorted(item["metadata"]["uid"] for item in listed)


def events(body: bytes) -> list[Any]:
    """The events in some frames."""
    found = []
    while body:
        (length,) = struct.unpack_from(">I", body)
        found.append(WatchEvent.FromString(body[4 : 4 + length]))
        body = body[4 + length :]
    return found


async def test_what_a_scheduler_writes_is_there(http: Http) -> None:
    await Senders(http).send_all("kube-scheduler")
    lease = (await http("GET", LEASE)).json()["spec"]
    assert lease["holderIdentity"] == "host_kube-scheduler" and lease["renewTime"] > lease["acquireTime"]
    assert (await http("GET", f"{CORE}/pods/bound")).json()["spec"]["nodeName"] == "place"
    left = (await http("GET", f"{CORE}/pods/left")).json()["status"]
    assert [each["reason"] for each in left["conditions"] if each["type"] == "PodScheduled"] == ["Unschedulable"]
    assert left["nominatedNodeName"] == "place"
    told = (await http("GET", f"{CORE}/events")).json()["items"]
    assert {event["reason"]: event["series"]["count"] for event in told} == {"Scheduled": 2, "FailedScheduling": 2}


async def test_what_controllers_write_is_there(http: Http) -> None:
    actors = [line["User"].rpartition(":")[2] for line in recorded()]
    await Senders(http).send_all(*(name for name in actors if name != "namespace-controller"))
    found = (await http("GET", SET)).json()
    assert (found["spec"]["replicas"], found["status"]["replicas"]) == (3, 2)
    pods = {pod["metadata"]["name"]: pod for pod in (await http("GET", f"{CORE}/pods")).json()["items"]}
    assert "left" not in pods
    assert [pod["metadata"]["ownerReferences"][0]["name"] for name, pod in pods.items() if name != "bound"] == ["web"]
    assert (await http("GET", f"{CORE}/resourcequotas/bounds")).json()["status"]["used"] == {"pods": "7"}
    node = (await http("GET", "/api/v1/nodes/place")).json()
    assert [taint["key"] for taint in node["spec"]["taints"]] == ["node.kubernetes.io/unreachable"]
    assert [condition["reason"] for condition in node["status"]["conditions"]] == ["NodeStatusUnknown"]
