"""PriorityClass: reserved names, bounded values, nothing that pods have copied changes."""
from typing import Any

import pytest

from kcore.machinery.kinds.scheduling import priorityclass


def check(name: str, **more: Any) -> list[str]:
    return [error.message() for error in priorityclass.RULES.validate({"metadata": {"name": name}, **more})]


@pytest.mark.parametrize(
    ("name", "more", "expected"),
    [
        ("a", {"value": 1_000_000_000, "preemptionPolicy": "Never"}, []),
        ("a", {"value": 1_000_000_001}, ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"]),
        ("a", {"preemptionPolicy": ""}, ["preemptionPolicy: Required value"]),
        ("a", {"preemptionPolicy": "X"}, ['preemptionPolicy: Unsupported value: "X": supported values: "PreemptLowerPriority", "Never"']),
        ("system-node-critical", {"value": 2_000_001_000}, []),
        ("system-x", {}, [
            "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: "
            "system-x is not a known system priority class",
        ]),
    ],
)
def test_names_and_values_have_bounds(name: str, more: dict[str, Any], expected: list[str]) -> None:
    assert check(name, **more) == expected


def test_value_and_policy_never_change() -> None:
    errors = priorityclass.RULES.validate_update({"value": 2, "preemptionPolicy": "Never"}, {"value": 1, "preemptionPolicy": "X"})
    assert [error.message() for error in errors] == [
        "value: Forbidden: may not be changed in an update.", 'preemptionPolicy: Invalid value: "Never": field is immutable',
    ]
