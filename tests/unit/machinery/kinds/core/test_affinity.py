"""Affinity, tolerations and topology spread."""

from typing import Any

import pytest

from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.core import affinity
from tests.unit.machinery.kinds.core.pods import wrong_spec

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
EMPTY_KEY = [
    'Invalid value: "": name part must be non-empty',
    "Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
]


def wrong_affinity(kind: str, **parts: Any) -> list[str]:
    prefix = f"spec.affinity.{kind}."
    return [message.removeprefix(prefix).replace(REQUIRED, "R").replace(PREFERRED, "P") for message in wrong_spec(affinity={kind: parts})]


def test_a_node_selector_has_terms_with_fitting_values() -> None:
    assert wrong_affinity("nodeAffinity", **{REQUIRED: {"nodeSelectorTerms": []}}) == [
        "R.nodeSelectorTerms: Required value: must have at least one node selector term",
    ]
    expressions = [
        {"key": "a", "operator": "Gt", "values": ["x"]}, {"key": "b", "operator": "In"},
        {"key": "c", "operator": "Exists", "values": ["a"]},
        {"key": "d", "operator": "Bad"}, {"key": "e", "operator": "Lt", "values": []},
    ]
    at = "R.nodeSelectorTerms[0].matchExpressions"
    assert wrong_affinity("nodeAffinity", **{REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": expressions}]}}) == [
        f"{at}[1].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
        f"{at}[2].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        f'{at}[3].operator: Invalid value: "Bad": not a valid selector operator',
        f"{at}[4].values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'",
    ]


def test_node_fields_are_names_and_come_one_at_a_time() -> None:
    def check(**item: Any) -> list[str]:
        wrong = wrong_affinity("nodeAffinity", **{REQUIRED: {"nodeSelectorTerms": [{"matchFields": [item]}]}})
        return [message.removeprefix("R.nodeSelectorTerms[0].matchFields[0].") for message in wrong]

    assert check(key="metadata.name", operator="In", values=["n"]) == []
    assert check(key="x", operator="Exists") == [
        'operator: Invalid value: "Exists": not a valid selector operator', 'key: Invalid value: "x": not a valid field selector key',
    ]
    assert check(key="metadata.name", operator="In", values=["a", "b"]) == [
        "values: Required value: must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
    ]


def test_preferences_have_weights_and_may_hold_odd_values() -> None:
    term = {"matchExpressions": [{"key": "a", "operator": "In", "values": ["not a label"]}]}
    assert wrong_affinity("nodeAffinity", **{PREFERRED: [{"weight": 100, "preference": term}, {"weight": 0}]}) == [
        "P[1].weight: Invalid value: 0: must be in the range 1-100",
    ]
    required = wrong_affinity("nodeAffinity", **{REQUIRED: {"nodeSelectorTerms": [term]}})
    assert len(required) == 1
    assert required[0].startswith('R.nodeSelectorTerms[0].matchExpressions[0].values[0]: Invalid value: "not a label": a valid label')


@pytest.mark.parametrize("kind", ["podAffinity", "podAntiAffinity"])
def test_pod_terms_have_a_topology_and_valid_selectors(kind: str) -> None:
    assert wrong_affinity(kind, **{REQUIRED: [{"topologyKey": "zone", "labelSelector": {"matchLabels": {"a": "b"}}}]}) == []
    assert wrong_affinity(kind, **{REQUIRED: [{}]}) == [
        "R[0].topologyKey: Required value: can not be empty", *(f"R[0].topologyKey: {message}" for message in EMPTY_KEY),
    ]
    wrong = wrong_affinity(kind, **{PREFERRED: [{"weight": 101, "podAffinityTerm": {"topologyKey": "z", "namespaces": ["BAD"]}}]})
    assert wrong[0] == "P[0].weight: Invalid value: 101: must be in the range 1-100"
    assert wrong[1].startswith('P[0].podAffinityTerm.namespace: Invalid value: "BAD": a lowercase RFC 1123 label')


def test_label_keys_need_a_selector_and_do_not_occur_in_it_twice() -> None:
    def check(**term: Any) -> list[str]:
        return wrong_affinity("podAffinity", **{REQUIRED: [{"topologyKey": "z", **term}]})

    assert check(matchLabelKeys=["a"]) == ["R[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set"]
    merged = {"matchExpressions": [{"key": "a", "operator": "In", "values": ["x"]}]}
    assert check(matchLabelKeys=["a"], labelSelector=merged) == []
    assert check(matchLabelKeys=["a"], labelSelector={"matchLabels": {"a": "y"}, **merged}) == [
        'R[0][0]: Invalid value: "a": exists in both matchLabelKeys and labelSelector',
    ]
    assert check(matchLabelKeys=["a"], mismatchLabelKeys=["a"], labelSelector={}) == [
        'R[0].matchLabelKeys[0]: Invalid value: "a": exists in both matchLabelKeys and mismatchLabelKeys',
    ]


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        ({"key": "a", "operator": "Exists"}, []),
        ({"key": "a", "value": "b", "effect": "NoSchedule"}, []),
        ({"operator": "Exists"}, []),
        ({"key": "k", "operator": "Exists", "value": "x"}, [
            "operator: Invalid value: \"x\": value must be empty when `operator` is 'Exists'",
        ]),
        ({"operator": "Equal"}, [
            'operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ]),
        ({"key": "k", "operator": "Bad"}, ['operator: Unsupported value: "Bad": supported values: "Equal", "Exists"']),
        ({"key": "k", "operator": "Gt", "value": "5"}, [
            'operator: Unsupported value: "Gt": supported values: "Equal", "Exists", "Lt", "Gt"',
        ]),
        ({"key": "k", "effect": "Bad"}, [
            'effect: Unsupported value: "Bad": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
        ]),
        ({"key": "k", "operator": "Exists", "tolerationSeconds": 5}, [
            "effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set",
        ]),
    ],
)
def test_tolerations_are_complete_and_known(toleration: dict[str, Any], expected: list[str]) -> None:
    assert wrong_spec(tolerations=[toleration]) == [f"spec.tolerations[0].{message}" for message in expected]


def wrong_spread(*constraints: dict[str, Any]) -> list[str]:
    return [message.removeprefix("spec.topologySpreadConstraints") for message in wrong_spec(topologySpreadConstraints=list(constraints))]


def test_spread_constraints_are_complete_and_different() -> None:
    good = {"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}
    assert wrong_spread({**good, "minDomains": 2, "nodeAffinityPolicy": "Honor", "nodeTaintsPolicy": "Ignore"}) == []
    assert wrong_spread({}) == [
        "[0].maxSkew: Invalid value: 0: must be greater than zero", "[0].topologyKey: Required value: can not be empty",
        '[0].whenUnsatisfiable: Unsupported value: "": supported values: "DoNotSchedule", "ScheduleAnyway"',
    ]
    assert wrong_spread(good, {**good, "maxSkew": 2}) == [
        '[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{z, DoNotSchedule}"',
    ]
    assert wrong_spread({**good, "whenUnsatisfiable": "ScheduleAnyway", "minDomains": 0, "nodeTaintsPolicy": "x"}) == [
        "[0].minDomains: Invalid value: 0: must be greater than zero",
        "[0].minDomains: Invalid value: 0: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway",
        '[0].nodeTaintsPolicy: Unsupported value: "x": supported values: "Honor", "Ignore"',
    ]


def test_spread_keys_need_a_selector_too() -> None:
    good = {"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule", "matchLabelKeys": ["a"]}
    assert wrong_spread(good) == ["[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set"]
    selector = {"matchLabels": {"a": "y"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["x"]}]}
    assert wrong_spread({**good, "labelSelector": selector}) == [
        '[0].matchLabelKeys[0]: Invalid value: "a": exists in both matchLabelKeys and labelSelector',
    ]


def test_many_spread_constraints_are_compared_in_linear_time() -> None:
    looks = 0

    class Counted(dict[str, Any]):
        def get(self, *asked: Any) -> Any:
            nonlocal looks
            looks += 1
            return super().get(*asked)

    constraint = {"maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
    many = [Counted(constraint, topologyKey=f"k{number}") for number in range(500)]
    errors: list[FieldError] = []
    affinity.validate_topology_spread([*many, many[7]], "p", errors)
    assert [error.field for error in errors] == ["p[7].{topologyKey, whenUnsatisfiable}"]
    assert looks < 20 * len(many)
