"""Pods scheduled a second, on the whole and in windows."""

import pytest

from kcore.load.scheduling import windows


def test_a_steady_run_has_one_rate() -> None:
    found = windows.rates([index / 100 for index in range(1, 501)])
    assert found["scheduled_per_s"] == 100.0 and found["took_s"] == 5.0
    assert found["window_per_s"]["p50"] == pytest.approx(100, abs=1) and found["window_per_s"]["p99"] == pytest.approx(100, abs=2)
    assert found["series"][0][0] == 0.5 and found["series"][-1][0] == pytest.approx(4.5)


def test_a_pause_is_in_the_windows_and_in_the_average() -> None:
    found = windows.rates([0.5] * 100 + [3.5] * 100)
    assert found["scheduled_per_s"] == pytest.approx(57.1)
    assert found["window_per_s"] == {"p50": 0.0, "p90": 100.0, "p99": 100.0}


def test_a_run_shorter_than_a_window_is_one_window() -> None:
    assert windows.rates([0.1, 0.2]) == {
        "scheduled_per_s": 10.0,
        "window_per_s": {"p50": 10.0, "p90": 10.0, "p99": 10.0},
        "took_s": 0.2,
        "series": [[0.1, 10.0]],
    }
