"""What a report says of targets, of rows that failed and of rows that were not measured."""

import pytest

from kcore.load.bench import report, rows
from kcore.load.bench.plane import BenchError
from kcore.load.bench.rows import PodLoad, is_met


@pytest.mark.parametrize(
    ("figure", "value", "met"), [("bound_per_s", 9.0, False), ("bound_per_s", 10.0, True), ("start_s", 10.0, True), ("p99_ms", 11.0, False)]
)
def test_what_is_counted_a_second_must_reach_its_target_and_all_else_must_not_exceed_it(figure: str, value: float, met: bool) -> None:
    assert is_met(figure, value, 10.0) is met


def test_a_target_that_is_not_reached_is_named() -> None:
    found = {
        "rest": {"start_s": 2.5, "memory_mb": 299.0, "targets": {"start_s": 2.0, "memory_mb": 300}},
        "load": {"bound_per_s": 1499.0, "restarts": {"nodes": 2}, "targets": {"bound_per_s": 1500}},
    }
    assert report.missed(found) == [
        "rest: start_s is 2.5, the target 2",
        "load: bound_per_s is 1499, the target 1500",
        "load: nodes died 2 times",
    ]


def test_a_figure_that_is_absent_is_missed_unless_the_row_was_not_measured() -> None:
    assert report.missed({"calls": {"targets": {"calls_per_s": 5}}}) == ["calls: calls_per_s is not known, the target 5"]
    absent = {"calls": {"not_measured": "no tool", "targets": {"calls_per_s": 5}}}
    assert (report.missed(absent), report.not_measured(absent)) == ([], ["calls: no tool"])


def test_a_row_that_fails_is_missed_and_the_others_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(row: PodLoad) -> report.Figures:
        if row.count == 2:
            raise BenchError("it broke")
        return {"bound_per_s": 100.0 * row.count}

    monkeypatch.setitem(report.RUNS, PodLoad, run)
    chosen = [PodLoad("one", 1, 1), PodLoad("two", 1, 2, beside="one"), PodLoad("three", 1, 3, beside="one", targets={"speed_ratio": 4})]
    begun: list[str] = []
    found = report.run("smoke", chosen, begun.append)
    assert begun == list(found["rows"]) == ["one", "two", "three"]
    assert found["rows"]["two"] == {"error": "it broke", "targets": {}}
    assert found["rows"]["three"]["speed_ratio"] == 3.0
    assert found["missed"] == ["two: it broke", "three: speed_ratio is 3, the target 4"]


@pytest.mark.parametrize("size", rows.SIZES)
def test_rows_of_a_size_have_names_of_their_own_and_compare_with_earlier_ones(size: str) -> None:
    names = [row.name for row in rows.SIZES[size]]
    assert len(set(names)) == len(names)
    for index, row in enumerate(rows.SIZES[size]):
        assert not isinstance(row, PodLoad) or not row.beside or row.beside in names[:index]
        assert size != "smoke" or not row.targets


def test_every_kind_of_row_is_run_by_something_and_is_in_the_small_size() -> None:
    assert {type(row) for row in rows.SIZES["smoke"]} == set(report.RUNS)
