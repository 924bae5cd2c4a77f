"""The order of a list that a strategic merge patch merged: what the patch names keeps the patch's order, the rest that of the live list.

    live  [a b c d]   patch [c x a]   ->   merged [a b c d x]
    named by the patch, in its order   [c x a]
    the others, in the live order      [b d]        ->   [b c x a d]: an item goes before the first named one that it preceded

Source: https://git.k8s.io/design-proposals-archive/cli/preserve-order-in-strategic-merge-patch.md; apimachinery `pkg/util/strategicpatch`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kcore.machinery import status
from kcore.machinery.patch.printed import printed, type_name

Key = Callable[[Any], Any]


def no_merge_key(item: Any, merge_key: str) -> status.StatusError:
    """An item of a list does not say which one it is."""
    return status.unknown(f"map: {printed(item)} does not contain declared merge key: {merge_key}")


def bad_type(wanted: str, found: Any) -> status.StatusError:
    """A value of a patch has not the type that its place asks for."""
    shown = "%!s(<nil>)" if found is None else type_name(found)
    return status.unknown(f"expected a {wanted}, but received a {shown}")


def key_by(merge_key: str) -> Key:
    """What identifies an item of a list: the value of its merge key, or the item itself where there is none.

    The function that is returned raises StatusError (500) for an item without one.
    """
    if not merge_key:
        return identity

    def key(item: Any) -> Any:
        if not isinstance(item, dict):
            raise bad_type("map[string]interface {}", item)
        if merge_key not in item:
            raise no_merge_key(item, merge_key)
        return identity(item[merge_key])

    return key


def identity(value: Any) -> Any:
    """What equals what: true is not 1 here."""
    return (str, value) if type(value) is str else (type(value), printed(value))


def arrange(merged: list[Any], named: list[Any], live: list[Any], key: Key) -> list[Any]:
    """Order the items of `merged` by their place in `named`, which the patch gives, and in `live`, which the object gives."""
    in_patch, in_live = places(named, key), places(live, key)
    keyed = [(key(item), item) for item in merged]
    mine = sorted((pair for pair in keyed if pair[0] in in_patch), key=lambda pair: in_patch[pair[0]])
    others = sorted((pair for pair in keyed if pair[0] not in in_patch), key=lambda pair: in_live.get(pair[0], len(in_live)))
    return [item for _, item in interleave(others, mine, lambda pair: in_live.get(pair[0]))]


def places(items: list[Any], key: Key) -> dict[Any, int]:
    """Where each item stands first."""
    found: dict[Any, int] = {}
    for index, item in enumerate(items):
        found.setdefault(key(item), index)
    return found


def interleave(left: list[Any], right: list[Any], place: Callable[[Any], int | None]) -> list[Any]:
    """Merge two lists, each in its order: an item of `left` goes before the first of `right` that has a greater place."""
    found: list[Any] = []
    index = 0
    for item in right:
        until = place(item)
        while index < len(left) and until is not None and (at := place(left[index])) is not None and at < until:
            found.append(left[index])
            index += 1
        found.append(item)
    return found + left[index:]
