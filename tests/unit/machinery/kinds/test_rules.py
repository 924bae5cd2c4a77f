"""The table of kinds, and the order in which a kind's rules are asked."""
from typing import Any

import pytest

from kcore.machinery import kinds
from kcore.machinery.field_error import FieldError, required
from kcore.machinery.kinds import rules
from kcore.machinery.kinds.rules import KindRules


@pytest.mark.parametrize(("group", "kind"), list(kinds._MODULES))
def test_every_module_of_the_table_has_rules(group: str, kind: str) -> None:
    assert isinstance(kinds.rules_of(group, kind, ""), KindRules)


def test_a_kind_without_module_is_held_to_the_options_of_its_message() -> None:
    plain = kinds.rules_of("example.com", "Unknown", "kcore.api.node.v1.RuntimeClass")
    assert plain.validate({"metadata": {"name": "fast"}}) == [required("handler")]
    assert plain.validate({"metadata": {"name": "fast"}, "handler": "runc"}) == []
    assert plain.validate_update({"metadata": {"name": "fast"}}, {"metadata": {"name": "fast"}, "handler": "runc"}) == [required("handler")]


def test_metadata_is_judged_first_and_the_kind_after_it() -> None:
    plain = KindRules(validate=lambda _: [required("spec")])
    assert [error.field for error in rules.check_create(plain, {"metadata": {}}, True)] == ["metadata.name", "metadata.namespace", "spec"]


def test_a_kind_that_leaves_metadata_alone_has_it_checked_only_when_all_else_is_fine() -> None:
    found: list[FieldError] = [required("spec")]
    event = KindRules(validate=lambda _: list(found), own_metadata=False)
    value = {"metadata": {"name": "a/b", "namespace": "d", "finalizers": ["x"]}}
    assert [error.field for error in rules.check_create(event, value, True)] == ["spec"]
    found.clear()
    assert [error.message() for error in rules.check_create(event, value, True)] == [
        'metadata.name: Invalid value: "a/b": may not contain \'/\''
    ]


def test_an_update_is_judged_by_metadata_and_kind() -> None:
    kind = KindRules(validate_update=lambda _new, _old: [required("spec")], validate_status_update=lambda _new, _old: [required("status")])
    old = {"metadata": {"name": "a", "resourceVersion": "1"}}
    new = {"metadata": {"name": "b", "resourceVersion": "1"}}
    assert [error.field for error in rules.check_update(kind, new, old)] == ["metadata.name", "spec"]
    assert [error.field for error in rules.check_status_update(kind, new, old)] == ["metadata.name", "status"]


def test_each_write_takes_only_its_half() -> None:
    old: dict[str, Any] = {"metadata": {"name": "a", "labels": {"l": "old"}}, "spec": 1, "data": 1, "status": 1}
    new: dict[str, Any] = {"metadata": {"name": "a", "labels": {"l": "new"}}, "spec": 2, "extra": 2, "status": 2}
    main, status, labels = dict(new), dict(new), {**new, "metadata": dict(new["metadata"])}
    rules.keep_status(main, old)
    rules.keep_spec(status, old)
    rules.keep_spec_and_labels(labels, old)
    assert (main["spec"], main["status"]) == (2, 1)
    assert status == {"metadata": new["metadata"], "spec": 1, "data": 1, "status": 2}
    assert labels["metadata"]["labels"] == {"l": "old"}
    created = dict(new)
    rules.drop_status(created)
    assert "status" not in created


def test_a_status_update_may_leave_the_metadata_alone() -> None:
    old: dict[str, Any] = {"metadata": {"labels": {"l": "old"}}, "spec": 1, "status": 1}
    new: dict[str, Any] = {"metadata": {"labels": {"l": "new"}, "annotations": {"a": "b"}, "finalizers": ["x/y"]}, "spec": 2, "status": 2}
    rules.keep_spec_and_metadata(new, old)
    assert new == {"metadata": {"labels": {"l": "old"}}, "spec": 1, "status": 2}
