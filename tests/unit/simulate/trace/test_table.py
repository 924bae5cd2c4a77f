"""From tables to pods and nodes."""

from __future__ import annotations

import gzip
from math import inf
from pathlib import Path

import pytest

from kcore.simulate.trace.table import (
    CPU_UNITS,
    MEMORY_UNITS,
    PARTS,
    TIME_UNITS,
    Column,
    NodeColumns,
    PodColumns,
    column,
    labels_of,
    read_nodes,
    read_pods,
)
from kcore.simulate.trace.workload import DEVICE, Kind, TraceError, Workload

ARRIVAL = column("at", TIME_UNITS)


def pods(path: Path, text: str, **columns: Column) -> Workload:
    table = path / "pods.csv"
    table.write_text(text)
    return read_pods(table, PodColumns(**{"arrival": ARRIVAL, "name": Column("name"), **columns}))


def kind(path: Path, head: str, cells: str, **columns: Column) -> Kind:
    return pods(path, f"at,{head}\n0,{cells}\n", name=Column(), **columns).kinds[0]


def test_pods_come_in_the_order_of_their_arrival_and_from_nought_on(tmp_path: Path) -> None:
    found = pods(tmp_path, "name,at,for\nb,70,5\na,60.5,\nc,3600,0.5\n", duration=column("for:min", TIME_UNITS))
    assert found.names == ["a", "b", "c"]
    assert found.at_s.tolist() == [0, 9.5, 3539.5] and found.for_s.tolist() == [inf, 300, 30]


def test_a_duration_lies_between_start_and_departure(tmp_path: Path) -> None:
    end, start = column("end", TIME_UNITS), column("start", TIME_UNITS)
    found = pods(tmp_path, "name,at,start,end\na,10,40,100\nb,20,,100\n", departure=end, start=start)
    assert found.for_s.tolist() == [60, 80]


def test_dates_are_times(tmp_path: Path) -> None:
    at = column("at:iso", TIME_UNITS)
    found = pods(tmp_path, "at\n2026-01-01T00:00:00Z\n2026-01-01 01:00:00+00:00\n", arrival=at, name=Column())
    assert found.at_s.tolist() == [0, 3600] and found.names == ["pod-0", "pod-1"]


def test_amounts_are_exact_and_rounded_up(tmp_path: Path) -> None:
    cpu, memory = column("cpu", CPU_UNITS), column("mem:Mi", MEMORY_UNITS)
    found = kind(tmp_path, "cpu,mem", "0.0011,1.5", cpu=cpu, memory=memory)
    assert (found.cpu, found.memory) == (2, 3 << 19)


@pytest.mark.parametrize(
    ("gpus", "share", "expected"),
    [
        ("1", "0.3", (1, 300_000)),
        ("2", "", (2, DEVICE)),
        ("0", "0.5", (0, 0)),
        ("", "0.46", (1, 460_000)),
        ("0.25", "", (1, 250_000)),
        ("2.5", "", (3, 833_334)),
        ("", "", (0, 0)),
        ("4", "0.5", (4, 500_000)),
    ],
)
def test_gpus_are_devices_and_a_share_of_each(tmp_path: Path, gpus: str, share: str, expected: tuple[int, int]) -> None:
    found = kind(tmp_path, "g,s", f"{gpus},{share}", gpus=column("g", PARTS), gpu_share=column("s", PARTS))
    assert (found.devices, found.share) == expected


def test_shares_have_units(tmp_path: Path) -> None:
    assert kind(tmp_path, "g", "150", gpus=column("g:%", PARTS)).amounts == (0, 0, 1_500_000)
    assert kind(tmp_path, "g,s", "1,370", gpus=column("g", PARTS), gpu_share=column("s:m", PARTS)).share == 370_000


def test_selectors_and_values_of_which_a_label_must_be_one_are_one_selector(tmp_path: Path) -> None:
    table = tmp_path / "pods.csv"
    table.write_text('at,where,model\n0,"zone=a,!slow",T4|A10\n1,,\n')
    found = read_pods(table, PodColumns(ARRIVAL, selector=Column("where"), required=labels_of(["model=example.com/model"])))
    assert [each.selector for each in found.kinds] == ["example.com/model in (A10,T4),!slow,zone=a", ""]


def test_rows_that_make_no_sense_are_passed_over_and_counted(tmp_path: Path) -> None:
    text = 'name,at,end,cpu,where\na,0,9,1,\nb,,9,1,\nc,,9,1,\nd,5,4,1,\ne,5,9,-1,\nf,5,9,x,\ng,5,9,1,in in\nh,5,9,nan,\n'
    found = pods(tmp_path, text, departure=column("end", TIME_UNITS), cpu=column("cpu", CPU_UNITS), selector=Column("where"))
    assert found.names == ["a"]
    assert found.skipped == {
        "there is no time of arrival": 2, "it goes before it runs": 1, "cpu is -1": 1, "'x' is no number": 1, "in in is no selector": 1,
        "'nan' is no number": 1,
    }  # fmt: skip


def test_names_that_stand_there_twice_are_told_apart(tmp_path: Path) -> None:
    assert pods(tmp_path, "name,at\na,1\na,0\nb,2\n").names == ["a.1", "a.0", "b"]


def test_a_table_may_be_compressed(tmp_path: Path) -> None:
    path = tmp_path / "pods.csv.gz"
    path.write_bytes(gzip.compress(b"at\n1\n2\n"))
    assert len(read_pods(path, PodColumns(ARRIVAL))) == 2


@pytest.mark.parametrize("text", ["", "when\n1\n", "at\n"])
def test_a_table_without_pods_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(TraceError, match=r"no column at|no pod"):
        pods(tmp_path, text, name=Column())


def test_an_unknown_unit_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(TraceError, match="'weeks' is no unit; known are s, ms"):
        column("at:weeks", TIME_UNITS)


def test_nodes_have_what_their_table_says(tmp_path: Path) -> None:
    table = tmp_path / "nodes.csv"
    table.write_text("host,cpu,gpus,model,rack\na,8,2,T4,r1\nb,4,,,\n")
    labels = labels_of(["model", "rack=example.com/rack"])
    columns = NodeColumns(Column("host"), column("cpu", CPU_UNITS), gpus=Column("gpus"), labels=labels)
    first, second = read_nodes(table, columns, "nvidia.com/gpu")
    assert first["status"]["capacity"] == {"cpu": "8000m", "memory": "0", "pods": "110", "nvidia.com/gpu": "2"}
    assert first["metadata"]["labels"] == {"kubernetes.io/hostname": "a", "model": "T4", "example.com/rack": "r1"}
    assert "nvidia.com/gpu" not in second["status"]["capacity"]


def test_a_node_that_makes_no_sense_is_named_by_its_row(tmp_path: Path) -> None:
    table = tmp_path / "nodes.csv"
    table.write_text("cpu\n8\nmany\n")
    with pytest.raises(TraceError, match="row 2: 'many' is no number"):
        read_nodes(table, NodeColumns(cpu=column("cpu", CPU_UNITS)), "gpu")
