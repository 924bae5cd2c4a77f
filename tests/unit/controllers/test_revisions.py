"""Revisions: numbers, their memory, hashes and equal templates."""

from typing import Any

import pytest

from kcore.base import limits
from kcore.base.entropy import NAME_ALPHABET
from kcore.controllers import revisions
from tests.property.controllers.world import copy, deployment, replicaset


def template(image: str = "web:1") -> Any:
    found = deployment("web", 1).spec.template
    found.spec.containers[0].image = image
    return found


def annotated(**annotations: str) -> Any:
    found = replicaset("web", 1)
    found.metadata.annotations.update({f"deployment.kubernetes.io/{key.replace('_', '-')}": value for key, value in annotations.items()})
    return found


def test_the_hash_depends_on_template_and_collision_count_alone() -> None:
    first = revisions.template_hash(template(), 0)
    assert first == revisions.template_hash(template(), 0)
    assert len({first, revisions.template_hash(template(), 1), revisions.template_hash(template("web:2"), 0)}) == 3
    assert len(first) == 10 and set(first) <= set(NAME_ALPHABET)


def test_the_hash_label_makes_no_difference_between_templates() -> None:
    labelled = copy(template())
    labelled.metadata.labels[revisions.TEMPLATE_HASH] = "x"
    assert revisions.same_template(template(), labelled)
    assert not revisions.same_template(template(), template("web:2"))


def test_a_field_that_says_what_its_absence_says_makes_no_difference() -> None:
    explicit = copy(template())
    explicit.spec.hostNetwork = False
    assert revisions.same_template(template(), explicit)


def test_the_oldest_set_with_the_template_is_the_new_one() -> None:
    sets = []
    for name, seconds in (("b", 20), ("a", 10), ("c", 5)):
        found = replicaset(name, 1)
        found.metadata.creationTimestamp.seconds = seconds
        found.spec.template.CopyFrom(template("web:2" if name == "c" else "web:1"))
        sets.append(found)
    assert revisions.find_new(template(), sets).metadata.name == "a"
    assert revisions.find_new(template("web:3"), sets) is None


@pytest.mark.parametrize(("old", "raised", "changed", "history"), [
    ("", "3", True, None),
    ("2", "3", True, "2"),
    ("3", "3", False, None),
    ("5", "5", False, None),
    ("x", "x", False, None),
])  # fmt: skip
def test_a_revision_only_rises_and_remembers_where_it_was(old: str, raised: str, changed: bool, history: str | None) -> None:
    found = annotated(revision=old) if old else annotated()
    assert revisions.raise_revision(found, 3) == changed
    assert found.metadata.annotations.get(revisions.REVISION) == raised
    assert found.metadata.annotations.get(revisions.REVISION_HISTORY) == history


def test_the_history_forgets_the_oldest_when_it_grows_too_long() -> None:
    found = annotated(revision="7", revision_history=",".join(["123456789"] * 200))
    revisions.raise_revision(found, 8)
    history = found.metadata.annotations[revisions.REVISION_HISTORY]
    assert len(history) <= limits.REVISION_HISTORY_CHARS_MAX and history.endswith(",7")


def test_a_deployments_own_annotations_are_not_copied() -> None:
    owner, found = deployment("web", 1), replicaset("web", 1)
    owner.metadata.annotations.update({"team": "red", revisions.REVISION: "9", "kubectl.kubernetes.io/last-applied-configuration": "{}"})
    assert revisions.copy_annotations(owner, found)
    assert dict(found.metadata.annotations) == {"team": "red"}
    assert not revisions.copy_annotations(owner, found)


def test_sizes_that_are_no_numbers_count_as_missing() -> None:
    assert revisions.desired_of(annotated(desired_replicas="3")) == 3
    assert revisions.desired_of(annotated(desired_replicas="-3")) is None
    assert revisions.maximum_of(annotated()) is None
