"""Expectations: met by what was named, whatever comes twice, and not waited for for ever."""

from kcore.base import limits
from kcore.controllers.expectations import Expectations


def test_nothing_is_expected_at_first() -> None:
    assert Expectations().satisfied("default/web", 0.0)


def test_expectations_are_met_when_all_that_was_named_is_seen() -> None:
    expectations = Expectations()
    expectations.expect("k", 0.0, creations=["a", "b"], deletions=["u"])
    expectations.created("k", "a")
    expectations.deleted("k", "u")
    assert not expectations.satisfied("k", 1.0)
    expectations.created("k", "b")
    assert expectations.satisfied("k", 1.0)


def test_what_is_seen_twice_or_was_not_asked_for_lowers_nothing() -> None:
    expectations = Expectations()
    expectations.expect("k", 0.0, creations=["a", "b"])
    expectations.created("k", "a")
    expectations.created("k", "a")
    expectations.created("k", "c")
    expectations.deleted("k", "b")
    assert not expectations.satisfied("k", 1.0)


def test_keys_do_not_disturb_each_other() -> None:
    expectations = Expectations()
    expectations.expect("k", 0.0, creations=["a"])
    expectations.created("other", "a")
    assert not expectations.satisfied("k", 1.0)
    assert expectations.satisfied("other", 1.0)


def test_what_does_not_come_is_given_up() -> None:
    expectations = Expectations()
    expectations.expect("k", 10.0, creations=["a"])
    assert expectations.remaining_s("k", 11.0) == limits.EXPECTATIONS_TIMEOUT_S - 1.0
    assert expectations.satisfied("k", 10.0 + limits.EXPECTATIONS_TIMEOUT_S)


def test_a_forgotten_key_expects_nothing() -> None:
    expectations = Expectations()
    expectations.expect("k", 0.0, creations=["a"])
    expectations.forget("k")
    assert expectations.satisfied("k", 0.0)
    assert expectations.remaining_s("k", 0.0) is None
