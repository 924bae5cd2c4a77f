"""Whatever happens: no pod over capacity or against its wishes, none lost, no part of a group, and the same story twice."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.scheduler.story import STEPS_MAX, script, told

seeds, lengths = st.integers(0, 1 << 32), st.integers(5, STEPS_MAX)


@given(seeds, lengths)
@settings(max_examples=200)
def test_every_decision_holds_when_it_is_made_and_nobody_is_lost(seed: int, length: int) -> None:
    told(script(seed, length)).end()


@given(seeds)
@settings(max_examples=20)
def test_the_same_story_has_the_same_decisions(seed: int) -> None:
    steps = script(seed, STEPS_MAX)
    assert told(steps, seed=7).decisions == told(steps, seed=7).decisions
