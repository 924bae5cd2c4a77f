"""Heartbeats: spread evenly, each once a period, and no burst of missed ones after a pause."""

from collections import Counter

from kcore.agent.heartbeat import Heartbeats


def test_heartbeats_are_spread_over_the_period() -> None:
    beats = Heartbeats("abcd", 10.0, 0.0)
    assert beats.due(0.0) == ["a"]
    assert beats.next_s == 2.5
    assert beats.due(6.0) == ["b", "c"]
    assert beats.due(7.4) == []
    assert beats.due(10.0) == ["d", "a"]


def test_each_is_due_once_a_period() -> None:
    beats, found = Heartbeats(range(1000), 10.0, 5.0), Counter[int]()
    for second in range(6, 106):
        due = beats.due(float(second))
        assert len(due) <= 101
        found.update(due)
    assert len(found) == 1000
    assert set(found.values()) <= {10, 11}


def test_a_pause_is_followed_by_one_renewal_each_and_the_old_spread() -> None:
    beats = Heartbeats("abcd", 10.0, 0.0)
    beats.due(6.0)
    assert sorted(beats.due(31.0)) == ["a", "b", "c", "d"]
    assert beats.due(31.0) == []
    assert beats.due(32.5) == ["b"]
    assert beats.due(35.0) == ["c"]
    assert beats.due(40.0) == ["d", "a"]


def test_nobody_has_no_heartbeat() -> None:
    beats: Heartbeats[str] = Heartbeats((), 10.0, 0.0)
    assert beats.due(1e9) == []
    assert beats.next_s == float("inf")
    assert len(beats) == 0
