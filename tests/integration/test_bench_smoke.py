"""`kcore bench` in its small size, with real processes: every figure is there and makes sense."""

import json
import subprocess
import sys
from pathlib import Path
from shutil import which

from kcore.load import plots
from kcore.load.bench import calls, kubectl, rows

TIMEOUT_S = 120.0
PARTS = {"supervisor", "apiserver", "scheduler", "controllers", "nodes"}


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kcore", "bench", "--size", "smoke", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)


def test_the_small_bench_measures_every_figure(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    done = bench("--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(file.read_text())
    assert list(report["rows"]) == [row.name for row in rows.SIZES["smoke"]] and report["missed"] == []
    *measured, beside, beside_https = report["rows"].values()
    rest, varied, load, *called, listed, table, watched, event, idle, unchanged, changed, got, first = measured
    assert rest["memory_mb_by_part"].keys() == rest["idle_cpu_percent_by_part"].keys() == PARTS
    assert 0 < rest["start_s"] < TIMEOUT_S and rest["memory_mb"] > 10
    for each in (varied, load):
        assert each["created_per_s"] >= each["bound_per_s"] >= each["running_per_s"] > 0
        assert each["cpu_us_per_pod"].keys() == PARTS and each["pending"] == 0 and each["memory_mb"] > 10
    assert load["speed_ratio"] > 0 and "speed_ratio" not in varied
    assert listed["megabytes"] > 0.05 and listed["list_s"] >= listed["best_s"] > 0
    assert table["pods"] == 20 and table["list_s"] >= table["best_s"] > 0
    assert (watched["watches"], watched["events"]) == (20, 5) and watched["p99_ms"] >= watched["p50_ms"] > 0
    assert event["p99_ms"] >= event["p50_ms"] > 0 and idle["watches"] == 10
    assert unchanged["calls_per_s"] > 0 and changed["calls_per_s"] > 0
    unmeasured = 0
    if which("h2load"):
        assert len(called) == 4 and all(each["calls_per_s"] > 0 for each in called)
        assert all(each["p99_ms"] >= each["p50_ms"] > 0 and each["alone_p50_ms"] > 0 for each in (beside, beside_https))
    else:
        unmeasured += 6
        assert {each["not_measured"] for each in called} == {calls.MISSING} and len(called) == 4
    if which("kubectl"):
        assert got["get_s"] > 0 and first["answered_s"] > 0
    else:
        unmeasured += 2
        assert got["not_measured"] == first["not_measured"] == kubectl.MISSING
    assert len(report["not_measured"]) == unmeasured
    assert "cpu_us_per_pod" in done.stdout
    drawn = {path.name: path for path in plots.plot(report, tmp_path / "plots")}
    assert drawn.keys() >= {"throughput.png", "scale.png"} and all(path.stat().st_size > 1000 for path in drawn.values())


def test_a_missing_h2load_is_not_measured_and_never_passed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kcore", "bench", "--size", "full", "--only", "get, one", "--plots", str(tmp_path), "--json", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, env={"PATH": str(tmp_path)})
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report["rows"] == {"get, one at a time": {"not_measured": calls.MISSING, "targets": {"calls_per_s": 1200}}}
    assert (report["missed"], report["not_measured"]) == ([], [f"get, one at a time: {calls.MISSING}"])


def test_rows_are_chosen_by_their_name() -> None:
    done = bench("--only", "no such row")
    assert done.returncode == 2 and "no row of this size has 'no such row' in its name" in done.stderr


def test_the_steps_of_the_api_server_are_timed() -> None:
    command = [sys.executable, "-m", "bench.load.steps", "--count", "600", "--vary"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    rows = {row.split("|")[1].strip(): [cell.strip() for cell in row.split("|")[2:-1]] for row in done.stdout.splitlines()}
    assert {"create", "bind", "status", "event", "delete", "claim's status"} <= set(rows["us per pod"])
    assert all(float(cell) > 0 for cell in rows["all"] + rows["store: commit with fsync"])
    assert float(rows["validate"][0]) > 0 and rows["splice"][0] == "" and float(rows["splice"][1]) > 0


def test_the_small_bench_of_clusters_measures_every_figure(tmp_path: Path) -> None:
    file = tmp_path / "clusters.json"
    command = [sys.executable, "-m", "bench.load.clusters", "--size", "smoke", "--json", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text())
    starts, large = {"first_start_s", "further_start_s", "reset_s"}, {"fork_s", "reset_large_s"}
    assert figures.keys() == starts | large | {"day_api_s", "day_s", "day_two_nodes_s"} and min(figures.values()) > 0
