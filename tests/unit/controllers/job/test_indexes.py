"""Sets of completion indexes: written, read, joined, searched; compared with plain sets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcore.controllers.job import indexes

SETS = st.sets(st.integers(0, 40))


@pytest.mark.parametrize(("numbers", "written"), [
    ([], ""),
    ([0], "0"),
    ([0, 1], "0,1"),
    ([0, 1, 2], "0-2"),
    ([1, 3, 4, 5, 7, 8], "1,3-5,7,8"),
])  # fmt: skip
def test_indexes_are_written_as_a_status_has_them(numbers: list[int], written: str) -> None:
    assert indexes.text(indexes.of(numbers)) == written


@given(SETS)
def test_what_is_written_is_read_again(numbers: set[int]) -> None:
    assert indexes.parse(indexes.text(indexes.of(numbers)), 41) == indexes.of(numbers)


def test_indexes_that_the_job_has_not_and_words_are_left_out() -> None:
    assert indexes.parse("0,3-9,x,12,1-y", 5) == ((0, 0), (3, 4))


@given(SETS, SETS, st.integers(0, 45))
def test_intervals_are_as_sets(left: set[int], right: set[int], index: int) -> None:
    first, second = indexes.of(left), indexes.of(right)
    assert indexes.join(first, second) == indexes.of(left | right)
    assert indexes.count(first) == len(left)
    assert indexes.count_common(first, second) == len(left & right)
    assert indexes.contains(first, index) == (index in left)


@given(SETS, st.integers(0, 45), st.integers(0, 10))
def test_the_lowest_free_indexes_come_first(taken: set[int], completions: int, wanted: int) -> None:
    free = [index for index in range(completions) if index not in taken]
    assert indexes.first_free(indexes.of(taken), completions, wanted) == free[:wanted]
