"""LimitRange: bounds and defaults of what one object may ask for, which must fit each other.

Source: Kubernetes `pkg/apis/core/validation` (ValidateLimitRange), `pkg/apis/core/v1/defaults.go`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import quantity
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.core.container_resources import container_resource_problems
from kcore.machinery.kinds.resource_names import validate_name, validate_resource
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing
from kcore.machinery.kinds.values import is_native_resource

CONTAINER: Final = "Container"
POD: Final = "Pod"
CLAIM: Final = "PersistentVolumeClaim"

_NOT_FOR_PODS: Final = "may not be specified when `type` is 'Pod'"
# Which amount may not be above which: the two, the field that is to blame, whose value is shown, and the sentence.
_ORDER: Final = (
    ("min", "max", "min", "min", "min value {} is greater than max value {}"),
    ("min", "defaultRequest", "defaultRequest", "defaultRequest", "min value {} is greater than default request value {}"),
    ("defaultRequest", "max", "defaultRequest", "defaultRequest", "default request value {} is greater than max value {}"),
    ("defaultRequest", "default", "defaultRequest", "defaultRequest", "default request value {} is greater than default limit value {}"),
    ("min", "default", "default", "min", "min value {} is greater than default value {}"),
    ("default", "max", "default", "max", "default value {} is greater than max value {}"),
)

Amounts = dict[str, str]


def default_limit_range(value: Object) -> None:
    """Let defaults of containers follow from their bounds."""
    for limit in (value.get("spec") or {}).get("limits") or ():
        if limit.get("type") != CONTAINER:
            continue
        default = {**(limit.get("max") or {}), **(limit.get("default") or {})}
        request = {**(limit.get("min") or {}), **default, **(limit.get("defaultRequest") or {})}
        for field, amounts in (("default", default), ("defaultRequest", request)):
            if amounts:
                limit[field] = amounts


def validate_limit_range(value: Object) -> list[FieldError]:
    """Check each limit."""
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, limit in enumerate((value.get("spec") or {}).get("limits") or ()):
        path, kind = f"spec.limits[{index}]", limit.get("type") or ""
        if validate_name(kind, f"{path}.type", errors) and "/" not in kind and kind not in (CONTAINER, POD, CLAIM):
            errors.append(fe.invalid(f"{path}.type", kind, "must be a standard limit type or fully qualified"))
        if kind in seen:
            errors.append(fe.duplicate(f"{path}.type", kind))
        seen.add(kind)
        _validate_limit(limit, kind, path, errors)
    return errors


def _validate_limit(limit: dict[str, Any], kind: str, path: str, errors: list[FieldError]) -> None:
    fields = ["max", "min"]
    if kind == POD:
        errors.extend(fe.forbidden(f"{path}.{field}", _NOT_FOR_PODS) for field in ("default", "defaultRequest") if limit.get(field))
    else:
        fields += ("default", "defaultRequest")
    fields.append("maxLimitRequestRatio")
    if kind == CLAIM and not any("storage" in (limit.get(field) or {}) for field in ("min", "max")):
        detail = "either minimum or maximum storage value is required, but neither was provided"
        errors.append(fe.required(f"{path}.limits", detail))
    amounts: dict[str, Amounts] = {field: limit.get(field) or {} for field in fields}
    for field in fields:
        for name in sorted(amounts[field]):
            _validate_resource(name, kind, f"{path}.{field}[{name}]", errors)
    for name in sorted({name for found in amounts.values() for name in found}):
        _validate_order({field: found[name] for field, found in amounts.items() if name in found}, name, path, errors)


def _validate_resource(name: str, kind: str, path: str, errors: list[FieldError]) -> None:
    if kind in (CONTAINER, POD):
        errors.extend(fe.invalid(path, name, sentence) for sentence, _ in container_resource_problems(name))
    else:
        validate_resource(name, path, errors)


def _validate_order(found: Amounts, name: str, path: str, errors: list[FieldError]) -> None:
    for low, high, blamed, shown, sentence in _ORDER:
        if low in found and high in found and quantity.compare(found[low], found[high]) > 0:
            detail = sentence.format(quantity.canonical(found[low]), quantity.canonical(found[high]))
            errors.append(fe.invalid(f"{path}.{blamed}[{name}]", quantity.canonical(found[shown]), detail))
    if "maxLimitRequestRatio" in found:
        _validate_ratio(found, f"{path}.maxLimitRequestRatio[{name}]", errors)
    request, limit = found.get("defaultRequest"), found.get("default")
    overcommits = is_native_resource(name) and not name.startswith("hugepages-")
    if request is not None and limit is not None and not overcommits and quantity.compare(request, limit):
        detail = f"default value {quantity.canonical(limit)} must equal to defaultRequest value {quantity.canonical(request)} in {name}"
        errors.append(fe.invalid(f"{path}.defaultRequest[{name}]", quantity.canonical(request), detail))


def _validate_ratio(found: Amounts, path: str, errors: list[FieldError]) -> None:
    ratio = quantity.parse(found["maxLimitRequestRatio"])
    if ratio.nano < quantity.NANO:
        errors.append(fe.invalid(path, str(ratio), f"ratio {ratio} is less than 1"))
    low, high = (quantity.parse(found[field]).nano if field in found else 0 for field in ("min", "max"))
    if low > 0 and "max" in found and ratio.nano * low > high * quantity.NANO:
        errors.append(fe.invalid(path, str(ratio), f"ratio {ratio} is greater than max/min = {high / low:f}"))


def validate_update(new: Object, _old: Object) -> list[FieldError]:
    """Check an update as a new LimitRange."""
    return validate_limit_range(new)


RULES: Final = KindRules(
    default=default_limit_range, validate=validate_limit_range, validate_update=validate_update, prepare_create=nothing,
    prepare_update=keep_all, generates_names=True, allow_create_on_update=True,
)
