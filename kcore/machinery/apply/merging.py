"""Laying a configuration over a live object.

What the configuration states wins; what it does not state stays. Objects, maps and lists that are known by keys or values are merged
element by element, everything else is replaced. Elements that the configuration states stand in its order, the others where they stood.
Source: structured-merge-diff `typed/merge.go`.
"""

from __future__ import annotations

from typing import Any

from kcore.machinery.apply.elements import identity_of
from kcore.machinery.apply.schema import LIST, MAP, List, Map, Type

Value = Any
ABSENT: Any = object()


def merge(live: Value, wanted: Value, shape: Type) -> Value:
    """The merged value; shares parts with both, and is `live` itself where it is equal to it."""
    if shape.atomic or shape.tag not in (MAP, LIST):
        return live if live == wanted and type(live) is type(wanted) else wanted
    if shape.tag == MAP:
        if not live or not isinstance(live, dict) or not isinstance(wanted, dict):
            return live if live and wanted is None else wanted
        return _merge_maps(live, wanted, shape)  # type: ignore[arg-type]
    if not live or not isinstance(live, list) or not isinstance(wanted, list):
        return live if live and wanted is None else wanted
    return _merge_lists(live, wanted, shape)  # type: ignore[arg-type]


def _merge_maps(live: dict[str, Value], wanted: dict[str, Value], shape: Map) -> dict[str, Value]:
    fields, element = shape.fields, shape.element
    changed: dict[str, Value] = {}
    for name, value in wanted.items():
        if name not in live:
            changed[name] = value
            continue
        before = live[name]
        of = fields.get(name) or element
        after = value if of is None else merge(before, value, of)
        if after is not before:
            changed[name] = after
    return {**live, **changed} if changed else live


def _merge_lists(live: list[Value], wanted: list[Value], shape: List) -> list[Value]:
    if not wanted:
        return live
    stated = {identity_of(shape, item): item for item in wanted}
    present = [identity_of(shape, item) for item in live]
    merged = _merged_items(live, present, stated, shape)
    if present == list(stated):
        found = list(merged.values())
    else:
        found = [merged.get(key, item) for key, item in _in_order(live, present, list(stated))]
    same = len(found) == len(live) and all(a is b for a, b in zip(found, live, strict=True))
    return live if same else found


def _merged_items(live: list[Value], present: list[Any], stated: dict[Any, Value], shape: List) -> dict[Any, Value]:
    """What each stated element becomes: one that stands several times in the live list is taken as it is stated."""
    before: dict[Any, Value] = {}
    for key, item in zip(present, live, strict=True):
        before[key] = ABSENT if key in before else item
    element = shape.element
    return {key: item if (now := before.get(key, ABSENT)) is ABSENT else merge(now, item, element) for key, item in stated.items()}


def _in_order(live: list[Value], present: list[Any], stated: list[Any]) -> list[tuple[Any, Value]]:
    """(element, live item) of the merged list: elements of the live list keep their places between those that both have."""
    here, merged = set(present), set(stated)
    shared = [key for key in stated if key in here]
    found: list[tuple[Any, Value]] = []
    done: set[Any] = set()
    left = right = 0
    while left < len(present) or right < len(stated):
        following = shared[0] if shared else None
        if left < len(present) and right < len(stated):
            key = present[left]
            if key == stated[right]:
                done.add(key)
                found.append((key, None))
                left, right, shared = left + 1, right + 1, shared[1:]
                continue
            if key in merged and following is not None and following != key:
                left += 1
                continue
        if left < len(present):
            key = present[left]
            if key not in merged:
                found.append((key, live[left]))
                left += 1
                continue
            if key in done:
                left += 1
        if right < len(stated):
            key = stated[right]
            done.add(key)
            found.append((key, None))
            right += 1
            if following == key:
                shared = shared[1:]
    return found
