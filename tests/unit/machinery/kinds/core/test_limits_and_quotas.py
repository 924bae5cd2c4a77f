"""LimitRange and ResourceQuota."""
from typing import Any

import pytest

from kcore.machinery.kinds.core import limitrange, resourcequota

Spec = dict[str, Any]


def messages(errors: list[Any]) -> list[str]:
    return [error.message() for error in errors]


def limits(*found: Spec) -> Spec:
    return {"spec": {"limits": list(found)}}


def test_defaults_of_containers_follow_from_their_bounds() -> None:
    value = limits({"type": "Container", "max": {"cpu": "2"}, "min": {"memory": "1Mi"}}, {"type": "Pod", "max": {"cpu": "4"}})
    limitrange.RULES.default(value)
    first, second = value["spec"]["limits"]
    assert (first["default"], first["defaultRequest"]) == ({"cpu": "2"}, {"memory": "1Mi", "cpu": "2"})
    assert "default" not in second


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ({"type": "Container", "max": {"cpu": "2"}}, []),
        ({"type": "X"}, ['spec.limits[0].type: Invalid value: "X": must be a standard limit type or fully qualified']),
        ({"type": "Pod", "default": {"cpu": "1"}}, ["spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"]),
        ({"type": "PersistentVolumeClaim"}, [
            "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided",
        ]),
        ({"type": "Container", "max": {"foo": "1"}}, [
            'spec.limits[0].max[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
            'spec.limits[0].max[foo]: Invalid value: "foo": must be a standard resource for containers',
        ]),
        ({"type": "Container", "min": {"cpu": "2"}, "max": {"cpu": "1"}}, [
            'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
        ]),
        ({"type": "Container", "maxLimitRequestRatio": {"cpu": "500m"}}, [
            'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1',
        ]),
        ({"type": "Container", "defaultRequest": {"a.b/c": "1"}, "default": {"a.b/c": "2"}}, [
            'spec.limits[0].defaultRequest[a.b/c]: Invalid value: "1": default value 2 must equal to defaultRequest value 1 in a.b/c',
        ]),
    ],
)
def test_the_bounds_of_a_limit_fit_each_other(limit: Spec, expected: list[str]) -> None:
    assert messages(limitrange.RULES.validate(limits(limit))) == expected


def test_each_type_of_limit_occurs_once() -> None:
    assert messages(limitrange.RULES.validate(limits({"type": "Pod"}, {"type": "Pod"}))) == ['spec.limits[1].type: Duplicate value: "Pod"']
    assert limitrange.RULES.generates_names


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"hard": {"pods": "10", "requests.cpu": "2", "a.b/c": "1", "count/x.y": "5"}}, []),
        ({"hard": {"foo": "1"}}, [
            'spec.hard[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
            'spec.hard[foo]: Invalid value: "foo": must be a standard resource for quota',
        ]),
        ({"hard": {"pods": "500m"}}, ['spec.hard[pods]: Invalid value: "500m": must be an integer']),
        ({"scopes": ["X"]}, ['spec.scopes: Invalid value: ["X"]: unsupported scope']),
        ({"scopes": ["BestEffort"], "hard": {"cpu": "1"}}, [
            'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource',
        ]),
        ({"scopes": ["BestEffort", "NotBestEffort"]}, ['spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes']),
        ({"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In"}]}}, [
            "spec.scopeSelector.matchExpressions.values: Required value: "
            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
        ]),
        ({"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "X"}]}}, [
            'spec.scopeSelector.matchExpressions.operator: Invalid value: "X": not a valid selector operator',
        ]),
    ],
)
def test_a_quota_knows_its_resources_and_scopes(spec: Spec, expected: list[str]) -> None:
    assert messages(resourcequota.RULES.validate({"spec": spec})) == expected


def test_the_scopes_of_a_quota_stay() -> None:
    errors = resourcequota.RULES.validate_update({"spec": {"scopes": ["Terminating"]}}, {"spec": {}})
    assert messages(errors) == ['spec.scopes: Invalid value: ["Terminating"]: field is immutable']
    assert [error.field for error in resourcequota.RULES.validate_status_update({"status": {"used": {"pods": "-1"}}}, {})] == [
        "status.used[pods]"
    ]
