"""StorageVersionMigration: writes all objects of a resource anew in its storage version; of which never changes.

Source: Kubernetes `pkg/apis/storagemigration/validation`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.conditions import validate_conditions
from kcore.machinery.kinds.rules import KindRules, Object, keep_spec_and_metadata

_RUNNING: Final = "Running"
_SUCCEEDED: Final = "Succeeded"
_FAILED: Final = "Failed"


def _resource(value: Object) -> dict[str, Any]:
    return (value.get("spec") or {}).get("resource") or {}


def validate_migration(value: Object) -> list[FieldError]:
    """Check group and resource."""
    errors: list[FieldError] = []
    group, resource = _resource(value).get("group") or "", _resource(value).get("resource") or ""
    if not resource:
        errors.append(fe.required("spec.resource.resource", "resource is required to be set"))
    elif wrong := names.dns1035_label(resource):
        errors.append(fe.invalid("spec.resource.resource", resource, ",".join(wrong)))
    if group and (wrong := names.dns1123_subdomain(group)):
        errors.append(fe.invalid("spec.resource.group", group, ",".join(wrong)))
    return errors


def validate_migration_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; the resource stays."""
    errors = validate_migration(new)
    fresh, stored = ({field: _resource(value).get(field) or "" for field in ("group", "resource")} for value in (new, old))
    if fresh != stored:
        errors.append(fe.immutable("spec", fe.Rendered(fe.compact_json({"Resource": fresh}))))
    return errors


def validate_migration_status_update(new: Object, old: Object) -> list[FieldError]:
    """Check how far a migration is: it ends once, and one way."""
    errors: list[FieldError] = []
    status, path = new.get("status") or {}, "status.conditions"
    version, stored = status.get("resourceVersion") or "", (old.get("status") or {}).get("resourceVersion") or ""
    if stored and version != stored:
        errors.append(fe.immutable("status.resourceVersion", version))
    conditions = status.get("conditions") or []
    validate_conditions(conditions, path, errors)
    holds, held = _holding(new), _holding(old)
    if {_SUCCEEDED, _FAILED} <= holds:
        errors.append(fe.invalid(path, conditions, "Both success and failed conditions cannot be true at the same time"))
    for kind, word in ((_SUCCEEDED, "success"), (_FAILED, "failed")):
        if {kind, _RUNNING} <= holds:
            errors.append(fe.invalid(path, conditions, f"Running condition cannot be true when {word} condition is true"))
        if kind in held - holds:
            errors.append(fe.invalid(path, conditions, f"{word.capitalize()} condition cannot be set to false once it is true"))
    return errors


def _holding(value: Object) -> set[str]:
    conditions = (value.get("status") or {}).get("conditions") or ()
    return {condition.get("type") or "" for condition in conditions if condition.get("status") == "True"}


RULES: Final = KindRules(
    validate=validate_migration, validate_update=validate_migration_update,
    validate_status_update=validate_migration_status_update, prepare_status_update=keep_spec_and_metadata, allow_unconditional_update=False,
)
