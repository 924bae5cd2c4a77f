"""ResourceClaim: devices that pods share; what is asked for never changes, nor does what was allocated.

Source: Kubernetes `pkg/apis/resource/validation`, `pkg/registry/resource/resourceclaim`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.conditions import validate_conditions
from kcore.machinery.kinds.core.affinity import validate_node_selector
from kcore.machinery.kinds.resource import claim, device, names
from kcore.machinery.kinds.rules import KindRules, Object, keep_spec_and_metadata

CONSUMERS_COUNT_MAX: Final = 256
DEVICE_CONDITIONS_COUNT_MAX: Final = 8
RESULTS_COUNT_MAX: Final = 32

_SOURCES: Final = ("FromClaim", "FromClass")

Part = dict[str, Any]


def default_resource_claim(value: Object) -> None:
    """Count what is asked for."""
    claim.default_claim(value.get("spec") or {})


def validate_resource_claim(value: Object) -> list[FieldError]:
    """Check a new claim."""
    errors: list[FieldError] = []
    claim.validate_claim((value.get("spec") or {}).get("devices") or {}, "spec.devices", errors)
    return errors


def validate_resource_claim_update(new: Object, old: Object) -> list[FieldError]:
    """Refuse to ask for something else."""
    fresh, stored = (fe.struct(value.get("spec") or {}, claim.SPEC_FIELDS) for value in (new, old))
    return [] if fresh == stored else [fe.immutable("spec", None)]


def validate_resource_claim_status_update(new: Object, old: Object) -> list[FieldError]:
    """Check who uses the claim; nobody may unless it is allocated, and an allocation stays as it is."""
    errors: list[FieldError] = []
    status, stored = new.get("status") or {}, old.get("status") or {}
    consumers = status.get("reservedFor") or []
    names.validate_set(consumers, CONSUMERS_COUNT_MAX, _validate_consumer, "status.reservedFor", errors, "uid")
    if consumers and status.get("allocation") is None:
        errors.append(fe.forbidden("status.reservedFor", "may not be specified when `allocated` is not set"))
    elif (new.get("metadata") or {}).get("deletionTimestamp") and _added(consumers, stored.get("reservedFor") or []):
        sentence = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"
        errors.append(fe.forbidden("status.reservedFor", sentence))
    allocation, kept = status.get("allocation"), stored.get("allocation")
    if allocation is not None and kept is None:
        known = claim.request_names((new.get("spec") or {}).get("devices") or {})
        _validate_allocation(allocation, known, "status.allocation", errors)
    elif allocation is not None and allocation != kept:
        errors.append(fe.immutable("status.allocation", allocation))
    for index, each in enumerate(status.get("devices") or ()):
        _validate_device(each or {}, f"status.devices[{index}]", errors)
    return errors


def _validate_allocation(allocation: Part, known: set[str], path: str, errors: list[FieldError]) -> None:
    """Check which devices a claim was given, and how they are configured."""

    def result(value: Part, at: str, found: list[FieldError]) -> None:
        claim.validate_reference(value.get("request") or "", known, f"{at}.request", found)
        _validate_identity(value, at, found)

    def config(value: Part, at: str, found: list[FieldError]) -> None:
        source = value.get("source") or ""
        if not source:
            found.append(fe.required(f"{at}.source"))
        elif source not in _SOURCES:
            found.append(fe.not_supported(f"{at}.source", source, _SOURCES))
        claim.validate_references(value.get("requests"), known, f"{at}.requests", found)
        device.validate_configuration(value, at, found)

    devices = allocation.get("devices") or {}
    names.validate_items(devices.get("results"), RESULTS_COUNT_MAX, result, f"{path}.devices.results", errors)
    names.validate_items(devices.get("config"), 2 * device.CONFIG_COUNT_MAX, config, f"{path}.devices.config", errors)
    if allocation.get("nodeSelector") is not None:
        validate_node_selector(allocation["nodeSelector"], f"{path}.nodeSelector", errors)


def _validate_identity(value: Part, path: str, errors: list[FieldError]) -> None:
    """Check the names that lead to one device."""
    names.validate_driver(value.get("driver") or "", f"{path}.driver", errors)
    names.validate_pool(value.get("pool") or "", f"{path}.pool", errors)
    names.validate_label(value.get("device") or "", f"{path}.device", errors)


def _added(consumers: list[dict[str, Any]], stored: list[dict[str, Any]]) -> bool:
    return bool({each.get("uid") for each in consumers} - {each.get("uid") for each in stored})


def _validate_consumer(consumer: dict[str, Any] | None, path: str, errors: list[FieldError]) -> None:
    errors.extend(fe.required(f"{path}.{field}") for field in ("resource", "name", "uid") if not (consumer or {}).get(field))


def _validate_device(value: Part, path: str, errors: list[FieldError]) -> None:
    _validate_identity(value, path, errors)
    conditions = value.get("conditions") or ()
    if len(conditions) > DEVICE_CONDITIONS_COUNT_MAX:
        errors.append(fe.too_many(f"{path}.conditions", len(conditions), DEVICE_CONDITIONS_COUNT_MAX))
    validate_conditions(conditions, f"{path}.conditions", errors)


RULES: Final = KindRules(
    default=default_resource_claim, validate=validate_resource_claim, validate_update=validate_resource_claim_update,
    validate_status_update=validate_resource_claim_status_update, prepare_status_update=keep_spec_and_metadata,
)
