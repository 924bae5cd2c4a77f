"""StorageClass: who provisions, with which parameters, and where; nothing of it changes but what is not about volumes.

Source: Kubernetes `pkg/apis/storage/validation`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import labels, names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing
from kcore.machinery.kinds.storage.parameters import validate_parameters

_RECLAIM_POLICIES: Final = ("Delete", "Retain")
_BINDING_MODES: Final = ("Immediate", "WaitForFirstConsumer")


def validate_storage_class(value: Object) -> list[FieldError]:
    """Check provisioner, parameters, policies and topologies."""
    errors: list[FieldError] = []
    provisioner = value.get("provisioner") or ""
    if not provisioner:
        errors.append(fe.required("provisioner"))
    else:
        errors.extend(fe.invalid("provisioner", provisioner.lower(), sentence) for sentence in names.qualified_name(provisioner.lower()))
    validate_parameters(value.get("parameters") or {}, errors)
    policy = value.get("reclaimPolicy")
    if policy and policy not in _RECLAIM_POLICIES:
        errors.append(fe.not_supported("reclaimPolicy", policy, _RECLAIM_POLICIES))
    mode = value.get("volumeBindingMode")
    if mode is None:
        errors.append(fe.required("volumeBindingMode"))
    elif mode not in _BINDING_MODES:
        errors.append(fe.not_supported("volumeBindingMode", mode, _BINDING_MODES))
    _validate_topologies(value.get("allowedTopologies") or (), errors)
    return errors


def _validate_topologies(topologies: Any, errors: list[FieldError]) -> None:
    seen: list[dict[str, frozenset[str]]] = [{}]
    for index, topology in enumerate(topologies):
        path = f"allowedTopologies[{index}].matchLabelExpressions"
        asked = _validate_expressions((topology or {}).get("matchLabelExpressions") or (), path, errors)
        if asked in seen:
            errors.append(fe.duplicate(path, ""))
        seen.append(asked)


def _validate_expressions(expressions: Any, path: str, errors: list[FieldError]) -> dict[str, frozenset[str]]:
    asked: dict[str, frozenset[str]] = {}
    for index, expression in enumerate(expressions):
        at, key, values = f"{path}[{index}]", expression.get("key") or "", expression.get("values") or ()
        if not values:
            errors.append(fe.required(f"{at}.values"))
        taken: set[str] = set()
        for place, value in enumerate(values):
            if value in taken:
                errors.append(fe.duplicate(f"{at}.values[{place}]", value))
            taken.add(value)
        labels.validate_key(key, f"{at}.key", errors)
        if key in asked:
            errors.append(fe.duplicate(f"{at}.key", key))
        asked[key] = frozenset(values)
    return asked


def validate_storage_class_update(new: Object, old: Object) -> list[FieldError]:
    """Refuse to change how volumes are made."""
    errors = validate_storage_class(new)
    for field in ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"):
        if (new.get(field) or None) != (old.get(field) or None):
            errors.append(fe.immutable(field, None))
    return errors


RULES: Final = KindRules(
    validate=validate_storage_class, validate_update=validate_storage_class_update, prepare_create=nothing, prepare_update=keep_all,
)
