"""CSIStorageCapacity: of which class and where a driver has how much; only how much changes.

Source: Kubernetes `pkg/apis/storage/validation`, `pkg/registry/storage/csistoragecapacity`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import field_error as fe
from kcore.machinery import labels, names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing
from kcore.machinery.kinds.values import validate_immutable, validate_not_negative_amount


def validate_capacity(value: Object) -> list[FieldError]:
    """Check class, place and amounts."""
    errors: list[FieldError] = []
    name = value.get("storageClassName") or ""
    errors.extend(fe.invalid("storageClassName", name, sentence) for sentence in names.dns1123_subdomain(name))
    if value.get("nodeTopology") is not None:
        labels.validate_message(value["nodeTopology"], "nodeTopology", errors)
    for field in ("capacity", "maximumVolumeSize"):
        if value.get(field) is not None:
            validate_not_negative_amount(value[field], field, errors)
    return errors


def validate_capacity_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; class and place stay."""
    errors = validate_capacity(new)
    fresh, stored = new.get("nodeTopology"), old.get("nodeTopology")
    if fresh != stored:
        errors.append(fe.immutable("nodeTopology", labels.rendered(fresh)))
    validate_immutable(new.get("storageClassName") or "", old.get("storageClassName") or "", "storageClassName", errors)
    return errors


RULES: Final = KindRules(
    validate=validate_capacity, validate_update=validate_capacity_update, prepare_create=nothing, prepare_update=keep_all,
    allow_unconditional_update=False,
)
