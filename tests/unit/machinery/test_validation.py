"""What options state of fields, checked on objects."""

from __future__ import annotations

from typing import Any

from kcore.machinery import validation
from kcore.machinery.field_error import FieldError


def found(errors: list[FieldError]) -> list[str]:
    return [error.message() for error in errors]


def test_what_is_required_and_empty_is_reported_with_its_path() -> None:
    obj: dict[str, Any] = {"spec": {"rules": [{"http": {"paths": [{"backend": {}}]}}], "tls": []}}
    assert found(validation.validate("kcore.api.networking.v1.Ingress", obj)) == ["spec.rules[0].http.paths[0].pathType: Required value"]


def test_a_value_outside_of_an_enumeration_is_told_what_there_is() -> None:
    obj = {"provisioner": "p", "reclaimPolicy": "Nope"}
    assert found(validation.validate("kcore.api.storage.v1.StorageClass", obj, "template")) == [
        'template.reclaimPolicy: Unsupported value: "Nope": supported values: "Delete", "Recycle", "Retain"'
    ]


def test_elements_of_a_list_map_have_different_keys() -> None:
    webhook = {"name": "w", "sideEffects": "None", "admissionReviewVersions": ["v1"]}
    errors = validation.validate("kcore.api.admissionregistration.v1.ValidatingWebhookConfiguration", {"webhooks": [webhook, webhook]})
    assert found(errors) == ['webhooks[1].name: Duplicate value: "w"']


def test_zero_is_a_value_of_a_required_number() -> None:
    assert validation.validate("kcore.api.scheduling.v1.PriorityClass", {"value": 0}) == []


def test_an_update_is_checked_like_a_new_object() -> None:
    new, old = {"provisioner": "", "parameters": {}}, {"provisioner": "p"}
    assert found(validation.validate_update("kcore.api.storage.v1.StorageClass", new, old)) == ["provisioner: Required value"]


def test_a_message_that_holds_itself_is_checked_to_its_end() -> None:
    schema = {"properties": {"a": {"items": {"type": "x"}}}}
    assert validation.validate("kcore.api.apiextensions.v1.JSONSchemaProps", schema) == []


def test_ranges_formats_and_immutability_are_checked_where_options_state_them() -> None:
    errors: list[FieldError] = []
    validation.range_check(1, 10)(11, "a", errors)
    validation.range_check(0, None)(-1, "b", errors)
    validation.range_check(None, 5)(6, "c", errors)
    validation.FORMATS["port"](0, "d", errors)
    validation.unique_items(["x", "y", "x"], "e", errors)
    assert found(errors) == [
        "a: Invalid value: 11: must be between 1 and 10, inclusive", "b: Invalid value: -1: must be greater than or equal to 0",
        "c: Invalid value: 6: must be less than or equal to 5", "d: Invalid value: 0: must be between 1 and 65535, inclusive",
        'e[2]: Duplicate value: "x"',
    ]  # fmt: skip
