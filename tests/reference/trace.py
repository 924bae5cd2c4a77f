"""The slow twins of `kcore.simulate.trace`: devices and fragmentation, node by node and kind by kind."""

from __future__ import annotations

from collections.abc import Sequence

from kcore.machinery.labels import parse
from kcore.simulate.trace.workload import Kind


def best_fit(free: Sequence[int], count: int, share: int) -> set[int]:
    """The devices that a pod takes: those with least left that have its share, the first of equal ones."""
    enough = sorted((left, device) for device, left in enumerate(free) if left >= share)
    return {device for _, device in enough[:count]}


def wasted(free: Sequence[int], cpu: int, memory: int, labels: dict[str, str], counts: Sequence[tuple[Kind, int]]) -> float:
    """What of a node's free devices the pods of a workload cannot use, on average."""
    total = 0.0
    for kind, count in counts:
        fits = kind.cpu <= cpu and kind.memory <= memory and parse(kind.selector).matches(labels)
        large = [left for left in free if left >= kind.share]
        if kind.devices and fits and len(large) >= kind.devices:
            total += count * (sum(free) - sum(large))
        else:
            total += count * sum(free)
    return total / sum(count for _, count in counts)
