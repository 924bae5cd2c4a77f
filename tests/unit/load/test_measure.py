"""Figures of a load, from times."""

from dataclasses import replace

import pytest

from kcore.load import measure
from kcore.load.measure import Latency, Times


def times(count: int) -> Times:
    """Pods sent at once at second 10, each acknowledged, seen, bound and running a tenth later than the one before."""
    found = Times()
    for index in range(count):
        name = f"p{index}"
        found.sent[name] = 10.0
        found.acknowledged[name] = 10.1 + index / 10
        found.observe(name, "", "Pending", 10.1 + index / 10)
        found.observe(name, "n1", "Pending", 10.2 + index / 10)
        found.observe(name, "n1", "Running", 10.3 + index / 10)
    return found


def test_rates_count_from_the_first_create_to_the_last_sight() -> None:
    report = measure.report(10, 3, times(10), 11.2, 0, 0)
    assert (report.created_per_s, report.bound_per_s, report.running_per_s) == (10.0, 9.1, 8.3)
    assert (report.count, report.nodes, report.duration_s, report.pending, report.failed) == (10, 3, 1.2, 0, 0)


def test_latencies_are_percentiles_from_sending() -> None:
    report = measure.report(10, 3, times(10), 11.2, 0, 0)
    assert report.create_ms == Latency(550.0, 955.0, 991.0)
    assert report.run_ms.p50 == pytest.approx(report.bind_ms.p50 + 100)


def test_what_did_not_come_that_far_has_no_rate_and_is_pending() -> None:
    found = times(4)
    del found.bound["p3"], found.running["p2"], found.running["p3"]
    report = measure.report(4, 1, found, 11.0, 5, 0)
    assert report.created_per_s > 0 and (report.bound_per_s, report.running_per_s) == (0.0, 0.0)
    assert (report.pending, report.events_dropped) == (1, 5)


def test_refused_creates_are_neither_pending_nor_running() -> None:
    report = measure.report(3, 1, Times({"a": 1.0, "b": 1.0, "c": 1.0}), 1.5, 0, 3)
    assert (report.pending, report.failed, report.create_ms, report.running_per_s) == (0, 3, Latency(0.0, 0.0, 0.0), 0.0)


def test_nothing_at_all_is_no_division_by_zero() -> None:
    assert measure.report(0, 0, Times(), 0.0, 0, 0).duration_s == 0.0


def test_the_first_sight_counts_and_a_pod_that_succeeded_has_run() -> None:
    found = Times({"a": 1.0})
    found.observe("a", "n", "Succeeded", 2.0)
    found.observe("a", "n", "Running", 3.0)
    assert (found.seen, found.bound, found.running) == ({"a": 2.0}, {"a": 2.0}, {"a": 2.0})


def test_a_pod_is_unschedulable_until_it_is_bound() -> None:
    found = Times({"a": 1.0}, unschedulable={"a", "b"})
    found.observe("a", "n", "Pending", 2.0)
    assert found.unschedulable == {"b"}


def test_the_json_form_has_the_keys_that_others_rely_on() -> None:
    found = measure.report(1, 1, times(1), 10.3, 0, 0).as_dict()
    assert set(found) >= {"count", "nodes", "created_per_s", "bound_per_s", "running_per_s", "duration_s", "events_dropped"}
    assert all(set(found[name]) == {"p50", "p95", "p99"} for name in ("create_ms", "bind_ms", "run_ms"))  # type: ignore[call-overload]


def test_churn_stands_in_the_json_form_only_if_there_was_one() -> None:
    found = measure.report(1, 1, times(1), 10.3, 0, 0)
    assert "churn" not in found.as_dict()
    came = measure.churned(5.0, times(2), {"x": 1.0, "y": 1.0}, {"x": 1.5})
    assert replace(found, churn=came).as_dict()["churn"] == {
        "rate": 5.0,
        "deleted": 1,
        "running": 2,
        "delete_ms": {"p50": 500.0, "p95": 500.0, "p99": 500.0},
        "bind_ms": {"p50": 250.0, "p95": 295.0, "p99": 299.0},
        "run_ms": {"p50": 350.0, "p95": 395.0, "p99": 399.0},
    }
