"""Slices of devices, classes, taints, and their names."""
from typing import Any

import pytest

from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.resource import deviceclass, devicetaintrule, names, resourceslice

POOL = {"name": "p", "generation": 1, "resourceSliceCount": 1}


def slice_of(*devices: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"spec": {"driver": "d.example.com", "pool": POOL, "nodeName": "n", "devices": list(devices), **changed}}


def messages(value: dict[str, Any]) -> list[str]:
    return [error.message() for error in resourceslice.RULES.validate(value)]


@pytest.mark.parametrize(("name", "fine"), [
    ("numa", True), ("d.example.com/numa", True), ("a b", False), ("d.example.com/", False), ("/numa", False), ("a/b/c", True),
    ("x" * 33, False), ("", False),
])  # fmt: skip
def test_attributes_are_identifiers_perhaps_of_a_domain(name: str, fine: bool) -> None:
    errors: list[FieldError] = []
    names.validate_attribute_name(name, "a", errors)
    assert (errors == []) is fine


def test_devices_are_in_one_place() -> None:
    assert messages(slice_of({"name": "a"})) == []
    assert messages(slice_of(allNodes=True)) == [
        'spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, `allNodes`, '
        "`perDeviceNodeSelection` is required, but multiple fields are set"
    ]
    assert [message.partition(":")[0] for message in messages(slice_of({"name": "a", "nodeName": "n"}))] == ["spec.devices[0]"]
    own = {"nodeName": None, "perDeviceNodeSelection": True}
    assert messages(slice_of({"name": "a", "allNodes": True}, **own)) == []
    assert messages(slice_of({"name": "a"}, **own)) == [
        "spec.devices[0]: Required value: exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when "
        "`perDeviceNodeSelection` is set to true in the ResourceSlice spec"
    ]


def test_devices_are_bounded_and_have_names_of_their_own() -> None:
    assert messages(slice_of({"name": "a"}, {"name": "a"})) == ['spec.devices[1]: Duplicate value: "a"']
    many = [{"name": f"d{n}"} for n in range(129)]
    assert messages(slice_of(*many)) == ["spec.devices: Too many: 129: must have at most 128 items"]
    tainted = [{**device, "taints": [{"key": "k", "effect": "None"}]} for device in many[:65]]
    assert messages(slice_of(*tainted)) == ["spec.devices: Too many: 65: must have at most 64 items"]
    full = {"name": "a", "attributes": {f"a{n}": {"int": n} for n in range(33)}}
    assert messages(slice_of(full)) == [
        "spec.devices[0]: Invalid value: 33: the total number of attributes and capacities must not exceed 32"
    ]


def test_an_attribute_has_one_value() -> None:
    found = messages(slice_of({"name": "a", "attributes": {"both": {"int": 1, "bool": True}, "v": {"version": "1.2"}}}))
    assert [message.partition(": ")[0] for message in found] == [
        "spec.devices[0].attributes[v].version", "spec.devices[0].attributes[both]",
    ]


def test_requests_of_a_shared_capacity_follow_its_policy() -> None:
    def wrong(policy: dict[str, Any], shared: bool = True) -> list[str]:
        device = {"name": "a", "allowMultipleAllocations": shared, "capacity": {"m": {"value": "10", "requestPolicy": policy}}}
        at = "spec.devices[0].capacity[m].requestPolicy"
        return [message.replace(at, "") for message in messages(slice_of(device))]

    assert wrong({"default": "4", "validRange": {"min": "1", "step": "3"}}) == []
    assert wrong({"default": "4"}, shared=False) == [": Forbidden: allowMultipleAllocations must be true"]
    assert wrong({"default": "5", "validRange": {"min": "1", "step": "3"}}) == [
        '.validRange.step: Invalid value: "5": value is not a multiple of a given step (3) from (1)'
    ]
    assert wrong({"default": "2", "validValues": ["3", "1"]}) == [
        '.validValues[1]: Invalid value: "1": values must be sorted in ascending order',
        '.validValues: Invalid value: "2": default value is not valid according to the requestPolicy',
    ]


def test_conditions_of_a_binding_come_with_those_of_its_failure() -> None:
    assert messages(slice_of({"name": "a", "bindingConditions": ["x"]})) == [
        "spec.devices[0].bindingFailureConditions: Invalid value: null: bindingFailureConditions are required to use bindingConditions"
    ]


def test_whose_devices_these_are_stays() -> None:
    new = slice_of(driver="other.example.com", nodeName="m", pool={**POOL, "name": "q"})
    errors = resourceslice.RULES.validate_update(new, slice_of())
    assert [error.field for error in errors] == ["spec.pool.name", "spec.driver", "spec.nodeName"]


def test_taints_are_dated_when_they_come() -> None:
    value: dict[str, Any] = {"metadata": {"creationTimestamp": "2024-01-01T00:00:00Z"}, "spec": {"taint": {"key": "k", "effect": "None"}}}
    devicetaintrule.RULES.default(value)
    devicetaintrule.RULES.prepare_create(value)
    assert value["spec"]["taint"]["timeAdded"] == "2024-01-01T00:00:00Z"
    assert devicetaintrule.RULES.validate(value) == []


@pytest.mark.parametrize(("name", "sentence"), [
    ("gpu", "a name must be a domain-prefixed path, such as 'example.com/my-prop'"),
    ("a.kubernetes.io/x", 'must not have "kubernetes.io/" domain'),
    ("requests.x.com/y", 'must not have "requests." prefix'),
    ("x.com/y", ""),
])  # fmt: skip
def test_extended_resources_belong_to_a_vendor(name: str, sentence: str) -> None:
    found = [error.message() for error in deviceclass.RULES.validate({"spec": {"extendedResourceName": name}})]
    assert found == ([f'spec.extendedResourceName: Invalid value: "{name}": {sentence}'] if sentence else [])


def test_configuration_is_an_object_of_limited_size() -> None:
    def config(parameters: Any) -> list[str]:
        value = {"spec": {"config": [{"opaque": {"driver": "d.example.com", "parameters": parameters}}]}}
        return [error.message() for error in deviceclass.RULES.validate(value)]

    assert config({"a": 1}) == []
    assert config([1]) == ['spec.config[0].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object']
    assert config({"a": "x" * 10240}) == ["spec.config[0].opaque.parameters: Too long: may not be more than 10240 bytes"]
