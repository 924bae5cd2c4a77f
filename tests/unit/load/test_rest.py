"""What a load reads of the answers of an API server over HTTP."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import pytest

from kcore.api.core.v1.pod_pb2 import Pod, PodList
from kcore.api.meta.v1.meta_pb2 import Status, WatchEvent
from kcore.base import limits
from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.client import kinds, wire
from kcore.load.kubeconfig import Access
from kcore.load.rest import RestServer, event_of, frames, path, refusal
from kcore.machinery import codec
from kcore.machinery.status import StatusError

THERE = codec.envelope("v1", "Status", Status(reason="AlreadyExists", message="there", code=409).SerializeToString())


def event(type_: str, revision: str = "7", name: str = "p") -> bytes:
    pod = Pod(metadata={"name": name, "resourceVersion": revision})
    return WatchEvent(type=type_, object={"raw": codec.envelope("v1", "Pod", pod.SerializeToString())}).SerializeToString()


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_events_are_cut_wherever_their_bytes_are_parted(step: int) -> None:
    sent = [event("ADDED", str(number)) for number in range(3)]
    data = b"".join(struct.pack(">I", len(each)) + each for each in sent)
    waiting, found = bytearray(), []
    for start in range(0, len(data), step):
        waiting += data[start : start + step]
        found += frames(waiting)
    assert found == sent and not waiting


def test_no_event_is_waited_for_that_is_larger_than_any_may_be() -> None:
    with pytest.raises(StatusError, match="an event of"):
        frames(bytearray(struct.pack(">I", limits.RESPONSE_BYTES_MAX + 1)))


def test_an_event_holds_the_message_and_its_revision() -> None:
    found = event_of(event("MODIFIED", "41", "x"))
    assert (found.type, found.revision, Pod.FromString(found.raw).metadata.name) == ("MODIFIED", 41, "x")
    assert event_of(event("BOOKMARK", "42")) == wire.WatchEvent("BOOKMARK", b"", "", 42)


def test_a_watch_that_failed_says_why() -> None:
    gone = codec.envelope("v1", "Status", Status(status="Failure", reason="Expired", message="too old", code=410).SerializeToString())
    with pytest.raises(StatusError, match="too old") as refused:
        event_of(WatchEvent(type="ERROR", object={"raw": gone}).SerializeToString())
    assert refused.value.reason == "Expired"


@pytest.mark.parametrize(
    ("code", "body", "after", "reason", "message", "wait_s"),
    [
        (409, THERE, "", "AlreadyExists", "there", 0),
        (403, b'{"kind": "Status", "reason": "Forbidden", "message": "no", "code": 403}', "", "Forbidden", "no", 0),
        (429, b"Too many requests, please try again later.\n", "3", "TooManyRequests", "Too many requests, please try again later.", 3),
        (502, b"", "", "InternalError", "HTTP 502", 0),
        (503, b'"text"', "", "ServiceUnavailable", '"text"', 0),
    ],
)
def test_a_refusal_is_read_in_whatever_form_it_comes(code: int, body: bytes, after: str, reason: str, message: str, wait_s: int) -> None:
    found = refusal(code, body, after)
    assert (found.code, found.reason, found.message) == (code, reason, message)
    assert (found.status.get("details") or {}).get("retryAfterSeconds", 0) == wait_s


def test_a_resource_has_its_path() -> None:
    assert path(kinds.resource("", "v1", "pods"), "n") == "/api/v1/namespaces/n/pods"
    assert path(kinds.resource("", "v1", "nodes"), "") == "/api/v1/nodes"
    assert path(kinds.resource("apps", "v1", "deployments"), "n") == "/apis/apps/v1/namespaces/n/deployments"


def test_all_objects_are_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {"": (["a", "b"], "more"), "more": (["c"], "")}
    asked = []

    async def call(method: str, where: str, _body: bytes = b"", **query: str) -> bytes:
        asked.append((method, where, query["limit"]))
        names, token = pages[query["continue"]]
        metadata: dict[str, Any] = {"continue": token}
        return PodList(metadata=metadata, items=[Pod(metadata={"name": name}) for name in names]).SerializeToString()

    server = RestServer(Access("https://somewhere"), 1, VirtualClock(), SeededEntropy(1))
    monkeypatch.setattr(server, "call", call)
    found = asyncio.run(server.all(server.pods))
    assert [Pod.FromString(raw).metadata.name for raw in found] == ["a", "b", "c"]
    assert asked == [("GET", "/api/v1/pods", str(limits.REST_LIST_PAGE_OBJECTS))] * 2
