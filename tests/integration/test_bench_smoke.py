"""`kcore bench` in its small size, with real processes: every figure is there and makes sense."""

import json
import subprocess
import sys
from pathlib import Path

from kcore.load import plots, workloads

TIMEOUT_S = 120.0


def test_the_small_bench_measures_every_figure(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    command = [sys.executable, "-m", "kcore", "bench", "--size", "smoke", "--json", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    report = json.loads(file.read_text())
    assert list(report["rows"]) == [row.name for row in workloads.SIZES["smoke"]]
    rest, load = report["rows"].values()
    parts = {"supervisor", "apiserver", "scheduler", "controllers", "nodes"}
    assert rest["memory_mb_by_part"].keys() == rest["idle_cpu_percent_by_part"].keys() == parts
    assert 0 < rest["start_s"] < TIMEOUT_S and rest["memory_mb"] > 10
    assert load["created_per_s"] >= load["bound_per_s"] >= load["running_per_s"] > 0
    assert load["cpu_us_per_pod"].keys() == parts and load["pending"] == 0
    assert "us of CPU for a pod" in done.stdout
    assert plots.plot(report, tmp_path / "plots") and (tmp_path / "plots" / "throughput.png").stat().st_size > 1000


def test_every_floor_belongs_to_a_row_that_has_its_figure() -> None:
    rows = {row.name: row for row in workloads.SIZES["full"]}
    for name, figure in workloads.FLOORS:
        assert figure in (("start_s", "memory_mb") if isinstance(rows[name], workloads.Rest) else ("bound_per_s",))


def test_a_floor_that_is_not_reached_is_named() -> None:
    rows = {"start and rest, 100 nodes": {"start_s": 2.5, "memory_mb": 299.0}, "10,000 pods, 5,000 nodes": {"bound_per_s": 1499.0}}
    assert workloads.missed(rows) == [
        "start and rest, 100 nodes: start_s is 2.5, the floor 2",
        "10,000 pods, 5,000 nodes: bound_per_s is 1499, the floor 1500",
    ]
