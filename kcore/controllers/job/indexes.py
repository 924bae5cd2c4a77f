"""Sets of completion indexes as ordered intervals, in the text form of `status.completedIndexes`.

    0,2-4,7,8       ((0, 0), (2, 4), (7, 8)): two in a row are written apart

Cost: linear in intervals, never in indexes: a Job may have a hundred thousand of them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

Intervals = tuple[tuple[int, int], ...]
"""Disjoint, in order, with gaps between them; both ends are in."""


def parse(text: str, completions: int) -> Intervals:
    """Read indexes below `completions`; what is no number is left out."""
    found = []
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        if first.isdigit() and (last or first).isdigit() and int(first) < completions:
            found.append((int(first), min(int(last or first), completions - 1)))
    return join(found)


def of(indexes: Iterable[int]) -> Intervals:
    """Return indexes as intervals."""
    return join((index, index) for index in indexes)


def join(*parts: Iterable[tuple[int, int]]) -> Intervals:
    """Return what is in any of some intervals."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(interval for part in parts for interval in part):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def text(intervals: Intervals) -> str:
    """Write indexes as a status has them."""
    return ",".join(_interval_text(first, last) for first, last in intervals)


def _interval_text(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first},{last}" if last == first + 1 else f"{first}-{last}"


def count(intervals: Intervals) -> int:
    """Return how many indexes there are."""
    return sum(last - first + 1 for first, last in intervals)


def contains(intervals: Intervals, index: int) -> bool:
    """Tell whether an index is in."""
    at = bisect_left(intervals, index, key=lambda interval: interval[1])
    return at < len(intervals) and intervals[at][0] <= index


def count_common(left: Intervals, right: Intervals) -> int:
    """Return how many indexes are in both."""
    return count(left) + count(right) - count(join(left, right))


def first_free(intervals: Intervals, completions: int, wanted: int) -> list[int]:
    """Return the lowest indexes that are not in, below `completions` and no more than wanted."""
    found: list[int] = []
    candidate = 0
    for first, last in (*intervals, (completions, completions)):
        found += range(candidate, min(first, completions, candidate + wanted - len(found)))
        candidate = max(candidate, last + 1)
        if len(found) >= wanted:
            break
    return found
