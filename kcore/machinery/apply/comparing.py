"""What differs between two states of an object, as sets of fields.

Source: structured-merge-diff `typed/compare.go`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kcore.machinery.apply.elements import grouped
from kcore.machinery.apply.fieldset import LEAF, SELF, Set, with_self
from kcore.machinery.apply.schema import LIST, MAP, List, Map, Type

Value = Any
ABSENT: Any = object()
"""Where one state has nothing; null is something."""


class Comparison(NamedTuple):
    """Fields that are gone, and fields that are new or have another value."""

    removed: Set
    changed: Set


class _Found:
    """Nodes of the two sets while an object is walked; None where a set has nothing."""

    __slots__ = ("changed", "removed")

    def __init__(self) -> None:
        self.removed: Set = {}
        self.changed: Set = {}


def compare(old: dict[str, Value], new: dict[str, Value], shape: Map) -> Comparison:
    """Compare two states of an object, or of any map with parts."""
    found = _Found()
    _maps(old, new, shape, found)
    return Comparison(found.removed, found.changed)


def everything(value: Value, shape: Type) -> Set:
    """The node of all that a value consists of, itself included: what appears or goes with it."""
    if shape.atomic or not value:
        return LEAF
    if shape.tag == MAP and isinstance(value, dict):
        fields, element = shape.fields, shape.element  # type: ignore[attr-defined]
        found: Set = {SELF: LEAF}
        for name, child in value.items():
            of = fields.get(name) or element
            if of is not None:
                found[f"f:{name}"] = everything(child, of)
        return found
    if shape.tag == LIST and isinstance(value, list):
        found = {SELF: LEAF}
        for key, items in grouped(shape, value).items():  # type: ignore[arg-type]
            found[key] = everything(items[0], shape.element) if len(items) == 1 else LEAF  # type: ignore[attr-defined]
        return found
    return LEAF


def _maps(old: dict[str, Value], new: dict[str, Value], shape: Map, found: _Found) -> None:
    fields, element = shape.fields, shape.element
    for name, value in new.items():
        before = old.get(name, ABSENT)
        if before is value or (before == value and type(before) is type(value)):
            continue
        of = fields.get(name) or element
        if of is not None and not (before is ABSENT and vanishes(value, of)):
            _compare(f"f:{name}", before, value, of, found)
    for name, value in old.items():
        if name not in new:
            of = fields.get(name) or element
            if of is not None:
                found.removed[f"f:{name}"] = everything(value, of)


def vanishes(value: Value, shape: Type) -> bool:
    """Whether a value is not kept when it is stored: an empty list or map, other than an empty message, is as none."""
    return not value and (shape.tag == LIST or (shape.tag == MAP and shape.element is not None))  # type: ignore[attr-defined]


def _compare(key: str, old: Value, new: Value, shape: Type, found: _Found) -> None:
    """Compare what stands at one path element; either side may be absent."""
    if old is ABSENT:
        found.changed[key] = everything(new, shape)
        return
    if new is ABSENT:
        found.removed[key] = everything(old, shape)
        return
    if shape.atomic or shape.tag not in (MAP, LIST) or not (old or new):
        if old != new or type(old) is not type(new):
            found.changed[key] = LEAF
        return
    below = _Found()
    if shape.tag == MAP:
        _maps(old or {}, new or {}, shape, below)  # type: ignore[arg-type]
    else:
        _lists(old or [], new or [], shape, below)  # type: ignore[arg-type]
    if below.removed:
        found.removed[key] = below.removed
    if below.changed:
        found.changed[key] = below.changed


def _lists(old: list[Value], new: list[Value], shape: List, found: _Found) -> None:
    before, after = grouped(shape, old), grouped(shape, new)
    for key in {**before, **after}:
        olds, news = before.get(key, ()), after.get(key, ())
        if len(olds) <= 1 and len(news) <= 1:
            _compare(key, olds[0] if olds else ABSENT, news[0] if news else ABSENT, shape.element, found)
        elif len(olds) > 1 and len(news) > 1:
            if olds != news:
                found.changed[key] = LEAF
        elif len(olds) > 1:
            found.removed[key] = LEAF
            if news:
                found.changed[key] = with_self(everything(news[0], shape.element))
        else:
            found.changed[key] = LEAF
            if olds:
                found.removed[key] = with_self(everything(olds[0], shape.element))
