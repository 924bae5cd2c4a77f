"""Objects as rows of a table: the columns of a kind's options, values by JSON path, what must be computed by `kinds.cells`.

Source: CONTRACT A11; Kubernetes `pkg/printers/internalversion/printers.go`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kcore.machinery import conversion
from kcore.machinery.ages import age
from kcore.machinery.kinds import cells
from kcore.machinery.kinds.cells.forms import Cell, at, walked
from kcore.machinery.scheme import Column, KindSpec

Object = dict[str, Any]
CREATED = ".metadata.creationTimestamp"
NAME = ".metadata.name"
NONE = "<none>"
DEFAULT = (Column("Name", "string", "name", 0, NAME), Column("Created At", "date", "", 0, CREATED))
DESCRIPTIONS = {
    NAME: "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to "
    "request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration "
    "definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names",
    CREATED: "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set "
    "in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in "
    "UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
}
"""What the columns show that nearly every kind has, by where their values stand; clients compare the words."""


def columns(spec: KindSpec, wide: bool = True) -> tuple[Column, ...]:
    """The columns of a kind; without `wide` only those of priority 0."""
    found = spec.columns or DEFAULT
    return tuple(column for column in found if wide or column.priority == 0)


def description(column: Column) -> str:
    """What a column shows."""
    return column.description or DESCRIPTIONS.get(column.json_path, "")


def row(spec: KindSpec, wanted: Sequence[Column], obj: Object, now: float) -> list[Any]:
    """The cells of an object; `now` is in unix seconds, for ages."""
    return reader(spec, wanted)(obj, now)


def reader(spec: KindSpec, wanted: Sequence[Column]) -> Callable[[Object, float], list[Any]]:
    """What makes the cells of objects, of their stored form if they are in another: for many rows."""
    found = [cell(spec, column) for column in wanted]
    stored = conversion.of(spec).to_stored if spec.converted else None

    def read(obj: Object, now: float) -> list[Any]:
        if stored is not None:
            obj = stored(obj)
        return [compute(obj, now) for compute in found]

    return read


def cell(spec: KindSpec, column: Column) -> Cell:
    """What makes the cells of a column."""
    computed = cells.of(spec.group, spec.kind, column.name)
    if computed is not None:
        return computed
    path = column.json_path.lstrip(".")
    names = path.split(".")
    if column.json_path == CREATED and column.type == "string":
        return lambda obj, now: age((obj.get("metadata") or {}).get("creationTimestamp"), now)
    if column.type == "integer":
        return at(path, 0)
    if column.type == "boolean":
        return lambda obj, _now: bool(walked(obj, names))
    missing = NONE if column.priority or not column.format else ""
    return lambda obj, _now: missing if (value := walked(obj, names)) is None or value == "" else value


def render(heads: Iterable[str], rows: Iterable[Sequence[Any]], as_heads: Callable[[str], str] = str.upper) -> str:
    """A table as kubectl prints it: upper-case heads, columns three spaces apart."""
    lines = [[as_heads(head) for head in heads], *([text(value) for value in row] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("   ".join(value.ljust(width) for value, width in zip(line, widths, strict=True)).rstrip() for line in lines)


def text(value: Any) -> str:
    """A cell as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return NONE if value is None else str(value)
