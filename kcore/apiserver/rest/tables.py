"""Objects as Tables and as PartialObjectMetadata. Pure: `now` is given.

Source: CONTRACT A1, A11; apiserver `pkg/endpoints/handlers/response.go`.
"""

from __future__ import annotations

from typing import Any

from kcore.machinery import status, table
from kcore.machinery.kinds import cells
from kcore.machinery.scheme import KindSpec

Object = dict[str, Any]
INCLUDES = ("", "None", "Metadata", "Object")


def check_include(include: str) -> None:
    """Raises StatusError (400) for what is no `includeObject`."""
    if include not in INCLUDES:
        raise status.bad_request(f"unrecognized includeObject value: {include!r}".replace("'", '"'))


def partial(obj: Object, version: str) -> Object:
    """An object with nothing but its metadata."""
    return {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": obj.get("metadata") or {}}


def partial_list(found: Object, version: str) -> Object:
    """A list of objects with nothing but their metadata."""
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": found["metadata"],
        "items": [partial(obj, version) for obj in found["items"]],
    }


def definitions(spec: KindSpec) -> list[Object]:
    """The heads of a kind's table."""
    return [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": table.description(column),
            "priority": column.priority,
        }
        for column in table.columns(spec)
    ]


def has_printer(spec: KindSpec) -> bool:
    """Whether the kind has columns of its own: upstream's answer for all others has null for no rows."""
    return all(column.json_path != table.CREATED or column.type != "date" for column in table.columns(spec))


def rows(spec: KindSpec, objects: list[Object], include: str, version: str, now: float) -> list[Object]:
    """The rows of objects; `objects` say their kind only where they are shown whole."""
    columns = table.columns(spec)
    found = []
    for obj in objects:
        row: Object = {"cells": table.row(spec, columns, obj, now) + cells.surplus(spec.group, spec.kind, obj, now)}
        if conditions := cells.conditions(spec.group, spec.kind, obj):
            row["conditions"] = conditions
        if include == "Object":
            row["object"] = {"kind": spec.kind, "apiVersion": spec.api_version, **obj}
        else:
            metadata = cells.metadata(spec.group, spec.kind, obj)
            row["object"] = None if include == "None" else partial({"metadata": metadata}, version)
        found.append(row)
    return found


def of(spec: KindSpec, metadata: Object, objects: list[Object], include: str, version: str, now: float, heads: bool = True) -> Object:
    """A Table; without `heads` it is one that follows another in a watch."""
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": metadata,
        "columnDefinitions": definitions(spec) if heads else None,
        "rows": rows(spec, objects, include, version, now) or ([] if has_printer(spec) else None),
    }
