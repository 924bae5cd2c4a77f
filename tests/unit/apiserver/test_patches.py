"""Patches as requests: media types, field validation, subresources, and what is said of a patch that makes no object of its kind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kcore.base import limits
from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import Api, configmap, deployment, pod

JSON, MERGE, STRATEGIC = (f"application/{name}+json" for name in ("json-patch", "merge-patch", "strategic-merge-patch"))
ADD_UNKNOWN = {JSON: [{"op": "add", "path": "/foo", "value": 1}], MERGE: {"foo": 1}, STRATEGIC: {"foo": 1}}
SET = {JSON: [{"op": "add", "path": "/data/b", "value": "2"}], MERGE: {"data": {"b": "2"}}, STRATEGIC: {"data": {"b": "2"}}}


async def patched(api: Api, media: str, patch: Any, resource: str = "configmaps", name: str = "c", **options: Any) -> Any:
    body = patch if isinstance(patch, bytes) else json.dumps(patch).encode()
    return await api.write("patch", resource, name, body, content_type=media, **options)


def warnings_of(api: Api, media: str, patch: Any, **options: Any) -> list[str]:
    request = api.request("patch", "configmaps", "c", json.dumps(patch).encode(), **options)
    request.content_type = media
    return api.send(request).all_warnings()


@pytest.mark.parametrize("media", [JSON, MERGE, STRATEGIC])
async def test_each_kind_of_patch_changes_an_object_unless_it_is_dry(api: Api, media: str) -> None:
    made = await api.create("configmaps", configmap("c", a="1"))
    assert (await patched(api, media, SET[media], dryRun=["All"]))["data"] == {"a": "1", "b": "2"}
    assert api.get("configmaps", "c") == made
    assert (await patched(api, f"{media}; charset=utf-8", SET[media]))["data"] == {"a": "1", "b": "2"}


@pytest.mark.parametrize("media", [JSON, MERGE, STRATEGIC])
async def test_unknown_fields_warn_are_refused_or_ignored_as_asked(api: Api, media: str) -> None:
    await api.create("configmaps", configmap("c"))
    assert warnings_of(api, media, ADD_UNKNOWN[media]) == ['unknown field "foo"']
    assert warnings_of(api, media, ADD_UNKNOWN[media], fieldValidation="Ignore") == []
    with pytest.raises(StatusError) as caught:
        await patched(api, media, ADD_UNKNOWN[media], fieldValidation="Strict")
    assert caught.value.code == 422
    assert caught.value.message.endswith(': strict decoding error: unknown field "foo"')


async def test_doubled_fields_of_a_patch_are_complained_of(api: Api) -> None:
    await api.create("configmaps", configmap("c"))
    with pytest.raises(StatusError) as caught:
        await patched(api, MERGE, b'{"data": {"k": "1", "k": "2"}}', fieldValidation="Strict")
    assert caught.value.message.endswith('strict decoding error: duplicate field "data.k"')


NO_PATCHES = ["", "application/json", "application/merge-patch+yaml", "APPLICATION/MERGE-PATCH+JSON", "application/apply-patch+cbor"]


@pytest.mark.parametrize("media", NO_PATCHES)
async def test_other_media_types_are_not_patches(api: Api, media: str) -> None:
    with pytest.raises(StatusError) as caught:
        await patched(api, media, {})
    assert (caught.value.code, caught.value.message) == (415, "415: Unsupported Media Type")


@pytest.mark.parametrize(
    ("media", "body", "sentence"),
    [
        (JSON, b"", "invalid JSON patch"),
        (MERGE, b"data: {}", "invalid JSON patch"),
        (MERGE, b"null", "Invalid JSON Patch"),
        (MERGE, b"[]", "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"),
        (STRATEGIC, b"1", "json: cannot unmarshal number into Go value of type map[string]interface {}"),
    ],
)
async def test_a_body_that_is_no_patch_is_a_bad_request(api: Api, media: str, body: bytes, sentence: str) -> None:
    await api.create("configmaps", configmap("c"))
    with pytest.raises(StatusError) as caught:
        await patched(api, media, body)
    assert (caught.value.code, caught.value.message) == (400, sentence)


async def test_a_patch_that_is_too_large_is_not_read(api: Api) -> None:
    with pytest.raises(StatusError) as caught:
        await patched(api, MERGE, b" " * (limits.REQUEST_BODY_BYTES_MAX + 1))
    assert caught.value.code == 413


async def test_a_patch_that_nests_too_deep_is_a_bad_request(api: Api) -> None:
    await api.create("configmaps", configmap("c"))
    deep = b'{"data":' * 900 + b"1" + b"}" * 900
    for media, patch in {MERGE: deep, STRATEGIC: deep, JSON: b'[{"op": "add", "path": "/x", "value": ' + deep + b"}]"}.items():
        with pytest.raises(StatusError) as caught:
            await patched(api, media, patch)
        assert caught.value.code in (400, 422)


async def test_what_is_not_there_is_not_patched(api: Api) -> None:
    for media, patch in SET.items():
        with pytest.raises(StatusError) as caught:
            await patched(api, media, patch, name="none")
        assert caught.value.reason == "NotFound"


async def test_a_patched_text_that_is_no_such_object_is_shown(api: Api) -> None:
    await api.create("configmaps", configmap("c", k="<1>"))
    with pytest.raises(StatusError) as caught:
        await patched(api, JSON, [{"op": "replace", "path": "/data/k", "value": 5}, {"op": "add", "path": "/data/a", "value": "<"}])
    shown, _, why = caught.value.message.rpartition('": ')
    assert why == "json: cannot unmarshal number into Go struct field ConfigMap.data of type string"
    text = r'"{\"apiVersion\":\"v1\",\"data\":{\"a\":\"\\u003c\",\"k\":5},\"kind\":\"ConfigMap\"'
    assert shown.startswith(f' "" is invalid: patch: Invalid value: {text}')


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"replicas": "x"}, '"map[spec:map[replicas:x]]": unrecognized type: int32'),
        ({"selector": {"matchExpressions": {}}}, '"map[spec:map[selector:map[matchExpressions:map[]]]]": cannot restore slice from map'),
        ({"template": 1}, '"map[spec:map[template:1]]": cannot restore struct from: int64'),
        ({"template": {"spec": {"hostname": 1}}}, '"map[spec:map[template:map[spec:map[hostname:1]]]]": cannot convert int64 to string'),
        ({"paused": "x"}, '"map[spec:map[paused:x]]": unrecognized type: bool'),
    ],
)
async def test_a_strategic_patch_of_wrong_types_is_shown(api: Api, spec: Any, sentence: str) -> None:
    await api.create("deployments", deployment())
    with pytest.raises(StatusError) as caught:
        await patched(api, STRATEGIC, {"spec": spec}, "deployments", "d")
    assert caught.value.message == f' "" is invalid: patch: Invalid value: {sentence}'


async def test_subresources_are_patched_with_their_own_rules(api: Api) -> None:
    await api.create("deployments", deployment())
    scale = await patched(api, JSON, [{"op": "replace", "path": "/spec/replicas", "value": 5}], "deployments/scale", "d")
    assert (scale["kind"], scale["spec"]) == ("Scale", {"replicas": 5})
    await api.create("pods", pod())
    conditions = [{"type": "Ready", "status": "True"}]
    written = await patched(api, STRATEGIC, {"spec": {"nodeName": "x"}, "status": {"conditions": conditions}}, "pods/status", "p")
    assert "nodeName" not in written["spec"]
    assert [found["type"] for found in written["status"]["conditions"]] == ["Ready"]
    more = await patched(api, STRATEGIC, {"status": {"conditions": [{"type": "Initialized", "status": "True"}]}}, "pods/status", "p")
    assert {found["type"] for found in more["status"]["conditions"]} == {"Ready", "Initialized"}
