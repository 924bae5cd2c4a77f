"""Tables of Kubernetes 1.37: the cells of recorded objects, all kinds."""

import json
import lzma
import re
from pathlib import Path
from typing import Any

import pytest

from kcore.machinery import codec, scheme, table, timestamp
from kcore.machinery.gvk import from_object
from kcore.machinery.kinds import cells

RECORDINGS = Path(__file__).parents[2] / "conformance" / "recordings" / "cells.jsonl.xz"
NOW = timestamp.parse_time("2026-11-24T12:00:00Z")
"""About when they were recorded: ages of fixed times are in them."""

CREATED = "2026-11-24T11:59:00Z"
AGE = "<age>"
MORE_CELLS_THAN_COLUMNS = {"tables-ipaddresses-minimal"}
"""The real server adds an age for which it declares no column."""
NOT_RECORDED = ("FlowSchema", "MissingPL")
"""A cell that another part of the real server fills while it is recorded."""


def recordings() -> list[dict[str, Any]]:
    with lzma.open(RECORDINGS, "rt") as lines:
        return [json.loads(line.replace('"<time>"', f'"{CREATED}"')) for line in lines]


@pytest.mark.parametrize("recorded", recordings(), ids=lambda recorded: recorded["id"])
def test_columns_and_cells_are_those_of_kubernetes(recorded: dict[str, Any]) -> None:
    obj = recorded["object"]
    spec = scheme.load().kinds[from_object(obj)]
    columns = table.columns(spec)
    assert [[column.name, column.type, column.format, column.priority] for column in columns] == recorded["columns"]
    found = zip(columns, table.row(spec, columns, obj, NOW), strict=True)
    shown = [None if (obj["kind"], column.name) == NOT_RECORDED else cell for column, cell in found]
    wanted = recorded["cells"][: len(columns) if recorded["id"] in MORE_CELLS_THAN_COLUMNS else None]
    assert [recorded_cell if is_age(found, recorded_cell) else found for found, recorded_cell in zip(shown, wanted, strict=True)] == wanted


def stored() -> list[dict[str, Any]]:
    """Recordings in the version that is stored, with ports for the names that stand for them."""
    text = re.sub(r'"<port:(\d+)>"', r"3000\1", json.dumps(recordings()))
    return [each for each in json.loads(text) if not scheme.load().kinds[from_object(each["object"])].converted]


@pytest.mark.parametrize("recorded", stored(), ids=lambda recorded: recorded["id"])
def test_cells_of_an_object_that_is_decoded_as_it_is_asked_are_the_same(recorded: dict[str, Any]) -> None:
    spec = scheme.load().kinds[from_object(recorded["object"])]
    raw = codec.encode(spec.message, recorded["object"])
    read = table.reader(spec, table.columns(spec))
    assert read(codec.lazy(spec.message, raw), NOW) == read(codec.decode(spec.message, raw), NOW)
    whole, lazy = codec.decode(spec.message, raw), codec.lazy(spec.message, raw)
    for about in (cells.conditions, lambda *of: cells.surplus(*of, NOW)):
        assert about(spec.group, spec.kind, lazy) == about(spec.group, spec.kind, whole)


def is_age(cell: Any, wanted: Any) -> bool:
    """An age since the recording depends on the clock: any will do. One of a fixed time is compared."""
    return bool(wanted == AGE and cell in ("60s", "<unknown>")) or bool(wanted == "<time>" and cell == CREATED)


def test_the_recordings_are_of_many_kinds() -> None:
    kinds = {recorded["object"]["kind"] for recorded in recordings()}
    assert len(kinds) >= 50 and {"Pod", "Node", "Service", "Deployment", "EndpointSlice", "Event", "Lease"} <= kinds


def test_short_tables_leave_wide_columns_out() -> None:
    pods = scheme.load().find("pods")
    assert pods is not None
    assert [column.name for column in table.columns(pods, wide=False)] == ["Name", "Ready", "Status", "Restarts", "Age"]


def test_a_kind_without_columns_shows_name_and_time() -> None:
    limits = scheme.load().find("limitranges")
    assert limits is not None and [column.name for column in table.columns(limits)] == ["Name", "Created At"]


@pytest.mark.parametrize(
    "plural", ["pods", "nodes", "services", "endpointslices", "deployments", "jobs", "hpa", "events", "pvc", "ingresses"]
)
def test_an_object_that_says_nothing_has_cells_too(plural: str) -> None:
    spec = scheme.load().find(plural)
    assert spec is not None
    shown = table.row(spec, table.columns(spec), {"metadata": {"name": "bare"}}, NOW)
    assert "bare" in shown and all(re.fullmatch(r"[^{}]*", str(cell)) for cell in shown)
