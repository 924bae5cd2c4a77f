"""Reading a configuration by the schema: which fields it speaks of, and what is wrong with it.

One walk does both. A leaf, an element of a list, an entry of a map and whatever is null or an empty object are fields of their own; an
object with declared fields is known by what is below it.
Source: structured-merge-diff `typed/validate.go`, `typed/tofieldset.go`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kcore.machinery.apply import fieldset
from kcore.machinery.apply.elements import ElementError, element_of
from kcore.machinery.apply.fieldset import LEAF, Set, with_self
from kcore.machinery.apply.schema import ANY, LIST, MAP, List, Map, Scalar, Type
from kcore.machinery.field_error import quote

Value = Any
GO_EXPONENT_MIN, GO_EXPONENT = -4, 6
"""The powers of ten between which Go prints a float without an exponent."""


@dataclass(slots=True)
class Wrong:
    """What is wrong with a value, and where it stands below what is looked at."""

    sentence: str
    path: str = ""


class TypedError(ValueError):
    """A value does not fit its schema; the text is Kubernetes' own."""


def fields_of(value: dict[str, Value], shape: Map) -> Set:
    """The fields that a configuration speaks of. Raises TypedError."""
    errors: list[Wrong] = []
    found = _map_fields(value, shape, errors)
    if errors:
        sentences = [f"{error.path}: {error.sentence}" if error.path else error.sentence for error in errors]
        raise TypedError(sentences[0] if len(sentences) == 1 else "\n  ".join(["errors:", *sentences]))
    return found


def _map_fields(value: dict[str, Value], shape: Map, errors: list[Wrong]) -> Set:
    found: Set = {}
    fields, element = shape.fields, shape.element
    for name, child in value.items():
        declared = fields.get(name)
        of = declared or element
        if of is None:
            errors.append(Wrong("field not declared in schema", f".{name}"))
            break
        count = len(errors)
        if of.atomic or child is None:
            if child is not None:
                check(child, of, errors)
            found["f:" + name] = LEAF
        else:
            below = _below(child, of, errors)
            if declared is None:
                found["f:" + name] = with_self(below)
            elif below or child == {}:
                found["f:" + name] = below
        if len(errors) > count:
            _place(errors, count, f".{name}")
    return found


def _below(value: Value, of: Type, errors: list[Wrong]) -> Set:
    """The node of what is below a value that has parts of its own, which is not null."""
    if of.tag == MAP and isinstance(value, dict):
        return _map_fields(value, of, errors) if value else LEAF  # type: ignore[arg-type]
    if of.tag == LIST and isinstance(value, list):
        return _list_fields(value, of, errors)  # type: ignore[arg-type]
    check(value, of, errors)
    return LEAF


def _list_fields(items: list[Value], shape: List, errors: list[Wrong]) -> Set:
    found: Set = {}
    of = shape.element
    for index, item in enumerate(items):
        try:
            key = element_of(shape, item)
        except ElementError as error:
            errors.append(Wrong(f"element {index}: {error}"))
            return found
        if key in found:
            errors.append(Wrong(f"duplicate entries for key {fieldset.element_text(key)}"))
        count = len(errors)
        if of.atomic:
            check(item, of, errors)
            found[key] = LEAF
        else:
            found[key] = with_self(_below(item, of, errors))
        if len(errors) > count:
            _place(errors, count, fieldset.element_text(key))
    return found


def _place(errors: list[Wrong], start: int, element: str) -> None:
    """Say where the errors from `start` on were found: below a path element."""
    for error in errors[start:]:
        error.path = element + error.path


def check(value: Value, of: Type, errors: list[Wrong]) -> None:
    """Check a value that is owned as a whole; null fits every type."""
    if value is None or of.tag == ANY:
        return
    if isinstance(of, Scalar):
        wrong = SCALARS[of.name](value)
        if wrong:
            errors.append(Wrong(wrong))
    elif isinstance(of, Map):
        if isinstance(value, dict):
            _map_fields(value, of, errors)
        else:
            errors.append(Wrong(f"expected map, got &{{{go_value(value)}}}"))
    elif isinstance(of, List):
        if not isinstance(value, list):
            errors.append(Wrong(f"expected list, got &{{{go_value(value)}}}"))
        elif of.atomic:
            _check_items(value, of.element, errors)


def _check_items(items: list[Value], of: Type, errors: list[Wrong]) -> None:
    """Check the items of a list that is one value."""
    for index, item in enumerate(items):
        count = len(errors)
        check(item, of, errors)
        _place(errors, count, f"[{index}]")


def _string(value: Value) -> str:
    return "" if isinstance(value, str) else f"expected string, got &value.valueUnstructured{{Value:{go_syntax(value)}}}"


def _numeric(value: Value) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return ""
    return f"expected numeric (int or float), got {go_type(value)}"


def _boolean(value: Value) -> str:
    return "" if isinstance(value, bool) else f"expected boolean, got &{{{go_value(value)}}}"


def _untyped(value: Value) -> str:
    return "" if isinstance(value, str | int | float) else f"expected any scalar, got &{{{go_value(value)}}}"


SCALARS: dict[str, Callable[[Value], str]] = {"string": _string, "numeric": _numeric, "boolean": _boolean, "untyped": _untyped}


def go_value(value: Value) -> str:
    """A value as Go's `%v` prints it."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{name}:{go_value(value[name])}" for name in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_value(item) for item in value) + "]"
    if isinstance(value, str):
        return value
    return "<nil>" if value is None else go_number(value)


def go_syntax(value: Value) -> str:
    """A value as Go's `%#v` prints it."""
    if isinstance(value, dict):
        inner = ", ".join(f"{quote(name)}:{go_syntax(value[name])}" for name in sorted(value))
        return f"map[string]interface {{}}{{{inner}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(go_syntax(item) for item in value)}}}"
    if isinstance(value, str):
        return quote(value)
    return "interface {}(nil)" if value is None else go_number(value)


def go_number(value: bool | float) -> str:
    """A boolean or number as Go prints it: every number is a float there, with an exponent if it is large or small."""
    if isinstance(value, bool):
        return "true" if value else "false"
    number = Decimal(repr(float(value))).normalize()
    power = number.adjusted()
    if GO_EXPONENT_MIN <= power < GO_EXPONENT:
        return f"{number:f}"
    mantissa = number.scaleb(-power).normalize()
    return f"{mantissa:f}e{power:+03d}"


def go_type(value: Value) -> str:
    """The name of a value's type in Go."""
    names = {bool: "bool", int: "float64", float: "float64", str: "string", dict: "map[string]interface {}", list: "[]interface {}"}
    return names[type(value)]
