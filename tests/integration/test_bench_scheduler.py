"""`kcore bench scheduler` in its smallest size: every figure is there and makes sense."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kcore.load.scheduling import alone

TIMEOUT_S = 120.0


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kcore", "bench", "scheduler", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)


def test_the_scheduler_alone_is_measured_over_nodes_and_over_bound_pods(tmp_path: Path) -> None:
    picture = tmp_path / "growth.png"
    done = bench("--alone", "--size", "smoke", "--json", "--plot", str(picture))
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert list(report["rows"]) == [row.name for row in alone.SIZES["smoke"]] and report["missed"] == []
    *decided, kept = report["rows"].values()
    assert all(row["decide_us"] > 0 and row["take_in_us"] > 0 and row["confirm_us"] > 0 for row in decided)
    assert {row["bound"] for row in decided} == {0, 20}
    assert kept["bytes_per_node"] > 0 and kept["bytes_per_bound_pod"] > 0
    assert picture.stat().st_size > 1000


@pytest.mark.parametrize("case", ["SchedulingBasic", "Preemption"])
def test_a_case_is_measured_end_to_end(case: str, tmp_path: Path) -> None:
    picture = tmp_path / "over_time.png"
    done = bench(case, "--size", "smoke", "--json", "--plot", str(picture))
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert list(report["rows"]) == [case] and report["missed"] == []
    row = report["rows"][case]
    pods = row["size"]["pods"]
    assert row["scheduled_per_s"] > 0 and row["series"] and row["window_per_s"].keys() == {"p50", "p90", "p99"}
    assert row["attempts"]["scheduled"] == pods and (row["attempts"].get("unschedulable", 0) >= pods) is (case == "Preemption")
    assert row["extension_point_us"].keys() == {"Filter", "Bind"} and row["attempt_us"].keys() == row["attempts"].keys()
    assert row["cpu_us_per_pod"].keys() == {"supervisor", "apiserver", "scheduler", "bench"}
    assert picture.stat().st_size > 1000


def test_what_is_measured_is_chosen_by_its_name() -> None:
    done = bench("--alone", "--size", "smoke", "10 nodes, pods alike")
    assert done.returncode == 0, done.stderr
    assert "10 nodes, pods alike" in done.stdout and "5 nodes" not in done.stdout
    done = bench("--alone", "no such row")
    assert done.returncode == 2 and "no row of this size has 'no such row' in its name" in done.stderr
    done = bench("no such case")
    assert done.returncode == 2 and "no case has 'no such case' in its name" in done.stderr
