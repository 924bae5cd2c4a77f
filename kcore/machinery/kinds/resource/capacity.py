"""Capacities of devices that several claims share: how much a request may ask for.

Source: Kubernetes `pkg/apis/resource/validation`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.resource import names
from kcore.machinery.quantity import NANO, Quantity, parse

OPTIONS_COUNT_MAX: Final = 10
BOUND_MAX: Final = 2**63 - 1

Part = dict[str, Any]


def refuse_policy(capacity: Part, path: str, errors: list[FieldError]) -> None:
    """Refuse a policy for requests of a device that nobody shares."""
    if capacity.get("requestPolicy") is not None:
        errors.append(fe.forbidden(f"{path}.requestPolicy", "allowMultipleAllocations must be true"))


def validate_policy(capacity: Part, path: str, errors: list[FieldError]) -> None:
    """Check the policy for requests: some values, or a range of them, and what is asked by default."""
    policy, at = capacity.get("requestPolicy"), f"{path}.requestPolicy"
    if policy is None:
        return
    values, span, default = policy.get("validValues") or [], policy.get("validRange"), policy.get("default")
    total = parse(capacity.get("value") or "0")
    if values and span is not None:
        sentence = 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time'
        errors.append(fe.forbidden(at, sentence))
    elif default is None and (values or span is not None):
        errors.append(fe.required(f"{at}.default", f"required when {'validValues' if values else 'validRange'} is defined"))
    elif values:
        _validate_values([parse(value) for value in values], parse(default), total, f"{at}.validValues", errors)
    elif span is not None:
        _validate_range(span, parse(default), total, f"{at}.validRange", errors)


def _validate_values(values: list[Quantity], default: Quantity, total: Quantity, path: str, errors: list[FieldError]) -> None:
    for index in range(1, len(values)):
        if values[index] < values[index - 1]:
            errors.append(fe.invalid(f"{path}[{index}]", str(values[index]), "values must be sorted in ascending order"))
    if len(values) > OPTIONS_COUNT_MAX:
        errors.append(fe.too_many(path, len(values), OPTIONS_COUNT_MAX))
    else:
        _validate_options(values, total, path, errors)
    if len(values) > OPTIONS_COUNT_MAX or default not in values:
        errors.append(fe.invalid(path, str(default), "default value is not valid according to the requestPolicy"))


def _validate_options(values: list[Quantity], total: Quantity, path: str, errors: list[FieldError]) -> None:
    for index, value in enumerate(values):
        if value > total:
            errors.append(fe.invalid(f"{path}[{index}]", str(value), f"option is larger than capacity value: {total}"))
    for index, value, _ in names.repeated([str(_whole(value)) for value in values], ""):
        errors.append(fe.duplicate(f"{path}[{index}]", value))


def _validate_range(span: Part, default: Quantity, total: Quantity, path: str, errors: list[FieldError]) -> None:
    if span.get("min") is None:
        errors.append(fe.required(f"{path}.min", "required when validRange is defined"))
        return
    least = parse(span["min"])
    most, step = (parse(span[field]) if span.get(field) is not None else None for field in ("max", "step"))
    if least > total:
        errors.append(fe.invalid(f"{path}.min", str(least), f"min is larger than capacity value: {total}"))
    if default < least:
        errors.append(fe.invalid(f"{path}.default", str(default), f"default is less than min: {least}"))
    if most is not None:
        if least > most:
            errors.append(fe.invalid(f"{path}.max", str(least), f"min is larger than max: {most}"))
        if most > total:
            errors.append(fe.invalid(f"{path}.max", str(most), f"max is larger than capacity value: {total}"))
        if default > most:
            errors.append(fe.invalid(f"{path}.default", str(default), f"default is more than max: {most}"))
    if step is not None and step.nano <= 0:
        errors.append(fe.invalid(f"{path}.step", str(step), "must be greater than zero"))
    elif step is not None:
        _validate_step(step, {"default": default, "min": least, "max": most, "step": step}, total, path, errors)


def _validate_step(
    step: Quantity, bounds: dict[str, Quantity | None], total: Quantity, path: str, errors: list[FieldError],
) -> None:
    least = bounds["min"]
    assert least is not None
    first = Quantity(least.nano + step.nano, least.format)
    if first > total:
        errors.append(fe.invalid(f"{path}.step", str(step), f"one step {first} is larger than capacity value: {total}"))
    before = len(errors)
    for field, bound in bounds.items():
        if bound is not None and bound.nano < 0:
            errors.append(fe.invalid(f"{path}.{field}", str(bound), "must be greater than or equal to 0"))
        elif bound is not None and bound.nano > BOUND_MAX * NANO:
            errors.append(fe.invalid(f"{path}.{field}", str(bound), f"must not be larger than {BOUND_MAX}"))
    if len(errors) > before:
        return
    for bound in (bounds["default"], bounds["max"]):
        if bound is not None and (_whole(bound) - _whole(least)) % _whole(step):
            sentence = f"value is not a multiple of a given step ({step}) from ({least})"
            errors.append(fe.invalid(f"{path}.step", str(bound), sentence))


def _whole(amount: Quantity) -> int:
    """An amount in whole units, rounded up."""
    return -(-amount.nano // NANO)
