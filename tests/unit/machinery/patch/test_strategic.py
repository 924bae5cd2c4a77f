"""Strategic merge patches of pods: directives, order, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.machinery import status
from kcore.machinery.patch import strategic

POD = "kcore.api.core.v1.Pod"
LIVE: dict[str, Any] = {
    "metadata": {"name": "p", "finalizers": ["x/a", "x/b"], "labels": {"a": "1"}},
    "spec": {
        "containers": [{"name": "a", "image": "1", "args": ["x"]}, {"name": "b", "image": "2"}, {"name": "c", "image": "3"}],
        "tolerations": [{"key": "t"}],
        "volumes": [{"name": "v", "emptyDir": {}}],
    },
}


def merged(**patch: Any) -> dict[str, Any]:
    return strategic.merge(LIVE, patch, POD)


def containers(**spec: Any) -> list[str]:
    return [f"{found['name']}:{found.get('image', '')}" for found in merged(spec=spec)["spec"]["containers"]]


def test_items_merge_by_key_and_new_ones_stand_where_the_patch_has_them() -> None:
    assert containers(containers=[{"name": "b", "image": "new"}]) == ["a:1", "b:new", "c:3"]
    assert containers(containers=[{"name": "x", "image": "x"}]) == ["x:x", "a:1", "b:2", "c:3"]
    assert containers(containers=[{"name": "c", "image": "n"}, {"name": "a", "image": "n"}]) == ["b:2", "c:n", "a:n"]


def test_what_the_patch_does_not_say_of_an_item_stays() -> None:
    found = merged(spec={"containers": [{"name": "a", "image": "new"}]})["spec"]["containers"][0]
    assert found == {"name": "a", "image": "new", "args": ["x"]}


def test_items_are_deleted_and_lists_replaced_by_directive() -> None:
    assert containers(containers=[{"name": "b", "$patch": "delete"}, {"name": "none", "$patch": "delete"}]) == ["a:1", "c:3"]
    assert containers(containers=[{"$patch": "replace"}, {"name": "x", "image": "y"}]) == ["x:y"]


def test_objects_are_replaced_and_emptied_by_directive() -> None:
    assert merged(metadata={"labels": {"$patch": "replace", "b": "2"}})["metadata"]["labels"] == {"b": "2"}
    assert merged(metadata={"labels": {"$patch": "delete"}})["metadata"]["labels"] == {}


def test_values_are_taken_out_of_lists_of_scalars() -> None:
    assert merged(metadata={"$deleteFromPrimitiveList/finalizers": ["x/a", "none"]})["metadata"]["finalizers"] == ["x/b"]
    assert merged(metadata={"$deleteFromPrimitiveList/ownerReferences": ["x"]})["metadata"] == LIVE["metadata"]


def test_lists_of_scalars_are_united() -> None:
    assert merged(metadata={"finalizers": ["x/c", "x/a"]})["metadata"]["finalizers"] == ["x/c", "x/a", "x/b"]


def test_the_wanted_order_is_kept_and_others_stay_near_their_neighbours() -> None:
    order = [{"name": "c"}, {"name": "x"}, {"name": "a"}]
    assert containers(containers=[{"name": "x", "image": "9"}], **{"$setElementOrder/containers": order}) == ["b:2", "c:3", "x:9", "a:1"]
    assert containers(**{"$setElementOrder/containers": [{"name": "c"}, {"name": "b"}, {"name": "a"}]}) == ["c:3", "b:2", "a:1"]


def test_lists_without_a_strategy_are_replaced() -> None:
    assert merged(spec={"tolerations": [{"key": "u"}]})["spec"]["tolerations"] == [{"key": "u"}]


def test_fields_that_are_not_retained_go() -> None:
    volumes = [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/x"}}]
    assert merged(spec={"volumes": volumes})["spec"]["volumes"] == [{"name": "v", "hostPath": {"path": "/x"}}]


def test_null_removes_and_new_values_come_without_nulls_and_directives() -> None:
    found = merged(spec={"volumes": None, "nodeSelector": {"a": None, "b": "c"}, "affinity": {"$patch": "delete"}})["spec"]
    assert "volumes" not in found
    assert "affinity" not in found
    assert found["nodeSelector"] == {"b": "c"}


def test_nothing_given_is_changed() -> None:
    before, patch = repr(LIVE), {"spec": {"containers": [{"name": "a", "args": ["y"]}]}, "metadata": {"labels": {"b": "2"}}}
    written = repr(patch)
    strategic.merge(LIVE, patch, POD)
    assert (repr(LIVE), repr(patch)) == (before, written)


@pytest.mark.parametrize(
    ("spec", "code", "sentence"),
    [
        ({"containers": [{"image": "x"}]}, 500, "map: map[image:x] does not contain declared merge key: name"),
        ({"containers": [{"name": "a", "$patch": "merge"}]}, 500, "merging lists cannot yet be specified in the patch"),
        ({"containers": [{"name": "a", "$patch": "x"}]}, 500, "unknown patch type: x in map: map[$patch:x name:a]"),
        ({"$patch": 1}, 500, "unknown patch type: %!s(int64=1) in map: map[$patch:1]"),
        ({"$setElementOrder/containers": "x"}, 500, "expected a []interface {}, but received a string"),
        ({"$setElementOrder": []}, 400, "invalid patch format of setElementOrder list"),
        ({"$deleteFromPrimitiveList": []}, 400, "invalid patch format of primitive list"),
        ({"$retainKeys": ["volumes"], "containers": []}, 400, "invalid patch format of retainKeys"),
        ({"$retainKeys": "volumes"}, 400, "invalid patch format of retainKeys"),
        (
            {"$setElementOrder/containers": [{"name": "a"}], "containers": [{"name": "b"}]},
            500,
            "The order in patch list:\n[map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n",
        ),
    ],
)
def test_what_cannot_be_merged_is_refused_in_kubernetes_words(spec: dict[str, Any], code: int, sentence: str) -> None:
    with pytest.raises(status.StatusError) as caught:
        merged(spec=spec)
    assert (caught.value.code, caught.value.message) == (code, sentence)


def test_content_that_the_kind_says_nothing_about_is_not_merged() -> None:
    with pytest.raises(status.StatusError) as caught:
        strategic.merge({"data": {"a": {}}}, {"data": {"a": {"b": 1}}}, "kcore.api.apps.v1.ControllerRevision")
    assert caught.value.message == 'unable to find api field in struct RawExtension for the json field "a"'
