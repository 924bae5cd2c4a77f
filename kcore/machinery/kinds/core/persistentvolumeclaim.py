"""PersistentVolumeClaim: data sources in two forms, a spec that stays but for the size of a bound claim.

Source: Kubernetes `pkg/apis/core/validation`, `pkg/registry/core/persistentvolumeclaim`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import names, quantity
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.kinds.core.volume_claim import validate_claim_spec, warn_claim_spec
from kcore.machinery.kinds.disabled import drop_unless_stored
from kcore.machinery.kinds.rules import KindRules, Object, always, keep_status
from kcore.machinery.kinds.struct_diff import struct_diff
from kcore.machinery.kinds.values import validate_immutable
from kcore.machinery.labels import SELECTOR_FIELDS

PENDING: Final = "Pending"
BOUND: Final = "Bound"

_REFERENCE_FIELDS: Final = (StructField("APIGroup", "apiGroup"), StructField("Kind", "kind", ""), StructField("Name", "name", ""))
SPEC_FIELDS: Final = (
    StructField("AccessModes", "accessModes"), StructField("Selector", "selector", None, SELECTOR_FIELDS),
    StructField("Resources", "resources", {"Limits": None, "Requests": None}, (
        StructField("Limits", "limits"), StructField("Requests", "requests"),
    )),
    StructField("VolumeName", "volumeName", ""), StructField("StorageClassName", "storageClassName"),
    StructField("VolumeMode", "volumeMode"), StructField("DataSource", "dataSource", None, _REFERENCE_FIELDS),
    StructField("DataSourceRef", "dataSourceRef", None, (*_REFERENCE_FIELDS, StructField("Namespace", "namespace"))),
    StructField("VolumeAttributesClassName", "volumeAttributesClassName"),
)
_OLD_SOURCES: Final = (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))
_RESIZES: Final = (
    "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending",
)
CLASS_ANNOTATION: Final = "volume.beta.kubernetes.io/storage-class"
_IMMUTABLE: Final = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
_SIZE_PATH: Final = "spec.resources.requests.storage"

Spec = dict[str, Any]


def prepare_create(value: Object) -> None:
    """Start pending; let the two forms of the data source agree."""
    value["status"] = {"phase": PENDING}
    _drop_source_elsewhere(value, None)
    _drop_unknown_source(value.setdefault("spec", {}))
    _link_data_sources(value.setdefault("spec", {}))


def prepare_update(new: Object, old: Object) -> None:
    """Keep the stored status; let the two forms of the data source agree."""
    keep_status(new, old)
    _drop_source_elsewhere(new, old)
    stored = old.get("spec") or {}
    if stored.get("dataSource") is None and stored.get("dataSourceRef") is None:
        _drop_unknown_source(new.setdefault("spec", {}))
    _link_data_sources(new.setdefault("spec", {}))


def _drop_source_elsewhere(new: Object, old: Object | None) -> None:
    """Drop a data source in another namespace: no feature reads it."""
    if ((new.get("spec") or {}).get("dataSourceRef") or {}).get("namespace"):
        drop_unless_stored(new, old, ("spec", "dataSourceRef"))


def _drop_unknown_source(spec: Spec) -> None:
    """Drop a lone `dataSource` that is neither claim nor snapshot: that is what `dataSourceRef` is for."""
    source = spec.get("dataSource")
    if source is None or spec.get("dataSourceRef") is not None:
        return
    if (source.get("apiGroup") or "", source.get("kind") or "") not in _OLD_SOURCES:
        del spec["dataSource"]


def _link_data_sources(spec: Spec) -> None:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None and reference is None:
        spec["dataSourceRef"] = dict(source)
    elif reference is not None and source is None and not reference.get("namespace"):
        spec["dataSource"] = {field: found for field, found in reference.items() if field != "namespace"}


def validate_claim(value: Object) -> list[FieldError]:
    """Check the spec."""
    errors: list[FieldError] = []
    validate_claim_spec(value.get("spec") or {}, "spec", errors)
    return errors


def validate_claim_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update: a claim is bound once, grows when bound, and else stays."""
    errors = validate_claim(new)
    fresh, stored = new.get("spec") or {}, old.get("spec") or {}
    before, after = dict(stored), dict(fresh)
    if not stored.get("volumeName") and fresh.get("volumeName"):
        before["volumeName"] = fresh["volumeName"]
    if _may_get_class(new, old):
        after.pop("storageClassName")
    status = new.get("status") or {}
    if status.get("phase") == BOUND:
        after["resources"] = _with_size(fresh, _size(stored))
        after["volumeAttributesClassName"] = stored.get("volumeAttributesClassName")
    changes = struct_diff(before, after, SPEC_FIELDS)
    if changes:
        errors.append(fe.forbidden("spec", f"{_IMMUTABLE}\n{changes}"))
    _validate_size(_size(fresh), _size(stored), (old.get("status") or {}).get("capacity") or {}, errors)
    validate_immutable(fresh.get("volumeMode"), stored.get("volumeMode"), "volumeMode", errors)
    return errors


def _may_get_class(new: Object, old: Object) -> bool:
    """Say whether a claim that had no class is given one, or that of the old annotation as a field."""
    fresh, stored = ((value.get("spec") or {}).get("storageClassName") for value in (new, old))
    annotated = ((old.get("metadata") or {}).get("annotations") or {}).get(CLASS_ANNOTATION)
    return stored is None and bool(fresh) and (not annotated or annotated == fresh)


def _size(spec: Spec) -> str:
    return ((spec.get("resources") or {}).get("requests") or {}).get("storage") or "0"


def _with_size(spec: Spec, size: str) -> Spec:
    resources = spec.get("resources") or {}
    if not resources.get("requests"):
        return resources
    return {**resources, "requests": {**resources["requests"], "storage": size}}


def _validate_size(after: str, before: str, capacity: dict[str, str], errors: list[FieldError]) -> None:
    if quantity.compare(after, before) >= 0:
        return
    if quantity.compare(after, capacity.get("storage") or "0") <= 0:
        errors.append(fe.forbidden(_SIZE_PATH, "field can not be less than status.capacity"))


def validate_status_update(new: Object, _old: Object) -> list[FieldError]:
    """Check the amounts that a claim has got."""
    errors: list[FieldError] = []
    if not (new.get("spec") or {}).get("accessModes"):
        errors.append(fe.required("spec.accessModes"))
    status = new.get("status") or {}
    for name, amount in sorted((status.get("capacity") or {}).items()):
        _validate_whole(amount, f"status.capacity[{name}]", errors)
    for name, resizing in sorted((status.get("allocatedResourceStatuses") or {}).items()):
        _validate_resource(name, "status.allocatedResourceStatuses", errors)
        if resizing not in _RESIZES:
            errors.append(fe.not_supported("status.allocatedResourceStatuses", name, _RESIZES))
    for name, amount in sorted((status.get("allocatedResources") or {}).items()):
        if _validate_resource(name, "status.allocatedResources", errors):
            _validate_whole(amount, f"status.allocatedResources[{name}]", errors)
    return errors


def _validate_whole(amount: str, path: str, errors: list[FieldError]) -> None:
    whole = quantity.parse(amount).value()
    if whole < 0:
        errors.append(fe.invalid(path, whole, "must be a valid resource quantity"))


def _validate_resource(name: str, path: str, errors: list[FieldError]) -> bool:
    """Check what a claim may have more of; Returns whether it is fine."""
    wrong = names.qualified_name(name)
    errors.extend(fe.invalid(path, name, sentence) for sentence in wrong)
    if not wrong and "/" not in name and name != "storage":
        errors.append(fe.not_supported(path, name, ("storage",)))
        return False
    return not wrong


def warn_claim(new: Object, _old: Object | None) -> list[str]:
    """Warn of odd amounts, and of a class in the place where it was once."""
    annotated = CLASS_ANNOTATION in ((new.get("metadata") or {}).get("annotations") or {})
    sentence = f'metadata.annotations[{CLASS_ANNOTATION}]: deprecated since v1.8; use "storageClassName" attribute instead'
    return ([sentence] if annotated else []) + warn_claim_spec(new.get("spec") or {}, "spec")


RULES: Final = KindRules(
    validate=validate_claim, validate_update=validate_claim_update, validate_status_update=validate_status_update,
    prepare_create=prepare_create, prepare_update=prepare_update, warnings=warn_claim, completed_on_read=always,  # the phase
    alone=frozenset(("phase", "accessModes", "capacity")),
)
