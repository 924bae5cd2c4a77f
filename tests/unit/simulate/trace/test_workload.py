"""How arrivals are arranged, and which load they are."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from kcore.base import limits
from kcore.simulate.trace import workload as module
from kcore.simulate.trace.workload import DEVICE, GPU, Kind, TraceError, Workload, arranged, loads

CAPACITY = {"cpu": 10_000, "memory": 0, GPU: 4 * DEVICE}
KINDS = (Kind(cpu=1000), Kind(cpu=2000, devices=2, share=DEVICE // 2))


def workload(*pods: tuple[float, float, int]) -> Workload:
    """Pods of (arrival, duration, kind)."""
    at_s, for_s, kinds = zip(*pods, strict=True)
    return Workload(KINDS, [f"p{place}" for place in range(len(pods))], np.array(kinds), np.array(at_s, float), np.array(for_s, float), {})


def test_a_load_is_what_would_be_held_at_the_busiest_moment_and_on_average() -> None:
    found = loads(workload((0, 10, 0), (10, 10, 1), (15, inf, 0), (20, 5, 0)), CAPACITY)
    assert found["cpu"] == {"peak": 0.3, "mean": (10 * 1000 + 10 * 2000 + 5 * 1000) / 20 / 10_000}
    assert found[GPU]["peak"] == 0.25 and "memory" not in found


def test_who_goes_makes_room_for_who_comes_at_the_same_moment() -> None:
    assert loads(workload((0, 10, 0), (10, 10, 0), (20, 10, 0)), CAPACITY)["cpu"]["peak"] == 0.1


def test_arrivals_come_faster_and_run_as_long() -> None:
    found = arranged(workload((0, 10, 0), (100, 20, 1)), CAPACITY, 0, speed=10)
    assert found.at_s.tolist() == [0, 10] and found.for_s.tolist() == [10, 20]


@pytest.mark.parametrize("load", [0.1, 0.5, 2.0])
def test_arrivals_are_repeated_until_a_load_is_reached_and_no_longer(load: float) -> None:
    one = workload(*((float(at), 7.0, at % 2) for at in range(0, 100, 5)))
    found = arranged(one, CAPACITY, 3, load=load)
    peaks = [each["peak"] for each in loads(found, CAPACITY).values()]
    largest = 0.2  # what one pod can add
    assert load <= max(peaks) < load + largest
    assert len(set(found.names)) == len(found) and (np.diff(found.at_s) >= 0).all() and found.at_s[0] == 0
    assert set(found.for_s.tolist()) == {7.0} and found.span_s <= 100


def test_the_same_seed_arranges_the_same_and_another_one_something_else() -> None:
    one = workload(*((float(at), 7.0, at % 2) for at in range(0, 100, 5)))
    first, again, other = (arranged(one, CAPACITY, seed, load=2.0) for seed in (1, 1, 2))
    assert first.names == again.names and np.array_equal(first.at_s, again.at_s)
    assert not (len(first) == len(other) and np.array_equal(first.at_s, other.at_s))


def test_a_load_that_takes_too_many_pods_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRACE_PODS_MAX", 64)
    assert limits.TRACE_PODS_MAX >= 64
    with pytest.raises(TraceError, match="a load of 5 takes more than 64 pods"):
        arranged(workload((0, 1, 0), (1000, 1, 0)), CAPACITY, 0, load=5.0)
