"""How fast zones evict."""

import pytest

from kcore.controllers.node_disruption import Disruption, zones_of


def nodes(zone, ready, unready):
    return [(zone, "True")] * ready + [(zone, "Unknown")] * unready


@pytest.mark.parametrize(
    ("ready", "unready", "rate"),
    [
        (10, 0, 0.1),
        (10, 2, 0.1),
        (1, 2, 0.1),  # two of three are no disruption yet
        (2, 3, 0.0),  # a small zone that is partly down
        (9, 11, 0.0),
        (20, 40, 0.01),  # a large one
        (60, 40, 0.1),
        (0, 5, 0.1),  # one that is down altogether, while others are not
    ],
)
def test_a_zone_evicts_as_fast_as_it_is_well(ready, unready, rate):
    zones = zones_of(nodes("a", ready, unready) + nodes("b", 5, 0))
    assert zones.rates == {"a": rate, "b": 0.1}
    assert not zones.is_total


def test_nothing_is_evicted_when_all_zones_are_down():
    assert zones_of(nodes("a", 0, 5) + nodes("b", 0, 1)) == ({"a": 0.0, "b": 0.0}, True)
    assert zones_of([]) == ({}, False)


def test_a_zone_gives_one_node_in_ten_seconds():
    disruption = Disruption()
    disruption.observe(nodes("a", 10, 2) + nodes("b", 10, 2))
    assert disruption.take("a", 100.0)
    assert not disruption.take("a", 105.0)
    assert disruption.take("b", 105.0), "zones do not wait for each other"
    assert disruption.take("a", 110.0)


def test_the_end_of_a_total_disruption_is_told_once():
    disruption = Disruption()
    assert not disruption.observe(nodes("a", 0, 3))
    assert not disruption.observe(nodes("a", 0, 3))
    assert disruption.observe(nodes("a", 1, 2))
    assert not disruption.observe(nodes("a", 1, 2))
