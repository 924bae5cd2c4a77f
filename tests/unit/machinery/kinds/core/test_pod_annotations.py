"""Annotations of pods that mean something."""

from __future__ import annotations

import pytest

from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.core.pod_annotations import (
    APPARMOR_PREFIX,
    DELETION_COST,
    MIRROR_POD,
    SECCOMP_CONTAINER_PREFIX,
    SECCOMP_POD,
    deletion_cost,
    sync_apparmor,
    validate_annotation_changes,
    validate_annotations,
    validate_annotations_match,
)
from tests.unit.machinery.kinds.core.pods import Object, container, messages, spec


def wrong(annotations: dict[str, str], node_name: str | None = None) -> list[str]:
    errors: list[FieldError] = []
    validate_annotations(annotations, spec(nodeName=node_name), "a", errors)
    return messages(errors)


def changed(new: dict[str, str], old: dict[str, str]) -> list[str]:
    errors: list[FieldError] = []
    validate_annotation_changes(new, old, "a", errors)
    return messages(errors)


@pytest.mark.parametrize(("annotations", "expected"), [
    ({"any": "thing"}, []), ({DELETION_COST: "-5"}, []), ({SECCOMP_POD: "runtime/default"}, []), ({SECCOMP_POD: "localhost/a/b"}, []),
    ({APPARMOR_PREFIX + "c": "localhost/x"}, []), ({APPARMOR_PREFIX + "c": ""}, []),
    ({MIRROR_POD: "x"}, [f'a[{MIRROR_POD}]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set']),
    ({DELETION_COST: "x"}, [f'a[{DELETION_COST}]: Invalid value: "x": must be a 32bit integer']),
    ({SECCOMP_CONTAINER_PREFIX + "c": "x"}, [f'a.{SECCOMP_CONTAINER_PREFIX}c: Invalid value: "x": must be a valid seccomp profile']),
    ({SECCOMP_POD: "localhost//x"}, [f'a.{SECCOMP_POD}: Invalid value: "/x": must be a relative path']),
    ({APPARMOR_PREFIX + "c": "x"}, [f'a[{APPARMOR_PREFIX}c]: Invalid value: "x": invalid AppArmor profile name: "x"']),
    ({APPARMOR_PREFIX + "d": "unconfined"}, [f'a[{APPARMOR_PREFIX}d]: Invalid value: "d": container not found']),
])
def test_annotations_have_forms(annotations: dict[str, str], expected: list[str]) -> None:
    assert wrong(annotations) == expected


def test_a_mirror_pod_has_a_node() -> None:
    assert wrong({MIRROR_POD: "x"}, "node") == []


@pytest.mark.parametrize(("text", "cost"), [
    (None, 0), ("0", 0), ("12", 12), ("-12", -12), ("-0", 0), ("012", None), ("+1", None), ("1.5", None), ("2147483647", 2147483647),
    ("2147483648", None), ("-2147483648", -2147483648), ("", None),
])
def test_the_deletion_cost_is_a_small_integer(text: str | None, cost: int | None) -> None:
    assert deletion_cost({} if text is None else {DELETION_COST: text}) == cost


def test_annotations_that_a_node_acts_on_stay() -> None:
    armor = APPARMOR_PREFIX + "c"
    assert changed({"b": "1"}, {"a": "1"}) == []
    assert changed({}, {armor: "x", MIRROR_POD: "y"}) == [
        f"a[{armor}]: Forbidden: may not remove or update AppArmor annotations",
        f"a[{MIRROR_POD}]: Forbidden: may not remove or update mirror pod annotation",
    ]
    assert changed({armor: "x", MIRROR_POD: "y"}, {}) == [
        f"a[{armor}]: Forbidden: may not add AppArmor annotations", f"a[{MIRROR_POD}]: Forbidden: may not add mirror pod annotation",
    ]


@pytest.mark.parametrize(("value", "profile", "expected"), [
    ("runtime/default", {"type": "RuntimeDefault"}, []), ("localhost/x", {"type": "Localhost", "localhostProfile": "x"}, []),
    ("unconfined", {"type": "RuntimeDefault"}, ["type: Forbidden: {} type in annotation and field must match"]),
    ("unconfined", {"type": "Localhost", "localhostProfile": "x"}, ["type: Forbidden: {} type in annotation and field must match"]),
    ("localhost/y", {"type": "Localhost", "localhostProfile": "x"},
     ["localhostProfile: Forbidden: {} profile in annotation and field must match"]),
])
def test_annotations_and_fields_say_the_same(value: str, profile: Object, expected: list[str]) -> None:
    for noun, key, field in (("seccomp", SECCOMP_CONTAINER_PREFIX, "seccompProfile"), ("apparmor", APPARMOR_PREFIX, "appArmorProfile")):
        errors: list[FieldError] = []
        made = spec(containers=[container(securityContext={field: profile})])
        validate_annotations_match({f"{key}c": value}, made, "spec", errors)
        assert messages(errors) == [f"spec.containers[0].securityContext.{field}.{message.format(noun)}" for message in expected]


def test_profiles_of_the_whole_pod_are_compared_too() -> None:
    errors: list[FieldError] = []
    made = spec(securityContext={"seccompProfile": {"type": "Unconfined"}, "appArmorProfile": {"type": "Unconfined"}})
    annotations = {SECCOMP_POD: "runtime/default", APPARMOR_PREFIX + "c": "runtime/default"}
    validate_annotations_match(annotations, made, "spec", errors)
    assert [error.field for error in errors] == [
        "spec.securityContext.seccompProfile.type", "spec.containers[0].securityContext.appArmorProfile.type",
    ]
    errors.clear()
    validate_annotations_match({APPARMOR_PREFIX + "c": "runtime/default"}, {**made, "os": {"name": "windows"}}, "spec", errors)
    assert errors == []


@pytest.mark.parametrize(("value", "profile"), [
    ("runtime/default", {"type": "RuntimeDefault"}), ("unconfined", {"type": "Unconfined"}),
    ("localhost/x", {"type": "Localhost", "localhostProfile": "x"}), ("localhost/", None), ("bad", None),
])
def test_apparmor_annotations_are_copied_to_fields(value: str, profile: Object | None) -> None:
    made = spec()
    sync_apparmor({APPARMOR_PREFIX + "c": value}, made)
    assert (made["containers"][0].get("securityContext") or {}).get("appArmorProfile") == profile


def test_apparmor_fields_are_not_overwritten() -> None:
    armor = {APPARMOR_PREFIX + "c": "unconfined"}
    own = spec(containers=[container(securityContext={"appArmorProfile": {"type": "RuntimeDefault"}})])
    whole = spec(securityContext={"appArmorProfile": {"type": "Unconfined"}})
    windows = spec(os={"name": "windows"})
    for made in (own, whole, windows):
        before = repr(made)
        sync_apparmor(armor, made)
        assert repr(made) == before
