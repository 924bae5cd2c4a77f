"""The outbox: in order, each owner once, and never twice under way."""

from kcore.agent.outbox import Outbox


def test_owners_are_taken_in_order_and_once() -> None:
    outbox: Outbox[str] = Outbox()
    for owner in "abab":
        outbox.add(owner)
    assert len(outbox) == 2
    assert outbox.take(10) == ["a", "b"]
    assert len(outbox) == 0
    assert "a" in outbox


def test_no_more_are_taken_than_asked_for() -> None:
    outbox: Outbox[str] = Outbox()
    for owner in "abc":
        outbox.add(owner)
    assert outbox.take(2) == ["a", "b"]
    assert outbox.take(2) == ["c"]


def test_one_that_is_added_while_under_way_is_reported_when_done() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.add("a")
    outbox.take(1)
    outbox.add("a")
    assert outbox.is_under_way("a")
    assert outbox.take(1) == []
    assert outbox.done("a")
    assert not outbox.is_under_way("a")
    outbox.add("a")
    outbox.take(1)
    assert not outbox.done("a")


def test_one_that_is_discarded_has_nothing_to_write() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.add("a")
    outbox.discard("a")
    assert outbox.take(1) == []
