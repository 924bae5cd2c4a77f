"""Each kernel against the plain form of what it computes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcore.scheduler import _kernels
from kcore.scheduler.rows import Account, Ask, NodeRow
from tests.reference.scheduler import twin

AMOUNT_MAX = 2**50
amounts = st.one_of(st.integers(0, 8), st.integers(0, AMOUNT_MAX), st.sampled_from((2**46 - 1, 2**46, AMOUNT_MAX)))


@st.composite
def spans(draw: st.DrawFn) -> tuple[int, int, int]:
    count = draw(st.integers(1, 9))
    start = draw(st.integers(0, count))
    return count, start, draw(st.integers(start, count))


def matrix(draw: st.DrawFn, rows: int, count: int) -> np.ndarray:
    return np.array([[draw(amounts) for _ in range(count)] for _ in range(rows)], np.int64)


@given(st.data())
def test_fit_marks_what_is_not_free(data: st.DataObject) -> None:
    count, start, stop = data.draw(spans())
    allocatable, requested = matrix(data.draw, 3, count), matrix(data.draw, 3, count)
    limits, counts = matrix(data.draw, 2, count)
    rows = np.array(data.draw(st.lists(st.sampled_from((-1, 0, 1, 2)), max_size=3, unique=True)), np.int64)
    asked = np.array([data.draw(amounts) + 1 for _ in rows], np.int64)
    codes = np.full(count, -7, np.int64)
    _kernels.fit(allocatable, requested, limits, counts, rows, asked, start, stop, codes)
    for node in range(count):
        if not start <= node < stop:
            assert codes[node] == -7
            continue
        wanted = int(counts[node] + 1 > limits[node])
        for bit, (row, amount) in enumerate(zip(rows, asked, strict=True), start=1):
            offered = allocatable[row, node] if row >= 0 else 0
            free = offered - requested[row, node] if row >= 0 else 0
            wanted |= (1 << bit if amount > free else 0) | (1 << 62 if amount > offered else 0)
        assert codes[node] == wanted


@given(st.data())
def test_least_allocated_equals_its_twin(data: st.DataObject) -> None:
    count, start, stop = data.draw(spans())
    allocatable, nonzero = matrix(data.draw, 2, count), matrix(data.draw, 2, count)
    feasible = np.array([data.draw(st.integers(0, 1)) for _ in range(count)], np.uint8)
    cpu, memory = data.draw(amounts), data.draw(amounts)
    scores = np.full(count, -7, np.int64)
    _kernels.least_allocated(allocatable, nonzero, cpu, memory, feasible, start, stop, scores)
    for node in range(count):
        row = NodeRow("n", {}, False, (), (("cpu", int(allocatable[0, node])), ("memory", int(allocatable[1, node]))), 110)
        placed = [Account((), int(nonzero[0, node]), int(nonzero[1, node]))]
        wanted = twin.least_allocated(Ask(nonzero_cpu=cpu, nonzero_memory=memory), row, placed) if feasible[node] else 0
        assert scores[node] == (wanted if start <= node < stop else -7)


@given(st.data())
def test_balanced_allocation_equals_its_twin(data: st.DataObject) -> None:
    count, start, stop = data.draw(spans())
    allocatable, requested = matrix(data.draw, 2, count), matrix(data.draw, 2, count)
    feasible = np.array([data.draw(st.integers(0, 1)) for _ in range(count)], np.uint8)
    cpu, memory = data.draw(amounts) + 1, data.draw(amounts)
    scores = np.full(count, -7, np.int64)
    _kernels.balanced_allocation(allocatable, requested, cpu, memory, feasible, start, stop, scores)
    for node in range(count):
        row = NodeRow("n", {}, False, (), (("cpu", int(allocatable[0, node])), ("memory", int(allocatable[1, node]))), 110)
        placed = [Account((("cpu", int(requested[0, node])), ("memory", int(requested[1, node]))))]
        wanted = twin.balanced_allocation(Ask(amounts=(("cpu", cpu), ("memory", memory))), row, placed) if feasible[node] else 0
        assert scores[node] == (wanted if start <= node < stop else -7)


@given(st.lists(st.tuples(st.sampled_from((0, 1, 1 << 62)), st.integers(0, 1)), max_size=9))
def test_keep_passing_takes_away_nodes_with_a_code(nodes: list[tuple[int, int]]) -> None:
    feasible = np.array([each for _, each in nodes], np.uint8)
    wanted = [each if not code else 0 for code, each in nodes]
    assert _kernels.keep_passing(np.array([code for code, _ in nodes], np.int64), 0, len(nodes), feasible) == sum(wanted)
    assert feasible.tolist() == wanted


def test_spans_and_shapes_that_leave_an_array_are_refused() -> None:
    wide, narrow = np.zeros((2, 4), np.int64), np.zeros(3, np.int64)
    flags, none = np.ones(4, np.uint8), np.zeros(0, np.int64)
    with pytest.raises(ValueError, match="leave arrays"):
        _kernels.least_allocated(wide, wide, 0, 0, flags, 0, 4, narrow)
    with pytest.raises(ValueError, match="leave arrays"):
        _kernels.balanced_allocation(wide, wide, 0, 0, flags, 2, 1, np.zeros(4, np.int64))
    with pytest.raises(ValueError, match="leave arrays"):
        _kernels.fit(wide, wide, wide[0], narrow, none, none, 0, 4, np.zeros(4, np.int64))
    with pytest.raises(ValueError, match="resource row 2"):
        _kernels.fit(wide, wide, wide[0], wide[0], np.array([2]), np.array([1]), 0, 4, np.zeros(4, np.int64))
    with pytest.raises(ValueError, match="cpu and memory"):
        _kernels.least_allocated(wide[:1], wide, 0, 0, flags, 0, 4, np.zeros(4, np.int64))
