"""Binding, eviction, scale, ephemeral containers, resize, approval."""

from __future__ import annotations

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import Api, Object, deployment, node, pod, reason_of, service


def binding(name: str = "p", target: str = "n1", **metadata: object) -> Object:
    return {"metadata": {"name": name, **metadata}, "target": {"kind": "Node", "name": target}}


async def test_a_binding_assigns_a_pod_to_a_node(api: Api) -> None:
    await api.create("nodes", node("n1", **{"topology.kubernetes.io/zone": "z1", "other": "x"}))
    await api.create("pods", pod())
    answer = await api.create("pods/binding", binding(labels={"l": "m"}, annotations={"a": "b"}))
    assert answer["status"] == "Success"
    bound = api.get("pods", "p")
    assert bound["spec"]["nodeName"] == "n1"
    assert bound["metadata"]["labels"] == {"l": "m", "topology.kubernetes.io/zone": "z1"}
    assert bound["metadata"]["annotations"] == {"a": "b"}
    scheduled = bound["status"]["conditions"][0]
    assert (scheduled["type"], scheduled["status"]) == ("PodScheduled", "True")
    assert "observedGeneration" not in scheduled


async def test_a_binding_clears_the_nomination_and_the_failed_condition(api: Api) -> None:
    await api.create("pods", pod())
    failed = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    await api.patch("pods/status", "p", {"status": {"nominatedNodeName": "n9", "conditions": [failed]}})
    await api.create("pods/binding", binding())
    state = api.get("pods", "p")["status"]
    assert "nominatedNodeName" not in state
    assert [(c["type"], c["status"]) for c in state["conditions"]] == [("PodScheduled", "True")]
    assert "reason" not in state["conditions"][0]


async def test_a_pod_is_bound_once(api: Api) -> None:
    await api.create("pods", pod())
    await api.create("pods/binding", binding())
    with pytest.raises(StatusError) as failed:
        await api.create("pods/binding", binding(target="n2"))
    assert reason_of(failed.value) == (409, "Conflict")
    assert failed.value.message.endswith('pod p is already assigned to node "n1"')


async def test_a_binding_of_another_pod_of_the_name_is_a_conflict(api: Api) -> None:
    made = await api.create("pods", pod())
    for wrong in ({"uid": "other"}, {"resourceVersion": "1"}):
        with pytest.raises(StatusError) as failed:
            await api.create("pods/binding", binding(**wrong))
        assert reason_of(failed.value) == (409, "Conflict")
    await api.create("pods/binding", binding(uid=made["metadata"]["uid"]))


async def test_gated_and_terminating_pods_are_not_bound(api: Api) -> None:
    await api.create("pods", pod("gated", schedulingGates=[{"name": "example.com/g"}]))
    await api.create("pods", {**pod("going"), "metadata": {"name": "going", "finalizers": ["example.com/f"]}})
    await api.delete("pods", "going")
    for name in ("gated", "going"):
        with pytest.raises(StatusError) as failed:
            await api.create("pods/binding", binding(name))
        assert reason_of(failed.value) == (409, "Conflict")


async def test_a_binding_to_nothing_is_refused(api: Api) -> None:
    await api.create("pods", pod())
    with pytest.raises(StatusError) as failed:
        await api.create("pods/binding", {"metadata": {"name": "p"}, "target": {}})
    assert (failed.value.code, failed.value.message) == (500, "target.name: Required value")
    with pytest.raises(StatusError) as failed:
        await api.create("pods/binding", binding("none"))
    assert reason_of(failed.value) == (404, "NotFound")


async def test_a_dry_run_binds_nothing(api: Api) -> None:
    await api.create("pods", pod())
    await api.create("pods/binding", binding(), dryRun=["All"])
    assert "nodeName" not in api.get("pods", "p")["spec"]


async def budget(api: Api, name: str = "b", allowed: int = 1, **state: int) -> None:
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}
    made = await api.create("poddisruptionbudgets", {"metadata": {"name": name}, "spec": spec})
    observed = {"observedGeneration": made["metadata"]["generation"], "disruptionsAllowed": allowed}
    counted = {"currentHealthy": 2, "desiredHealthy": 1, "expectedPods": 2, **observed, **state}
    await api.patch("poddisruptionbudgets/status", name, {"status": counted})


async def running_pod(api: Api, name: str = "p") -> None:
    await api.create("pods", {**pod(nodeName="n1"), "metadata": {"name": name, "labels": {"a": "b"}}})
    await api.patch("pods/status", name, {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}})


def eviction(name: str = "p", **more: object) -> Object:
    return {"metadata": {"name": name}, **more}


async def test_an_eviction_is_charged_to_the_budget(api: Api) -> None:
    await running_pod(api)
    await budget(api)
    await api.create("pods/eviction", eviction())
    going = api.get("pods", "p")
    assert going["metadata"]["deletionTimestamp"]
    assert [c["type"] for c in going["status"]["conditions"]] == ["Ready", "DisruptionTarget"]
    charged = api.get("poddisruptionbudgets", "b")["status"]
    assert charged["disruptionsAllowed"] == 0
    assert list(charged["disruptedPods"]) == ["p"]


async def test_an_eviction_beyond_the_budget_must_wait(api: Api) -> None:
    await running_pod(api)
    await budget(api, allowed=0)
    with pytest.raises(StatusError) as failed:
        await api.create("pods/eviction", eviction())
    assert reason_of(failed.value) == (429, "TooManyRequests")
    assert failed.value.status["details"]["causes"][0]["reason"] == "DisruptionBudget"
    assert "deletionTimestamp" not in api.get("pods", "p")["metadata"]


async def test_a_budget_that_is_not_counted_yet_asks_to_come_back(api: Api) -> None:
    await running_pod(api)
    await budget(api, observedGeneration=0)
    with pytest.raises(StatusError) as failed:
        await api.create("pods/eviction", eviction())
    assert failed.value.status["details"]["retryAfterSeconds"] == 10


async def test_two_budgets_for_one_pod_are_an_error(api: Api) -> None:
    await running_pod(api)
    await budget(api, "b1")
    await budget(api, "b2")
    with pytest.raises(StatusError) as failed:
        await api.create("pods/eviction", eviction())
    assert failed.value.code == 500


async def test_an_eviction_with_a_wrong_precondition_charges_nothing(api: Api) -> None:
    await running_pod(api)
    await budget(api)
    with pytest.raises(StatusError) as failed:
        await api.create("pods/eviction", eviction(deleteOptions={"preconditions": {"uid": "other"}}))
    assert reason_of(failed.value) == (409, "Conflict")
    assert api.get("poddisruptionbudgets", "b")["status"]["disruptionsAllowed"] == 1


async def test_a_dry_run_evicts_nothing(api: Api) -> None:
    await running_pod(api)
    await budget(api)
    await api.create("pods/eviction", eviction(), dryRun=["All"])
    assert "deletionTimestamp" not in api.get("pods", "p")["metadata"]
    assert api.get("poddisruptionbudgets", "b")["status"]["disruptionsAllowed"] == 1


async def test_a_scale_shows_and_sets_replicas(api: Api) -> None:
    await api.create("deployments", deployment("d", replicas=2))
    scale = api.get("deployments/scale", "d")
    assert (scale["kind"], scale["spec"], scale["status"]["selector"]) == ("Scale", {"replicas": 2}, "a=b")
    changed = await api.update("deployments/scale", {**scale, "spec": {"replicas": 5}})
    assert changed["spec"] == {"replicas": 5}
    found = api.get("deployments", "d")
    assert (found["spec"]["replicas"], found["metadata"]["generation"]) == (5, 2)
    with pytest.raises(StatusError) as failed:
        await api.update("deployments/scale", {**scale, "spec": {"replicas": 6}})
    assert reason_of(failed.value) == (409, "Conflict")
    patched = await api.patch("deployments/scale", "d", {"spec": {"replicas": 0}})
    assert "replicas" not in patched["spec"]
    assert api.get("deployments", "d")["spec"]["replicas"] == 0


async def test_a_negative_scale_is_refused(api: Api) -> None:
    await api.create("deployments", deployment())
    with pytest.raises(StatusError) as failed:
        await api.patch("deployments/scale", "d", {"spec": {"replicas": -1}})
    assert reason_of(failed.value) == (422, "Invalid")


async def test_ephemeral_containers_are_only_added(api: Api) -> None:
    await api.create("pods", pod())
    debugger = {"name": "debug", "image": "d:1"}
    changed = await api.patch("pods/ephemeralcontainers", "p", {"spec": {"ephemeralContainers": [debugger], "hostNetwork": True}})
    assert changed["spec"]["ephemeralContainers"][0]["name"] == "debug"
    assert "hostNetwork" not in changed["spec"]
    assert changed["metadata"]["generation"] == 2
    with pytest.raises(StatusError) as failed:
        await api.patch("pods/ephemeralcontainers", "p", {"spec": {"ephemeralContainers": []}})
    assert reason_of(failed.value) == (422, "Invalid")
    with pytest.raises(StatusError) as failed:
        await api.patch("pods", "p", {"spec": {"ephemeralContainers": [debugger, {"name": "two", "image": "d:1"}]}})
    assert reason_of(failed.value) == (422, "Invalid")


async def test_a_resize_changes_resources_and_nothing_else(api: Api) -> None:
    container = {"name": "c", "image": "x:1", "resources": {"requests": {"cpu": "1"}}}
    await api.create("pods", pod(containers=[container]))
    wanted = {"name": "c", "image": "y:2", "resources": {"requests": {"cpu": "2"}}}
    current = api.get("pods", "p")
    current["spec"]["containers"][0] |= wanted
    changed = await api.update("pods/resize", current)
    assert changed["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "2"}}
    assert changed["spec"]["containers"][0]["image"] == "x:1"


async def test_what_is_not_served_says_so(api: Api) -> None:
    await api.create("pods", pod())
    with pytest.raises(StatusError) as failed:
        api.get("pods/log", "p")
    assert failed.value.code == 405
    with pytest.raises(StatusError) as failed:
        api.get("pods/colour", "p")
    assert failed.value.code == 404


async def test_a_scale_of_another_object_is_refused(api: Api) -> None:
    await api.create("deployments", deployment())
    with pytest.raises(StatusError) as failed:
        await api.update("deployments/scale", {"metadata": {"name": "d", "uid": "x"}, "spec": {"replicas": 1}})
    assert failed.value.reason == "Conflict"
    assert "Precondition failed: UID in precondition: x" in failed.value.message


async def test_a_put_creates_a_service_that_is_not_there(api: Api) -> None:
    made = await api.update("services", service("s"))
    assert made["metadata"]["uid"]
    with pytest.raises(StatusError) as failed:
        await api.update("services/status", {"metadata": {"name": "none"}})
    assert failed.value.message == 'Service "none" is invalid: spec.ports: Required value'


def certificate_request() -> Object:
    key = ec.generate_private_key(ec.SECP256R1())
    text = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    spec = {"request": base64.b64encode(text).decode(), "signerName": "example.com/s", "usages": ["client auth"], "username": "somebody"}
    return {"metadata": {"name": "c"}, "spec": spec}


async def test_a_request_for_a_certificate_says_who_made_it(api: Api) -> None:
    made = await api.create("certificatesigningrequests", certificate_request())
    asker = {field: made["spec"].get(field) for field in ("username", "uid", "groups", "extra")}
    assert asker == {"username": "admin", "uid": "1", "groups": ["system:masters", "system:authenticated"], "extra": None}
    changed = await api.patch("certificatesigningrequests", "c", {"spec": {"username": "other"}})
    assert changed["spec"] == made["spec"]


async def test_an_approval_is_dated_and_goes_through_its_own_door(api: Api) -> None:
    await api.create("certificatesigningrequests", certificate_request())
    approved = {"status": {"conditions": [{"type": "Approved", "status": "True"}]}}
    with pytest.raises(StatusError) as failed:
        await api.patch("certificatesigningrequests/status", "c", approved)
    assert 'may not add a condition of type "Approved"' in failed.value.message
    done = await api.patch("certificatesigningrequests/approval", "c", approved)
    (condition,) = done["status"]["conditions"]
    assert condition["lastUpdateTime"] == condition["lastTransitionTime"] == done["metadata"]["creationTimestamp"]


async def test_a_pod_is_resized_on_a_node_that_is_there(api: Api) -> None:
    resources = {"requests": {"cpu": "100m"}, "limits": {"cpu": "200m"}}
    await api.create("pods", pod("p", nodeName="n1", containers=[{"name": "c", "image": "x", "resources": resources}]))
    wanted = api.get("pods", "p")
    wanted["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "150m"
    with pytest.raises(StatusError) as failed:
        await api.update("pods/resize", wanted)
    assert failed.value.message == 'pods "p" is forbidden: node "n1" not found'
    await api.create("nodes", {**node("n1"), "status": {"allocatable": {"cpu": "1", "memory": "1Gi"}}})
    resized = await api.update("pods/resize", wanted)
    assert resized["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "150m"
