"""How fast a call is beside another one: many short rounds of both in turn, the best of each.

Whatever else a machine does only adds time. A round is much shorter than the slice of time that a scheduler gives, so that among many some
run undisturbed even where others use the machine, and a ratio of two such rounds hardly differs from run to run.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from time import perf_counter

SMOKE = os.environ.get("KCORE_BENCH_SIZE", "smoke") == "smoke"
ROUND_S, ROUNDS = (0.0002, 3) if SMOKE else (0.0005, 400)

Call = Callable[[], object]


def seconds(call: Call, count: int) -> float:
    """Seconds that so many calls take."""
    start = perf_counter()
    for _ in range(count):
        call()
    return perf_counter() - start


def calls_in_a_round(call: Call) -> int:
    """How many calls a round is, at least one."""
    count = 1
    while seconds(call, count) < ROUND_S / 2:
        count *= 2
    return count


def best_s(*calls: Call) -> list[float]:
    """The seconds of one of each of these calls, at best."""
    counts, best = [calls_in_a_round(call) for call in calls], [float("inf")] * len(calls)
    for _ in range(ROUNDS):
        for place, (call, count) in enumerate(zip(calls, counts, strict=True)):
            best[place] = min(best[place], seconds(call, count) / count)
    return best


def ratio(ours: Call, peer: Call) -> float:
    """How many times as fast as its peer a call is."""
    ours_s, peer_s = best_s(ours, peer)
    return peer_s / ours_s
