"""Reading a configuration by the schema: which fields it speaks of, and what is wrong with it.

One walk does both. A leaf, an element of a list, an entry of a map and whatever is null or an empty object are fields of their own; an
object with declared fields is known by what is below it.
Source: structured-merge-diff `typed/validate.go`, `typed/tofieldset.go`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kcore.machinery.apply import fieldset
from kcore.machinery.apply.elements import ElementError, element_of
from kcore.machinery.apply.fieldset import LEAF, SELF, Path, Set
from kcore.machinery.apply.schema import ANY, LIST, MAP, List, Map, Scalar, Type
from kcore.machinery.field_error import quote

Value = Any


class TypedError(ValueError):
    """A value does not fit its schema; the text is Kubernetes' own."""


def fields_of(value: dict[str, Value], shape: Map) -> Set:
    """The fields that a configuration speaks of. Raises TypedError."""
    errors: list[str] = []
    found = _map_fields(value, shape, (), errors)
    if errors:
        raise TypedError(errors[0] if len(errors) == 1 else "\n  ".join(["errors:", *errors]))
    return found


def _map_fields(value: dict[str, Value], shape: Map, path: Path, errors: list[str]) -> Set:
    found: Set = {}
    fields, element = shape.fields, shape.element
    for name, child in value.items():
        key = f"f:{name}"
        declared = fields.get(name)
        of = declared or element
        if of is None:
            errors.append(f"{fieldset.text((*path, key))}: field not declared in schema")
            break
        if of.tag == MAP and isinstance(child, dict) and not of.atomic:
            below = _map_fields(child, of, (*path, key), errors) if child else LEAF  # type: ignore[arg-type]
            if declared is None:
                found[key] = fieldset.with_self(below)
            elif below or not child:
                found[key] = below
        elif of.tag == LIST and isinstance(child, list) and not of.atomic:
            below = _list_fields(child, of, (*path, key), errors)  # type: ignore[arg-type]
            if declared is None:
                found[key] = fieldset.with_self(below)
            elif below:
                found[key] = below
        else:
            check(child, of, (*path, key), errors)
            found[key] = LEAF
    return found


def _list_fields(items: list[Value], shape: List, path: Path, errors: list[str]) -> Set:
    found: Set = {}
    of = shape.element
    for index, item in enumerate(items):
        try:
            key = element_of(shape, item)
        except ElementError as error:
            errors.append(f"{fieldset.text(path)}: element {index}: {error}")
            return found
        if key in found:
            errors.append(f"{fieldset.text(path)}: duplicate entries for key {fieldset.element_text(key)}")
        if of.tag == MAP and not of.atomic and isinstance(item, dict):
            below = _map_fields(item, of, (*path, key), errors)  # type: ignore[arg-type]
            found[key] = {SELF: LEAF, **below} if below else LEAF
        else:
            check(item, of, (*path, key), errors)
            found[key] = LEAF
    return found


def check(value: Value, of: Type, path: Path, errors: list[str]) -> None:
    """Check a value that is owned as a whole; null fits every type."""
    if value is None or of.tag == ANY:
        return
    if isinstance(of, Scalar):
        wrong = SCALARS[of.name](value)
        if wrong:
            errors.append(f"{fieldset.text(path)}: {wrong}")
    elif isinstance(of, Map):
        if not isinstance(value, dict):
            errors.append(f"{fieldset.text(path)}: expected map, got &{{{go_value(value)}}}")
        else:
            _map_fields(value, of, path, errors)
    elif isinstance(of, List):
        if not isinstance(value, list):
            errors.append(f"{fieldset.text(path)}: expected list, got &{{{go_value(value)}}}")
        elif of.atomic:
            for index, item in enumerate(value):
                check(item, of.element, (*path, f"i:{index}"), errors)


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
    """A boolean or number as Go prints it: the shortest digits, an exponent where they would be many."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    digits = repr(value)
    if "e" not in digits and 1e-4 <= abs(value) < 1e21:
        return digits.removesuffix(".0")
    mantissa, _, exponent = f"{value:e}".partition("e") if "e" not in digits else digits.partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+03d}"


def go_type(value: Value) -> str:
    """The name of a value's type in Go."""
    names = {bool: "bool", int: "int64", float: "float64", str: "string", dict: "map[string]interface {}", list: "[]interface {}"}
    return names[type(value)]
