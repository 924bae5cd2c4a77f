"""Requests, limits and claims."""

from typing import Any

import pytest

from tests.unit.machinery.kinds.core.pods import container, wrong_container, wrong_spec

GPU = "example.com/gpu"


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "2Gi", "ephemeral-storage": "1"}}, []),
        ({"requests": {"cpu": "-1"}}, [".requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0"]),
        ({"requests": {"cpu": "300m"}, "limits": {"cpu": "0.2"}}, [
            '.requests: Invalid value: "300m": must be less than or equal to cpu limit of 200m',
        ]),
        ({"requests": {GPU: "2"}, "limits": {GPU: "2"}}, []),
        ({"requests": {GPU: "1"}, "limits": {GPU: "2"}}, [f'.requests: Invalid value: "1": must be equal to {GPU} limit of 2']),
        ({"requests": {GPU: "1"}}, [".limits: Required value: Limit must be set for non overcommitable resources"]),
        ({"limits": {GPU: "1500m"}}, [f'.limits[{GPU}]: Invalid value: "1500m": must be an integer']),
        ({"limits": {"foo": "1"}}, [
            '.limits[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
            '.limits[foo]: Invalid value: "foo": must be a standard resource for containers',
        ]),
        ({"limits": {"storage": "1"}}, ['.limits[storage]: Invalid value: "storage": must be a standard resource for containers']),
        ({"limits": {"requests.example.com/x": "1"}}, [
            '.limits[requests.example.com/x]: Invalid value: "requests.example.com/x": doesn\'t follow extended resource name standard',
        ]),
        ({"limits": {"hugepages-2Mi": "4Mi", "cpu": "1"}}, []),
        ({"limits": {"hugepages-2Mi": "4Mi"}}, [": Forbidden: HugePages require cpu or memory"]),
        ({"limits": {"hugepages-2Mi": "5", "cpu": "1"}}, [
            '.limits[hugepages-2Mi]: Invalid value: "5": 5 is not positive integer multiple of hugepages-2Mi',
        ]),
        ({"limits": {"hugepages-x": "5", "cpu": "1"}}, [
            '.limits[hugepages-x]: Invalid value: "5": 5 is not positive integer multiple of hugepages-x',
        ]),
    ],
)
def test_amounts_fit_their_limits_and_names(resources: dict[str, Any], expected: list[str]) -> None:
    assert [message.removeprefix("resources") for message in wrong_container(resources=resources)] == expected


def test_claims_name_those_of_the_pod_once() -> None:
    def check(*claims: dict[str, str], pod_claims: list[dict[str, str]]) -> list[str]:
        made = container(resources={"claims": list(claims)})
        wrong = wrong_spec(containers=[made], resourceClaims=pod_claims)
        return [message.removeprefix("spec.containers[0].resources.claims") for message in wrong]

    known = [{"name": "r", "resourceClaimName": "x"}, {"name": "t", "resourceClaimTemplateName": "y"}]
    assert check({"name": "r"}, {"name": "t", "request": "q"}, pod_claims=known) == []
    assert check({}, pod_claims=known) == ["[0]: Required value"]
    assert check({"name": "u"}, pod_claims=known) == [
        '[0]: Not found: "u": must be one of the names in pod.spec.resourceClaims: r, t',
    ]
    assert check({"name": "u"}, pod_claims=[]) == [
        '[0]: Not found: "u": must be one of the names in pod.spec.resourceClaims which is empty',
    ]
    assert check({"name": "r"}, {"name": "r"}, pod_claims=known) == ['[1]: Duplicate value: "r"']
    assert check({"name": "r", "request": "q"}, {"name": "r", "request": "q"}, pod_claims=known) == ['[1]: Duplicate value: "r/q"']
    assert check({"name": "r", "request": "q"}, {"name": "r"}, pod_claims=known) == ['[1]: Duplicate value: "r"']


def test_the_resources_of_a_pod_cover_its_containers() -> None:
    made = container(resources={"requests": {"cpu": "2", GPU: "1"}, "limits": {"cpu": "4", GPU: "1"}})
    assert wrong_spec(containers=[made], resources={"requests": {"cpu": "2"}, "limits": {"cpu": "4"}}) == []
    assert wrong_spec(containers=[made], resources={"requests": {"cpu": "1"}, "limits": {"cpu": "3"}}) == [
        'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
        'spec.resources.containers[0][cpu].limits: Invalid value: "4": must be less than or equal to pod limits of 3',
    ]


def test_only_some_resources_are_given_for_a_whole_pod() -> None:
    assert wrong_spec(resources={"claims": [], "limits": {"ephemeral-storage": "1"}}) == [
        "spec.resources.claims: Forbidden: claims may not be set for Resources at pod-level",
        'spec.resources.limits[ephemeral-storage]: Unsupported value: "ephemeral-storage": '
        'supported values: "cpu", "hugepages-", "memory"',
    ]


def test_overhead_follows_the_rules_of_limits() -> None:
    assert wrong_spec(overhead={"cpu": "250m"}) == []
    assert wrong_spec(overhead={"cpu": "-1"}) == [
        'spec.overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
    ]
