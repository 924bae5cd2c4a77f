"""Instruments: what they count and how they hand it out."""

import pytest

from kcore.base import metrics
from kcore.base.metric import Counter, Gauge, Histogram, Sample, exponential_buckets


def test_a_counter_counts_by_label_values() -> None:
    counter = Counter("requests_total", "Requests.", ["verb"])
    counter.inc("get")
    counter.inc("get", amount=2)
    counter.inc("list")
    assert counter.value("get") == 3
    assert counter.value("watch") == 0
    assert list(counter.samples()) == [Sample("", {"verb": "get"}, 3), Sample("", {"verb": "list"}, 1)]


def test_a_gauge_goes_up_and_down_and_forgets() -> None:
    gauge = Gauge("depth", "Depth.", ["queue"])
    gauge.set(5, "a")
    gauge.inc("a", amount=-2)
    gauge.inc("b")
    assert (gauge.value("a"), gauge.value("b")) == (3, 1)
    gauge.remove("a")
    assert list(gauge.samples()) == [Sample("", {"queue": "b"}, 1)]


def test_a_histogram_cumulates_its_buckets() -> None:
    histogram = Histogram("seconds", "Time.", [0.1, 1, 10])
    for value in (0.05, 0.1, 0.5, 99):
        histogram.observe(value)
    histogram.observe(2, count=3)
    assert histogram.count() == 7
    assert [(sample.suffix, sample.labels.get("le"), sample.value) for sample in histogram.samples()] == [
        ("_bucket", "0.1", 2),
        ("_bucket", "1", 3),
        ("_bucket", "10", 6),
        ("_bucket", "+Inf", 7),
        ("_sum", None, pytest.approx(105.65)),
        ("_count", None, 7),
    ]


def test_a_wrong_number_of_labels_is_an_error_when_it_is_read() -> None:
    counter = Counter("c", "C.", ["verb"])
    counter.inc()
    with pytest.raises(ValueError, match="zip"):
        list(counter.samples())


def test_buckets_grow_by_their_factor() -> None:
    assert exponential_buckets(1, 2, 4) == [1, 2, 4, 8]


def test_every_metric_is_declared_once_with_help_and_a_valid_name() -> None:
    names = [metric.name for metric in metrics.declared()]
    assert len(names) == len(set(names))
    for metric in metrics.declared():
        assert metric.name.replace("_", "a").isalnum(), metric.name
        assert metric.help.endswith("."), metric.name
        assert metric.kind != "counter" or metric.name.endswith("_total"), metric.name
