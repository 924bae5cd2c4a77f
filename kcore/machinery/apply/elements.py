"""How an element of a list is known: by the values of its keys, or by its own value."""

from __future__ import annotations

from typing import Any

import orjson

from kcore.machinery.apply.schema import List
from kcore.machinery.field_error import quote

Value = Any


class ElementError(ValueError):
    """An element of a list that is a set or a map cannot be known."""


def element_of(listed: List, item: Value) -> str:
    """The path element of an item, such as `k:{"name":"web"}`. Raises ElementError."""
    if listed.keys:
        return _by_keys(listed, item)
    if isinstance(item, dict):
        raise ElementError("associative list without keys has an element that's a map type")
    if isinstance(item, list):
        raise ElementError("not supported: associative list with lists as elements")
    if item is None:
        raise ElementError("associative list without keys has an element that's an explicit null")
    return f"v:{orjson.dumps(item).decode()}"


def _by_keys(listed: List, item: Value) -> str:
    if not isinstance(item, dict):
        what = "a null element" if item is None else "non-map elements"
        raise ElementError(f"associative list with keys may not have {what}")
    values: dict[str, Value] = {}
    for key in listed.keys:
        if key in item:
            values[key] = item[key]
        elif key in listed.defaults:
            values[key] = listed.defaults[key]
        else:
            why = f"omits key field {quote(key)} (and doesn't have default value)"
            raise ElementError(f"associative list with keys has an element that {why}")
    return f"k:{orjson.dumps(values).decode()}"


def identity_of(listed: List, item: Value) -> Any:
    """What tells an item of a list from the others: cheaper than its path element, and equal for the same items. Raises ElementError."""
    keys = listed.keys
    if len(keys) == 1 and isinstance(item, dict) and isinstance(found := item.get(keys[0]), str):
        return found
    if not keys and isinstance(item, str):
        return item
    return (element_of(listed, item),)


def grouped(listed: List, items: list[Value]) -> dict[str, list[Value]]:
    """Items of a stored object by path element, in order; several where one is doubled. What cannot be known is left out."""
    found: dict[str, list[Value]] = {}
    for item in items:
        try:
            found.setdefault(element_of(listed, item), []).append(item)
        except ElementError:
            continue
    return found
