"""What becomes of an Event before it is sent."""

from kcore.base import limits
from kcore.client.correlator import COMBINED, Correlator, Occurrence, Regarding


def happened(message="m", name="a", reason="R", uid="u"):
    return Occurrence(Regarding("v1", "Pod", "default", name, uid), "Normal", reason, message)


def test_equal_ones_count_up_one_event():
    correlator = Correlator()
    first = correlator.correlate(happened(), 1.0, "e1")
    again = correlator.correlate(happened(), 2.0, "e2")
    assert again is first
    assert (first.name, first.count, first.first_at, first.last_at) == ("e1", 2, 1.0, 2.0)


def test_another_message_object_or_reason_is_another_event():
    correlator = Correlator()
    differences = ({}, {"message": "n"}, {"name": "b"}, {"reason": "S"}, {"uid": "v"})
    found = [correlator.correlate(happened(**what), 1.0, "e") for what in differences]
    assert len({id(series) for series in found}) == 5


def test_too_many_messages_of_a_group_become_one_event():
    correlator = Correlator()
    found = [correlator.correlate(happened(message=f"m{n}"), 1.0, f"e{n}") for n in range(13)]
    assert [series.name for series in found] == [f"e{n}" for n in range(10)] + ["e10"] * 3
    assert found[-1].occurrence.message == COMBINED + "m12"
    assert found[-1].count == 3
    assert correlator.correlate(happened(message="m3"), 1.0, "e").name == "e3"


def test_a_group_is_forgotten_after_its_window():
    correlator = Correlator()
    for number in range(12):
        correlator.correlate(happened(message=f"m{number}"), 1.0, f"e{number}")
    later = correlator.correlate(happened(message="new"), 2.0 + limits.EVENTS_SIMILAR_WINDOW_S, "late")
    assert later.occurrence.message == "new"


def test_one_object_has_its_burst_and_then_one_in_five_minutes():
    correlator = Correlator()
    sent = [correlator.correlate(happened(reason=f"R{n}"), 1.0, "e") is not None for n in range(30)]
    assert sent == [True] * 25 + [False] * 5
    assert correlator.correlate(happened(name="b"), 1.0, "e") is not None
    assert correlator.correlate(happened(), 299.0, "e") is None
    assert correlator.correlate(happened(), 600.0, "e") is not None


def test_a_cluster_wide_object_has_its_events_in_default():
    about = Regarding("v1", "Node", "", "n1")
    assert Correlator().correlate(Occurrence(about, "Normal", "R", "m"), 1.0, "e").namespace == "default"


def test_a_forgotten_event_begins_anew():
    correlator = Correlator()
    first = correlator.correlate(happened(), 1.0, "e1")
    correlator.forget(first)
    assert correlator.correlate(happened(), 2.0, "e2").name == "e2"


def test_memory_is_bounded():
    correlator = Correlator()
    for number in range(limits.EVENTS_CACHE_MAX + 100):
        correlator.correlate(happened(name=f"p{number}"), 1.0, f"e{number}")
    for memory in (correlator._series, correlator._similar, correlator._buckets):
        assert len(memory._values) == limits.EVENTS_CACHE_MAX
    assert correlator.correlate(happened(name="p0"), 1.0, "again").name == "again"
