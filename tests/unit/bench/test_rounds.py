"""Calls are timed in turn, in rounds of several."""

from bench.micro import rounds


def test_both_calls_are_timed_round_by_round_in_turn() -> None:
    made: list[str] = []
    found = rounds.best_s(lambda: made.append("a"), lambda: made.append("b"))
    assert len(found) == 2 and all(0 < seconds < float("inf") for seconds in found)
    turns = [name for place, name in enumerate(made) if place == 0 or made[place - 1] != name]
    assert turns == ["a", "b"] * (1 + rounds.ROUNDS)


def test_a_call_that_takes_longer_than_a_round_is_made_once() -> None:
    assert rounds.calls_in_a_round(lambda: sum(range(200_000))) == 1
