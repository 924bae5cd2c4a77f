"""Which nodes a pod asks for."""

from collections.abc import Iterable
from typing import Any

import pytest

from kcore.machinery.kinds.node_affinity import matches_node, matches_requirement, matches_selector, preference_weight

LABELS = {"disk": "ssd", "cores": "8"}


@pytest.mark.parametrize(
    ("operator", "value", "wanted", "expected"),
    [
        ("In", "a", ["a", "b"], True),
        ("In", "c", ["a", "b"], False),
        ("In", None, ["a"], False),
        ("NotIn", "c", ["a"], True),
        ("NotIn", "a", ["a"], False),
        ("NotIn", None, ["a"], True),
        ("Exists", "", [], True),
        ("Exists", None, [], False),
        ("DoesNotExist", None, [], True),
        ("DoesNotExist", "x", [], False),
        ("Gt", "5", ["4"], True),
        ("Gt", "4", ["4"], False),
        ("Gt", "x", ["4"], False),
        ("Gt", "5", ["x"], False),
        ("Gt", None, ["4"], False),
        ("Gt", "9223372036854775808", ["4"], False),
        ("Lt", "-3", ["-2"], True),
        ("Lt", "3", ["1", "9"], False),
        ("Like", "a", ["a"], False),
    ],
)
def test_a_requirement_is_decided_by_its_operator(operator: str, value: str | None, wanted: Iterable[str], expected: bool) -> None:
    assert matches_requirement(operator, value, wanted) is expected


def required(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}}}


SSD = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}
HDD = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["hdd"]}]}


def test_node_selector_and_affinity_must_both_hold() -> None:
    assert matches_node({}, LABELS, "n")
    assert matches_node({"nodeSelector": {"disk": "ssd"}, **required(SSD)}, LABELS, "n")
    assert not matches_node({"nodeSelector": {"disk": "hdd"}, **required(SSD)}, LABELS, "n")
    assert not matches_node({"nodeSelector": {"disk": "ssd"}, **required(HDD)}, LABELS, "n")


def test_terms_are_alternatives_and_requirements_hold_together() -> None:
    both = {"matchExpressions": [*SSD["matchExpressions"], {"key": "cores", "operator": "Gt", "values": ["8"]}]}
    assert matches_node(required(HDD, SSD), LABELS, "n")
    assert not matches_node(required(both), LABELS, "n")


def test_a_term_without_requirements_matches_no_node() -> None:
    assert not matches_node(required({}), LABELS, "n")
    assert not matches_selector({"nodeSelectorTerms": []}, LABELS, "n")


def test_fields_name_the_node_itself() -> None:
    by_name = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}
    assert matches_node(required(by_name), LABELS, "n")
    assert not matches_node(required(by_name), LABELS, "m")
    assert matches_node(required({"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["n"]}]}), LABELS, "m")
    assert not matches_node(required({"matchFields": [{"key": "metadata.name", "operator": "Exists"}]}), LABELS, "n")
    assert not matches_node(required({"matchFields": [{"key": "spec.x", "operator": "In", "values": ["n"]}]}), LABELS, "n")


def test_weights_of_fulfilled_preferences_add_up() -> None:
    preferred = [{"weight": 5, "preference": SSD}, {"weight": 7, "preference": HDD}, {"weight": 11, "preference": SSD}, {"weight": 1}]
    spec = {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}}
    assert preference_weight(spec, LABELS, "n") == 16
    assert preference_weight({}, LABELS, "n") == 0
