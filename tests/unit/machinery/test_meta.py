"""Metadata: what the server keeps, and what it refuses."""
from typing import Any

import pytest

from kcore.machinery import meta, names
from kcore.machinery.field_error import FieldError
from kcore.machinery.gvk import GroupVersionKind


def check(found: dict[str, Any], namespaced: bool = True) -> list[str]:
    errors: list[FieldError] = []
    meta.validate(found, namespaced, names.subdomain_name, errors)
    return [error.message() for error in errors]


def check_update(new: dict[str, Any], old: dict[str, Any]) -> list[str]:
    errors: list[FieldError] = []
    meta.validate_update(new, old, errors)
    return [error.message() for error in errors]


def test_a_plain_object_is_fine() -> None:
    found = {"name": "a", "namespace": "d", "labels": {"a": "b"}, "annotations": {"X/y": "z"}, "finalizers": ["a.b/c", "orphan"]}
    assert check(found) == []


@pytest.mark.parametrize(
    ("found", "namespaced", "fields"),
    [
        ({"namespace": "d"}, True, ["metadata.name: Required value: name or generateName is required"]),
        ({"name": "a"}, True, ["metadata.namespace: Required value"]),
        ({"name": "a", "namespace": "d"}, False, ["metadata.namespace: Forbidden: not allowed on this type"]),
        ({"name": "a", "generation": -1}, False, ["metadata.generation: Invalid value: -1: must be greater than or equal to 0"]),
        (
            {"name": "a", "finalizers": ["x"]}, False,
            ['metadata.finalizers[0]: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified'],
        ),
        (
            {"name": "a", "finalizers": ["orphan", "foregroundDeletion"]}, False,
            [
                'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: '
                "finalizer orphan and foregroundDeletion cannot be both set"
            ],
        ),
        (
            {"name": "a", "annotations": {"k": "v" * meta.ANNOTATIONS_SIZE_MAX}}, False,
            ["metadata.annotations: Too long: may not be more than 262144 bytes"],
        ),
    ],
)
def test_what_breaks_a_rule_is_named(found: dict[str, Any], namespaced: bool, fields: list[str]) -> None:
    assert check(found, namespaced) == fields


def test_owner_references_are_complete_and_one_is_the_controller() -> None:
    assert check({"name": "a", "ownerReferences": [{}]}, False) == [
        f"metadata.ownerReferences[0].{field}: Required value: must not be empty" for field in ("apiVersion", "kind", "name", "uid")
    ]
    two = [{"apiVersion": "v1", "kind": "Pod", "name": name, "uid": name, "controller": True} for name in "ab"]
    assert check({"name": "a", "ownerReferences": two}, False)[0].endswith(
        'Only one reference can have Controller set to true. Found "true" in references for Pod/a and Pod/b'
    )
    event = [{"apiVersion": "v1", "kind": "Event", "name": "a", "uid": "1", "blockOwnerDeletion": False}]
    assert check({"name": "a", "ownerReferences": event}, False) == [
        'metadata.ownerReferences[0]: Invalid value: {"apiVersion":"v1","kind":"Event","name":"a","uid":"1","blockOwnerDeletion":false}: '
        "/v1, Kind=Event is disallowed from being an owner"
    ]


def test_an_update_may_not_rename_or_go_back() -> None:
    old = {"name": "a", "uid": "1", "resourceVersion": "5", "generation": 2}
    assert check_update(dict(old), old) == []
    assert check_update({**old, "name": "b", "uid": "2", "generation": 1}, old) == [
        "metadata.generation: Invalid value: 1: must not be decremented",
        'metadata.name: Invalid value: "b": field is immutable',
        'metadata.uid: Invalid value: "2": field is immutable',
    ]
    blind = check_update({"name": "a", "uid": "1", "generation": 2}, old)
    assert blind == ['metadata.resourceVersion: Invalid value: "": must be specified for an update']


def test_a_dying_object_gets_no_new_finalizers() -> None:
    old = {"name": "a", "resourceVersion": "5", "deletionTimestamp": "2024-01-01T00:00:00Z", "finalizers": ["a.b/c"]}
    assert check_update({**old, "finalizers": []}, old) == []
    assert check_update({**old, "finalizers": ["a.b/c", "a.b/d"]}, old) == [
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
        'found new finalizers []string{"a.b/d"}'
    ]


def test_an_update_keeps_uid_and_times() -> None:
    old = {"metadata": {"uid": "1", "creationTimestamp": "c", "deletionTimestamp": "d", "deletionGracePeriodSeconds": 0}}
    new: dict[str, Any] = {"metadata": {"creationTimestamp": "other"}}
    meta.keep_stored(new, old)
    assert new == old


def test_a_new_object_says_nothing_of_system_fields() -> None:
    value: dict[str, Any] = {"metadata": {"name": "a", "namespace": "d", "uid": "1", "selfLink": "/x", "deletionTimestamp": "t"}}
    meta.drop_system_fields(value, namespaced=False)
    assert value == {"metadata": {"name": "a"}}


def test_owners_are_found_by_uid() -> None:
    owner = {"metadata": {"name": "rs", "uid": "7"}}
    reference = meta.controller_reference(owner, GroupVersionKind("apps", "v1", "ReplicaSet"))
    child = {"metadata": {"ownerReferences": [{"uid": "1"}, reference]}}
    assert reference["apiVersion"] == "apps/v1"
    assert meta.controller_of(child) == reference
    assert meta.is_controlled_by(child, owner)
    assert not meta.is_controlled_by(child, {"metadata": {"uid": "8"}})
    assert meta.controller_of({}) is None


def test_a_generated_name_stays_a_dns_label() -> None:
    assert meta.generated_name("web-", "abcde") == "web-abcde"
    assert len(meta.generated_name("w" * 100, "abcde")) == 63
