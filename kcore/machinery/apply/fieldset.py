"""Sets of fields, in the form in which managedFields keep them.

A set is a tree of dicts. A key is a path element: `f:name` a field, `k:{"name":"c"}` an element of a list by its keys, `v:"x"` one by its
value, `i:0` one by its place. A node is a member of the set if its dict is empty or has the key `.`; the root is never one:

    {"f:spec": {"f:replicas": {}, "f:ports": {".": {}, "k:{\\"port\\":80}": {}}}}    .spec.replicas, .spec.ports, .spec.ports[port=80]

A node that is no member has members below it; one with nothing below it is written `{}`. Every function here keeps that, and shares what it
does not change with its arguments.
Source: sigs.k8s.io/structured-merge-diff `fieldpath`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson

from kcore.machinery.field_error import quote

Set = dict[str, Any]
Path = tuple[str, ...]
SELF: Final = "."
LEAF: Final[Set] = {}
"""The node of a member without anything below it; nobody changes it."""

EMPTY: Final[Set] = {}
_KINDS: Final = "fkvi"


class FieldSetError(ValueError):
    """A text or tree is no set of fields."""


def has_self(branch: Set) -> bool:
    """Whether a node is a member."""
    return not branch or SELF in branch


def with_self(branch: Set) -> Set:
    """A node as a member."""
    return branch if not branch or SELF in branch else {SELF: LEAF, **branch}


def union(one: Set, other: Set) -> Set:
    """What is in either of two sets."""
    if not one or not other:
        return one or other
    found = dict(one)
    for key, theirs in other.items():
        mine = found.get(key)
        if mine is None:
            found[key] = theirs
        elif mine is not theirs:
            found[key] = with_self(theirs) if not mine else with_self(mine) if not theirs else union(mine, theirs)
    return found


def difference(one: Set, other: Set) -> Set:
    """What is in the first set and not in the second; a node stays where only something below it goes."""
    found: Set = {}
    for key, mine in one.items():
        theirs = other.get(key)
        left = mine if theirs is None else _subtract(mine, theirs)
        if left is not None:
            found[key] = left
    return found


def _subtract(mine: Set, theirs: Set) -> Set | None:
    if not mine:
        return None if has_self(theirs) else mine
    if not theirs:
        return mine if SELF not in mine else {key: below for key, below in mine.items() if key != SELF}
    return node(difference(mine, theirs))


def node(found: Set) -> Set | None:
    """A node of what is left of one: None if nothing is, `{}` if only itself is."""
    if not found:
        return None
    return LEAF if len(found) == 1 and SELF in found else found


def intersection(one: Set, other: Set) -> Set:
    """What is in both sets."""
    found: Set = {}
    for key, mine in one.items():
        theirs = other.get(key)
        if theirs is None:
            continue
        if mine and theirs:
            both = node(intersection(mine, theirs))
        else:
            both = LEAF if has_self(mine) and has_self(theirs) else None
        if both is not None:
            found[key] = both
    return found


def without_trees(one: Set, roots: Set) -> Set:
    """What is in the first set and neither a member of the second nor below one."""
    found: Set = {}
    for key, mine in one.items():
        theirs = roots.get(key)
        if theirs is None:
            found[key] = mine
        elif not has_self(theirs):
            left = node(without_trees(mine, theirs)) if mine else mine
            if left is not None:
                found[key] = left
    return found


def has(one: Set, path: Path) -> bool:
    """Whether a path is a member."""
    for element in path:
        found = one.get(element)
        if found is None:
            return False
        one = found
    return bool(path) and has_self(one)


def of_paths(*paths: Path) -> Set:
    """The set of some paths."""
    found: Set = {}
    for path in paths:
        branch: Set = LEAF
        for element in reversed(path):
            branch = {element: branch}
        found = union(found, branch)
    return found


def paths(one: Set, prefix: Path = ()) -> Iterator[Path]:
    """The members in Kubernetes' order: those directly below a node before what is further below."""
    keys = sorted((key for key in one if key != SELF), key=_order)
    for key in keys:
        if has_self(one[key]):
            yield (*prefix, key)
    for key in keys:
        yield from paths(one[key], (*prefix, key))


def _order(element: str) -> tuple[Any, ...]:
    """How path elements are sorted: fields, keys, values, places; numbers before texts."""
    kind, text = element[0], element[2:]
    if kind == "f":
        return 0, text
    value = orjson.loads(text)
    if kind == "k":
        return 1, [(name, _value_order(found)) for name, found in sorted(value.items())]
    return (2, _value_order(value)) if kind == "v" else (3, value)


def _value_order(value: Any) -> tuple[int, Any]:
    kind = 2 if isinstance(value, bool) else 0 if isinstance(value, int | float) else 1 if isinstance(value, str) else 3
    return kind, value if kind < 3 else str(value)


def text(path: Path) -> str:
    """A path as errors show it: `.spec.ports[port=80,protocol="TCP"].name`."""
    return "".join(element_text(element) for element in path)


def element_text(element: str) -> str:
    """A path element as errors show it."""
    kind, rest = element[0], element[2:]
    if kind == "f":
        return f".{rest}"
    value = orjson.loads(rest)
    if kind == "k":
        return "[" + ",".join(f"{name}={_value_text(found)}" for name, found in sorted(value.items())) + "]"
    return f"[={_value_text(value)}]" if kind == "v" else f"[{value}]"


def _value_text(value: Any) -> str:
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)


def ordered(one: Set) -> Set:
    """The same set with its keys sorted: equal sets have one text."""
    return {key: ordered(one[key]) if one[key] else LEAF for key in sorted(one)}


def normal(tree: Any) -> Set:
    """A set that somebody sent: keys in their one form, elements of kinds that are not known left out.

    Raises  FieldSetError
    """
    found: Set = {}
    if tree is None:
        return found
    if not isinstance(tree, dict):
        raise FieldSetError("a set of fields is an object")
    for key, below in tree.items():
        if key == SELF:
            found[SELF] = LEAF
        elif (element := _normal_element(key)) is not None:
            branch = node(normal(below))
            found[element] = LEAF if branch is None else branch
    return found


def _normal_element(key: str) -> str | None:
    if len(key) < 2 or key[1] != ":":
        raise FieldSetError(f"{quote(key)} is no path element")
    kind, rest = key[0], key[2:]
    if kind not in _KINDS:
        return None
    if kind == "f":
        return key
    try:
        value = orjson.loads(rest)
    except orjson.JSONDecodeError as error:
        raise FieldSetError(f"{quote(key)} is no path element") from error
    if (kind == "k" and not isinstance(value, dict)) or (kind == "i" and not isinstance(value, int)):
        raise FieldSetError(f"{quote(key)} is no path element")
    return f"{kind}:{orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()}"
