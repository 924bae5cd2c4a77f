"""When a load's creates are due: a pure function of pattern, rate and seed.

    steady    one after the other, at equal distances
    poisson   at distances that are drawn: creates that know nothing of each other, as of many independent users
    burst     what a burst's period brings at once, then nothing until the next
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, repeat
from random import Random
from typing import Final

from kcore.base import limits

PATTERNS: Final = ("steady", "poisson", "burst")


def arrivals(pattern: str, rate: float, seed: int) -> Iterator[float]:
    """Seconds from the start of a load at which its first, second ... create is due, without end; a rate of 0 is all at once."""
    if not rate:
        return repeat(0.0)
    return {"steady": steady, "poisson": poisson, "burst": burst}[pattern](rate, seed)


def steady(rate: float, _seed: int) -> Iterator[float]:
    """Equal distances."""
    return (index / rate for index in count())


def poisson(rate: float, seed: int) -> Iterator[float]:
    """Distances of an exponential distribution."""
    random, due = Random(seed), 0.0
    while True:
        due += random.expovariate(rate)
        yield due


def burst(rate: float, _seed: int) -> Iterator[float]:
    """All that is due in a period at its beginning; below one a period the bursts are single creates."""
    size = max(1, round(rate * limits.LOAD_BURST_S))
    return (index // size * size / rate for index in count())
