"""Pods that differ in their name alone: made from the first one's bytes, and as if each had been decided by itself."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from kcore.base import limits
from kcore.machinery import codec
from kcore.machinery.request import Request
from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import Api, Object, pod, reason_of

PROTOBUF = "application/vnd.kubernetes.protobuf"
TOKEN = "kube-api-access-"


def asked(api: Api, obj: Object, **more: Any) -> Request:
    """A create as gRPC clients send it."""
    request = api.request("create", "pods", body=codec.encode("kcore.api.core.v1.Pod", obj), **more)
    request.content_type = PROTOBUF
    return request


def create(api: Api, obj: Object, **more: Any) -> Object:
    """Create a pod; -> it."""
    return api.send(asked(api, obj, **more)).obj()


def identified(obj: Object) -> Object:
    """An object without what is different in each: uid, revision, and the suffix of its token's volume."""
    found = copy.deepcopy(obj)
    for field in ("uid", "resourceVersion", "creationTimestamp"):
        assert found["metadata"].pop(field)
    volumes = [volume["name"] for volume in found["spec"].get("volumes") or () if volume["name"].startswith(TOKEN)]
    text = json.dumps(found)
    for name in volumes:
        text = text.replace(name, TOKEN)
    return dict(json.loads(text))


def with_token(name: str, **spec: Any) -> Object:
    found = pod(name, **spec)
    del found["spec"]["automountServiceAccountToken"]
    return found


def labelled(name: str, **labels: str) -> Object:
    found = pod(name)
    found["metadata"]["labels"] = labels
    return found


def refuse_to_decide(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on nothing can be decided from a whole body."""

    def refuse(*_: object) -> Any:
        raise AssertionError("the body was decoded")

    monkeypatch.setattr(api.pipeline, "decoded", refuse)


@pytest.mark.parametrize(
    "first",
    [
        pod("a"),
        with_token("a"),
        labelled("a", app="web", tier="front"),
        pod("a", schedulingGates=[{"name": "example.com/wait"}]),
        pod("a", priorityClassName="system-node-critical", tolerations=[{"operator": "Exists"}]),
        {"metadata": {"name": "a", "namespace": "default", "annotations": {"b": "c"}, "finalizers": ["x/y"]}, "spec": pod()["spec"]},
    ],
)
async def test_the_second_is_what_it_would_be_alone(api: Api, tmp_path: Path, first: Object, monkeypatch: pytest.MonkeyPatch) -> None:
    second = copy.deepcopy(first)
    second["metadata"]["name"] = "another-name.with.dots"
    alone = await Api(tmp_path / "alone").start()
    decided = create(alone, second)
    alone.close()
    one = create(api, first)
    refuse_to_decide(api, monkeypatch)
    two = create(api, second)
    assert identified(two) == identified(decided)
    assert one["metadata"]["uid"] != two["metadata"]["uid"]
    assert int(two["metadata"]["resourceVersion"]) == int(one["metadata"]["resourceVersion"]) + 1


async def test_generated_names_differ(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = pod()
    wanted["metadata"] = {"generateName": "web-" + "x" * 80}
    first = create(api, wanted)
    refuse_to_decide(api, monkeypatch)
    second, third = create(api, wanted), create(api, wanted)
    made = {each["metadata"]["name"] for each in (first, second, third)}
    assert len(made) == 3 and {len(name) for name in made} == {limits.GENERATED_NAME_BASE_MAX + limits.NAME_SUFFIX_LENGTH}


async def test_the_name_of_the_request_is_that_of_a_nameless_body(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    nameless = pod()
    del nameless["metadata"]["name"]
    for name in ("a", "b"):
        request = asked(api, nameless)
        request.name = name
        assert api.send(request).obj()["metadata"]["name"] == name
        refuse_to_decide(api, monkeypatch)


@pytest.mark.parametrize(("name", "reason"), [("a", (409, "AlreadyExists")), ("Not_A_Name", (422, "Invalid")), ("", (422, "Invalid"))])
async def test_a_doubtful_name_is_refused_as_ever(api: Api, name: str, reason: tuple[int, str]) -> None:
    create(api, pod("a"))
    with pytest.raises(StatusError) as error:
        create(api, pod(name))
    assert reason_of(error.value) == reason


async def test_what_the_first_rested_on_may_change(api: Api) -> None:
    create(api, with_token("a"))
    await api.patch("serviceaccounts", "default", {"imagePullSecrets": [{"name": "registry"}]})
    assert create(api, with_token("b"))["spec"]["imagePullSecrets"] == [{"name": "registry"}]
    await api.create("priorityclasses", {"metadata": {"name": "usual"}, "value": 7, "globalDefault": True})
    assert create(api, with_token("c"))["spec"]["priority"] == 7
    await api.delete("serviceaccounts", "default")
    with pytest.raises(StatusError) as error:
        create(api, with_token("d"))
    assert reason_of(error.value) == (403, "Forbidden")


async def test_a_namespace_on_its_way_out_takes_no_more(api: Api) -> None:
    await api.create("namespaces", {"metadata": {"name": "n"}})
    await api.create("serviceaccounts", {"metadata": {"name": "default"}}, namespace="n")
    create(api, pod("a"), namespace="n")
    await api.delete("namespaces", "n")
    with pytest.raises(StatusError) as error:
        create(api, pod("b"), namespace="n")
    assert reason_of(error.value) == (403, "Forbidden")


async def test_names_that_decide_are_no_detail(api: Api) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1"}}}
    create(api, pod("a", volumes=[{"name": "b", "ephemeral": {"volumeClaimTemplate": {"spec": claim}}}]))
    assert not api.server.registry.likenesses.kept


async def test_a_dry_run_leaves_nothing_behind(api: Api) -> None:
    create(api, pod("a"), dryRun=["All"])
    assert not api.server.registry.likenesses.kept
    create(api, pod("a"))
    assert create(api, pod("b"), dryRun=["All"])["metadata"]["name"] == "b"
    with pytest.raises(StatusError):
        api.get("pods", "b")


async def test_few_are_remembered(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LIKENESSES_MAX", 2)
    for number in range(4):
        create(api, labelled(f"p{number}", n=str(number)))
    kept = api.server.registry.likenesses.kept
    assert len(kept) == 2
    refuse_to_decide(api, monkeypatch)
    assert create(api, labelled("p5", n="3"))["metadata"]["labels"] == {"n": "3"}
