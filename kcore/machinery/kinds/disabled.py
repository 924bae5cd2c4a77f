"""Fields of features that Kubernetes 1.37 has switched off unless it is told otherwise: they are dropped, unless they are stored already.

A path is the JSON names from the object down; `*` stands for every element of a list.

Source: Kubernetes `pkg/features/kube_features.go`, the strategies' `dropDisabledFields`.
"""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Object = dict[str, Any]
Path = tuple[str, ...]


def drop_unless_stored(new: Object, old: Object | None, *paths: Path) -> None:
    """Drop the fields at some paths, each of them if the stored object has it nowhere."""
    for path in paths:
        holders = [holder for holder in _holders(new, path[:-1]) if path[-1] in holder]
        if holders and not any(holder.get(path[-1]) is not None for holder in _holders(old or {}, path[:-1])):
            for holder in holders:
                del holder[path[-1]]


def _holders(value: Any, path: Path) -> Iterator[Object]:
    """The messages at a path."""
    if not path:
        if isinstance(value, dict):
            yield value
    elif path[0] == "*":
        for item in value or ():
            yield from _holders(item, path[1:])
    elif isinstance(value, dict):
        yield from _holders(value.get(path[0]), path[1:])
