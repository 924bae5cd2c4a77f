"""Many writes in one message: order, a result each, all or nothing, bounds."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kcore.api.bulk.v1 import bulk_service_pb2 as pb
from kcore.apiserver.bulk import BulkStream
from kcore.apiserver.entry.gate import Caller
from kcore.base import limits
from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import ADMIN, Api, configmap, names_of, pod, reason_of, service

JSON = "application/json"


def item(verb: str, resource: str, obj: Any = None, **more: Any) -> pb.Item:
    resource, _, subresource = resource.partition("/")
    made = pb.Item(verb=verb, version="v1", resource=resource, subresource=subresource, namespace="default", **more)
    if obj is not None:
        made.object, made.content_type = json.dumps(obj).encode(), more.get("content_type", JSON)
    return made


async def stream(*requests: bytes) -> AsyncIterator[bytes]:
    for request in requests:
        yield request


async def answers(api: Api, *requests: pb.WriteRequest | bytes) -> list[pb.WriteResponse]:
    sent = [request if isinstance(request, bytes) else request.SerializeToString() for request in requests]
    found = []
    async for data in BulkStream(api.pipeline, Caller(ADMIN)).answers(stream(*sent)):
        found.append(pb.WriteResponse.FromString(data))
    return found


async def test_items_are_applied_in_order_each_with_its_result(api: Api) -> None:
    items = [
        item("create", "configmaps", configmap("c", a="1")),
        item("create", "configmaps", configmap("c", a="2")),
        item("patch", "configmaps", {"data": {"a": "3"}}, name="c", content_type="application/merge-patch+json"),
        item("create", "pods", pod()),
        item("create", "pods/binding", {"metadata": {"name": "p"}, "target": {"name": "n1"}}, name="p"),
        item("delete", "configmaps", name="none"),
        item("get", "configmaps", name="c"),
    ]
    [response] = await answers(api, pb.WriteRequest(items=items))
    assert [result.status.reason for result in response.results] == ["", "AlreadyExists", "", "", "", "NotFound", "BadRequest"]
    assert api.get("configmaps", "c")["data"] == {"a": "3"}
    assert api.get("pods", "p")["spec"]["nodeName"] == "n1"
    versions = [int(response.results[i].resource_version) for i in (0, 2, 3, 4)]
    assert versions == sorted(set(versions))
    assert response.results[0].uid == api.get("configmaps", "c")["metadata"]["uid"]
    assert not response.results[0].object


async def test_objects_come_back_when_asked_for(api: Api) -> None:
    [response] = await answers(api, pb.WriteRequest(items=[item("create", "configmaps", configmap("c"))], return_objects=True))
    assert b"resourceVersion" not in response.results[0].object
    assert api.get("configmaps", "c")["metadata"]["uid"].encode() in response.results[0].object


async def test_an_atomic_request_writes_all_or_nothing(api: Api) -> None:
    revision = api.storage.revision
    items = [item("create", "configmaps", configmap("a")), item("create", "configmaps", configmap("Bad Name"))]
    items.append(item("create", "configmaps", configmap("c")))
    [response] = await answers(api, pb.WriteRequest(items=items, atomic=True))
    assert [result.status.reason for result in response.results] == ["Conflict", "Invalid", "Conflict"]
    assert names_of(await api.list("configmaps")) == []
    assert api.storage.revision == revision
    [response] = await answers(api, pb.WriteRequest(items=[items[0], items[2]], atomic=True))
    assert [result.status.reason for result in response.results] == ["", ""]
    assert names_of(await api.list("configmaps")) == ["a", "c"]


async def test_what_is_taken_back_holds_no_address(api: Api) -> None:
    wanted = item("create", "services", service("s", clusterIP="10.96.5.5"))
    items = [wanted, item("create", "configmaps", configmap("Bad Name"))]
    await answers(api, pb.WriteRequest(items=items, atomic=True))
    [response] = await answers(api, pb.WriteRequest(items=[wanted]))
    assert response.results[0].status.reason == ""


async def test_admission_forgets_what_is_taken_back(api: Api) -> None:
    def priority(value: int) -> pb.Item:
        made = item("create", "priorityclasses", {"metadata": {"name": "x"}, "value": value})
        made.group, made.namespace = "scheduling.k8s.io", ""
        return made

    user = item("create", "pods", pod(priorityClassName="x"))
    await answers(api, pb.WriteRequest(items=[priority(1), user, item("create", "configmaps", configmap("Bad Name"))], atomic=True))
    [response] = await answers(api, pb.WriteRequest(items=[priority(2), user]))
    assert [result.status.reason for result in response.results] == ["", ""]
    assert api.get("pods", "p")["spec"]["priority"] == 2


async def test_too_many_items_are_refused_before_any_is_applied(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RPC_BULK_ITEMS_MAX", 2)
    with pytest.raises(StatusError) as failed:
        await answers(api, pb.WriteRequest(items=[item("create", "configmaps", configmap(name)) for name in "abc"]))
    assert reason_of(failed.value) == (413, "RequestEntityTooLarge")
    assert names_of(await api.list("configmaps")) == []


async def test_requests_before_a_bad_one_are_answered(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RPC_BULK_ITEMS_MAX", 1)
    good = pb.WriteRequest(items=[item("create", "configmaps", configmap("a"))])
    bad = pb.WriteRequest(items=[item("create", "configmaps", configmap(name)) for name in "bc"])
    answered = BulkStream(api.pipeline, Caller(ADMIN)).answers(stream(good.SerializeToString(), bad.SerializeToString()))
    assert not pb.WriteResponse.FromString(await anext(answered)).results[0].status.reason
    with pytest.raises(StatusError):
        await anext(answered)


async def test_what_is_no_request_ends_the_stream(api: Api) -> None:
    with pytest.raises(StatusError, match="the request is no message of this method"):
        await answers(api, b"\xff\xff")


async def test_more_requests_than_places_are_all_answered(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BULK_REQUESTS_UNDER_WAY_MAX", 2)
    requests = [pb.WriteRequest(items=[item("create", "configmaps", configmap(f"c{i}"))]) for i in range(9)]
    assert len(await answers(api, *requests)) == 9
    assert len(names_of(await api.list("configmaps"))) == 9


@pytest.mark.parametrize("options", [b"\xff\xff", b"\x12\x01\xff"])
async def test_options_that_cannot_be_read_fail_their_item_alone(api: Api, options: bytes) -> None:
    bad = item("create", "configmaps", configmap("bad")).SerializeToString() + b"\x52" + bytes([len(options)]) + options
    good = pb.WriteRequest(items=[item("create", "configmaps", configmap("good"))]).SerializeToString()
    [found] = await answers(api, b"\x0a" + bytes([len(bad)]) + bad + good)
    assert [result.status.reason for result in found.results] == ["BadRequest", ""]
    assert names_of(await api.list("configmaps")) == ["good"]
