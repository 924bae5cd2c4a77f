"""JSON patches, as the library that Kubernetes uses applies them rather than as the RFC says.

It differs from RFC 6902 in what it lets pass: `replace` of a name that is not there adds it, an absent value is null, indexes may be
negative, and the text before the first slash of a path counts for nothing.
Source: RFC 6902; evanphx/json-patch v4; apiserver `pkg/endpoints/handlers/patch.go` (jsonPatcher).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any, Final

import orjson

from kcore.base import limits
from kcore.machinery import status

Container = dict[str, Any] | list[Any]
Operation = dict[str, Any]

_FIELDS: Final = ("op", "path", "from", "value")
_INDEX: Final = re.compile(r"[+-]?[0-9]+")
_WORDS: Final = ((bool, "bool"), (str, "string"), (dict, "object"), (list, "array"))


class InapplicableError(Exception):
    """An operation does not fit the document."""


def read(patch: Any, strict: bool) -> tuple[list[Operation], list[str]]:
    """Check that a JSON value is a list of operations.

    strict   also check the types of their fields, and collect complaints about unknown ones
    Returns  the operations and the complaints
    Raises   StatusError: 400 for what is no patch, 413 for too many operations
    """
    if patch is None:
        return [], []
    complaints: list[str] = []
    if not isinstance(patch, list):
        raise _undecodable(patch, "[]handlers.jsonPatchOp" if strict else "jsonpatch.Patch", strict)
    for index, operation in enumerate(patch):
        if not isinstance(operation, dict | None):
            raise _undecodable(operation, "handlers.jsonPatchOp" if strict else "jsonpatch.Operation", strict)
        for name, value in (operation or {}).items() if strict else ():
            if name not in _FIELDS:
                complaints.append(f'json patch unknown field "[{index}].{name}"')
            elif name != "value" and not isinstance(value, str | None):
                word = _word(value)
                raise status.bad_request(
                    f"error decoding patch: json: cannot unmarshal {word} into Go struct field jsonPatchOp.{name} of type string"
                )
    if len(patch) > limits.JSON_PATCH_OPERATIONS_MAX:
        raise status.request_entity_too_large(
            f"The allowed maximum operations in a JSON patch is {limits.JSON_PATCH_OPERATIONS_MAX}, got {len(patch)}"
        )
    return [operation or {} for operation in patch], complaints


def apply(target: Any, operations: list[Operation]) -> Any:
    """Apply operations one after the other; `target` is not changed.

    Returns the patched value, in which the objects that a path went through name their fields in order
    Raises  StatusError (422) if one does not fit, in which case nothing of the patch counts
    """
    document = _Document(copy.deepcopy(target))
    try:
        for operation in operations:
            document.carry_out(operation)
    except InapplicableError as error:
        raise status.unprocessable() from error
    return document.in_printed_order(document.root)


class _Document:
    """A value under change. `touched` keeps the containers that a path went through, by identity."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.touched: dict[int, Any] = {id(root): root}
        self.copied_bytes = 0

    def carry_out(self, operation: Operation) -> None:
        action = _ACTIONS.get(operation.get("op") if isinstance(operation.get("op"), str) else "")
        if action is None:
            raise InapplicableError("unexpected kind")
        action(self, operation)

    def find(self, operation: Operation, name: str = "path") -> tuple[Container, str]:
        """The container that a path leads into, and the name or index in it."""
        path = operation.get(name)
        if not isinstance(path, str):
            raise InapplicableError(f"no {name}")
        parts = path.split("/")[1:]
        if not parts:
            raise InapplicableError(f"{name} leads nowhere")
        found = self.root
        for part in parts[:-1]:
            found = get(found, unescaped(part))
            if not isinstance(found, dict | list):
                raise InapplicableError(f"{name} leads through nothing")
            self.touched[id(found)] = found
        return found, unescaped(parts[-1])

    def add(self, operation: Operation) -> None:
        insert(*self.find(operation), copy.deepcopy(operation.get("value")))

    def remove(self, operation: Operation) -> None:
        delete(*self.find(operation))

    def replace(self, operation: Operation) -> None:
        value = copy.deepcopy(operation.get("value"))
        if operation.get("path") == "":
            if not isinstance(value, dict | list):
                raise InapplicableError("a document is an object or a list")
            self.root = self.touched[id(value)] = value
            return
        container, key = self.find(operation)
        if isinstance(container, list):
            container[place(container, key)] = value
        else:
            container[key] = value

    def move(self, operation: Operation) -> None:
        container, key = self.find(operation, "from")
        value = get(container, key)
        delete(container, key)
        insert(*self.find(operation), value)

    def copy(self, operation: Operation) -> None:
        value = get(*self.find(operation, "from"))
        container, key = self.find(operation)
        self.copied_bytes += 0 if value is None else len(orjson.dumps(value))
        if self.copied_bytes > limits.JSON_PATCH_COPIED_BYTES_MAX:
            raise InapplicableError("too much is copied")
        insert(container, key, copy.deepcopy(value))

    def test(self, operation: Operation) -> None:
        found = self.root if operation.get("path") == "" else get(*self.find(operation))
        if not same(found, operation.get("value")):
            raise InapplicableError("a test failed")

    def in_printed_order(self, value: Any) -> Any:
        """The value with the names of touched objects in order, as Go writes maps."""
        if id(value) not in self.touched:
            return value
        if isinstance(value, dict):
            return {name: self.in_printed_order(value[name]) for name in sorted(value)}
        return [self.in_printed_order(item) for item in value] if isinstance(value, list) else value


_ACTIONS: Final[dict[str | None, Callable[[_Document, Operation], None]]] = {
    "add": _Document.add, "remove": _Document.remove, "replace": _Document.replace, "move": _Document.move, "copy": _Document.copy,
    "test": _Document.test,
}  # fmt: skip


def unescaped(part: str) -> str:
    """A name as a path spells it, without the escapes."""
    return part.replace("~1", "/").replace("~0", "~")


def place(items: list[Any], key: str, end: int = 0) -> int:
    """The index that a path names; negative ones count from the end.

    end  how many places there are beyond the items
    """
    if not _INDEX.fullmatch(key):
        raise InapplicableError(f"{key} is no index")
    index, size = int(key[:20]), len(items) + end
    if not -size <= index < size:
        raise InapplicableError(f"{key} is out of range")
    return index if index >= 0 else index + size


def get(container: Any, key: str) -> Any:
    """What stands there; None for a name that is not there."""
    return container[place(container, key)] if isinstance(container, list) else container.get(key)


def insert(container: Container, key: str, value: Any) -> None:
    """Put a value under a name, or before an index (`-`: at the end)."""
    if isinstance(container, dict):
        container[key] = value
    else:
        container.insert(len(container) if key == "-" else place(container, key, 1), value)


def delete(container: Container, key: str) -> None:
    """Take away what stands there."""
    if isinstance(container, list):
        del container[place(container, key)]
    elif key in container:
        del container[key]
    else:
        raise InapplicableError(f"{key} is not there")


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: unlike in Python, true is not 1, and 1 is not 1.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _undecodable(value: Any, go_type: str, strict: bool) -> status.StatusError:
    sentence = f"json: cannot unmarshal {_word(value)} into Go value of type {go_type}"
    return status.bad_request(f"error decoding patch: {sentence}" if strict else sentence)


def _word(value: Any) -> str:
    return next((word for kind, word in _WORDS if isinstance(value, kind)), "number")
