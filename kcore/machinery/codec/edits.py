"""Known changes of a message put into its bytes, without decoding the rest: the writing twin of `projection`.

Binding is the model: `spec.nodeName` is set, one condition is put in or replaced by its type, labels are merged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

from kcore.machinery.codec import tables
from kcore.machinery.codec._encode import encode_field
from kcore.machinery.codec._envelope import delimited, occurrences, only, splice, text_field
from kcore.machinery.codec._table import Table
from kcore.machinery.codec.tables import FieldSpec

_Step = Callable[[bytes, Any], bytes]
_LABEL_MARK: Final = "["


class Splice:
    """Compiled edits of one message.

    paths  dotted JSON paths, in the order in which values are given:
           `spec.nodeName`            sets the field; None removes it
           `status.conditions[type]`  puts in the element whose `type` the value has, in place of the one that has it already
           `metadata.labels[]`        merges entries into the map

    >>> bind = Splice("kcore.api.core.v1.Pod", ["spec.nodeName", "status.conditions[type]"])
    >>> raw = bind(raw, "node-1", {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"})

    Thread  any
    Cost    about 1 us for each path
    """

    def __init__(self, message: str, paths: Sequence[str]) -> None:
        self._steps = [_compile(tables.table(message), path) for path in paths]

    def __call__(self, raw: bytes, *values: Any) -> bytes:
        """Return the message with one value for each path put in.

        Raises  DecodeError if a value has the wrong type, or the message is malformed on the way
        """
        assert len(values) == len(self._steps), f"{len(values)} values for {len(self._steps)} paths"
        for step, value in zip(self._steps, values, strict=True):
            raw = step(raw, value)
        return raw


@cache
def status_part(message: str) -> Callable[[bytes], bytes]:
    """Return what cuts a message down to its metadata and its status."""
    numbers = [find(tables.table(message), name).number for name in ("metadata", "status")]
    return lambda raw: only(raw, *numbers)


def numbers(message: str, name: str) -> tuple[int, dict[str, int]]:
    """Return the number of a field that is a message, and those of its own fields by their JSON names.

    Raises  ValueError if it is none
    """
    spec = find(tables.table(message), name)
    if spec.table is None or spec.label != tables.SINGULAR:
        raise ValueError(f"{name} is no message")
    return spec.number, {inner.name: inner.number for inner in map(FieldSpec._make, spec.table.describe()) if not inner.inline}


def _compile(table: Table, path: str) -> _Step:
    place, mark, rest = path.partition(_LABEL_MARK)
    *above, last = place.split(".")
    numbers: list[int] = []
    for name in above:
        spec = find(table, name)
        if spec.table is None or spec.label != tables.SINGULAR:
            raise ValueError(f"{path}: {name} is no message")
        numbers.append(spec.number)
        table = spec.table
    spec = find(table, last)
    numbers.append(spec.number)
    if not mark:
        return _setter(table, spec, tuple(numbers))
    return _merger(table, spec, tuple(numbers)) if rest == "]" else _upserter(table, spec, tuple(numbers), rest.removesuffix("]"))


def find(table: Table, name: str) -> FieldSpec:
    """Return a message's own field by its JSON name.

    Raises  ValueError if it has none
    """
    for spec in map(FieldSpec._make, table.describe()):
        if spec.name == name and not spec.inline:
            return spec
    raise ValueError(f"{table.name} has no field {name}")


def _setter(table: Table, spec: FieldSpec, path: tuple[int, ...]) -> _Step:
    def put(raw: bytes, value: Any) -> bytes:
        field = None if value is None else encode_field(table, spec.name, value)
        return splice(raw, ((path, field),))

    return put


def _merger(table: Table, spec: FieldSpec, path: tuple[int, ...]) -> _Step:
    if spec.label != tables.MAP:
        raise ValueError(f"{table.name}.{spec.name} is no map")

    def merge(raw: bytes, value: dict[str, Any]) -> bytes:
        if not value:
            return raw
        entries = {text_field(entry, 1): delimited(spec.number, entry) for entry in occurrences(raw, path)}
        for key, item in value.items():
            entries[key] = encode_field(table, spec.name, {key: item})
        return splice(raw, ((path, b"".join(entries[key] for key in sorted(entries))),))

    return merge


def _upserter(table: Table, spec: FieldSpec, path: tuple[int, ...], key: str) -> _Step:
    if spec.label != tables.LIST or spec.table is None:
        raise ValueError(f"{table.name}.{spec.name} is no list of messages")
    number = find(spec.table, key).number

    def upsert(raw: bytes, value: dict[str, Any]) -> bytes:
        wanted, field = value[key], encode_field(table, spec.name, [value])
        elements = [
            field if text_field(element, number) == wanted else delimited(spec.number, element) for element in occurrences(raw, path)
        ]
        if field not in elements:
            elements.append(field)
        return splice(raw, ((path, b"".join(elements)),))

    return upsert
