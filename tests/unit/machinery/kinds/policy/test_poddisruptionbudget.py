"""PodDisruptionBudget: one of two numbers."""
from typing import Any

import pytest

from kcore.machinery.kinds.policy import poddisruptionbudget


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"minAvailable": 1, "selector": {}}, []),
        ({"minAvailable": 1, "maxUnavailable": "50%"}, [
            'spec: Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":"50%","UnhealthyPodEvictionPolicy":null}: '
            "minAvailable and maxUnavailable cannot be both set",
        ]),
        ({"maxUnavailable": "150%"}, ['spec.maxUnavailable: Invalid value: "150%": must not be greater than 100%']),
        ({"unhealthyPodEvictionPolicy": "X"}, [
            'spec.unhealthyPodEvictionPolicy: Unsupported value: "X": supported values: "AlwaysAllow", "IfHealthyBudget"',
        ]),
    ],
)
def test_what_breaks_a_rule_is_named(spec: dict[str, Any], expected: list[str]) -> None:
    rules = poddisruptionbudget.RULES
    assert [error.message() for error in rules.validate({"spec": spec})] == expected
    assert [error.message() for error in rules.validate_update({"spec": spec}, {})] == expected


def test_counts_are_not_negative() -> None:
    errors = poddisruptionbudget.RULES.validate_status_update({"status": {"currentHealthy": -1}}, {})
    assert [error.field for error in errors] == ["status.currentHealthy"]


def test_conditions_are_complete() -> None:
    errors = poddisruptionbudget.RULES.validate_status_update({"status": {"conditions": [{"type": "", "status": "Maybe"}]}}, {})
    assert [error.message() for error in errors] == [
        "status.conditions[0].type: Required value: is required",
        'status.conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
        "status.conditions[0].lastTransitionTime: Required value", "status.conditions[0].reason: Required value",
    ]
