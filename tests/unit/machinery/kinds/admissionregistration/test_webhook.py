"""Webhooks: names, rules, places and versions, and what an update is held to."""
from typing import Any

import pytest

from kcore.machinery.kinds.admissionregistration.webhook import RULES

HOOK: dict[str, Any] = {
    "name": "a.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "clientConfig": {"url": "https://h/p"},
    "rules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"], "scope": "*"}],
}


def messages(*hooks: dict[str, Any], old: list[dict[str, Any]] | None = None) -> list[str]:
    new = {"webhooks": list(hooks)}
    errors = RULES.validate(new) if old is None else RULES.validate_update(new, {"webhooks": old})
    return [error.message() for error in errors]


def rule(**changed: Any) -> list[str]:
    return messages({**HOOK, "rules": [{**HOOK["rules"][0], **changed}]})


def test_a_webhook_may_be_as_it_should() -> None:
    assert messages(HOOK) == []


def test_a_name_has_three_parts_and_is_taken_once() -> None:
    assert messages({**HOOK, "name": "a.b"}) == [
        'webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots'
    ]
    assert messages(HOOK, HOOK) == ['webhooks[1].name: Duplicate value: "a.example.com"']


@pytest.mark.parametrize(("client", "expected"), [
    ({"url": "http://h"}, ['url: Invalid value: "http": \'https\' is the only allowed URL scheme; desired format: https://host[/path]']),
    ({"url": "https://u@h/?q#f"}, [
        'url: Invalid value: "u": user information is not permitted in the URL',
        'url: Invalid value: "f": fragments are not permitted in the URL',
        'url: Invalid value: "q": query parameters are not permitted in the URL',
    ]),
    ({"service": {"name": "s", "namespace": "n", "port": 0}}, [
        "service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive",
    ]),
    ({"service": {"name": "s", "namespace": "n", "port": 443, "path": "a/b//C"}}, [
        'service.path: Invalid value: "a/b//C": must start with a \'/\'',
        'service.path: Invalid value: "a/b//C": segment[0] may not be empty',
        'service.path: Invalid value: "a/b//C": segment[2] may not be empty',
        "service.path: Invalid value: \"a/b//C\": segment[3]: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
        "characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ]),
])  # fmt: skip
def test_a_webhook_is_at_an_address(client: dict[str, Any], expected: list[str]) -> None:
    assert messages({**HOOK, "clientConfig": client}) == [f"webhooks[0].clientConfig.{message}" for message in expected]


def test_a_star_stands_alone() -> None:
    assert rule(operations=["*", "CREATE"], apiGroups=["*", ""], apiVersions=["v1", "*"], resources=["*/*", "pods"]) == [
        'webhooks[0].rules[0].operations: Invalid value: ["*","CREATE"]: if \'*\' is present, must not specify other operations',
        'webhooks[0].rules[0].apiGroups: Invalid value: ["*",""]: if \'*\' is present, must not specify other API groups',
        'webhooks[0].rules[0].apiVersions: Invalid value: ["v1","*"]: if \'*\' is present, must not specify other API versions',
        'webhooks[0].rules[0].resources: Invalid value: ["*/*","pods"]: if \'*/*\' is present, must not specify other resources',
    ]


def test_resources_do_not_say_things_twice() -> None:
    assert rule(resources=["pods/*", "pods/log", "*/scale", "jobs/scale"]) == [
        "webhooks[0].rules[0].resources[1]: Invalid value: \"pods/log\": if 'pods/*' is present, must not specify pods/log",
        "webhooks[0].rules[0].resources[3]: Invalid value: \"jobs/scale\": if '*/scale' is present, must not specify jobs/scale",
    ]
    assert rule(scope="Odd") == ['webhooks[0].rules[0].scope: Unsupported value: "Odd": supported values: "*", "Cluster", "Namespaced"']


def test_an_update_is_held_to_the_rules_that_the_stored_object_keeps() -> None:
    loose = {**HOOK, "sideEffects": "Some", "admissionReviewVersions": ["v9"], "matchConditions": [{"name": "c", "expression": "no("}]}
    assert messages(loose, old=[loose]) == []
    assert [message.partition(":")[0] for message in messages(loose, old=[HOOK])] == [
        "webhooks[0].sideEffects", "webhooks[0].matchConditions[0].expression", "webhooks[0].admissionReviewVersions",
    ]
