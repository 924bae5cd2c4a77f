"""A wait ends when it is so, or fails; it cannot be passed by accident."""

import pytest

from kcore.base import limits
from kcore.machinery import status
from kcore.testing.wait import NoLonger, NotYet, Stay, Wait


def test_what_is_true_ends_the_wait() -> None:
    wait = Wait("", 10.0, now=0.0)
    assert not wait.sees([]) and not wait.sees(0) and wait.sees([0])


def test_a_look_that_returns_nothing_never_ends_it_and_is_told_so() -> None:
    wait = Wait("the pod", 10.0, now=100.0)
    assert not wait.sees(None)
    assert wait.pause_s(109.0) > 0
    with pytest.raises(NotYet, match=r"the pod did not come true within 10 s; at last it was None; a look has to return what it waits for"):
        wait.pause_s(110.0)


def test_a_failed_assertion_a_failed_look_up_and_an_object_that_is_not_there_are_not_yet() -> None:
    wait = Wait("", 1.0, now=0.0)
    for error in (AssertionError("2 != 3"), IndexError("no subsets"), status.not_found("pods", "", "a")):
        wait.fails(error)
        with pytest.raises(NotYet, match=r"at last it was (AssertionError|IndexError|StatusError)"):
            wait.pause_s(1.0)


def test_a_refusal_is_not_waited_out() -> None:
    with pytest.raises(status.StatusError, match="forbidden"):
        Wait("", 1.0, now=0.0).fails(status.forbidden("pods", "", "a", "no"))


def test_pauses_grow_to_a_bound_and_never_pass_the_deadline() -> None:
    wait = Wait("", 1.0, now=0.0)
    pauses_s = [wait.pause_s(0.0) for _ in range(8)]
    assert pauses_s == sorted(pauses_s) and pauses_s[0] == limits.TESTING_LOOK_PAUSE_S and pauses_s[-1] == limits.TESTING_LOOK_PAUSE_S_MAX
    assert wait.pause_s(0.99) == pytest.approx(0.01)


def test_a_day_does_not_take_a_look_every_tenth_of_a_second() -> None:
    wait, now, looks = Wait("", 86_400.0, now=0.0), 0.0, 0
    while now < 86_400.0:
        now += wait.pause_s(now)
        looks += 1
    assert limits.TESTING_LOOKS_MIN <= looks < 2 * limits.TESTING_LOOKS_MIN


def test_what_has_to_stay_is_looked_at_until_the_time_is_over() -> None:
    stay = Stay(10.0, now=100.0)
    stay.sees([1])
    assert stay.pause_s(100.0) == limits.TESTING_LOOK_PAUSE_S_MAX
    assert stay.pause_s(109.96) == pytest.approx(0.04)
    assert stay.pause_s(110.0) == stay.pause_s(111.0) == 0.0
    with pytest.raises(NoLonger, match=r"it was to stay true for 10 s; now it is \[\]"):
        stay.sees([])
