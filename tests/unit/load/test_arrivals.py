"""When creates are due: a pure function of pattern, rate and seed."""

from itertools import islice, pairwise

import pytest

from kcore.load.arrivals import PATTERNS, arrivals


def first(count: int, pattern: str, rate: float, seed: int = 0) -> list[float]:
    return list(islice(arrivals(pattern, rate, seed), count))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_same_pattern_rate_and_seed_give_the_same_times(pattern: str) -> None:
    assert first(1_000, pattern, 7.5, 42) == first(1_000, pattern, 7.5, 42)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("rate", [0.25, 1.0, 40.0, 1_234.5])
def test_times_never_go_back_and_keep_the_rate(pattern: str, rate: float) -> None:
    found = first(10_000, pattern, rate, 3)
    assert found[0] >= 0 and all(before <= after for before, after in pairwise(found))
    assert found[-1] == pytest.approx(10_000 / rate, rel=0.13)


def test_steady_creates_have_equal_distances() -> None:
    assert first(5, "steady", 4) == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_burst_brings_what_is_due_in_its_second() -> None:
    assert first(7, "burst", 3) == [0.0] * 3 + [1.0] * 3 + [2.0]
    assert first(3, "burst", 0.5) == [0.0, 2.0, 4.0]
    assert first(8, "burst", 2.5) == pytest.approx([0.0, 0.0, 0.8, 0.8, 1.6, 1.6, 2.4, 2.4])


def test_the_distances_of_poisson_creates_are_exponential_and_differ_by_seed() -> None:
    found = first(20_000, "poisson", 10, 5)
    distances = sorted(after - before for before, after in pairwise(found))
    mean = sum(distances) / len(distances)
    assert mean == pytest.approx(0.1, rel=0.03)
    assert distances[len(distances) // 2] == pytest.approx(0.0693, rel=0.05)
    assert sum((each - mean) ** 2 for each in distances) / len(distances) == pytest.approx(0.01, rel=0.1)
    assert first(10, "poisson", 10, 5) != first(10, "poisson", 10, 6)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_without_a_rate_all_is_due_at_once(pattern: str) -> None:
    assert first(3, pattern, 0.0) == [0.0, 0.0, 0.0]
