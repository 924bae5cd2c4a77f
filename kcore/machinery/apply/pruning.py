"""Taking out of a merged object what its applier no longer applies.

A field goes if the applier's last configuration had it and nobody, its new configuration included, has it now. An object with declared
fields counts as had by whoever has anything below it; an element of a list goes with all that is below it.
Source: structured-merge-diff `merge/update.go` (prune, addBackOwnedItems, addBackDanglingItems), whose three passes come to this.
"""

from __future__ import annotations

from typing import Any

from kcore.machinery.apply.elements import ElementError, element_of
from kcore.machinery.apply.fieldset import EMPTY, Set, has_self
from kcore.machinery.apply.schema import LIST, MAP, List, Map, Type

Value = Any


def prune(value: dict[str, Value], shape: Map, last: Set, owned: Set) -> dict[str, Value]:
    """The object without what only `last` has; `owned` is what anybody has now. What has nothing left is null."""
    found: dict[str, Value] = {}
    for name, child in value.items():
        key = f"f:{name}"
        had = last.get(key)
        if had is None:
            found[name] = child
            continue
        declared = shape.fields.get(name)
        has = owned.get(key)
        is_had = declared is not None or has_self(had)
        if is_had and (has is None or not (declared is not None or has_self(has))):
            continue
        left = _below(child, declared or shape.element, had, EMPTY if has is None else has)
        found[name] = left if left or left is child else None
    return found


def _below(value: Value, shape: Type | None, last: Set, owned: Set) -> Value:
    """What is left of a value that stays."""
    if shape is None or shape.atomic or not value or not last:
        return value
    if shape.tag == MAP and isinstance(value, dict):
        return prune(value, shape, last, owned)  # type: ignore[arg-type]
    if shape.tag == LIST and isinstance(value, list):
        return _items(value, shape, last, owned)  # type: ignore[arg-type]
    return value


def _items(items: list[Value], shape: List, last: Set, owned: Set) -> list[Value]:
    found: list[Value] = []
    for item in items:
        try:
            key = element_of(shape, item)
        except ElementError:
            found.append(item)
            continue
        had, has = last.get(key), owned.get(key)
        if had is not None and has_self(had) and (has is None or not has_self(has)):
            continue
        found.append(item if had is None else _below(item, shape.element, had, EMPTY if has is None else has))
    return found
