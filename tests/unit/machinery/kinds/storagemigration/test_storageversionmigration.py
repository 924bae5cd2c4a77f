"""Storage migrations: which resource, and how they end."""
from typing import Any

from kcore.machinery.kinds.storagemigration.storageversionmigration import RULES


def migration(*conditions: str, version: str = "", resource: str = "deployments") -> dict[str, Any]:
    held = [{"type": kind, "status": "True", "reason": "R", "lastTransitionTime": "2024-01-01T00:00:00Z"} for kind in conditions]
    return {"spec": {"resource": {"group": "apps", "resource": resource}}, "status": {"conditions": held, "resourceVersion": version}}


def test_the_resource_stays() -> None:
    assert RULES.validate(migration()) == []
    assert [error.message() for error in RULES.validate_update(migration(resource="pods"), migration())] == [
        'spec: Invalid value: {"Resource":{"group":"apps","resource":"pods"}}: field is immutable'
    ]


def test_a_migration_ends_once_and_one_way() -> None:
    def fields(new: dict[str, Any], old: dict[str, Any]) -> list[str]:
        return [error.message().rpartition(": ")[2] for error in RULES.validate_status_update(new, old)]

    assert fields(migration("Succeeded", version="5"), migration("Running", version="5")) == []
    assert fields(migration(version="6"), migration(version="5")) == ["field is immutable"]
    assert fields(migration("Succeeded", "Failed"), migration()) == ["Both success and failed conditions cannot be true at the same time"]
    assert fields(migration("Running"), migration("Failed")) == ["Failed condition cannot be set to false once it is true"]
    assert fields(migration("Running", "Succeeded"), migration()) == ["Running condition cannot be true when success condition is true"]
