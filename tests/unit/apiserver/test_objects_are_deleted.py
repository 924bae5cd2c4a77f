"""Deletion: grace, finalizers, preconditions, propagation, collections, namespaces."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.apiserver.objects import encode
from kcore.machinery import timestamp
from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import Api, Object, configmap, names_of, pod, reason_of


def is_there(api: Api, resource: str, name: str) -> bool:
    spec = api.spec(resource)
    return api.server.hub.get(spec.storage, spec.key("default", name)) is not None


def seconds_left(api: Api, obj: Object) -> float:
    return timestamp.parse_time(obj["metadata"]["deletionTimestamp"]) - int(api.clock.now())


async def test_an_unscheduled_pod_goes_at_once(api: Api) -> None:
    await api.create("pods", pod())
    gone = await api.delete("pods", "p")
    assert (gone["metadata"]["deletionGracePeriodSeconds"], seconds_left(api, gone)) == (0, 0)
    assert not is_there(api, "pods", "p")


async def test_a_scheduled_pod_gets_its_grace_period_once(api: Api) -> None:
    await api.create("pods", pod(nodeName="n1", terminationGracePeriodSeconds=20))
    going = await api.delete("pods", "p")
    assert (going["metadata"]["deletionGracePeriodSeconds"], seconds_left(api, going)) == (20, 20)
    assert going["metadata"]["generation"] == 2
    api.clock.jump(5)
    again = await api.delete("pods", "p")
    assert again["metadata"]["resourceVersion"] == going["metadata"]["resourceVersion"]


async def test_a_second_deletion_may_shorten_but_not_lengthen(api: Api) -> None:
    await api.create("pods", pod(nodeName="n1"))
    await api.delete("pods", "p", body={"gracePeriodSeconds": 60})
    api.clock.jump(10)
    shorter = await api.delete("pods", "p", body={"gracePeriodSeconds": 30})
    assert (shorter["metadata"]["deletionGracePeriodSeconds"], seconds_left(api, shorter)) == (30, 20)
    longer = await api.delete("pods", "p", body={"gracePeriodSeconds": 90})
    assert longer["metadata"]["resourceVersion"] == shorter["metadata"]["resourceVersion"]
    await api.delete("pods", "p", body={"gracePeriodSeconds": 0})
    assert not is_there(api, "pods", "p")


async def test_a_finished_pod_goes_at_once(api: Api) -> None:
    await api.create("pods", pod(nodeName="n1"))
    await api.patch("pods/status", "p", {"status": {"phase": "Succeeded"}})
    await api.delete("pods", "p")
    assert not is_there(api, "pods", "p")


async def test_a_finalizer_holds_an_object_until_it_is_removed(api: Api) -> None:
    await api.create("configmaps", {"metadata": {"name": "c", "finalizers": ["example.com/f"]}})
    going = await api.delete("configmaps", "c")
    assert going["metadata"]["deletionTimestamp"]
    with pytest.raises(StatusError) as failed:
        await api.patch("configmaps", "c", {"metadata": {"finalizers": ["example.com/f", "example.com/g"]}})
    assert reason_of(failed.value) == (422, "Invalid")
    with pytest.raises(StatusError) as failed:
        await api.create("configmaps", configmap("c"))
    assert failed.value.message == 'object is being deleted: configmaps "c" already exists'
    await api.patch("configmaps", "c", {"metadata": {"finalizers": None}})
    assert not is_there(api, "configmaps", "c")


async def test_a_terminating_pod_with_a_finalizer_waits_for_both(api: Api) -> None:
    await api.create("pods", {**pod(nodeName="n1"), "metadata": {"name": "p", "finalizers": ["example.com/f"]}})
    await api.delete("pods", "p")
    await api.patch("pods", "p", {"metadata": {"finalizers": None}})
    assert is_there(api, "pods", "p")
    await api.delete("pods", "p", body={"gracePeriodSeconds": 0})
    assert not is_there(api, "pods", "p")


@pytest.mark.parametrize("wanted", [{"uid": "other"}, {"resourceVersion": "1"}])
async def test_preconditions_keep_another_object_alive(api: Api, wanted: Object) -> None:
    made = await api.create("configmaps", configmap("c"))
    with pytest.raises(StatusError) as failed:
        await api.delete("configmaps", "c", body={"preconditions": wanted})
    assert reason_of(failed.value) == (409, "Conflict")
    right = {"uid": made["metadata"]["uid"], "resourceVersion": made["metadata"]["resourceVersion"]}
    await api.delete("configmaps", "c", body={"preconditions": right})
    assert not is_there(api, "configmaps", "c")


@pytest.mark.parametrize(
    ("options", "finalizers"),
    [
        ({"propagationPolicy": "Foreground"}, ["foregroundDeletion"]),
        ({"propagationPolicy": "Orphan"}, ["orphan"]),
        ({"orphanDependents": True}, ["orphan"]),
    ],
)
async def test_propagation_is_written_as_a_finalizer(api: Api, options: Object, finalizers: list[str]) -> None:
    await api.create("configmaps", configmap("c"))
    going = await api.delete("configmaps", "c", body=options)
    assert going["metadata"]["finalizers"] == finalizers
    await api.delete("configmaps", "c", body={"propagationPolicy": "Background"})
    assert not is_there(api, "configmaps", "c")


@pytest.mark.parametrize(
    ("options", "finalizers"),
    [({}, ["orphan"]), ({"propagationPolicy": "Foreground"}, ["foregroundDeletion"]), ({"propagationPolicy": "Background"}, None)],
)
async def test_a_replication_controller_leaves_its_pods_unless_told(api: Api, options: Object, finalizers: list[str] | None) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    await api.create("replicationcontrollers", {"metadata": {"name": "r"}, "spec": {"template": template}})
    gone = await api.delete("replicationcontrollers", "r", body=options)
    assert gone["metadata"].get("finalizers") == finalizers
    assert is_there(api, "replicationcontrollers", "r") == (finalizers is not None)


async def test_contradicting_delete_options_are_refused(api: Api) -> None:
    await api.create("configmaps", configmap("c"))
    for options in ({"propagationPolicy": "Foreground", "orphanDependents": True}, {"propagationPolicy": "Gently"}):
        with pytest.raises(StatusError) as failed:
            await api.delete("configmaps", "c", body=options)
        assert reason_of(failed.value) == (422, "Invalid")


async def test_a_deleted_object_is_gone_for_everybody(api: Api) -> None:
    with pytest.raises(StatusError) as failed:
        await api.delete("configmaps", "none")
    assert reason_of(failed.value) == (404, "NotFound")


async def delete_collection(api: Api, resource: str, body: Any = None, **options: Any) -> Object:
    request = api.request("deletecollection", resource, body=body, **options)
    outcome = api.send(request)
    if outcome.submission is not None:
        await outcome.submission.durable()
    return outcome.obj()


async def test_a_collection_is_deleted_by_selector(api: Api) -> None:
    for name, label in (("a", "x"), ("b", "y"), ("c", "x")):
        await api.create("configmaps", {"metadata": {"name": name, "labels": {"l": label}}})
    deleted = await delete_collection(api, "configmaps", labelSelector="l=x")
    assert names_of(deleted) == ["a", "c"]
    assert names_of(await api.list("configmaps")) == ["b"]


async def test_a_collection_of_nothing_is_an_empty_list(api: Api) -> None:
    assert (await delete_collection(api, "configmaps"))["items"] == []


async def test_a_namespace_terminates_until_it_is_finalized(api: Api) -> None:
    made = await api.create("namespaces", {"metadata": {"name": "n"}})
    assert (made["spec"], made["status"]) == ({"finalizers": ["kubernetes"]}, {"phase": "Active"})
    going = await api.delete("namespaces", "n")
    assert going["status"]["phase"] == "Terminating"
    with pytest.raises(StatusError) as failed:
        await api.create("configmaps", configmap("c"), namespace="n")
    assert reason_of(failed.value) == (403, "Forbidden")
    assert failed.value.status["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    final = {**going, "spec": {"finalizers": []}}
    await api.update("namespaces/finalize", final)
    assert not is_there(api, "namespaces", "n")


async def test_what_finalizes_a_namespace_says_its_metadata_too(api: Api) -> None:
    await api.create("namespaces", {"metadata": {"name": "n", "labels": {"a": "b"}, "finalizers": ["example.com/f"]}})
    await api.delete("namespaces", "n")
    await api.update("namespaces/finalize", {"metadata": {"name": "n", "finalizers": ["example.com/f"]}, "spec": {"finalizers": ["x/y"]}})
    left = api.get("namespaces", "n")
    assert left["metadata"]["labels"] == {"kubernetes.io/metadata.name": "n"} and left["metadata"]["finalizers"] == ["example.com/f"]
    await api.update("namespaces/finalize", {"metadata": {"name": "n"}, "spec": {}})
    assert not is_there(api, "namespaces", "n")


async def test_a_namespace_that_another_was_meant_for_stays(api: Api) -> None:
    await api.create("namespaces", {"metadata": {"name": "n"}})
    with pytest.raises(StatusError) as failed:
        await api.delete("namespaces", "n", preconditions={"uid": "other"})
    assert "Precondition failed: UID in precondition: other, UID in object meta: " in failed.value.message
    assert is_there(api, "namespaces", "n")


async def test_nothing_is_created_in_a_namespace_that_is_not_there(api: Api) -> None:
    with pytest.raises(StatusError) as failed:
        await api.create("configmaps", configmap("c"), namespace="none")
    assert reason_of(failed.value) == (404, "NotFound")


async def test_system_namespaces_are_not_deleted(api: Api) -> None:
    for name in ("default", "kube-system", "kube-public"):
        with pytest.raises(StatusError) as failed:
            await api.delete("namespaces", name)
        assert reason_of(failed.value) == (403, "Forbidden")


async def test_deleting_a_collection_of_jobs_says_once_that_pods_stay_unless_it_is_said_what_becomes_of_them(api: Api) -> None:
    doubts = api.send(api.request("deletecollection", "jobs")).all_warnings()
    assert [text.partition(";")[0] for text in doubts] == ["child pods are preserved by default when jobs are deleted"]
    assert api.send(api.request("deletecollection", "jobs", propagationPolicy="Orphan")).all_warnings() == []


async def test_a_collection_is_deleted_whole_where_the_limit_is_no_number_of_objects(api: Api) -> None:
    for name in "ab":
        await api.create("configmaps", {"metadata": {"name": name}})
    await api.write("deletecollection", "configmaps", limit=-1)
    assert (await api.list("configmaps"))["items"] == []


async def test_a_deletion_writes_what_encoding_the_whole_object_would(api: Api) -> None:
    annotated: Object = {"finalizers": ["example.com/f"], "annotations": {"a": "b"}, "generateName": "x"}
    await api.create("pods", {**pod(nodeName="n1"), "metadata": {"name": "p", **annotated}}, fieldManager="m")
    await api.create("configmaps", {"metadata": {"name": "p", **annotated}, "data": {"k": "v"}}, fieldManager="m")
    for resource, body in (
        ("pods", {"gracePeriodSeconds": 60}), ("pods", {"gracePeriodSeconds": 5}), ("pods", {"gracePeriodSeconds": 0}), ("configmaps", {}),
        ("configmaps", {"propagationPolicy": "Foreground"}),
    ):  # fmt: skip
        await api.delete(resource, "p", body=body)
        kept = api.pipeline.registry.head(api.spec(resource), "default", "p")
        assert kept is not None
        assert kept.raw == encode(kept.spec, kept.obj())
    assert api.get("pods", "p")["metadata"]["deletionGracePeriodSeconds"] == 0
    assert api.get("configmaps", "p")["metadata"]["finalizers"] == ["example.com/f", "foregroundDeletion"]
