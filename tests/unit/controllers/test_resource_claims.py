"""ResourceClaims: made from the templates of pods, and free again when nobody may use them."""

from __future__ import annotations

from typing import Any

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.resource.v1.resource_claim_pb2 import ResourceClaim
from kcore.api.resource.v1.resource_claim_template_pb2 import ResourceClaimTemplate
from kcore.controllers.actions import Create, Delete, Event, Patch
from kcore.controllers.resource_claims import FINALIZER, POD_CLAIM_NAME, claim_name, plan_claim, plan_pod


def pod(*names: str, phase: str = "Pending") -> Any:
    wanted = [{"name": name, "resourceClaimTemplateName": "t"} for name in names] + [{"name": "own", "resourceClaimName": "mine"}]
    return Pod(metadata={"name": "p", "namespace": "x", "uid": "u"}, spec={"resourceClaims": wanted}, status={"phase": phase})


def template() -> Any:
    spec = {"metadata": {"labels": {"a": "b"}}, "spec": {"devices": {"requests": [{"name": "r"}]}}}
    return ResourceClaimTemplate(metadata={"name": "t", "namespace": "x"}, spec=spec)


def claim(*users: str, allocated: bool = True, finalizers: tuple[str, ...] = (FINALIZER,)) -> Any:
    found = ResourceClaim(metadata={"name": "c", "namespace": "x", "uid": "c", "finalizers": finalizers})
    for user in users:
        found.status.reservedFor.add(resource="pods", name=user, uid=user)
    if allocated:
        found.status.allocation.devices.results.add(request="r", driver="d", pool="p", device="d0")
    return found


def test_claims_that_are_not_there_are_made_each_under_a_name_of_its_own() -> None:
    creates = plan_pod(pod("g", "h"), {"t": template()}, {})
    assert [type(each) for each in creates] == [Create, Create]
    names = [each.object.metadata.name for each in creates]  # type: ignore[union-attr]
    assert names == [claim_name(pod("g"), "g"), claim_name(pod("h"), "h")] and len(set(names)) == 2
    made = creates[0].object  # type: ignore[union-attr]
    assert made.metadata.annotations[POD_CLAIM_NAME] == "g" and made.metadata.labels["a"] == "b"
    assert (made.metadata.ownerReferences[0].uid, made.metadata.ownerReferences[0].controller) == ("u", True)
    assert made.spec.devices.requests[0].name == "r"


def test_a_pod_is_told_the_names_of_its_claims_when_they_are_there_and_once() -> None:
    waiting = pod("g")
    [patch] = plan_pod(waiting, {}, {claim_name(waiting, "g"): claim()})
    assert isinstance(patch, Patch)
    assert patch.body["status"]["resourceClaimStatuses"] == [{"name": "g", "resourceClaimName": claim_name(waiting, "g")}]
    waiting.status.resourceClaimStatuses.add(name="g", resourceClaimName=claim_name(waiting, "g"))
    assert plan_pod(waiting, {}, {claim_name(waiting, "g"): claim()}) == []


def test_a_template_that_is_missing_is_said_and_a_pod_that_has_finished_needs_nothing() -> None:
    [event] = plan_pod(pod("g"), {}, {})
    assert isinstance(event, Event) and event.message.endswith('resourceclaimtemplates.resource.k8s.io "t" not found')
    assert plan_pod(pod("g", phase="Succeeded"), {"t": template()}, {}) == []


def test_a_claim_keeps_the_pods_that_use_it_and_its_devices_as_long_as_there_are_any() -> None:
    assert plan_claim(claim("a", "b"), {"a", "b"}, None) == []
    [patch] = plan_claim(claim("a", "b"), {"b"}, None)
    assert isinstance(patch, Patch) and [each["uid"] for each in patch.body["status"]["reservedFor"]] == ["b"]
    assert "allocation" not in patch.body["status"]


def test_with_its_last_pod_a_claim_loses_its_devices_and_the_finalizer() -> None:
    status, meta = plan_claim(claim("a", finalizers=(FINALIZER, "mine")), set(), None)
    assert isinstance(status, Patch) and status.body["status"] == {"reservedFor": None, "allocation": None}
    assert isinstance(meta, Patch) and meta.body["metadata"]["finalizers"] == ["mine"]


def test_a_claim_that_was_allocated_and_is_reserved_for_nobody_yet_is_left_alone() -> None:
    assert plan_claim(claim(), set(), None) == []


def test_a_claim_that_was_made_for_a_pod_goes_when_that_has_finished() -> None:
    assert plan_claim(claim("u"), {"u"}, pod("g")) == []
    *_, last = plan_claim(claim("u"), set(), pod("g", phase="Failed"))
    assert isinstance(last, Delete) and last.uid == "c"
