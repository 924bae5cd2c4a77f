"""Lease: numbers in range, fields of a switched-off feature dropped."""
from typing import Any

from kcore.machinery.kinds.coordination import lease


def test_durations_are_positive() -> None:
    errors = lease.RULES.validate({"spec": {"leaseDurationSeconds": 0, "leaseTransitions": -1}})
    assert [error.message() for error in errors] == [
        "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
        "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
    ]
    assert lease.RULES.validate_update({"spec": {"leaseDurationSeconds": 15}}, {}) == lease.RULES.validate({}) == []


def test_a_lease_is_created_by_put_and_never_updated_blindly() -> None:
    assert lease.RULES.allow_create_on_update
    assert not lease.RULES.allow_unconditional_update


def test_fields_of_coordinated_election_are_dropped() -> None:
    value: dict[str, Any] = {"spec": {"strategy": "OldestEmulationVersion", "preferredHolder": "x", "holderIdentity": "y"}}
    lease.RULES.prepare_create(value)
    assert value == {"spec": {"holderIdentity": "y"}}
