"""Ratios of a run beside the baseline's."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench import compare
from bench.compare import Change
from tests.lint.sources import ROOT


def report(**found: float | None) -> dict[str, object]:
    rows = [{"fullname": f"bench/micro/{name}", "extra_info": {} if ratio is None else {"ratio": ratio}} for name, ratio in found.items()]
    return {"benchmarks": rows, "machine_info": {}}


def run(folder: Path, baseline: dict[str, float], *options: str, **found: float | None) -> tuple[int, list[str]]:
    (folder / "report.json").write_text(json.dumps(report(**found)))
    (folder / "baseline.json").write_text(json.dumps(baseline))
    arguments = [str(folder / "report.json"), "--baseline", str(folder / "baseline.json"), *options]
    done = CliRunner().invoke(compare.main, arguments)
    return done.exit_code, done.output.splitlines()


def test_only_rows_with_a_ratio_count() -> None:
    assert compare.ratios(report(b=2.0, a=0.5, seconds=None)) == {"a": 0.5, "b": 2.0}


@pytest.mark.parametrize(("now", "points", "bad"), [(10.0, 0.0, False), (12.5, 25.0, False), (7.5, -25.0, False), (7.4, -26.0, True)])
def test_a_change_is_told_in_hundredths_of_the_baseline_and_a_quarter_may_be_lost(now: float, points: float, bad: bool) -> None:
    change = Change("a", 10.0, now)
    assert (change.points, change.is_bad) == (points, bad)


def test_a_ratio_that_fell_too_far_fails_the_comparison_and_is_named(tmp_path: Path) -> None:
    code, said = run(tmp_path, {"a": 10.0, "b": 2.0}, a=7.0, b=2.2)
    assert code == 1
    assert [line.split() for line in said[1:]] == [
        ["a", "10", "7", "-30.0", "fell", "by", "more", "than", "a", "quarter"],
        ["b", "2", "2.2", "+10.0"],
    ]


def test_a_row_that_vanished_fails_and_a_new_one_does_not(tmp_path: Path) -> None:
    code, said = run(tmp_path, {"a": 10.0, "gone": 2.0}, a=10.0)
    assert code == 1 and said[2].split() == ["gone", "2", "not", "run"]
    code, said = run(tmp_path, {"a": 10.0}, a=10.0, fresh=3.0)
    assert code == 0 and said[2].split() == ["fresh", "3", "new"]


def test_a_report_becomes_the_baseline_and_is_drawn(tmp_path: Path) -> None:
    assert run(tmp_path, {"a": 10.0}, "--write", "--plot", str(tmp_path / "r.png"), a=1.0)[0] == 0
    assert json.loads((tmp_path / "baseline.json").read_text()) == {"a": 1.0}
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")


def test_every_row_of_the_baseline_is_a_ratio_of_a_test_that_is_there() -> None:
    baseline = json.loads(compare.BASELINE.read_text())
    assert baseline
    for name, ratio in baseline.items():
        file, _, test = name.partition("::")
        assert ratio > 0 and f"def {test.partition('[')[0]}(" in (ROOT / "bench" / "micro" / file).read_text()
