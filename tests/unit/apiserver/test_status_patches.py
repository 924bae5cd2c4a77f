"""Patches of fields of a status that stand alone: put into the bytes of the next object, and as if each had been decided by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kcore.base import limits
from kcore.machinery.request import Request, User
from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import MERGE_PATCH, Api, Object, pod, reason_of

STRATEGIC = "application/strategic-merge-patch+json"
TIME = "2026-01-01T00:00:00Z"
CONDEMNED = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler", "lastTransitionTime": TIME}
CONDEMN = {"status": {"conditions": [CONDEMNED]}}


def asked(api: Api, resource: str, name: str, changes: Object, media: str = STRATEGIC, **more: Any) -> Request:
    """A patch of a status as gRPC clients send it."""
    request = api.request("patch", f"{resource}/status", name, json.dumps(changes).encode(), **more)
    request.content_type = media
    return request


def patch(api: Api, resource: str, name: str, changes: Object, media: str = STRATEGIC, **more: Any) -> Object:
    return api.send(asked(api, resource, name, changes, media, **more)).obj()


def refuse_to_decide(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on no patch can be decided from a whole object."""

    def refuse(*_: object) -> Any:
        raise AssertionError("the patch was decided anew")

    monkeypatch.setattr(api.pipeline, "patch_anew", refuse)


def claim(name: str) -> Object:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"metadata": {"name": name}, "spec": spec}


def volume(name: str) -> Object:
    source = {"csi": {"driver": "d", "volumeHandle": "h"}}
    return {"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, **source}}


BOUND = {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}}


@pytest.mark.parametrize(
    ("resource", "make", "changes", "media"),
    [
        ("pods", pod, CONDEMN, STRATEGIC),
        ("pods", pod, {"status": {"conditions": [CONDEMNED], "nominatedNodeName": "n2"}}, MERGE_PATCH),
        ("pods", pod, {"status": {"conditions": None}}, STRATEGIC),
        ("persistentvolumeclaims", claim, {"status": BOUND}, MERGE_PATCH),
        ("persistentvolumes", volume, {"status": {"phase": "Bound"}}, MERGE_PATCH),
    ],
)
async def test_the_second_is_what_it_would_be_alone(
    api: Api, tmp_path: Path, resource: str, make: Any, changes: Object, media: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Api(tmp_path / "other")
    await other.start()
    other.pipeline.status_patches.keep = lambda *_: None  # type: ignore[method-assign]
    for each in (api, other):
        for name in ("a", "b"):
            await each.create(resource, make(name))
            if make is pod:
                await each.write("create", "pods/binding", name, {"metadata": {"name": name}, "target": {"name": f"n-{name}"}})
    for name in ("a", "b"):
        for each in (api, other):
            patch(each, resource, name, changes, media)
        here, there = (each.storage.head(each.spec(resource).key("default", name)) for each in (api, other))
        assert here is not None
        assert here == there
        refuse_to_decide(api, monkeypatch)
    other.close()


async def test_pods_that_differ_elsewhere_are_patched_alike(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.create("pods", pod("a"))
    await api.create("pods", {**pod("b", priorityClassName="system-node-critical"), "metadata": {"name": "b", "labels": {"x": "y"}}})
    patch(api, "pods", "a", CONDEMN)
    refuse_to_decide(api, monkeypatch)
    found = patch(api, "pods", "b", CONDEMN)
    assert found["status"]["conditions"] == [{**CONDEMNED, "lastProbeTime": None}]
    assert found["metadata"]["labels"] == {"x": "y"}
    assert found["spec"]["priority"] > 0


async def test_other_conditions_are_decided_anew(api: Api) -> None:
    for name in ("a", "b"):
        await api.create("pods", pod(name))
    patch(api, "pods", "a", CONDEMN)
    patch(api, "pods", "b", {"status": {"conditions": [{"type": "Ready", "status": "True"}]}})
    assert [each["type"] for each in patch(api, "pods", "b", CONDEMN)["status"]["conditions"]] == ["DisruptionTarget", "Ready"]


async def test_what_is_refused_once_is_refused_again(api: Api) -> None:
    for name in ("a", "b"):
        await api.create("pods", pod(name))
        with pytest.raises(StatusError) as failed:
            patch(api, "pods", name, {"status": {"conditions": [{"type": "no/such/type", "status": "True"}]}})
        assert reason_of(failed.value) == (422, "Invalid")


async def test_an_object_of_another_uid_is_not_patched(api: Api) -> None:
    uids = [(await api.create("persistentvolumeclaims", claim(name)))["metadata"]["uid"] for name in ("a", "b", "c")]
    patch(api, "persistentvolumeclaims", "a", {"metadata": {"uid": uids[0]}, "status": BOUND}, MERGE_PATCH)
    with pytest.raises(StatusError) as failed:
        patch(api, "persistentvolumeclaims", "b", {"metadata": {"uid": uids[0]}, "status": BOUND}, MERGE_PATCH)
    assert failed.value.reason == "Invalid"
    found = patch(api, "persistentvolumeclaims", "c", {"metadata": {"uid": uids[2]}, "status": BOUND}, MERGE_PATCH)
    assert (found["metadata"]["uid"], found["status"]) == (uids[2], BOUND)


async def test_the_uid_of_one_object_in_the_status_of_another_is_no_precondition(api: Api) -> None:
    first = await api.create("pods", pod("a"))
    await api.create("pods", pod("b"))
    patch(api, "pods", "a", {"status": {"conditions": [{**CONDEMNED, "message": first["metadata"]["uid"]}]}})
    found = patch(api, "pods", "b", {"status": {"conditions": [{**CONDEMNED, "message": "other"}]}})
    assert found["status"]["conditions"][0]["message"] == "other"


async def test_the_phase_of_a_volume_changes_at_its_own_time(api: Api) -> None:
    times = []
    for name in ("a", "b"):
        await api.create("persistentvolumes", volume(name))
        api.clock.jump(60)
        found = patch(api, "persistentvolumes", name, {"status": {"phase": "Bound"}}, MERGE_PATCH)
        times.append(found["status"]["lastPhaseTransitionTime"])
    assert times[0] != times[1]


async def test_a_patch_of_more_than_these_fields_is_decided_anew(api: Api) -> None:
    for name in ("a", "b"):
        await api.create("pods", pod(name))
    for name in ("a", "b"):
        found = patch(api, "pods", name, {"metadata": {"labels": {"name": name}}, "status": {"conditions": [CONDEMNED], "message": name}})
        assert (found["metadata"]["labels"], found["status"]["message"]) == ({"name": name}, name)
    assert not api.pipeline.status_patches.kept


async def test_a_pod_that_is_not_there_is_not_found(api: Api) -> None:
    await api.create("pods", pod("a"))
    patch(api, "pods", "a", CONDEMN)
    with pytest.raises(StatusError) as failed:
        patch(api, "pods", "b", CONDEMN)
    assert reason_of(failed.value) == (404, "NotFound")


async def test_a_manager_owns_what_it_patches_however_often(api: Api) -> None:
    for name in ("a", "b"):
        await api.create("pods", pod(name), fieldManager="c")
        found = patch(api, "pods", name, CONDEMN, fieldManager="m")
        assert [entry["manager"] for entry in found["metadata"]["managedFields"]] == ["c", "m"]


async def test_a_dry_run_changes_nothing(api: Api) -> None:
    for name in ("a", "b"):
        await api.create("pods", pod(name))
    patch(api, "pods", "a", CONDEMN)
    assert patch(api, "pods", "b", CONDEMN, dryRun=["All"])["status"]["conditions"]
    assert not api.get("pods", "b")["status"].get("conditions")


async def test_a_node_writes_the_status_of_its_own_pods_alone(api: Api) -> None:
    for name in ("a", "b"):
        await api.create("pods", pod(name, nodeName=f"n-{name}"))
    patch(api, "pods", "a", CONDEMN)
    request = asked(api, "pods", "b", CONDEMN)
    request.user = User("system:node:n-a", groups=("system:nodes", "system:authenticated"))
    request.is_permitted = True
    with pytest.raises(StatusError) as failed:
        api.send(request)
    assert reason_of(failed.value) == (403, "Forbidden")


async def test_no_more_than_a_bounded_number_is_remembered(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ALONE_PATCHES_MAX", 3)
    await api.create("pods", pod("a"))
    for number in range(10):
        found = patch(api, "pods", "a", {"status": {"conditions": [{**CONDEMNED, "message": str(number)}]}})
        assert found["status"]["conditions"][0]["message"] == str(number)
    assert len(api.pipeline.status_patches.kept) == 3
