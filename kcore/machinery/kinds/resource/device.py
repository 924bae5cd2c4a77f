"""What the kinds of devices share: selectors, configuration, taints and tolerations.

Source: Kubernetes `pkg/apis/resource/validation`.
"""
from __future__ import annotations

import json
from typing import Any, Final

from kcore.machinery import cel, names
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.resource.names import validate_driver

SELECTORS_COUNT_MAX: Final = 32
CONFIG_COUNT_MAX: Final = 32
EXPRESSION_SIZE_MAX: Final = 10 * 1024
PARAMETERS_SIZE_MAX: Final = 10 * 1024

# The zero of times, which stands for none.
UNDATED: Final = "0001-01-01T00:00:00Z"

_EFFECTS: Final = ("NoExecute", "NoSchedule", "None")
_OMITTED: Final = "<value omitted>"

Part = dict[str, Any]


def validate_selector(selector: Part | None, path: str, errors: list[FieldError]) -> None:
    """Check a selector: an expression about a device that says yes or no."""
    asked = (selector or {}).get("cel")
    if asked is None:
        errors.append(fe.required(f"{path}.cel"))
        return
    expression = asked.get("expression") or ""
    if len(expression.encode()) > EXPRESSION_SIZE_MAX:
        errors.append(fe.too_long(f"{path}.cel.expression", EXPRESSION_SIZE_MAX))
        return
    compiled = cel.compile_expression(expression, cel.device())
    if compiled.errors:
        errors.append(fe.invalid(f"{path}.cel.expression", expression, f"compilation failed: {compiled.errors}"))
    elif compiled.type not in ("bool", "dyn"):
        detail = f"must evaluate to bool or the unknown type, not {compiled.type}"
        errors.append(fe.invalid(f"{path}.cel.expression", expression, detail))


def validate_configuration(config: Part | None, path: str, errors: list[FieldError]) -> None:
    """Check a configuration, which only the driver understands."""
    opaque = (config or {}).get("opaque")
    if opaque is None:
        errors.append(fe.required(f"{path}.opaque"))
        return
    driver = opaque.get("driver") or ""
    if driver:
        validate_driver(driver, f"{path}.opaque.driver", errors)
    _validate_parameters(opaque.get("parameters"), f"{path}.opaque.parameters", errors)
    if not driver:
        errors.append(fe.required(f"{path}.opaque.driver"))


def _validate_parameters(parameters: Any, path: str, errors: list[FieldError]) -> None:
    if parameters is None:
        errors.append(fe.required(path))
    elif len(json.dumps(parameters, separators=(",", ":"), ensure_ascii=False).encode()) > PARAMETERS_SIZE_MAX:
        errors.append(fe.too_long(path, PARAMETERS_SIZE_MAX))
    elif not isinstance(parameters, dict):
        errors.append(fe.invalid(path, _OMITTED, "must be a valid JSON object"))


def validate_taint(taint: Part | None, path: str, errors: list[FieldError]) -> None:
    """Check a taint of a device."""
    key, value, effect = ((taint or {}).get(field) or "" for field in ("key", "value", "effect"))
    errors.extend(fe.invalid(f"{path}.key", key, sentence) for sentence in names.qualified_name(key))
    errors.extend(fe.invalid(f"{path}.value", value, sentence) for sentence in names.label_value(value))
    if not effect:
        errors.append(fe.required(f"{path}.effect"))
    elif effect not in _EFFECTS:
        errors.append(fe.not_supported(f"{path}.effect", effect, _EFFECTS))


def validate_toleration(toleration: Part | None, path: str, errors: list[FieldError]) -> None:
    """Check a toleration of taints."""
    key, operator, value, effect = ((toleration or {}).get(field) or "" for field in ("key", "operator", "value", "effect"))
    if key:
        errors.extend(fe.invalid(f"{path}.key", key, sentence) for sentence in names.qualified_name(key))
    if operator == "Exists":
        if value:
            errors.append(fe.invalid(f"{path}.value", value, "must be empty for operator `Exists`"))
    elif operator == "Equal":
        errors.extend(fe.invalid(f"{path}.value", value, sentence) for sentence in names.label_value(value))
    elif not operator:
        errors.append(fe.required(f"{path}.operator"))
    else:
        errors.append(fe.not_supported(f"{path}.operator", operator, ("Equal", "Exists")))
    if effect and effect not in _EFFECTS:
        errors.append(fe.not_supported(f"{path}.effect", effect, _EFFECTS))


def default_taints(taints: list[Part]) -> None:
    """Mark taints that do not say since when they are there; their writer owns that field from the start."""
    for taint in taints:
        if taint.get("timeAdded") is None:
            taint["timeAdded"] = UNDATED


def date_taints(taints: list[Part], since: str) -> None:
    """Say since when taints are there that do not say it.

    Differs from upstream: an update of an object dates them as its creation does, since no rule knows the time.
    """
    for taint in taints:
        if taint.get("timeAdded") == UNDATED:
            taint["timeAdded"] = since
