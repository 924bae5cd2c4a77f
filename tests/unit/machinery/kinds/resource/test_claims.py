"""Claims for devices, and their templates."""
from typing import Any

from kcore.machinery.kinds.resource import resourceclaim, resourceclaimtemplate

EXACT = {"name": "r", "exactly": {"deviceClassName": "c", "allocationMode": "ExactCount", "count": 1}}
EITHER = {"name": "f", "firstAvailable": [{"name": "s", "deviceClassName": "c", "allocationMode": "All"}]}


def claim(**devices: Any) -> dict[str, Any]:
    return {"spec": {"devices": {"requests": [EXACT, EITHER], **devices}}}


def messages(value: dict[str, Any]) -> list[str]:
    return [error.message() for error in resourceclaim.RULES.validate(value)]


def test_a_request_is_exact_or_has_alternatives() -> None:
    assert messages(claim()) == []
    assert messages(claim(requests=[{**EXACT, **EITHER}])) == [
        "spec.devices.requests[0]: Invalid value: null: exactly one of `exactly` or `firstAvailable` is required, but multiple fields "
        "are set"
    ]
    assert messages(claim(requests=[EXACT, EXACT])) == [
        'spec.devices.requests[1]: Duplicate value: {"name":"r","exactly":{"deviceClassName":"c","allocationMode":"ExactCount","count":1}}'
    ]
    assert messages(claim(requests=[{**EXACT, "name": f"r{n}"} for n in range(33)])) == [
        "spec.devices.requests: Too many: 33: must have at most 32 items"
    ]


def test_constraints_name_requests_and_alternatives_of_the_claim() -> None:
    assert messages(claim(constraints=[{"requests": ["r", "f", "f/s"], "matchAttribute": "d.example.com/numa"}])) == []
    wrong = {"requests": ["f/x", "a/b/c"], "matchAttribute": "numa"}
    assert [message.partition(": ")[0] for message in messages(claim(constraints=[wrong]))] == [
        "spec.devices.constraints[0].requests[0]", "spec.devices.constraints[0].requests[1]", "spec.devices.constraints[0].matchAttribute",
    ]
    assert messages(claim(constraints=[{"matchAttribute": "d/a", "distinctAttribute": "d/b"}])) == []
    assert messages(claim(constraints=[{}])) == [
        'spec.devices.constraints[0]: Required value: exactly one of "matchAttribute" or "distinctAttribute" is required, but '
        "multiple fields are set"
    ]


def test_one_device_is_wanted_where_no_number_is_given() -> None:
    value = claim(requests=[{"name": "r", "exactly": {"deviceClassName": "c", "allocationMode": "ExactCount"}}, EITHER])
    resourceclaim.RULES.default(value)
    first, second = value["spec"]["devices"]["requests"]
    assert first["exactly"]["count"] == 1 and "count" not in second["firstAvailable"][0]
    first["exactly"] |= {"allocationMode": "All"}
    assert messages(value) == [
        "spec.devices.requests[0].exactly.count: Invalid value: 1: must not be specified when allocationMode is 'All'"
    ]


def test_selectors_are_about_devices_and_say_yes_or_no() -> None:
    selectors = [{"cel": {"expression": "1"}}, {"cel": {"expression": "device.attributes['d'].a"}}]
    asked = {"deviceClassName": "c", "allocationMode": "All", "selectors": selectors}
    assert messages(claim(requests=[{"name": "r", "exactly": asked}])) == [
        'spec.devices.requests[0].exactly.selectors[0].cel.expression: Invalid value: "1": must evaluate to bool or the unknown type, '
        "not int"
    ]


def test_what_is_asked_for_stays() -> None:
    assert resourceclaim.RULES.validate_update(claim(), claim()) == []
    changed = resourceclaim.RULES.validate_update(claim(requests=[EXACT]), claim())
    assert [error.message() for error in changed] == ["spec: Invalid value: null: field is immutable"]


def test_a_claim_is_used_when_it_is_allocated_and_its_allocation_stays() -> None:
    users = {"reservedFor": [{"resource": "pods", "name": "p", "uid": "u"}]}
    check = resourceclaim.RULES.validate_status_update
    assert [error.message() for error in check({**claim(), "status": users}, claim())] == [
        "status.reservedFor: Forbidden: may not be specified when `allocated` is not set"
    ]
    results = [{"request": "r", "driver": "d.example.com", "pool": "p", "device": "x"}]
    given = {"allocation": {"devices": {"results": results}}}
    assert check({**claim(), "status": {**given, **users}}, claim()) == []
    other = {"allocation": {"devices": {"results": [{**results[0], "device": "y"}]}}}
    assert [error.field for error in check({**claim(), "status": other}, {**claim(), "status": given})] == ["status.allocation"]
    unknown = {"allocation": {"devices": {"results": [{**results[0], "request": "z"}]}}}
    assert [error.field for error in check({**claim(), "status": unknown}, claim())] == ["status.allocation.devices.results[0].request"]


def test_a_template_never_changes() -> None:
    value = {"spec": {"metadata": {"labels": {"a": "b"}}, "spec": claim()["spec"]}}
    bad = {"spec": {"metadata": {"labels": {"a": "b c"}}, "spec": {}}}
    assert resourceclaimtemplate.RULES.validate_update(value, value) == []
    assert [error.field for error in resourceclaimtemplate.RULES.validate_update(bad, value)] == ["spec.metadata.labels", "spec"]
