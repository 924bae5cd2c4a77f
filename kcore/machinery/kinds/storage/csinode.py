"""CSINode: the drivers on a node; what a driver said of itself stays, but for how many volumes the node can take.

Source: Kubernetes `pkg/apis/storage/validation`, `pkg/registry/storage/csinode`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.kinds.core.volume_remote import validate_csi_driver_name
from kcore.machinery.kinds.rules import KindRules, Object
from kcore.machinery.kinds.values import validate_not_negative

NODE_ID_SIZE_MAX: Final = 256

_DRIVER_FIELDS: Final = (
    StructField("Name", "name", ""), StructField("NodeID", "nodeID", ""), StructField("TopologyKeys", "topologyKeys"),
    StructField("Allocatable", "allocatable", None, (StructField("Count", "count"),)),
)

Driver = dict[str, Any]


def validate_node(value: Object) -> list[FieldError]:
    """Check the drivers."""
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, driver in enumerate((value.get("spec") or {}).get("drivers") or ()):
        _validate_driver(driver, seen, f"spec.drivers[{index}]", errors)
    return errors


def _validate_driver(driver: Driver, seen: set[str], path: str, errors: list[FieldError]) -> None:
    name, node_id = driver.get("name") or "", driver.get("nodeID") or ""
    if name:
        validate_csi_driver_name(name, f"{path}.name", errors)
    else:
        errors.append(fe.required(f"{path}.name"))
    if not node_id:
        errors.append(fe.required(f"{path}.nodeID"))
    if len(node_id.encode()) > NODE_ID_SIZE_MAX:
        errors.append(fe.invalid(f"{path}.nodeID", node_id, f"must be {NODE_ID_SIZE_MAX} characters or less"))
    validate_not_negative((driver.get("allocatable") or {}).get("count"), f"{path}.allocatable.count", errors)
    if name in seen:
        errors.append(fe.duplicate(f"{path}.name", name))
    seen.add(name)
    _validate_topology(driver.get("topologyKeys") or [], path, errors)


def _validate_topology(keys: list[str], path: str, errors: list[FieldError]) -> None:
    seen: set[str] = set()
    for key in keys:
        if not key:
            errors.append(fe.required(path))
        if key in seen:
            errors.append(fe.duplicate(path, key))
        seen.add(key)
        errors.extend(fe.invalid(path, key, sentence) for sentence in names.qualified_name(key))


def validate_node_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; drivers come and go, but do not change."""
    errors = validate_node(new)
    stored = {driver.get("name"): driver for driver in (old.get("spec") or {}).get("drivers") or ()}
    for driver in (new.get("spec") or {}).get("drivers") or ():
        before = stored.get(driver.get("name"))
        if before is not None and _lasting(before) != _lasting(driver):
            errors.append(fe.immutable("spec.drivers", fe.struct({**driver, "allocatable": None}, _DRIVER_FIELDS)))
    return errors


def _lasting(driver: Driver) -> Driver:
    return {field: found for field, found in driver.items() if field != "allocatable" and found}


RULES: Final = KindRules(validate=validate_node, validate_update=validate_node_update, allow_unconditional_update=False)
