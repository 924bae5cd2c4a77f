"""RuntimeClass: a handler of the node's container runtime, what it costs, and on which nodes it is.

Source: Kubernetes `pkg/apis/node/validation`, `pkg/registry/node/runtimeclass`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import labels, names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.core.affinity import validate_tolerations
from kcore.machinery.kinds.core.container_resources import validate_overhead
from kcore.machinery.kinds.core.pod_printed import printed
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing


def validate_class(value: Object) -> list[FieldError]:
    """Check overhead, scheduling and handler."""
    errors: list[FieldError] = []
    if value.get("overhead") is not None:
        validate_overhead(value["overhead"].get("podFixed") or {}, "overhead", errors)
    _validate_scheduling(value.get("scheduling") or {}, errors)
    handler = value.get("handler") or ""
    if not handler:
        errors.append(fe.required("handler"))
    else:
        errors.extend(fe.invalid("handler", handler, sentence) for sentence in names.short_name(handler))
    return errors


def _validate_scheduling(scheduling: dict[str, Any], errors: list[FieldError]) -> None:
    labels.validate_labels(scheduling.get("nodeSelector") or {}, "scheduling.nodeSelector", errors)
    _validate_tolerations(scheduling.get("tolerations") or [], errors)


def _validate_tolerations(tolerations: list[dict[str, Any]], errors: list[FieldError]) -> None:
    path = "scheduling.tolerations"
    validate_tolerations(tolerations, path, errors)
    seen: set[tuple[str, ...]] = set()
    for index, toleration in enumerate(tolerations):
        told = tuple(toleration.get(field) or "" for field in ("key", "operator", "value", "effect"))
        if told in seen:
            errors.append(fe.duplicate(f"{path}[{index}]", printed("Toleration", toleration)))
        seen.add(told)


def validate_class_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; the handler stays."""
    errors: list[FieldError] = []
    handler = new.get("handler") or ""
    if handler != (old.get("handler") or ""):
        errors.append(fe.immutable("handler", None))
        if not handler:
            errors.append(fe.required("handler"))
    if (new.get("scheduling") or {}) != (old.get("scheduling") or {}):
        _validate_tolerations((new.get("scheduling") or {}).get("tolerations") or [], errors)
    return errors


RULES: Final = KindRules(
    validate=validate_class, validate_update=validate_class_update, prepare_create=nothing, prepare_update=keep_all,
    own_finalizers=False, allow_unconditional_update=False,
)
