"""How fast nodes may begin to evict their pods, zone by zone, and whether everything seems to be down.

A zone without a ready node, or with few failures, evicts at the normal rate; one of which a large part is down slowly, or not at all if it
is small. When no zone has a ready node, it is probably this process that is cut off: nothing is evicted, and after that nodes get time to
be heard of again.

Pure: whoever asks brings the time. Source: Kubernetes `pkg/controller/nodelifecycle` (ComputeZoneState, handleDisruption).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from kcore.base import limits


class Zones(NamedTuple):
    """How the zones are.

    rates     nodes a second that may begin to evict, by zone
    is_total  no node is ready anywhere
    """

    rates: dict[str, float]
    is_total: bool


def zones_of(readiness: Iterable[tuple[str, str]]) -> Zones:
    """Return how the zones are.

    readiness  the zone of each node and the status of its Ready condition
    """
    total: Counter[str] = Counter()
    unready: Counter[str] = Counter()
    for zone, ready in readiness:
        total[zone] += 1
        unready[zone] += ready != "True"
    if total and total == unready:
        return Zones(dict.fromkeys(total, 0.0), True)
    return Zones({zone: _rate(count, unready[zone]) for zone, count in total.items()}, False)


def _rate(count: int, unready: int) -> float:
    is_partly_down = unready < count and unready > 2 and unready / count >= limits.UNHEALTHY_ZONE_SHARE
    if not is_partly_down:
        return limits.EVICTION_RATE_PER_S
    return limits.SECONDARY_EVICTION_RATE_PER_S if count > limits.LARGE_CLUSTER_NODES else 0.0


class Disruption:
    """The zones as they were looked at last, and when each may evict next; a zone of which nothing is known counts as well."""

    def __init__(self) -> None:
        self.rates: dict[str, float] = {}
        self.is_total = False
        self._next_at: dict[str, float] = {}

    def observe(self, readiness: Iterable[tuple[str, str]]) -> bool:
        """Take in how the nodes are; returns whether a total disruption has ended."""
        was_total = self.is_total
        self.rates, self.is_total = zones_of(readiness)
        return was_total and not self.is_total

    def take(self, zone: str, now: float) -> bool:
        """Take a node from what a zone may evict, if it may now; no more than one at once.

        now  monotonic seconds
        """
        rate = self.rates.get(zone, limits.EVICTION_RATE_PER_S)
        if rate <= 0 or now < self._next_at.get(zone, 0.0):
            return False
        self._next_at[zone] = now + 1 / rate
        return True
