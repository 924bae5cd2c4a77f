"""Rules for conditions of the common form: type, status, time, reason and message.

Source: Kubernetes apimachinery `pkg/apis/meta/v1/validation`.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import names
from kcore.machinery.field_error import FieldError

REASON_SIZE_MAX: Final = 1024
MESSAGE_SIZE_MAX: Final = 32 * 1024

_STATUSES: Final = ("False", "True", "Unknown")


def validate_conditions(conditions: Sequence[dict[str, Any]], path: str, errors: list[FieldError]) -> None:
    """Check a list of conditions, no two of one type."""
    seen: set[str] = set()
    for index, condition in enumerate(conditions):
        at, kind = f"{path}[{index}]", condition.get("type") or ""
        if kind in seen:
            errors.append(fe.duplicate(at, kind))
        seen.add(kind)
        _validate_condition(condition, at, errors)


def _validate_condition(condition: dict[str, Any], path: str, errors: list[FieldError]) -> None:
    kind, status, reason = (condition.get(field) or "" for field in ("type", "status", "reason"))
    if not kind:
        errors.append(fe.required(f"{path}.type", "is required"))
    errors.extend(fe.invalid(f"{path}.type", kind, sentence) for sentence in names.qualified_name(kind) if kind)
    if not status:
        errors.append(fe.required(f"{path}.status"))
    elif status not in _STATUSES:
        errors.append(fe.not_supported(f"{path}.status", status, _STATUSES))
    generation = condition.get("observedGeneration") or 0
    if generation < 0:
        errors.append(fe.invalid(f"{path}.observedGeneration", generation, "must be greater than or equal to zero"))
    if not condition.get("lastTransitionTime"):
        errors.append(fe.required(f"{path}.lastTransitionTime"))
    if not reason:
        errors.append(fe.required(f"{path}.reason"))
    else:
        errors.extend(fe.invalid(f"{path}.reason", reason, sentence) for sentence in names.condition_reason(reason))
        if len(reason.encode()) > REASON_SIZE_MAX:
            errors.append(fe.too_long(f"{path}.reason", REASON_SIZE_MAX))
    if len((condition.get("message") or "").encode()) > MESSAGE_SIZE_MAX:
        errors.append(fe.too_long(f"{path}.message", MESSAGE_SIZE_MAX))
