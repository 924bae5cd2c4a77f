"""Kinds that are served in two versions and stored in one: each request speaks its own."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.machinery import codec
from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import Api, names_of

V1, V2 = "horizontalpodautoscalers@v1.autoscaling", "horizontalpodautoscalers"
NEW, CORE = "events@v1.events.k8s.io", "events"


def autoscaler(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "h"}, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"},
                                                "maxReplicas": 3, **spec}}  # fmt: skip


def event(name: str = "e", reporter: str = "a.b/c") -> dict[str, Any]:
    return {"metadata": {"name": name}, "regarding": {"kind": "Pod", "namespace": "default", "name": "p"}, "action": "Act", "reason": "R",
            "reportingController": reporter, "reportingInstance": "i", "eventTime": "2024-01-01T00:00:00.000000Z",
            "type": "Normal", "note": "n"}  # fmt: skip


async def test_an_object_is_stored_in_one_version_and_answered_in_that_of_the_request(api: Api) -> None:
    made = await api.create(V1, autoscaler(targetCPUUtilizationPercentage=60))
    assert made["apiVersion"] == "autoscaling/v1"
    assert made["spec"]["targetCPUUtilizationPercentage"] == 60
    kept = api.storage.head(api.spec(V2).key("default", "h"))
    assert kept is not None
    assert codec.open_envelope(kept.value)[0] == "autoscaling/v2"
    metrics = api.get(V2, "h")["spec"]["metrics"]
    assert metrics[0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 60}
    assert api.get(V1, "h") == made


async def test_defaults_of_the_stored_version_show_in_the_other(api: Api) -> None:
    made = await api.create(V1, autoscaler())
    assert made["spec"]["minReplicas"] == 1
    assert made["spec"]["targetCPUUtilizationPercentage"] == 80


async def test_a_patch_and_an_update_are_about_the_version_of_the_request(api: Api) -> None:
    await api.create(V2, autoscaler())
    patched = await api.patch(V1, "h", {"spec": {"targetCPUUtilizationPercentage": 5}})
    assert patched["metadata"]["generation"] == 2
    patched["spec"]["maxReplicas"] = 9
    await api.update(V1, patched)
    spec = api.get(V2, "h")["spec"]
    assert spec["maxReplicas"] == 9
    assert spec["metrics"][0]["resource"]["target"]["averageUtilization"] == 5


async def test_a_status_written_in_v1_leaves_the_spec_alone(api: Api) -> None:
    made = await api.create(V1, autoscaler())
    made["spec"]["maxReplicas"] = 9
    made["status"] = {"currentReplicas": 1, "desiredReplicas": 2, "currentCPUUtilizationPercentage": 40}
    answered = await api.update(f"{V1}/status", made)
    assert answered["spec"]["maxReplicas"] == 3
    assert answered["status"]["currentCPUUtilizationPercentage"] == 40
    assert api.get(V2, "h")["status"]["currentMetrics"][0]["resource"]["current"] == {"averageUtilization": 40}


async def test_lists_and_watches_speak_the_version_of_the_request(api: Api) -> None:
    watch = api.watch(NEW)
    await api.create(NEW, event())
    event_type, seen = await watch.next()
    assert (event_type, seen["note"], seen["regarding"]["name"]) == ("ADDED", "n", "p")
    assert (await api.list(NEW))["items"][0]["deprecatedSource"] == {}
    assert (await api.list(CORE))["items"][0]["message"] == "n"


async def test_fields_are_selected_by_the_names_of_the_version(api: Api) -> None:
    await api.create(NEW, event("a"))
    await api.create(NEW, event("b", "x.y/z"))
    assert names_of(await api.list(NEW, fieldSelector="reportingController=x.y/z,regarding.name=p")) == ["b"]
    assert names_of(await api.list(CORE, fieldSelector="reportingComponent=x.y/z")) == ["b"]
    with pytest.raises(StatusError, match=r"field label not supported: involvedObject\.name"):
        await api.list(NEW, fieldSelector="involvedObject.name=p")


async def test_each_version_has_its_rules_and_its_group_in_what_it_refuses(api: Api) -> None:
    await api.create(CORE, {"metadata": {"name": "old"}, "involvedObject": {"namespace": "default"}})
    with pytest.raises(StatusError, match=r'Event "e" is invalid: eventTime: Required value'):
        await api.create(NEW, {**event(), "eventTime": None})
    with pytest.raises(StatusError, match=r'events\.events\.k8s\.io "none" not found'):
        api.get(NEW, "none")
    with pytest.raises(StatusError, match=r'events\.events\.k8s\.io "old" already exists'):
        await api.create(NEW, event("old"))


async def test_a_collection_deleted_in_one_version_is_listed_in_it(api: Api) -> None:
    await api.create(NEW, event())
    gone = await api.write("deletecollection", NEW)
    assert gone["kind"] == "EventList"
    assert gone["items"][0]["note"] == "n"
    assert (await api.list(CORE))["items"] == []
