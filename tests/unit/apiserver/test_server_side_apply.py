"""Server-side apply as requests, and who owns what after other writes: creation, conflicts, subresources, dry runs, upgrades."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kcore.machinery.request import manager_of
from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import MERGE_PATCH, Api, configmap, deployment, pod, reason_of

APPLY = "application/apply-patch+yaml"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
Object = dict[str, Any]


def of(kind: str, obj: Object, api_version: str = "v1") -> Object:
    return {"apiVersion": api_version, "kind": kind, **obj}


def config(**data: str) -> Object:
    return of("ConfigMap", configmap("c", **data))


async def applied(api: Api, wanted: Object | bytes, manager: str = "m", resource: str = "configmaps", **options: Any) -> Object:
    body = wanted if isinstance(wanted, bytes) else json.dumps(wanted).encode()
    name = options.pop("name", "") or (wanted["metadata"]["name"] if isinstance(wanted, dict) else "c")
    return await api.write("patch", resource, name, body, content_type=APPLY, fieldManager=manager, **options)


def owners(obj: Object) -> dict[str, Any]:
    """What each manager owns, by name (and subresource)."""
    entries = obj["metadata"].get("managedFields") or []
    return {"/".join(filter(None, (entry["manager"], entry.get("subresource")))): entry["fieldsV1"] for entry in entries}


async def test_apply_creates_then_changes_and_then_does_nothing(api: Api) -> None:
    request = api.request("patch", "configmaps", "c", json.dumps(config(a="1")).encode(), fieldManager="m")
    request.content_type = APPLY
    made = api.send(request)
    assert made.created
    changed = await applied(api, config(a="2"))
    assert changed["data"] == {"a": "2"}
    assert owners(changed) == {"m": {"f:data": {"f:a": {}}}}
    api.clock.jump(5)
    assert await applied(api, config(a="2")) == changed


async def test_a_dry_run_says_what_would_be_and_stores_nothing(api: Api) -> None:
    assert (await applied(api, config(a="1"), dryRun=["All"]))["data"] == {"a": "1"}
    with pytest.raises(StatusError) as missing:
        api.get("configmaps", "c")
    assert missing.value.code == 404


async def test_what_another_manager_owns_is_changed_by_force_only(api: Api) -> None:
    await applied(api, config(a="1"), "one")
    with pytest.raises(StatusError) as caught:
        await applied(api, config(a="2"), "two")
    assert reason_of(caught.value) == (409, "Conflict")
    assert caught.value.message == 'Apply failed with 1 conflict: conflict with "one": .data.a'
    assert caught.value.status["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "one"', "field": ".data.a"}
    ]
    assert owners(await applied(api, config(a="2"), "two", force=True)) == {"two": {"f:data": {"f:a": {}}}}


async def test_what_two_apply_goes_when_the_last_of_them_leaves_it_out(api: Api) -> None:
    await applied(api, config(a="1", b="1"), "one")
    await applied(api, config(a="1"), "two")
    assert (await applied(api, config(b="1"), "one"))["data"] == {"a": "1", "b": "1"}
    assert (await applied(api, config(), "two"))["data"] == {"b": "1"}


async def test_unknown_fields_are_refused_whatever_the_field_validation(api: Api) -> None:
    for validation in ("Strict", "Warn", "Ignore"):
        with pytest.raises(StatusError) as caught:
            await applied(api, {**config(), "foo": 1}, fieldValidation=validation)
        assert reason_of(caught.value) == (500, "")
        assert caught.value.message == "failed to create typed patch object (/c; /v1, Kind=ConfigMap): .foo: field not declared in schema"


async def test_doubled_keys_warn_or_are_refused(api: Api) -> None:
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  a: x\n  a: y\n"
    with pytest.raises(StatusError) as caught:
        await applied(api, text, fieldValidation="Strict")
    assert caught.value.message.endswith('yaml: unmarshal errors:\n  line 6: key "a" already set in map')
    request = api.request("patch", "configmaps", "c", b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","name":"c"}}')
    request.content_type, request.options = APPLY, {"fieldManager": "m"}
    assert api.send(request).all_warnings() == ['line 1: key "name" already set in map']


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"[", "error decoding patch: error converting YAML to JSON: yaml: line 1: did not find expected node content"),
        (b"- a", "error decoding patch: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type "
         "map[string]interface {}"),
        (b"", "invalid object type: /, Kind="),
        (b"kind: Secret\napiVersion: v1", "invalid object type: /v1, Kind=Secret"),
        (b"kind: ConfigMap\napiVersion: v1\nmetadata: {managedFields: []}", "metadata.managedFields must be nil"),
        (b"kind: ConfigMap\napiVersion: v1", "the name of the object (c based on URL) was undeterminable: name must be provided"),
        (b"kind: ConfigMap\napiVersion: v1\nmetadata: {name: d}", "the name of the object (d) does not match the name on the URL (c)"),
    ],
)  # fmt: skip
async def test_what_is_no_configuration_of_the_object_is_refused(api: Api, body: bytes, sentence: str) -> None:
    with pytest.raises(StatusError) as caught:
        await applied(api, body)
    assert reason_of(caught.value) == (400, "BadRequest")
    assert caught.value.message == sentence


async def test_an_apply_that_means_an_object_which_is_gone_is_refused(api: Api) -> None:
    with pytest.raises(StatusError) as caught:
        await applied(api, of("ConfigMap", {"metadata": {"name": "c", "uid": "u"}}))
    assert reason_of(caught.value) == (409, "Conflict")
    with pytest.raises(StatusError) as missing:
        await applied(api, of("Pod", pod()), resource="pods/status")
    assert missing.value.code == 404


async def test_a_value_that_the_kind_cannot_hold_is_said_to_be_none(api: Api) -> None:
    wanted = of("Deployment", deployment(), "apps/v1")
    wanted["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "much"}}
    with pytest.raises(StatusError) as caught:
        await applied(api, wanted, resource="deployments")
    place = "failed to convert new object (/d; apps/v1, Kind=Deployment) to proper version"
    sentence = f"{place}: unable to convert unstructured object to apps/v1, Kind=Deployment: quantities must match the regular expression"
    assert reason_of(caught.value) == (500, "")
    assert caught.value.message.startswith(sentence)


@pytest.mark.parametrize("depth", [400, 900, 5000])
async def test_a_configuration_that_nests_too_deep_is_refused(api: Api, depth: int) -> None:
    nested = b'{"a":' * depth + b"1" + b"}" * depth
    for head in (b'"apiVersion":"v1","kind":"ConfigMap"', b'"apiVersion":"apps/v1","kind":"ControllerRevision","revision":1'):
        resource = "configmaps" if b"ConfigMap" in head else "controllerrevisions"
        with pytest.raises(StatusError) as caught:
            await applied(api, b"{" + head + b',"metadata":{"name":"c"},"data":' + nested + b"}", resource=resource, name="c")
        assert reason_of(caught.value) == (400, "BadRequest")


async def test_timestamps_and_numeric_keys_of_yaml_are_texts(api: Api) -> None:
    made = await applied(api, b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, annotations: {1: 'x'}}\n")
    assert made["metadata"]["annotations"] == {"1": "x"}


async def test_a_write_without_a_manager_leaves_the_managers_as_they_stand(api: Api) -> None:
    made = await applied(api, config(a="1"))
    changed = await api.patch("configmaps", "c", {"data": {"a": "2"}, "metadata": {"managedFields": []}})
    assert changed["metadata"]["managedFields"] == made["metadata"]["managedFields"]
    assert "managedFields" not in (await api.create("configmaps", configmap("d", a="1")))["metadata"]


async def test_a_create_owns_its_defaults_and_an_update_what_it_changes(api: Api) -> None:
    made = await api.create("pods", pod(), fieldManager="kubectl")
    container = owners(made)["kubectl"]["f:spec"]["f:containers"]['k:{"name":"c"}']
    assert container == {
        ".": {}, "f:image": {}, "f:imagePullPolicy": {}, "f:name": {}, "f:resources": {}, "f:terminationMessagePath": {},
        "f:terminationMessagePolicy": {},
    }  # fmt: skip
    changed = await api.patch("pods", "p", {"metadata": {"labels": {"a": "b"}}}, fieldManager="other")
    assert owners(changed)["other"] == {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}}
    assert owners(changed)["kubectl"] == owners(made)["kubectl"]


async def test_the_default_manager_is_the_program_of_the_user_agent(api: Api) -> None:
    request = api.request("create", "configmaps", "", configmap("c", a="1"))
    request.manager = manager_of("kubectl/v1.37.2 (linux/amd64)")
    assert owners(api.send(request).obj()) == {"kubectl": {"f:data": {".": {}, "f:a": {}}}}
    assert [manager_of(""), manager_of("x" * 200), manager_of("a\tb/1")] == ["unknown", "x" * 128, "ab"]


async def test_status_and_spec_are_owned_through_their_own_parts(api: Api) -> None:
    wanted = of("Deployment", deployment(), "apps/v1")
    made = await applied(api, {**wanted, "status": {"replicas": 7}}, resource="deployments")
    assert "f:status" not in owners(made)["m"]
    both = {**wanted, "status": {"replicas": 2}}
    changed = await applied(api, both, "ctl", "deployments/status", name="d")
    assert owners(changed)["ctl/status"] == {"f:status": {"f:replicas": {}}}
    assert changed["status"]["replicas"] == 2


async def test_replicas_that_are_scaled_belong_to_who_scaled(api: Api) -> None:
    await applied(api, of("Deployment", deployment(), "apps/v1"), resource="deployments")
    await api.write("patch", "deployments/scale", "d", {"spec": {"replicas": 5}}, content_type=MERGE_PATCH, fieldManager="hpa")
    found = owners(api.get("deployments", "d"))
    assert found["hpa/scale"] == {"f:spec": {"f:replicas": {}}}
    assert "f:replicas" not in found["m"]["f:spec"]
    with pytest.raises(StatusError) as caught:
        await applied(api, of("Deployment", deployment(), "apps/v1"), resource="deployments")
    assert caught.value.message.endswith('conflict with "hpa" with subresource "scale" using apps/v1: .spec.replicas')
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "d"}, "spec": {"replicas": 1}}
    assert (await applied(api, scale, "sc", "deployments/scale", force=True))["spec"] == {"replicas": 1}
    assert owners(api.get("deployments", "d"))["sc/scale"] == {"f:spec": {"f:replicas": {}}}


async def test_the_list_of_managers_may_be_set_and_forgotten_but_not_spoiled(api: Api) -> None:
    await api.create("configmaps", configmap("c", a="1"), fieldManager="m")
    entry = {"manager": "hand", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:a": {}}}}
    by_hand = await api.patch("configmaps", "c", {"metadata": {"managedFields": [entry]}}, fieldManager="m")
    assert by_hand["metadata"]["managedFields"] == [entry]
    spoiled = await api.patch("configmaps", "c", {"metadata": {"managedFields": [{**entry, "operation": "Bad"}]}}, fieldManager="m")
    assert spoiled == by_hand
    forgotten = await api.patch("configmaps", "c", {"metadata": {"managedFields": []}}, fieldManager="m")
    assert "managedFields" not in forgotten["metadata"]
    again = await applied(api, config(b="2"))
    assert owners(again) == {"m": {"f:data": {"f:b": {}}}, "before-first-apply": {"f:data": {".": {}, "f:a": {}}}}


async def test_kubectl_takes_over_what_it_applied_on_the_client_side(api: Api) -> None:
    text = json.dumps(config(a="1"))
    given = {"metadata": {"name": "c", "annotations": {LAST_APPLIED: text}}, "data": {"a": "1", "b": "1"}}
    await api.create("configmaps", given, fieldManager="kubectl-client-side-apply")
    with pytest.raises(StatusError) as caught:
        await applied(api, config(a="2", b="2"), "kubectl")
    assert caught.value.message == 'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .data.b'
    changed = await applied(api, config(a="2"), "kubectl")
    assert changed["data"] == {"a": "2", "b": "1"}
    assert json.loads(changed["metadata"]["annotations"][LAST_APPLIED]) == config(a="2")


async def test_of_more_than_ten_managers_that_update_the_oldest_become_one(api: Api) -> None:
    await api.create("configmaps", configmap("c", k="0"), fieldManager="m0")
    for number in range(1, 12):
        api.clock.jump(1)
        changed = await api.patch("configmaps", "c", {"data": {f"k{number}": "x"}}, fieldManager=f"m{number}")
    assert len(owners(changed)) == 10
    assert owners(changed)["ancient-changes"] == {"f:data": {".": {}, "f:k": {}, "f:k1": {}, "f:k2": {}}}
    assert "m3" in owners(changed)


async def test_managers_speak_of_the_version_in_which_they_write(api: Api) -> None:
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
    spec = {"scaleTargetRef": target, "maxReplicas": 3, "metrics": [metric]}
    newer = of("HorizontalPodAutoscaler", {"metadata": {"name": "h"}, "spec": spec}, "autoscaling/v2")
    await applied(api, newer, "two", "horizontalpodautoscalers")
    older = {"scaleTargetRef": target, "maxReplicas": 3, "targetCPUUtilizationPercentage": 70}
    older = of("HorizontalPodAutoscaler", {"metadata": {"name": "h"}, "spec": older}, "autoscaling/v1")
    with pytest.raises(StatusError) as caught:
        await applied(api, older, "one", "horizontalpodautoscalers@v1.autoscaling")
    assert caught.value.message == 'Apply failed with 1 conflict: conflict with "two": .spec.metrics'
    changed = await applied(api, older, "one", "horizontalpodautoscalers@v1.autoscaling", force=True)
    assert owners(changed)["one"]["f:spec"]["f:targetCPUUtilizationPercentage"] == {}
    assert "f:metrics" not in owners(changed)["two"]["f:spec"]


async def test_who_gives_an_empty_list_that_is_always_shown_owns_it(api: Api) -> None:
    for name, limits, owned in ((b"told", b"[ ]", {"m": {"f:spec": {"f:limits": {}}}}), (b"silent", b"null", {})):
        body = b'{"metadata": {"name": "%s"}, "spec": {"limits": %s}}' % (name, limits)
        made = await api.write("create", "limitranges", body=body, fieldManager="m")
        assert made["spec"] == {"limits": None}
        assert owners(made) == owned


async def test_a_resize_owns_whatever_it_sends(api: Api) -> None:
    made = await api.create("pods", pod(), fieldManager="m")
    changes = {"metadata": {"labels": {"a": "b"}}}
    changed = await api.patch("pods/resize", "p", changes, fieldManager="m")
    assert owners(changed)["m/resize"] == {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}}
    assert "labels" not in changed["metadata"]
    assert changed["metadata"]["resourceVersion"] > made["metadata"]["resourceVersion"]
