"""Objects, given as their messages, as Tables and as PartialObjectMetadata. Pure: `now` is given.

What a row or an item shows of its object is JSON text straight from the message (`orjson.Fragment`); cells read the dict form.
Source: CONTRACT A1, A11; apiserver `pkg/endpoints/handlers/response.go`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import orjson

from kcore.apiserver.rest.media import PARTIAL, PARTIAL_LIST, TABLE
from kcore.machinery import codec, status, table
from kcore.machinery.kinds import cells
from kcore.machinery.projection import Projection
from kcore.machinery.scheme import KindSpec

Object = dict[str, Any]
Reader = Callable[[Object, float], list[Any]]
INCLUDES = ("", "None", "Metadata", "Object")
PARTIAL_MESSAGE = "kcore.api.meta.v1.PartialObjectMetadata"
VERSION = Projection(PARTIAL_MESSAGE, ["metadata.resourceVersion"])


def check_include(include: str) -> None:
    """Raises StatusError (400) for what is no `includeObject`."""
    if include not in INCLUDES:
        raise status.bad_request(f"unrecognized includeObject value: {include!r}".replace("'", '"'))


@cache
def parts_of(list_message: str) -> Projection:
    """What reads a list's metadata and the messages of its items."""
    return Projection(list_message, ["metadata", "items[]@raw"])


def version_of(raw: bytes) -> Object:
    """The metadata of a Table of one object."""
    (version,) = VERSION(raw)
    return {"resourceVersion": version} if version else {}


def partial(raw: bytes, version: str) -> orjson.Fragment:
    """An object with nothing but its metadata, which all kinds have under one number."""
    return orjson.Fragment(codec.json_text(PARTIAL_MESSAGE, raw, f"meta.k8s.io/{version}", PARTIAL))


def partial_list(metadata: Object, objects: Sequence[bytes], version: str) -> Object:
    """A list of objects with nothing but their metadata."""
    items = [partial(raw, version) for raw in objects]
    return {"kind": PARTIAL_LIST, "apiVersion": f"meta.k8s.io/{version}", "metadata": metadata, "items": items}


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


def rows(spec: KindSpec, objects: Sequence[bytes], include: str, version: str, now: float) -> list[Object]:
    """The rows of objects, in the order in which their kind stands in tables."""
    cells_of = table.reader(spec, table.columns(spec))
    decode = codec.decode if spec.converted or cells.hides(spec.group, spec.kind) else codec.lazy
    found = [(raw, decode(spec.message, raw)) for raw in objects]
    key = cells.order(spec.group, spec.kind)
    if key is not None:
        found.sort(key=lambda pair: key(pair[1]))
    return [row(spec, raw, obj, cells_of, include, version, now) for raw, obj in found]


def row(spec: KindSpec, raw: bytes, obj: Object, cells_of: Reader, include: str, version: str, now: float) -> Object:
    """The row of an object."""
    found: Object = {"cells": cells_of(obj, now) + cells.surplus(spec.group, spec.kind, obj, now)}
    if conditions := cells.conditions(spec.group, spec.kind, obj):
        found["conditions"] = conditions
    if include == "None":
        found["object"] = None
    elif include == "Object":
        found["object"] = orjson.Fragment(codec.json_text(spec.message, raw, spec.api_version, spec.kind))
    else:
        found["object"] = partial(raw, version) if not cells.hides(spec.group, spec.kind) else unhidden(spec, obj, version)
    return found


def unhidden(spec: KindSpec, obj: Object, version: str) -> Object:
    """The metadata of an object of a kind of which some annotations stand for fields."""
    return {"kind": PARTIAL, "apiVersion": f"meta.k8s.io/{version}", "metadata": cells.metadata(spec.group, spec.kind, obj)}


def of(spec: KindSpec, metadata: Object, objects: Sequence[bytes], include: str, version: str, now: float, heads: bool = True) -> Object:
    """A Table; without `heads` it is one that follows another in a watch."""
    return {
        "kind": TABLE,
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": metadata,
        "columnDefinitions": definitions(spec) if heads else None,
        "rows": rows(spec, objects, include, version, now) or ([] if has_printer(spec) else None),
    }
