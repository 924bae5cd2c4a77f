"""JSON values as Go's fmt prints them (%v) in the sentences about a strategic merge patch."""

from __future__ import annotations

from typing import Any


def printed(value: Any) -> str:
    """`map[a:1 b:[x y]]`, names in order."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{name}:{printed(value[name])}' for name in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(printed, value))}]"
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _float(value) if isinstance(value, float) else str(value)


def _float(number: float) -> str:
    """A float in the shortest form; with an exponent only outside of 1e-4 ... 1e21."""
    return f"{number:.0f}" if number.is_integer() and abs(number) < 1e21 else repr(number)


def type_name(value: Any) -> str:
    """The Go type that a JSON value is decoded to."""
    if value is None:
        return "<nil>"
    names = {dict: "map[string]interface {}", list: "[]interface {}", str: "string", bool: "bool", int: "int64", float: "float64"}
    return names[type(value)]
