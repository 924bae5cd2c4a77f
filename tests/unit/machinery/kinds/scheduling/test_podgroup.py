"""PodGroups and Workloads: one policy, of which only minCount changes."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.machinery.kinds.scheduling import podgroup, workload

GANG: dict[str, Any] = {"schedulingPolicy": {"gang": {"minCount": 2}}}
BASIC: dict[str, Any] = {"schedulingPolicy": {"basic": {}}}


def check(spec: dict[str, Any]) -> list[str]:
    return [error.message() for error in podgroup.RULES.validate({"metadata": {"name": "g"}, "spec": spec})]


def change(new: dict[str, Any], old: dict[str, Any]) -> list[str]:
    return [error.message() for error in podgroup.RULES.validate_update({"spec": new}, {"spec": old})]


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        (GANG | {"disruptionMode": {"all": {}}, "priority": 5, "priorityClassName": "high"}, []),
        (BASIC, []),
        ({}, ['spec.schedulingPolicy: Invalid value: "": must specify one of: `basic`, `gang`']),
        (
            {"schedulingPolicy": {"basic": {}, "gang": {"minCount": 1}}},
            ['spec.schedulingPolicy: Invalid value: "{basic, gang}": must specify exactly one of: `basic`, `gang`'],
        ),
        ({"schedulingPolicy": {"gang": {}}}, ["spec.schedulingPolicy.gang.minCount: Required value"]),
        (
            {"schedulingPolicy": {"gang": {"minCount": -1}}},
            ["spec.schedulingPolicy.gang.minCount: Invalid value: -1: must be greater than or equal to 1"],
        ),
        (GANG | {"disruptionMode": {}}, ['spec.disruptionMode: Invalid value: "": must specify one of: `single`, `all`']),
        (GANG | {"workloadRef": {"workloadName": "w"}}, ["spec.workloadRef.templateName: Required value"]),
    ],
)
def test_a_group_has_exactly_one_policy(spec: dict[str, Any], wrong: list[str]) -> None:
    assert check(spec) == wrong


def test_only_the_count_of_a_group_changes() -> None:
    assert change({"schedulingPolicy": {"gang": {"minCount": 3}}}, GANG) == []
    assert change(GANG | {"priority": 2}, GANG | {"priority": 1}) == ["spec.priority: Invalid value: 2: field is immutable"]
    assert "spec.schedulingPolicy.gang: Invalid value: null: field cannot be cleared once set" in change(BASIC, GANG)
    assert "spec.schedulingPolicy.gang: Invalid value: null: field cannot be set once created" in change(GANG, BASIC)


def test_fields_of_features_that_are_off_are_dropped_from_a_group() -> None:
    off = {"schedulingConstraints": {"topology": [{"key": "rack"}]}, "preemptionPolicy": "Never"}
    group = {"spec": GANG | off, "status": {"conditions": []}}
    podgroup.RULES.prepare_create(group)
    assert group == {"spec": GANG}
    stored = {"spec": GANG | {"preemptionPolicy": "Never"}}
    new = {"spec": GANG | {"preemptionPolicy": "Never", "resourceClaims": [{"name": "c"}]}}
    podgroup.RULES.prepare_update(new, stored)
    assert new == stored


def test_templates_of_a_workload_neither_come_nor_go() -> None:
    one, two = GANG | {"name": "one"}, BASIC | {"name": "two"}

    def spec(*templates: dict[str, Any]) -> dict[str, Any]:
        return {"spec": {"podGroupTemplates": list(templates)}}

    def messages(new: dict[str, Any], old: dict[str, Any]) -> list[str]:
        return [error.message() for error in workload.RULES.validate_update(new, old)]

    assert messages(spec(one, two), spec(one, two)) == []
    assert messages(spec(one), spec(one, two)) == ["spec.podGroupTemplates: Forbidden: item may not be removed"]
    assert messages(spec(one, two), spec(one)) == ["spec.podGroupTemplates[1]: Forbidden: item may not be added"]
    assert messages(spec(one, one), spec(one))[0] == 'spec.podGroupTemplates[1]: Duplicate value: "one"'
    assert [error.message() for error in workload.RULES.validate({"spec": {}})] == [
        'spec: Invalid value: "": must specify one of: `podGroupTemplates`, `compositePodGroupTemplates`',
    ]
