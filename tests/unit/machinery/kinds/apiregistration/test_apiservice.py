"""API services: what they are called, and who serves them."""
from typing import Any

import pytest

from kcore.machinery.kinds.apiregistration.apiservice import RULES

SERVICE = {"name": "s", "namespace": "n", "port": 443}


def messages(name: str = "v1.example.com", **changed: Any) -> list[str]:
    spec = {"group": "example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10, "service": SERVICE, **changed}
    return [error.message() for error in RULES.validate({"metadata": {"name": name}, "spec": spec})]


def test_an_api_service_is_called_by_version_and_group() -> None:
    assert messages() == messages("v1.", group="") == []
    assert messages("v2.example.com") == [
        'metadata.name: Invalid value: "v2.example.com": must be `spec.version+"."+spec.group`: "v1.example.com"'
    ]
    assert messages("v2.", group="", version="v2") == [
        "spec.group: Required value: only v1 may have an empty group and it better be legacy kube"
    ]


@pytest.mark.parametrize(("changed", "expected"), [
    ({"groupPriorityMinimum": 20001}, "spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000"),
    ({"versionPriority": -1}, "spec.versionPriority: Invalid value: -1: must be positive and less than 1000"),
    ({"service": {**SERVICE, "port": 0}}, (
        "spec.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive"
    )),
    ({"insecureSkipTLSVerify": True, "caBundle": "eA=="}, (
        "spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present"
    )),
    ({"service": None, "caBundle": "eHg="}, 'spec.caBundle: Invalid value: "2 bytes": local APIServices may not have a caBundle'),
])  # fmt: skip
def test_priorities_and_places_are_in_bounds(changed: dict[str, Any], expected: str) -> None:
    assert messages(**changed) == [expected]


def test_what_is_served_here_is_available_at_once() -> None:
    value: dict[str, Any] = {"metadata": {"creationTimestamp": "then"}, "spec": {}, "status": {"conditions": []}}
    RULES.prepare_create(value)
    assert value["status"]["conditions"][0]["reason"] == "Local"
    remote: dict[str, Any] = {"metadata": {}, "spec": {"service": SERVICE}, "status": {"conditions": [{}]}}
    RULES.prepare_create(remote)
    assert remote["status"] == {}
