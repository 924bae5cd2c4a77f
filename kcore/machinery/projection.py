"""Chosen fields of a message as a tuple, read from its bytes without decoding the rest.

A path is dotted JSON names; what it gives, and what it gives where nothing is there:

    metadata.name                           str, ""            metadata.labels            dict of str, {}
    spec.replicas                           int, 0             spec.priority?             int, None (fields with presence)
    metadata.creationTimestamp              int seconds, 0     (MicroTime: int microseconds)
    spec.affinity                           dict form, {}      spec.affinity@raw          the message's bytes, b""
    spec.affinity@present                   bool               spec.containers[].image    tuple, one for each container
    spec.containers[].resources.requests    tuple of dicts     spec.containers[]@raw      tuple of bytes
    spec.containers[].ports[].hostPort      tuple of tuples    metadata.finalizers        tuple of str

All paths below one `[]` have a value for each element, so that their tuples are aligned. Inline messages need no name of their own.
Empty dicts are shared: what comes out must not be changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kcore.machinery._projection import Child, Node, project
from kcore.machinery.codec import tables
from kcore.machinery.codec._table import Table
from kcore.machinery.codec.tables import FieldSpec

# Of `ext/kcore/machinery/_projection.pyx`.
_NOTHING, _VALUE, _BYTES, _PRESENCE = range(4)
_MARKS: Final = {"": _VALUE, "raw": _BYTES, "present": _PRESENCE}

_ZEROS: Final[dict[int, Any]] = {
    tables.BOOL: False, tables.INT32: 0, tables.INT64: 0, tables.DOUBLE: 0, tables.STRING: "", tables.BYTES: "", tables.OBJECT: {},
    tables.TIME: 0, tables.MICRO_TIME: 0, tables.QUANTITY: "", tables.INT_OR_STRING: 0, tables.RAW: None, tables.WRAPPED: None,
}  # fmt: skip


class Projection:
    """A compiled program for one message.

    >>> read = Projection("kcore.api.core.v1.Pod", ["metadata.name", "metadata.labels", "spec.nodeName", "status.phase"])
    >>> name, labels, node, phase = read(raw)

    zeros   what each path gives where nothing is there
    Raises  ValueError at once for a path that the message does not have
    Thread  any
    Cost    some 5 ns for each field that is stepped over and 40 ns for each that is read
    """

    def __init__(self, message: str, paths: Sequence[str]) -> None:
        self.message = message
        self.paths = tuple(paths)
        root = _Level(tables.table(message))
        for path in self.paths:
            root.add(path)
        self._node = root.node()
        self.zeros = tuple(root.zeros)

    def __call__(self, raw: bytes) -> tuple[Any, ...]:
        """Return one value for each path.

        Raises  DecodeError
        """
        return project(self._node, self.zeros, raw)


@dataclass(slots=True)
class _Step:
    """What is wanted of one field."""

    takes: list[tuple[int, int]] = field(default_factory=list)
    level: _Level | None = None
    slots: list[int] | None = None


@dataclass(slots=True)
class _Level:
    """What is wanted of one message; a repeated message has slots of its own, any other shares its parent's."""

    table: Table
    zeros: list[Any] = field(default_factory=list)
    steps: dict[int, _Step] = field(default_factory=dict)

    def add(self, path: str) -> None:
        """Give a path the next slot."""
        self.zeros.append(None)
        self._walk(path.split("."), path, len(self.zeros) - 1)

    def node(self) -> Node:
        return Node(self.table, tuple(self._child(index, step) for index, step in self.steps.items()))

    def _walk(self, names: list[str], path: str, slot: int) -> None:
        name, repeated, mark, optional = _parse(names[0], path)
        level, index, spec = self._descend(name, path)
        step = level.steps.setdefault(index, _Step())
        if len(names) == 1:
            step.takes.append((_MARKS[mark], slot))
            self.zeros[slot] = None if optional else _zero(spec, mark)
            if repeated and spec.label != tables.LIST:
                raise ValueError(f"{path}: {name} is no list")
            return
        if spec.table is None or spec.kind != tables.OBJECT or spec.label == tables.MAP:
            raise ValueError(f"{path}: {name} is no message")
        if repeated != (spec.label == tables.LIST):
            raise ValueError(f"{path}: write a list as {name}[], and nothing else so")
        if not repeated:
            step.level = step.level or _Level(spec.table, self.zeros)
            step.level._walk(names[1:], path, slot)
            return
        step.level = step.level or _Level(spec.table)
        step.slots = step.slots if step.slots is not None else []
        step.slots.append(slot)
        step.level.add(".".join(names[1:]))
        self.zeros[slot] = ()

    def _descend(self, name: str, path: str) -> tuple[_Level, int, FieldSpec]:
        """Find a field of this message, or of the inline messages in it."""
        for index, spec in enumerate(map(FieldSpec._make, self.table.describe())):
            if spec.name == name and not spec.inline:
                return self, index, spec
            if spec.inline and spec.table is not None and name in spec.table.slot_names():
                step = self.steps.setdefault(index, _Step())
                step.level = step.level or _Level(spec.table, self.zeros)
                return step.level._descend(name, path)
        raise ValueError(f"{path}: {self.table.name} has no field {name}")

    def _child(self, index: int, step: _Step) -> Child:
        child = None
        for take, slot in step.takes:
            child = Child(index, take, slot, None, None, None, child)
        if step.level is None:
            assert child is not None
            return child
        own = step.slots is not None
        slots, zeros = (tuple(step.slots or ()), tuple(step.level.zeros)) if own else (None, None)
        return Child(index, _NOTHING, -1, step.level.node(), slots, zeros, child)


def _parse(part: str, path: str) -> tuple[str, bool, str, bool]:
    """Split `containers[]@raw` or `priority?` into name, whether it is repeated, mark, and whether absence is None."""
    optional = part.endswith("?")
    name, _, mark = part.removesuffix("?").partition("@")
    if mark not in _MARKS:
        raise ValueError(f"{path}: no such mark as @{mark}")
    return name.removesuffix("[]"), name.endswith("[]"), mark, optional


def _zero(spec: FieldSpec, mark: str) -> Any:
    if mark == "present":
        return False
    if spec.label == tables.LIST:
        return ()
    if mark == "raw":
        return b""
    return {} if spec.label == tables.MAP else _ZEROS[spec.kind]
