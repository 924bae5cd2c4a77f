"""Node: taints, amounts, pod CIDRs that are given once."""
from typing import Any

from kcore.machinery.kinds.core import node


def messages(errors: list[Any]) -> list[str]:
    return [error.message() for error in errors]


def test_allocatable_follows_capacity_and_the_two_forms_of_the_pod_cidr_each_other() -> None:
    value: dict[str, Any] = {"spec": {"podCIDR": "10.0.0.0/24"}, "status": {"capacity": {"cpu": "1.0001", "pods": "110"}}}
    node.RULES.default(value)
    assert value["spec"] == {"podCIDR": "10.0.0.0/24", "podCIDRs": ["10.0.0.0/24"]}
    assert value["status"]["allocatable"] == {"cpu": "1001m", "pods": "110"}
    other: dict[str, Any] = {"spec": {"podCIDRs": ["10.0.0.0/24", "fd00::/64"]}}
    node.RULES.default(other)
    assert other["spec"]["podCIDR"] == "10.0.0.0/24"


def test_amounts_of_the_status_are_checked_on_create() -> None:
    assert messages(node.RULES.validate({"status": {"capacity": {"pods": "1500m", "cpu": "-1"}}})) == [
        'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
        'status.capacity.pods: Invalid value: "1500m": must be an integer',
    ]


def test_taints_are_complete_and_distinct() -> None:
    taints = [{"key": "k", "effect": "NoSchedule"}, {"key": "k", "effect": "NoSchedule"}, {"key": "k"}, {"key": "k", "effect": "Bad"}]
    assert messages(node.RULES.validate({"spec": {"taints": taints}})) == [
        'metadata.taints[1]: Duplicate value: {"Key":"k","Value":"","Effect":"NoSchedule","TimeAdded":null}: '
        "taints must be unique by key and effect pair",
        "metadata.taints[2].effect: Required value",
        'metadata.taints[3].effect: Unsupported value: "Bad": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ]


def test_a_node_has_one_pod_cidr_of_each_family() -> None:
    assert node.RULES.validate({"spec": {"podCIDRs": ["10.0.0.0/24", "fd00::/64"]}}) == []
    assert [error.field for error in node.RULES.validate({"spec": {"podCIDRs": ["10.0.0.0/24", "10.0.1.0/24"]}})] == ["spec.podCIDRs"]


def test_what_a_node_was_given_once_stays() -> None:
    old = {"spec": {"podCIDR": "10.0.0.0/24", "podCIDRs": ["10.0.0.0/24"], "providerID": "a"}}
    new = {**old["spec"], "unschedulable": True, "taints": [{"key": "k", "effect": "NoExecute"}]}
    assert node.RULES.validate_update({"spec": new}, old) == []
    assert node.RULES.validate_update(old, {"spec": {}}) == []
    assert [error.field for error in node.RULES.validate_update({"spec": {"externalID": "x"}}, old)] == [
        "spec.podCIDRs", "spec.providerID", "spec.externalID",
    ]


def test_addresses_of_a_node_are_distinct() -> None:
    twice = [{"type": "InternalIP", "address": "1.2.3.4"}] * 2
    errors = node.RULES.validate_status_update({"status": {"addresses": twice}}, {})
    assert [(error.reason, error.field) for error in errors] == [("FieldValueDuplicate", "status.addresses[1]")]
