"""Sets of fields as sets of paths, and what an apply prunes in the three passes of structured-merge-diff: slow and obvious.

A path is a tuple of path elements, as `machinery.apply.fieldset` writes them.
"""

from __future__ import annotations

from typing import Any

from kcore.machinery.apply import fieldset
from kcore.machinery.apply.elements import element_of
from kcore.machinery.apply.schema import LIST, MAP, Type

Path = tuple[str, ...]
Paths = frozenset[Path]


def paths_of(tree: fieldset.Set) -> Paths:
    """A tree as paths."""
    return frozenset(fieldset.paths(tree))


def below(paths: Paths, root: Path) -> bool:
    """Whether anything is below a path."""
    return any(path[: len(root)] == root and path != root for path in paths)


def without_trees(paths: Paths, roots: Paths) -> Paths:
    """The paths that neither are roots nor stand below one."""
    return frozenset(path for path in paths if not any(path[:length] in roots for length in range(1, len(path) + 1)))


def fields(value: Any, shape: Type, path: Path = ()) -> set[Path]:
    """The fields of an object: leaves, elements, entries of maps, and what is null or an empty object."""
    if shape.atomic or value is None or value == {}:
        return {path} if path else set()
    found: set[Path] = set()
    if shape.tag == MAP and isinstance(value, dict):
        for name, child in value.items():
            declared = shape.fields.get(name)  # type: ignore[attr-defined]
            at = (*path, f"f:{name}")
            found |= fields(child, declared or shape.element, at)  # type: ignore[attr-defined]
            if declared is None:
                found.add(at)
    elif shape.tag == LIST and isinstance(value, list):
        for item in value:
            at = (*path, element_of(shape, item))  # type: ignore[arg-type]
            found |= fields(item, shape.element, at) | {at}  # type: ignore[attr-defined]
    else:
        found.add(path)
    return found


def named(paths: Paths | set[Path], shape: Type) -> set[Path]:
    """The paths, and the declared fields that they go through."""
    found = set(paths)
    for path in paths:
        of: Type | None = shape
        for index, element in enumerate(path[:-1]):
            declared = getattr(of, "fields", {}).get(element[2:]) if of is not None and of.tag == MAP else None
            if declared is not None:
                found.add(path[: index + 1])
            of = declared or getattr(of, "element", None)
    return found


def remove(value: Any, shape: Type, gone: set[Path], path: Path = ()) -> Any:
    """An object without what is at some paths; null where nothing is left of something."""
    if shape.atomic or not value:
        return value
    if shape.tag == MAP and isinstance(value, dict):
        found: Any = {}
        for name, child in value.items():
            at = (*path, f"f:{name}")
            if at not in gone:
                of = shape.fields.get(name) or shape.element  # type: ignore[attr-defined]
                found[name] = remove(child, of, gone, at) if below(frozenset(gone), at) else child
        return found or None
    if shape.tag == LIST and isinstance(value, list):
        found = []
        for item in value:
            at = (*path, element_of(shape, item))  # type: ignore[arg-type]
            if at not in gone:
                found.append(remove(item, shape.element, gone, at) if below(frozenset(gone), at) else item)  # type: ignore[attr-defined]
        return found or None
    return value


def prune(merged: Any, shape: Type, last: Paths, owned: Paths) -> Any:
    """What is left of a merged object when its applier no longer has `last`, and `owned` is what anybody has."""
    everything = named(fields(merged, shape), shape)
    pruned = remove(merged, shape, named(last, shape)) or {}
    kept = named(fields(pruned, shape), shape) | named(owned, shape)
    pruned = remove(merged, shape, everything - kept) or {}
    dangling = (everything - named(fields(pruned, shape), shape)) & named(last, shape)
    return remove(merged, shape, dangling) or {}
