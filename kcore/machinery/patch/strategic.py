"""Strategic merge patches: lists are merged by key, and directives say what else is meant.

    {"spec": {"containers": [{"name": "web", "image": "b"}, {"name": "old", "$patch": "delete"}],
              "$setElementOrder/containers": [{"name": "web"}, {"name": "log"}],
              "$deleteFromPrimitiveList/finalizers": ["x"],
              "strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}

Source: apimachinery `pkg/util/strategicpatch/patch.go`, `pkg/util/mergepatch/errors.go` for the sentences; which of them answer 400 and
which 500 is decided in apiserver `pkg/endpoints/handlers/patch.go`.
"""

from __future__ import annotations

from typing import Any

from kcore.machinery import status
from kcore.machinery.patch import schema
from kcore.machinery.patch.order import Key, arrange, bad_type, identity, key_by, no_merge_key
from kcore.machinery.patch.printed import printed, type_name
from kcore.machinery.patch.schema import FieldMeta, Shape

Object = dict[str, Any]
Items = list[Any]
DIRECTIVE, RETAIN_KEYS = "$patch", "$retainKeys"
DELETE_FROM, ELEMENT_ORDER = "$deleteFromPrimitiveList", "$setElementOrder"


def merge(target: Object, patch: Object, message: str) -> Object:
    """Apply a strategic merge patch to an object of a message; neither argument is changed.

    Raises  StatusError: 400 for a directive of the wrong form, 500 for what cannot be merged
    """
    return merge_objects(target, patch, schema.struct(message))


def merge_objects(original: Object, patch: Object, shape: Shape) -> Object:
    """Merge two objects of a shape."""
    if DIRECTIVE in patch:
        return directed(patch)
    merged = retained(original, patch)
    changes = {name: value for name, value in patch.items() if name != RETAIN_KEYS and not name.startswith(ELEMENT_ORDER)}
    for name in patch:
        if name.startswith(ELEMENT_ORDER):
            order_list(merged, changes, suffix(name, ELEMENT_ORDER), patch[name], shape)
    for name, value in changes.items():
        if name.startswith(DELETE_FROM):
            delete_from(merged, suffix(name, DELETE_FROM), value, shape)
        elif value is None:
            merged.pop(name, None)
        else:
            merge_field(merged, name, value, shape)
    return merged


def directed(patch: Object) -> Object:
    """What an object with a directive becomes, whatever it was."""
    if patch[DIRECTIVE] == "replace":
        return {name: value for name, value in patch.items() if name != DIRECTIVE}
    if patch[DIRECTIVE] == "delete":
        return {}
    raise bad_directive(patch)


def bad_directive(patch: Object) -> status.StatusError:
    """A directive is none that is known."""
    found = patch[DIRECTIVE]
    shown = found if isinstance(found, str) else f"%!s({type_name(found)}={printed(found)})"
    return status.unknown(f"unknown patch type: {shown} in map: {printed(patch)}")


def suffix(name: str, directive: str) -> str:
    """The list that a directive is about. Raises StatusError (400) if it names none."""
    head, slash, tail = name.partition("/")
    if head != directive or not slash:
        what = "primitive list" if directive == DELETE_FROM else "setElementOrder list"
        raise status.bad_request(f"invalid patch format of {what}")
    return tail


def retained(original: Object, patch: Object) -> Object:
    """A copy of an object without the fields that the patch does not retain. Raises StatusError (400)."""
    if RETAIN_KEYS not in patch:
        return dict(original)
    keys = patch[RETAIN_KEYS]
    if not isinstance(keys, list):
        raise status.bad_request("invalid patch format of retainKeys")
    for name, value in patch.items():
        if value is None or name == RETAIN_KEYS or name.startswith((DELETE_FROM, ELEMENT_ORDER)):
            continue
        if name not in keys:
            raise status.bad_request("invalid patch format of retainKeys")
    return {name: value for name, value in original.items() if name in keys}


def merge_field(merged: Object, name: str, value: Any, shape: Shape) -> None:
    """Merge one field that is not null."""
    before = merged.get(name)
    if isinstance(before, dict) and isinstance(value, dict):
        meta = schema.lookup(shape, name)
        merged[name] = value if meta.strategy == schema.REPLACE else merge_objects(before, value, meta.below)
    elif isinstance(before, list) and isinstance(value, list):
        merged[name] = merge_lists(before, value, schema.lookup(shape, name))
    elif isinstance(value, dict) and DIRECTIVE in value:
        merged.pop(name, None)
    else:
        merged[name] = without_directives(value)


def without_directives(value: Any) -> Any:
    """A new value without nulls, and without the objects in it that hold a directive."""
    if isinstance(value, dict):
        return {
            name: without_directives(item)
            for name, item in value.items()
            if item is not None and not (isinstance(item, dict) and DIRECTIVE in item)
        }
    if isinstance(value, list):
        return [without_directives(item) for item in value if not (isinstance(item, dict) and DIRECTIVE in item)]
    return value


def delete_from(merged: Object, name: str, value: Any, shape: Shape) -> None:
    """Take values out of a list of scalars; null takes the list."""
    if value is None:
        merged.pop(name, None)
    elif isinstance(merged.get(name), list) and isinstance(value, list):
        meta = schema.lookup(shape, name)
        merged[name] = merge_lists(merged[name], value, meta, deleting=True)


def merge_lists(original: Items, patch: Items, meta: FieldMeta, deleting: bool = False) -> Items:
    """Merge two lists as the strategy of their field says."""
    if meta.strategy != schema.MERGE:
        return patch
    if not original and not patch:
        return original
    if not holds_objects(original, patch):
        if deleting:
            gone = {identity(item) for item in patch}
            return [item for item in original if identity(item) not in gone]
        return arrange(distinct(original + patch), patch, original, identity)
    if not meta.merge_key:
        raise status.unknown(f"cannot merge lists without merge key for {meta.below.go_kind}")
    original, patch = carry_out_directives(original, patch, meta.merge_key)
    merged = merge_items(original, patch, meta)
    return arrange(merged, patch, original, key_by(meta.merge_key))


def holds_objects(*lists: Items) -> bool:
    """Whether the items are objects rather than scalars. Raises StatusError (500) if they are lists, or unlike each other."""
    kinds = {type(item) for items in lists for item in items}
    if not kinds:
        raise status.unknown("no elements in any of the given slices")
    if next(item for items in lists for item in items).__class__ is list:
        raise status.unknown("lists of lists are not supported")
    if len(kinds) > 1 or kinds == {type(None)}:
        raise status.unknown(f"list element types are not identical: {printed(list(lists))}")
    return kinds == {dict}


def distinct(items: Items) -> Items:
    """The items, each once."""
    return list({identity(item): item for item in items}.values())


def carry_out_directives(original: Items, patch: Items, merge_key: str) -> tuple[Items, Items]:
    """Delete items, or the whole list, as items of the patch say; -> the list, and the items of the patch that are to be merged."""
    plain = [item for item in patch if DIRECTIVE not in item]
    replaced = False
    for item in patch:
        if DIRECTIVE not in item:
            continue
        if item[DIRECTIVE] == "delete":
            if merge_key not in item:
                raise no_merge_key(item, merge_key)
            gone = identity(item[merge_key])
            original = [old for old in original if merge_key not in old or identity(old[merge_key]) != gone]
        elif item[DIRECTIVE] == "replace":
            replaced = True
        elif item[DIRECTIVE] == "merge":
            raise status.unknown("merging lists cannot yet be specified in the patch")
        else:
            raise bad_directive(item)
    return (plain, []) if replaced else (original, plain)


def merge_items(original: Items, patch: Items, meta: FieldMeta) -> Items:
    """Merge each object of a list into the one of its key, or append it."""
    key = key_by(meta.merge_key)
    merged = list(original)
    places = {identity(item[meta.merge_key]): index for index, item in reversed(list(enumerate(merged))) if meta.merge_key in item}
    for item in patch:
        found = places.get(key(item))
        if found is None:
            places[key(item)] = len(merged)
            merged.append(item)
        else:
            merged[found] = merge_objects(merged[found], item, meta.below)
    return merged


def order_list(merged: Object, changes: Object, name: str, order: Any, shape: Shape) -> None:
    """Merge a list and put it in the order that the patch wants; what was merged is taken out of the changes."""
    for value in (order, merged.get(name, []), changes.get(name, [])):
        if not isinstance(value, list):
            raise bad_type("[]interface {}", value)
    meta = schema.lookup(shape, name)
    original, patch = merged.get(name), changes.pop(name, None)
    key = key_by(meta.merge_key)
    check_order(patch or [], order, key)
    if original is None and patch is None:
        return
    if original is None or patch is None:
        whole = patch if original is None else original
    else:
        whole = merge_lists(original, patch, meta)
    holds_objects(original or [], patch or [])
    merged[name] = arrange(whole or [], order, original or [], key)


def check_order(patch: Items, order: Items, key: Key) -> None:
    """Refuse a patch whose items are not a part of the wanted order. Raises StatusError (500)."""
    if not patch or not order:
        return
    wanted = iter([key(item) for item in order])
    for item in patch:
        if isinstance(item, dict) and DIRECTIVE in item:
            continue
        if key(item) not in wanted:
            raise status.unknown(f"The order in patch list:\n{printed(patch)}\n doesn't match {ELEMENT_ORDER} list:\n{printed(order)}\n")
