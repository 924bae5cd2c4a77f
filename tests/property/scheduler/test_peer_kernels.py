"""Each kernel over topology values against the plain form of what it computes."""

from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcore.scheduler import _peers

VALUES = 4
codes = st.integers(0, VALUES - 1)
flags = st.integers(0, 1)
small = st.integers(-3, 9)
amounts = st.one_of(small, st.integers(-(2**40), 2**40))
sums = st.lists(amounts, min_size=VALUES, max_size=VALUES).map(lambda found: np.array(found, np.int64))


def nodes(*each: st.SearchStrategy) -> st.SearchStrategy:
    """Draw some nodes, as one list per property."""
    return st.lists(st.tuples(*each), min_size=1, max_size=9).map(lambda rows: [list(column) for column in zip(*rows, strict=True)])


def i32(values: list[int]) -> np.ndarray:
    return np.array(values, np.int32)


def i64(values: list[int]) -> np.ndarray:
    return np.array(values, np.int64)


def u8(values: list[int]) -> np.ndarray:
    return np.array(values, np.uint8)


@given(nodes(st.integers(0, 5), st.integers(0, 5), codes, flags), st.integers(-2, 2), st.data())
def test_taking_in_slots_gives_what_summing_up_afresh_does(found: list[list[int]], weight: int, data: st.DataObject) -> None:
    counts, seen, code, counted = found
    slots = data.draw(st.lists(st.integers(0, len(counts) - 1)))
    held = sum_up(seen, code, counted, weight)
    kept, now = i32(seen), i64(held)
    changed = _peers.take_in(i64(slots), i32(counts), kept, i32(code), u8(counted), weight, now)
    wanted = [counts[slot] if slot in slots else seen[slot] for slot in range(len(counts))]
    assert kept.tolist() == wanted
    assert now.tolist() == sum_up(wanted, code, counted, weight)
    assert changed == sum(counts[slot] != seen[slot] and counted[slot] and code[slot] > 0 for slot in set(slots))


def sum_up(counts: list[int], code: list[int], counted: list[int], weight: int) -> list[int]:
    each = list(zip(counts, code, counted, strict=True))
    return [0] + [sum(weight * count for count, other, counts in each if counts and other == value) for value in range(1, VALUES)]


@given(sums, st.lists(flags, min_size=VALUES, max_size=VALUES), flags, st.integers(1, 3), st.integers(1, 4))
def test_skew_judges_by_the_least_domain(values: np.ndarray, domains: list[int], own: int, max_skew: int, min_domains: int) -> None:
    verdicts = np.full(VALUES, -1, np.int64)
    least = [int(values[value]) for value in range(1, VALUES) if domains[value]]
    floor_ = min(least) if len(least) >= min_domains else 0
    wanted = [-1, *(7 if values[value] + own - floor_ > max_skew else 0 for value in range(1, VALUES))]
    assert _peers.skew(values, u8(domains), own, max_skew, min_domains, 7, verdicts) == VALUES - 1
    assert verdicts.tolist() == wanted
    assert _peers.skew(values, u8(domains), own, max_skew, min_domains, 7, verdicts) == 0


@given(sums, st.lists(codes, unique=True))
def test_judge_tells_values_with_something_from_those_without(values: np.ndarray, judged: list[int]) -> None:
    verdicts = np.full(VALUES, -1, np.int64)
    assert _peers.judge(values, i32(judged), 3, 5, verdicts) == len(set(judged) - {0})
    assert verdicts.tolist() == [(5 if values[value] > 0 else 3) if value in judged and value else -1 for value in range(VALUES)]


@given(nodes(codes, st.sampled_from((0, 0, 9))), sums)
def test_mark_gives_the_verdict_to_nodes_without_one(found: list[list[int]], verdicts: np.ndarray) -> None:
    code, marks = found
    now = i64(marks)
    _peers.mark(i32(code), verdicts, len(code), now)
    assert now.tolist() == [mark or verdicts[value] for value, mark in zip(code, marks, strict=True)]


@given(nodes(codes, flags))
def test_distinct_finds_the_values_of_a_mask(found: list[list[int]]) -> None:
    code, mask = found
    values = {value for value, chosen in zip(code, mask, strict=True) if chosen}
    flagged = np.ones(VALUES, np.uint8)
    assert _peers.distinct(i32(code), u8(mask), len(code), flagged) == len(values)
    assert flagged.tolist() == [value in values for value in range(VALUES)]


@given(nodes(codes, small), sums)
def test_adding_passes_over_nodes_without_the_label(found: list[list[int]], values: np.ndarray) -> None:
    code, scores = found
    added, spread = i64(scores), np.array(scores, np.float64)
    _peers.add_sums(i32(code), values, len(code), added)
    _peers.add_spread(i32(code), values, 1.5, 2.0, False, len(code), spread)
    assert added.tolist() == [score + (values[value] if value else 0) for value, score in zip(code, scores, strict=True)]
    assert spread.tolist() == [score + (values[value] * 1.5 + 2.0 if value else 0.0) for value, score in zip(code, scores, strict=True)]
    _peers.add_spread(i32(code), values, 1.5, 2.0, True, len(code), spread)
    assert spread.tolist() == [values[value] * 1.5 + 2.0 if value else 0.0 for value in code]


@given(nodes(st.floats(0, 30) | st.floats(0, 1e9), flags))
def test_spread_is_normalised_from_the_lowest_score_down(found: list[list[float]]) -> None:
    scores, mask = found
    out = np.full(len(scores), -7, np.int64)
    _peers.normalise_spread(np.array(scores), u8(mask), len(scores), out)
    rounded = [floor(score + 0.5) for score in scores]
    chosen = [score for score, within in zip(rounded, mask, strict=True) if within]
    most, least = max(chosen, default=0), min(chosen, default=0)
    assert out.tolist() == [
        (100 * (most + least - score) // most if most else 100) if within else 0 for score, within in zip(rounded, mask, strict=True)
    ]


@given(nodes(amounts | st.integers(0, 100), flags))
def test_affinity_is_stretched_in_doubles(found: list[list[int]]) -> None:
    scores, mask = found
    out = np.full(len(scores), -7, np.int64)
    _peers.normalise_affinity(i64(scores), u8(mask), len(scores), out)
    chosen = [score for score, within in zip(scores, mask, strict=True) if within]
    most, least = max(chosen, default=0), min(chosen, default=0)
    assert out.tolist() == [
        int(100.0 * (float(score - least) / float(most - least))) if within and most > least else 0
        for score, within in zip(scores, mask, strict=True)
    ]


def test_a_share_that_doubles_do_not_hold_is_rounded_down_as_upstream_does() -> None:
    out = np.zeros(3, np.int64)
    _peers.normalise_affinity(i64([0, 29, 100]), u8([1, 1, 1]), 3, out)
    assert out.tolist() == [0, 28, 100]


@given(nodes(amounts, amounts), st.integers(-3, 3))
def test_weigh_adds_what_scores_weigh(found: list[list[int]], weight: int) -> None:
    base, scores = found
    totals = i64(base)
    _peers.weigh(totals, i64(scores), weight, len(base), totals)
    assert totals.tolist() == [own + weight * score for own, score in zip(base, scores, strict=True)]


def test_what_leaves_an_array_is_refused() -> None:
    three, four, flag = np.zeros(3, np.int64), np.zeros(4, np.int64), np.ones(4, np.uint8)
    with pytest.raises(ValueError, match="slot 3 leaves arrays of 3"):
        _peers.take_in(i64([3]), i32([0] * 4), i32([0] * 4), i32([0] * 3), flag, 1, four)
    with pytest.raises(ValueError, match="values"):
        _peers.skew(four, flag, 0, 1, 1, 1, three)
    for call in (
        lambda: _peers.mark(i32([0] * 4), four, 4, three),
        lambda: _peers.distinct(i32([0] * 3), flag, 4, flag),
        lambda: _peers.add_sums(i32([0] * 4), four, 4, three),
        lambda: _peers.normalise_affinity(three, flag, 4, four),
        lambda: _peers.weigh(four, three, 1, 4, four),
    ):
        with pytest.raises(ValueError, match="4 nodes leave arrays of 3"):
            call()
