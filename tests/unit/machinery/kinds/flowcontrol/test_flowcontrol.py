"""Flow schemas and priority levels."""
from typing import Any

import pytest

from kcore.machinery.kinds.flowcontrol import fixed, flowschema, prioritylevelconfiguration

SUBJECT = {"kind": "User", "user": {"name": "u"}}
RULES = {"subjects": [SUBJECT], "resourceRules": [{"verbs": ["get"], "apiGroups": ["*"], "resources": ["pods"], "namespaces": ["*"]}]}


def schema(name: str = "s", **changed: Any) -> list[str]:
    spec = {"priorityLevelConfiguration": {"name": "p"}, "matchingPrecedence": 500, "rules": [RULES], **changed}
    return [error.message() for error in flowschema.RULES.validate({"metadata": {"name": name}, "spec": spec})]


def level(name: str = "l", **spec: Any) -> list[str]:
    return [error.message() for error in prioritylevelconfiguration.RULES.validate({"metadata": {"name": name}, "spec": spec})]


def limited(**response: Any) -> list[str]:
    return level(type="Limited", limited={"nominalConcurrencyShares": 1, "limitResponse": response})


def test_precedence_one_is_for_the_exempt() -> None:
    assert schema() == []
    assert schema(matchingPrecedence=1) == [
        "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"
    ]
    assert schema(matchingPrecedence=10001) == ["spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000"]
    assert schema(matchingPrecedence=-1) == ["spec.matchingPrecedence: Invalid value: -1: must be a positive value"]


def test_a_subject_is_what_its_kind_says() -> None:
    account = {"kind": "ServiceAccount", "serviceAccount": {"name": "*"}, "user": {"name": "u"}, "group": {"name": "g"}}
    assert schema(rules=[{**RULES, "subjects": [account]}]) == [
        "spec.rules[0].subjects[0].serviceAccount.namespace: Required value: must specify namespace for service account",
        "spec.rules[0].subjects[0].user: Forbidden: user is forbidden when subject kind is not 'User'",
        "spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'",
    ]


def test_rules_are_about_named_things_or_all() -> None:
    rule = {"verbs": ["*", "get"], "apiGroups": [], "resources": ["*", "pods"], "namespaces": ["Not"]}
    found = schema(rules=[{**RULES, "resourceRules": [rule, {**RULES["resourceRules"][0], "namespaces": []}]}])
    assert [message.partition("spec.rules[0].")[2][:50] for message in found] == [
        "resourceRules[0].verbs: Invalid value: [\"*\",\"get\"]",
        "resourceRules[0].apiGroups: Required value: resour",
        "resourceRules[0].resources: Invalid value: [\"*\",\"p",
        'resourceRules[0].namespaces[0]: Invalid value: "No',
        "resourceRules[1].namespaces: Required value: resou",
    ]


@pytest.mark.parametrize(("url", "sentence"), [
    ("/a b", "must not contain white-space"), ("/a//b", "must not contain double slash"), ("/a*", "wildcard can only do suffix matching"),
    ("/*/b", "wildcard can only do suffix matching"), ("a", "must start with slash"), ("/", ""), ("/a/*", ""), ("*", ""),
])  # fmt: skip
def test_paths_end_in_a_star_or_have_none(url: str, sentence: str) -> None:
    found = schema(rules=[{"subjects": [SUBJECT], "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": [url]}]}])
    where = "spec.rules[0].nonResourceRules[0].nonResourceURLs[0]"
    assert found == ([f'{where}: Invalid value: "{url}": {sentence}'] if sentence else [])


@pytest.mark.parametrize("name", sorted(fixed.FLOW_SCHEMAS))
def test_what_must_be_there_must_be_as_it_is(name: str) -> None:
    spec = fixed.FLOW_SCHEMAS[name]
    assert schema(name, **spec) == []
    assert schema(name, **{**spec, "rules": []})[-1].endswith(f"spec of '{name}' must equal the fixed value")


def test_only_the_exempt_level_is_exempt() -> None:
    assert level("exempt", type="Exempt", exempt={"nominalConcurrencyShares": 3, "lendablePercent": 5}) == []
    assert level("exempt", type="Limited", limited={"nominalConcurrencyShares": 1, "limitResponse": {"type": "Reject"}})[0] == (
        "spec.type: Invalid value: \"Limited\": type must be 'Exempt' if and only if name is 'exempt'"
    )
    assert level("other", type="Exempt", exempt={})[0].startswith('spec.type: Invalid value: "Exempt"')
    assert level("catch-all", **fixed.PRIORITY_LEVELS["catch-all"]) == []


def test_queues_are_enough_for_the_hand() -> None:
    assert limited(type="Queue") == ["spec.limited.limitResponse.queuing: Required value"]
    assert limited(type="Reject", queuing={}) == ["spec.limited.limitResponse.queuing: Forbidden"]
    assert limited(type="Queue", queuing={"queues": 2, "handSize": 3, "queueLengthLimit": 0}) == [
        "spec.limited.limitResponse.queuing.queueLengthLimit: Invalid value: 0: must be positive",
        "spec.limited.limitResponse.queuing.handSize: Invalid value: 3: should not be greater than queues (2)",
    ]
    assert limited(type="Queue", queuing={"queues": 64, "handSize": 10, "queueLengthLimit": 1}) == []
    assert limited(type="Queue", queuing={"queues": 64, "handSize": 11, "queueLengthLimit": 1})[0].endswith(
        "required entropy bits of deckSize 64 and handSize 11 should not be greater than 60"
    )


def test_an_exempt_level_is_described() -> None:
    value: dict[str, Any] = {"spec": {"type": "Exempt"}}
    prioritylevelconfiguration.RULES.default(value)
    assert value["spec"]["exempt"] == {"nominalConcurrencyShares": 0, "lendablePercent": 0}
