"""Creates go out when they are due, together where they came due together."""

from collections.abc import Iterator

import pytest

from kcore.base import limits, virtual_loop
from kcore.base.clock import VirtualClock
from kcore.load import sender
from kcore.load.pods import Wanted
from kcore.load.sender import Group, Pace


def objects(count: int) -> Iterator[Wanted]:
    return (Wanted(f"w{index}", b"") for index in range(count))


def sent(count: int, pace: Pace, takes_s: float = 0.0) -> list[tuple[float, int]]:
    """Second and size of each request, on virtual time."""
    clock, found = VirtualClock(), list[tuple[float, int]]()
    began = clock.monotonic()

    async def act(group: Group) -> None:
        found.append((round(clock.monotonic() - began, 3), len(group)))
        await clock.sleep(takes_s)

    virtual_loop.run(sender.send(objects(count), pace, clock, act), clock)
    return found


def test_without_a_rate_requests_are_full_and_go_at_once() -> None:
    size = limits.LOAD_ITEMS_PER_REQUEST
    assert sent(2 * size + 1, Pace()) == [(0.0, size), (0.0, size), (0.0, 1)]


def test_at_a_low_rate_every_create_goes_alone_when_it_is_due() -> None:
    assert sent(4, Pace(rate=2)) == [(0.0, 1), (0.5, 1), (1.0, 1), (1.5, 1)]


def test_a_burst_goes_in_one_request() -> None:
    assert sent(6, Pace(rate=3, pattern="burst")) == [(0.0, 3), (1.0, 3)]


def test_one_by_one_is_one_in_a_request() -> None:
    assert sent(4, Pace(rate=2, pattern="burst", via="unary")) == [(0.0, 1), (0.0, 1), (1.0, 1), (1.0, 1)]


def test_creates_at_a_high_rate_are_gathered_and_keep_it() -> None:
    found = sent(1_000, Pace(rate=1_000))
    assert sum(size for _, size in found) == 1_000 and len(found) < 150
    assert found[-1][0] == pytest.approx(1.0, abs=0.02)


def test_what_came_due_while_no_request_was_free_goes_together() -> None:
    found = sent(30, Pace(rate=10), takes_s=10.0)
    assert [size for _, size in found[: limits.LOAD_REQUESTS_IN_FLIGHT + 1]] == [1] * (limits.LOAD_REQUESTS_IN_FLIGHT + 1)
    assert sum(size for _, size in found) == 30 and max(size for _, size in found) > 10


def test_no_more_requests_are_under_way_than_may() -> None:
    assert sent(5, Pace(via="unary", in_flight=2), takes_s=1.0) == [(0.0, 1), (0.0, 1), (1.0, 1), (1.0, 1), (2.0, 1)]
