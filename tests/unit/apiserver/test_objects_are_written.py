"""Creates, updates, patches: identity, generation, concurrency, halves of an object, dry runs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kcore.base.entropy import SeededEntropy
from kcore.machinery import timestamp
from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import Api, Object, configmap, deployment, pod, reason_of


async def test_a_new_object_gets_identity_time_and_version(api: Api) -> None:
    made = await api.create("configmaps", {"metadata": {"name": "c", "uid": "mine", "creationTimestamp": "2001-01-01T00:00:00Z"}})
    metadata = made["metadata"]
    assert metadata["uid"] != "mine"
    assert metadata["creationTimestamp"] == timestamp.format_time(api.clock.now())
    assert metadata["namespace"] == "default"
    assert int(metadata["resourceVersion"]) == api.storage.revision
    assert "generation" not in metadata


async def test_a_name_is_taken_only_once(api: Api) -> None:
    await api.create("configmaps", configmap("c"))
    with pytest.raises(StatusError) as failed:
        await api.create("configmaps", configmap("c"))
    assert reason_of(failed.value) == (409, "AlreadyExists")


async def test_a_generated_name_that_is_taken_is_generated_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter(["aaaaa", "aaaaa", "bbbbb"])
    monkeypatch.setattr(SeededEntropy, "name_suffix", lambda _: next(draws, "zzzzz"))
    first = await api.create("configmaps", {"metadata": {"generateName": "c-"}})
    second = await api.create("configmaps", {"metadata": {"generateName": "c-"}})
    assert (first["metadata"]["name"], second["metadata"]["name"]) == ("c-aaaaa", "c-bbbbb")


async def test_generating_names_ends_after_some_tries(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.server.registry.entropy, "name_suffix", lambda: "aaaaa", raising=False)
    await api.create("configmaps", {"metadata": {"generateName": "c-"}})
    with pytest.raises(StatusError) as failed:
        await api.create("configmaps", {"metadata": {"generateName": "c-"}})
    assert reason_of(failed.value) == (409, "AlreadyExists")
    assert failed.value.status["details"]["retryAfterSeconds"] == 1


async def test_a_long_generate_name_is_cut(api: Api) -> None:
    made = await api.create("configmaps", {"metadata": {"generateName": "x" * 70}})
    assert len(made["metadata"]["name"]) == 63


async def test_generation_counts_changes_of_the_spec_only(api: Api) -> None:
    made = await api.create("deployments", deployment())
    assert made["metadata"]["generation"] == 1
    made["metadata"]["labels"] = {"x": "y"}
    made = await api.update("deployments", made)
    assert made["metadata"]["generation"] == 1
    made["spec"]["replicas"] = 5
    made = await api.update("deployments", made)
    assert made["metadata"]["generation"] == 2
    made["status"] = {"replicas": 5, "observedGeneration": 2}
    assert (await api.update("deployments/status", made))["metadata"]["generation"] == 2


async def test_an_update_of_an_old_state_is_a_conflict(api: Api) -> None:
    old = await api.create("configmaps", configmap("c", a="1"))
    await api.update("configmaps", {**old, "data": {"a": "2"}})
    with pytest.raises(StatusError) as failed:
        await api.update("configmaps", {**old, "data": {"a": "3"}})
    assert reason_of(failed.value) == (409, "Conflict")
    assert api.get("configmaps", "c")["data"] == {"a": "2"}


async def test_an_update_without_a_version_is_unconditional(api: Api) -> None:
    await api.create("configmaps", configmap("c", a="1"))
    assert (await api.update("configmaps", configmap("c", a="2")))["data"] == {"a": "2"}


async def test_a_lease_is_not_updated_unconditionally(api: Api) -> None:
    await api.create("leases", {"metadata": {"name": "l"}, "spec": {"holderIdentity": "a"}})
    with pytest.raises(StatusError) as failed:
        await api.update("leases", {"metadata": {"name": "l"}, "spec": {"holderIdentity": "b"}})
    assert reason_of(failed.value) == (422, "Invalid")


async def test_an_update_of_another_object_of_the_same_name_is_a_conflict(api: Api) -> None:
    await api.create("configmaps", configmap("c"))
    with pytest.raises(StatusError) as failed:
        await api.update("configmaps", {"metadata": {"name": "c", "uid": "other"}})
    assert reason_of(failed.value) == (409, "Conflict")


async def test_an_update_creates_only_kinds_that_allow_it(api: Api) -> None:
    assert (await api.update("leases", {"metadata": {"name": "l"}, "spec": {}}))["metadata"]["uid"]
    with pytest.raises(StatusError) as failed:
        await api.update("configmaps", configmap("none"))
    assert reason_of(failed.value) == (404, "NotFound")


async def test_a_write_that_changes_nothing_keeps_the_version(api: Api) -> None:
    made = await api.create("configmaps", configmap("c", a="1"))
    revision = api.storage.revision
    assert (await api.update("configmaps", made))["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    assert (await api.patch("configmaps", "c", {"data": {"a": "1"}}))["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    assert api.storage.revision == revision


async def test_a_main_write_keeps_the_status_and_a_status_write_the_rest(api: Api) -> None:
    made = await api.create("deployments", {**deployment(), "status": {"replicas": 9}})
    assert made["status"] == {}
    written = await api.update("deployments/status", {**made, "spec": {**made["spec"], "replicas": 7}, "status": {"replicas": 2}})
    assert (written["spec"]["replicas"], written["status"]["replicas"]) == (2, 2)
    written = await api.update("deployments", {**written, "spec": {**written["spec"], "replicas": 3}, "status": {"replicas": 8}})
    assert (written["spec"]["replicas"], written["status"]["replicas"]) == (3, 2)


async def test_a_merge_patch_merges_replaces_and_removes(api: Api) -> None:
    await api.create("configmaps", configmap("c", a="1", b="2"))
    assert (await api.patch("configmaps", "c", {"data": {"a": None, "b": "3", "c": "4"}}))["data"] == {"b": "3", "c": "4"}


async def test_a_merge_patch_with_an_old_version_is_a_conflict(api: Api) -> None:
    await api.create("configmaps", configmap("c"))
    with pytest.raises(StatusError) as failed:
        await api.patch("configmaps", "c", {"metadata": {"resourceVersion": "1"}, "data": {"a": "1"}})
    assert reason_of(failed.value) == (409, "Conflict")


async def test_a_patch_of_metadata_leaves_the_stored_spec_alone(api: Api) -> None:
    await api.create("pods", pod(tolerations=[{"key": "k", "operator": "Exists"}]))
    before = api.get("pods", "p")
    after = await api.patch("pods", "p", {"metadata": {"labels": {"a": "b"}}})
    assert after["spec"] == before["spec"]
    assert after["metadata"]["generation"] == 1


async def test_a_dry_run_answers_and_stores_nothing(api: Api) -> None:
    revision = api.storage.revision
    made = await api.create("configmaps", configmap("c"), dryRun=["All"])
    assert made["metadata"]["uid"]
    assert "resourceVersion" not in made["metadata"]
    await api.create("services", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 1}]}}, dryRun=["All"])
    with pytest.raises(StatusError):
        api.get("configmaps", "c")
    assert api.storage.revision == revision
    await api.create("configmaps", configmap("c", a="1"))
    assert (await api.patch("configmaps", "c", {"data": {"a": "2"}}, dryRun=["All"]))["data"] == {"a": "2"}
    await api.delete("configmaps", "c", dryRun=["All"])
    assert api.get("configmaps", "c")["data"] == {"a": "1"}


async def test_an_object_of_another_namespace_is_refused(api: Api) -> None:
    with pytest.raises(StatusError) as failed:
        await api.create("configmaps", {"metadata": {"name": "c", "namespace": "other"}})
    assert reason_of(failed.value) == (400, "BadRequest")


async def test_bad_input_names_its_fields_and_stores_nothing(api: Api) -> None:
    revision = api.storage.revision
    with pytest.raises(StatusError) as failed:
        await api.create("pods", {"metadata": {"name": "p"}, "spec": {"containers": []}})
    assert reason_of(failed.value) == (422, "Invalid")
    assert [cause["field"] for cause in failed.value.status["details"]["causes"]] == ["spec.containers"]
    assert api.storage.revision == revision


async def test_unknown_fields_are_warned_of_or_refused(api: Api) -> None:
    body = {**configmap("c"), "colour": "red"}
    outcome = api.send(api.request("create", "configmaps", body=dict(body)))
    assert outcome.warnings == ['unknown field "colour"']
    with pytest.raises(StatusError) as failed:
        await api.create("configmaps", {**body, "metadata": {"name": "d"}}, fieldValidation="Strict")
    assert failed.value.message.endswith('strict decoding error: unknown field "colour"')


async def test_writes_see_what_is_not_durable_yet(api: Api) -> None:
    first = api.send(api.request("create", "configmaps", body=configmap("c", a="1")))
    second = api.send(api.request("update", "configmaps", "c", configmap("c", a="2")))
    with pytest.raises(StatusError):
        api.get("configmaps", "c")
    assert first.submission is not None and second.submission is not None
    await second.submission.durable()
    assert api.get("configmaps", "c")["data"] == {"a": "2"}


async def test_an_error_shows_an_empty_list_where_one_was_written_and_null_where_there_was_none(api: Api) -> None:
    body = deployment()
    for given, shown in (({}, "{}"), (None, "null")):
        body["spec"]["template"]["metadata"]["labels"] = given
        text = json.dumps(body).encode()
        with pytest.raises(StatusError) as failed:
            await api.write("create", "deployments", body=text)
        assert failed.value.message.endswith(f"labels: Invalid value: {shown}: `selector` does not match template `labels`")


async def test_a_kind_that_names_its_objects_calls_one_without_name_by_a_uid(api: Api) -> None:
    made = await api.create("limitranges", {"metadata": {}, "spec": {"limits": []}})
    assert len(made["metadata"]["name"]) == len(made["metadata"]["uid"])
    assert made["metadata"]["name"] != made["metadata"]["uid"]


async def test_a_volume_says_since_when_it_is_in_its_phase(api: Api) -> None:
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/a"}}
    made = await api.create("persistentvolumes", {"metadata": {"name": "v"}, "spec": spec})
    assert made["status"] == {"phase": "Pending", "lastPhaseTransitionTime": made["metadata"]["creationTimestamp"]}
    api.clock.jump(60)
    later = timestamp.format_time(api.clock.now())
    made["status"]["phase"] = "Available"
    made = await api.update("persistentvolumes/status", made)
    assert made["status"] == {"phase": "Available", "lastPhaseTransitionTime": later}
    api.clock.jump(60)
    made["status"]["message"] = "m"
    assert (await api.update("persistentvolumes/status", made))["status"]["lastPhaseTransitionTime"] == later


async def test_labels_count_as_a_change_of_an_endpoint_slice(api: Api) -> None:
    spec = {"addressType": "IPv4", "endpoints": [{"addresses": ["10.1.1.1"]}]}
    assert (await api.create("endpointslices", {"metadata": {"name": "e"}, **spec}))["metadata"]["generation"] == 1
    for _ in range(2):
        labelled = await api.update("endpointslices", {"metadata": {"name": "e", "labels": {"x": "y"}}, **spec})
        assert labelled["metadata"]["generation"] == 2


async def test_unknown_fields_are_warned_of_even_if_the_object_is_refused(api: Api) -> None:
    with pytest.raises(StatusError) as failed:
        await api.write("create", "services", body=b'{"metadata": {"name": "s"}, "spec": {"foo": 1}}')
    assert failed.value.warnings == ['unknown field "spec.foo"']


async def test_the_first_update_stores_what_kubernetes_fills_in_only_when_it_reads(api: Api) -> None:
    def job(**metadata: Any) -> Object:
        template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x:1"}]}}
        return {"metadata": metadata, "spec": {"template": template}}

    made = await api.create("jobs", job(name="j"))
    first = await api.patch("jobs", "j", {"status": {"active": 1}})
    assert first["metadata"]["resourceVersion"] > made["metadata"]["resourceVersion"]
    assert {**first, "metadata": None} == {**made, "metadata": None}
    assert (await api.patch("jobs", "j", {"status": {"active": 1}})) == first
    labelled = await api.create("jobs", job(name="k", labels={"a": "b"}))
    assert (await api.patch("jobs", "k", {"status": {"active": 1}})) == labelled


async def test_a_dry_run_of_a_first_update_stores_nothing(api: Api) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    made = await api.create("persistentvolumeclaims", {"metadata": {"name": "c"}, "spec": spec})
    assert (await api.patch("persistentvolumeclaims", "c", {"status": {"phase": "Bound"}}, dryRun=["All"])) == made
    assert api.get("persistentvolumeclaims", "c") == made


async def test_an_autoscaler_without_any_policy_where_it_tells_of_policies_is_refused(api: Api) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
    spec = {"maxReplicas": 2, "scaleTargetRef": target, "behavior": {"scaleDown": {"policies": []}}}
    with pytest.raises(StatusError) as failed:
        await api.create("horizontalpodautoscalers@v2.autoscaling", {"metadata": {"name": "h"}, "spec": spec})
    assert failed.value.message.endswith("spec.behavior.scaleDown.policies: Required value: must specify at least one Policy")
