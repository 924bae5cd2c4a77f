"""gRPC's side of the pipeline without a socket: errors with details, DynamicService, callers."""

from __future__ import annotations

import json
from typing import Any

import grpc
import orjson
import pytest
import yaml
from google.protobuf import struct_pb2
from google.protobuf.message import DecodeError
from google.rpc import status_pb2

from kcore.api.dynamic.v1 import dynamic_service_pb2 as dynamic
from kcore.api.meta.v1 import meta_pb2
from kcore.apiserver import rpc_dynamic, rpc_errors
from kcore.apiserver.entry.failures import as_status
from kcore.apiserver.entry.gate import Caller
from kcore.apiserver.ownership.applying import APPLY_PATCH
from kcore.base import limits
from kcore.machinery import codec, status
from kcore.machinery.field_error import invalid
from kcore.machinery.status import StatusError
from kcore.store.storage import StoreError
from tests.unit.apiserver.api import ADMIN, Api, configmap, reason_of

CONFIGMAPS = dynamic.Resource(version="v1", resource="configmaps")


def unpacked(error: StatusError) -> tuple[status_pb2.Status, meta_pb2.Status]:
    [(key, data)] = rpc_errors.trailer(error)
    assert key == "grpc-status-details-bin"
    outer = status_pb2.Status.FromString(data)
    return outer, meta_pb2.Status.FromString(outer.details[0].value)


def test_an_error_carries_the_status_in_its_details() -> None:
    error = status.not_found("pods", "", "p")
    assert rpc_errors.code(error) is grpc.StatusCode.NOT_FOUND
    outer, inner = unpacked(error)
    assert (outer.code, outer.message) == (grpc.StatusCode.NOT_FOUND.value[0], 'pods "p" not found')
    assert (inner.code, inner.reason, inner.details.name) == (404, "NotFound", "p")


def test_details_of_a_large_error_are_cut_so_that_they_arrive() -> None:
    errors = [invalid(f"spec.field[{i}]", "x" * 50, "is wrong") for i in range(500)]
    error = status.invalid("", "Pod", "p", errors)
    [(_, data)] = rpc_errors.trailer(error)
    assert len(data) < 8000
    _, inner = unpacked(error)
    assert inner.details.causes[-1].message.startswith("and ")
    assert inner.details.causes[0].field == "spec.field[0]"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreError("no space", "quota"), "RESOURCE_EXHAUSTED"),
        (StoreError("busy", "bytes wait"), "RESOURCE_EXHAUSTED"),
        (StoreError("compacted", "gone"), "OUT_OF_RANGE"),
        (StoreError("failed", "disk"), "INTERNAL"),
        (DecodeError("truncated"), "INVALID_ARGUMENT"),
        (status.conflict("pods", "", "p"), "ABORTED"),
    ],
)
def test_errors_are_translated_in_one_place(error: Exception, code: str) -> None:
    assert as_status(error).grpc_code == code


def test_an_unexpected_error_does_not_show_its_text() -> None:
    found = as_status(KeyError("secret"))
    assert found.grpc_code == "INTERNAL"
    assert "secret" not in found.message


async def call(api: Api, method: str, message: Any) -> dynamic.Object:
    handler = rpc_dynamic.unary_methods(api.pipeline)[rpc_dynamic.SERVICE + method]
    return dynamic.Object.FromString(await handler(message.SerializeToString(), Caller(ADMIN)))


async def test_dynamic_objects_go_as_json_yaml_and_protobuf(api: Api) -> None:
    text = yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", **configmap("c", a="1")})
    body = dynamic.Object(content_type="application/yaml", data=text.encode())
    made = await call(api, "Create", dynamic.WriteRequest(resource=CONFIGMAPS, namespace="default", object=body))
    assert (made.content_type, yaml.safe_load(made.data)["data"]) == ("application/yaml", {"a": "1"})
    get = meta_pb2.GetRequest(namespace="default", name="c")
    as_json = await call(api, "Get", dynamic.GetRequest(resource=CONFIGMAPS, get=get))
    assert json.loads(as_json.data)["data"] == {"a": "1"}
    media = "application/vnd.kubernetes.protobuf"
    as_bytes = await call(api, "Get", dynamic.GetRequest(resource=CONFIGMAPS, get=get, accept=media))
    assert codec.decode_object(as_bytes.data, api.pipeline.scheme.message_of)["data"] == {"a": "1"}
    back = dynamic.WriteRequest(resource=CONFIGMAPS, namespace="default", name="c", object=as_bytes)
    assert (await call(api, "Update", back)).data == as_bytes.data


async def test_dynamic_writes_warn_of_unknown_fields(api: Api) -> None:
    body = dynamic.Object(content_type="application/json", data=json.dumps({**configmap("c"), "colour": "red"}).encode())
    made = await call(api, "Create", dynamic.WriteRequest(resource=CONFIGMAPS, namespace="default", object=body))
    assert list(made.warnings) == ['unknown field "colour"']


async def test_dynamic_lists_patches_and_deletions(api: Api) -> None:
    await api.create("configmaps", configmap("c", a="1"))
    changes = meta_pb2.PatchRequest(namespace="default", name="c", patch=b'{"data":{"b":"2"}}', content_type="application/merge-patch+json")
    patched = await call(api, "Patch", dynamic.PatchRequest(resource=CONFIGMAPS, patch=changes))
    assert json.loads(patched.data)["data"] == {"a": "1", "b": "2"}
    listed = await call(api, "List", dynamic.ListRequest(resource=CONFIGMAPS, list=meta_pb2.ListRequest(namespace="default")))
    assert json.loads(listed.data)["kind"] == "ConfigMapList"
    gone = meta_pb2.DeleteRequest(namespace="default", name="c")
    await call(api, "Delete", dynamic.DeleteRequest(resource=CONFIGMAPS, delete=gone))
    listed = await call(api, "List", dynamic.ListRequest(resource=CONFIGMAPS, list=meta_pb2.ListRequest(namespace="default")))
    assert json.loads(listed.data)["items"] == []


async def test_a_dynamic_apply_takes_over_by_force_only(api: Api) -> None:
    await api.create("configmaps", configmap("c", a="1"), fieldManager="other")
    body = b'{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "2"}}'
    asked = {"namespace": "default", "name": "c", "patch": body, "content_type": APPLY_PATCH, "options": {"field_manager": "me"}}
    with pytest.raises(StatusError) as failed:
        await call(api, "Patch", dynamic.PatchRequest(resource=CONFIGMAPS, patch=asked))
    assert reason_of(failed.value) == (409, "Conflict")
    taken = await call(api, "Patch", dynamic.PatchRequest(resource=CONFIGMAPS, patch={**asked, "force": True}))
    assert json.loads(taken.data)["data"] == {"a": "2"}


async def test_dynamic_objects_stand_in_the_message_when_asked(api: Api) -> None:
    pods = dynamic.Resource(version="v1", resource="pods")
    spec = {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}], "stdin": True, "command": None}]}
    body = dynamic.Object()
    body.json.update({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {}}, "spec": spec, "odd": 1.5})
    made = await call(api, "Create", dynamic.WriteRequest(resource=pods, namespace="default", object=body))
    assert list(made.warnings) == ['unknown field "odd"']
    container = made.json["spec"]["containers"][0]
    assert (container["ports"][0]["containerPort"], container["stdin"], container["imagePullPolicy"]) == (80, True, "Always")
    changes = meta_pb2.PatchRequest(namespace="default", name="p")
    patch = dynamic.PatchRequest(resource=pods, patch=changes, accept=rpc_dynamic.AS_STRUCT)
    patch.json.update({"metadata": {"labels": {"a": "b"}}, "spec": {"activeDeadlineSeconds": 2**30}})
    patched = await call(api, "Patch", patch)
    assert (patched.json["metadata"]["labels"]["a"], patched.json["spec"]["activeDeadlineSeconds"]) == ("b", 2**30)
    get = meta_pb2.GetRequest(namespace="default", name="p")
    assert (await call(api, "Get", dynamic.GetRequest(resource=pods, get=get, accept=rpc_dynamic.AS_STRUCT))).json == patched.json


async def test_a_page_of_any_form_can_be_received(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}]}
    for number in range(40):
        await api.create("pods", {"metadata": {"name": f"p{number}"}, "spec": spec})
    monkeypatch.setattr(limits, "RPC_PAGE_BYTES", 20_000)
    pods = dynamic.Resource(version="v1", resource="pods")
    sizes = []
    for accept in ("", "application/yaml", "application/vnd.kubernetes.protobuf", rpc_dynamic.AS_STRUCT):
        listed = dynamic.ListRequest(resource=pods, list=meta_pb2.ListRequest(namespace="default"), accept=accept)
        sizes.append((await call(api, "List", listed)).ByteSize())
    assert min(sizes) > 10_000
    assert max(sizes) <= 20_000 + 2_000  # the last object may go beyond


@pytest.mark.parametrize("number", [0, -3, 2**53, 1.5, -0.25, 1e300])
def test_numbers_of_a_message_become_what_json_has(number: float) -> None:
    json_form = struct_pb2.Struct()
    json_form.update({"n": [number]})
    assert rpc_dynamic.written(json_form) == orjson.dumps({"n": [number]})


async def test_dynamic_watches_send_objects_in_the_wanted_form(api: Api) -> None:
    await api.create("configmaps", configmap("c", a="1"))
    asked = dynamic.WatchRequest(resource=CONFIGMAPS, watch=meta_pb2.WatchRequest(namespace="default"))
    events = rpc_dynamic.watch(api.pipeline)(asked.SerializeToString(), Caller(ADMIN))
    event = dynamic.WatchResponse.FromString(await anext(events)).events[0]
    assert (event.type, json.loads(event.object.data)["metadata"]["name"]) == ("ADDED", "c")


async def test_forms_that_nobody_knows_are_refused(api: Api) -> None:
    await api.create("configmaps", configmap("c"))
    get = meta_pb2.GetRequest(namespace="default", name="c")
    with pytest.raises(StatusError) as failed:
        await call(api, "Get", dynamic.GetRequest(resource=CONFIGMAPS, get=get, accept="text/html"))
    assert reason_of(failed.value) == (406, "NotAcceptable")
    body = dynamic.Object(content_type="text/html", data=b"<p>")
    with pytest.raises(StatusError) as failed:
        await call(api, "Create", dynamic.WriteRequest(resource=CONFIGMAPS, namespace="default", object=body))
    assert reason_of(failed.value) == (415, "UnsupportedMediaType")


async def test_a_body_beyond_the_limit_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUEST_BODY_BYTES_MAX", 100)
    body = dynamic.Object(content_type="application/json", data=b" " * 101)
    with pytest.raises(StatusError) as failed:
        await call(api, "Create", dynamic.WriteRequest(resource=CONFIGMAPS, namespace="default", object=body))
    assert reason_of(failed.value) == (413, "RequestEntityTooLarge")
