"""What an apply writes over a live object, and what it says."""

from typing import Any

import pytest

from kcore.client import apply
from kcore.machinery import scheme
from kcore.machinery.status import StatusError


def descriptor(word: str) -> Any:
    found = scheme.load().find(word)
    assert found is not None
    return scheme.load().message_class(found.message).DESCRIPTOR


def live(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "a", "uid": "u", "resourceVersion": "7", "labels": {"kept": "1", "old": "1"}, "annotations": {"kept": "1"}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec, "status": {"live": True}}


def test_metadata_of_the_server_stays_and_labels_are_merged() -> None:
    stated = {"metadata": {"name": "a", "labels": {"old": "2", "new": "3"}, "resourceVersion": "1", "uid": "other"}, "status": {"mine": 1}}
    found = apply.merged(stated, live())
    assert found["metadata"]["labels"] == {"kept": "1", "old": "2", "new": "3"}
    assert found["metadata"]["annotations"] == {"kept": "1"}
    assert (found["metadata"]["uid"], found["metadata"]["resourceVersion"], found["status"]) == ("u", "7", {"live": True})


def test_stated_finalizers_and_owners_replace() -> None:
    found = apply.merged({"metadata": {"finalizers": ["b/c"], "ownerReferences": []}}, live())
    assert (found["metadata"]["finalizers"], found["metadata"]["ownerReferences"]) == (["b/c"], [])


def test_fields_that_only_the_server_filled_in_stay() -> None:
    found = apply.merged({"metadata": {}, "spec": {"type": "NodePort"}}, live(type="ClusterIP", clusterIP="10.96.0.7"), descriptor("svc"))
    assert found["spec"] == {"type": "NodePort", "clusterIP": "10.96.0.7"}


def test_a_map_is_replaced_as_a_whole() -> None:
    found = apply.merged({"metadata": {}, "spec": {"selector": {"app": "b"}}}, live(selector={"tier": "x"}), descriptor("svc"))
    assert found["spec"] == {"selector": {"app": "b"}}


def test_a_message_is_not_taken_for_a_map() -> None:
    before = {"template": {"spec": {"securityContext": {"runAsUser": 1}, "nodeSelector": {"a": "b"}}}}
    stated = {"template": {"spec": {"securityContext": {"runAsGroup": 2}, "nodeSelector": {"c": "d"}}}}
    found = apply.overlay(stated, before, apply.part_of(descriptor("deploy"), "spec"))
    assert found == {"template": {"spec": {"securityContext": {"runAsUser": 1, "runAsGroup": 2}, "nodeSelector": {"c": "d"}}}}


def test_other_parts_than_the_spec_are_replaced() -> None:
    before = {"metadata": {"name": "a"}, "data": {"x": "1", "y": "2"}, "binaryData": {"z": "AA=="}}
    assert apply.merged({"metadata": {}, "data": {"x": "3"}}, before) == {**before, "data": {"x": "3"}}


def test_elements_of_lists_are_matched_by_name() -> None:
    before = [{"name": "a", "image": "a:1", "pullPolicy": "Always"}, {"name": "b", "image": "b:1"}]
    stated = [{"name": "new", "image": "n:1"}, {"name": "a", "image": "a:2"}]
    assert apply.overlay(stated, before) == [{"name": "new", "image": "n:1"}, {"name": "a", "image": "a:2", "pullPolicy": "Always"}]


def test_elements_without_names_are_matched_by_place_if_they_are_as_many() -> None:
    before = [{"port": 80, "nodePort": 30080}]
    assert apply.overlay([{"port": 81}], before) == [{"port": 81, "nodePort": 30080}]
    assert apply.overlay([{"port": 80}, {"port": 81}], before) == [{"port": 80}, {"port": 81}]
    assert apply.overlay(["x"], ["y", "z"]) == ["x"]


def test_a_kind_that_is_not_served_is_named() -> None:
    with pytest.raises(apply.NotServed, match='no matches for kind "Deployment" in version "extensions/v1beta1"'):
        apply.spec_of({"kind": "Deployment", "apiVersion": "extensions/v1beta1"})


class Resource:
    """A resource with one object, whose answers are scripted."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), list[str]()

    def answer(self, verb: str) -> Any:
        self.asked.append(verb)
        found = self.answers.pop(0)
        if isinstance(found, StatusError):
            raise found
        return found

    async def get(self, name: str, *, namespace: str = "") -> Any:
        return self.answer("get")

    async def create(self, obj: Any, *, namespace: str = "") -> Any:
        return self.answer("create")

    async def update(self, obj: Any) -> Any:
        return self.answer("update")


class Dynamic:
    """A client that knows one resource."""

    def __init__(self, resource: Resource) -> None:
        self.found, self.dynamic = resource, self

    def resource(self, *_: str) -> Resource:
        return self.found


def failure(reason: str) -> StatusError:
    return StatusError({"reason": reason, "message": reason, "code": 409})


async def applied(*answers: Any) -> tuple[str, list[str]]:
    resource: Any = Resource(*answers)
    client: Any = Dynamic(resource)
    found = await apply.apply(client, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": {}})
    return str(found), resource.asked


def at(version: str) -> dict[str, Any]:
    return {"metadata": {"name": "a", "resourceVersion": version}, "spec": {}}


async def test_what_is_not_there_is_created() -> None:
    assert await applied(failure("NotFound"), at("1")) == ("deployment.apps/a created", ["get", "create"])


async def test_what_somebody_else_created_meanwhile_is_updated() -> None:
    asked = ["get", "create", "get", "update"]
    assert await applied(failure("NotFound"), failure("AlreadyExists"), at("1"), at("2")) == ("deployment.apps/a configured", asked)


async def test_a_write_that_changes_nothing_is_said_to_be_none() -> None:
    assert await applied(at("1"), at("1")) == ("deployment.apps/a unchanged", ["get", "update"])


async def test_a_conflict_is_tried_again_but_not_for_ever() -> None:
    assert await applied(at("1"), failure("Conflict"), at("2"), at("3")) == ("deployment.apps/a configured", ["get", "update"] * 2)
    with pytest.raises(StatusError, match="Conflict"):
        await applied(*[at("1"), failure("Conflict")] * apply.ATTEMPTS)


async def test_a_refusal_is_raised() -> None:
    with pytest.raises(StatusError, match="Forbidden"):
        await applied(failure("Forbidden"))


def test_a_manifest_may_be_in_any_served_version() -> None:
    found = apply.spec_of({"kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v1"})
    assert (found.api_version, found.resource) == ("autoscaling/v1", "horizontalpodautoscalers")
