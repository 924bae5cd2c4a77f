"""What a trace asks of a cluster: pods that come at a time, stay for a while and go; as often repeated as a wanted load takes.

    kinds    [0.3 GPU, 8 cpu]  [2 GPUs]                what a pod asks; few, however many pods there are
    kind_of  0        1        0        0
    at_s     0        60       61       300            arrivals, sorted, from 0 on
    for_s    500      inf      20       60             how long each runs once it has a node; inf: it stays

The load of a resource is what all pods would hold at the busiest moment if each had a node at once, as a share of what there is. A wanted
load is that of the scarcest resource: the arrivals come again, each round turned by a part of the trace's length (what is pushed over its
end comes at its beginning) so that rounds lie far apart, and of the last round only so many pods, drawn at random, as it takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kcore.base.entropy import SeededEntropy
from kcore.base.limits import TRACE_PODS_MAX
from kcore.scheduler.requests import CPU, MEMORY

GPU: Final = "gpu"
RESOURCES: Final = (CPU, MEMORY, GPU)
DEVICE: Final = 1_000_000
"""The amount of a whole device: shares are counted in millionths."""

GOLDEN_RATIO: Final = 0.6180339887498949
"""Steps by this part of a whole never come close to one another."""

Floats = NDArray[np.float64]


class TraceError(ValueError):
    """A trace that cannot be replayed as it was asked for."""


class Kind(NamedTuple):
    """What a pod asks.

    cpu in thousandths, memory in bytes; devices: how many GPUs; share: what it takes of each, in millionths
    selector  the labels of nodes that it may go to, as a label selector
    """

    cpu: int = 0
    memory: int = 0
    devices: int = 0
    share: int = 0
    selector: str = ""
    priority: int = 0

    @property
    def amounts(self) -> tuple[int, int, int]:
        """What it takes of cpu, memory and all GPUs."""
        return self.cpu, self.memory, self.devices * self.share


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """Pods in the order in which they come; skipped: what was not taken, and how often."""

    kinds: tuple[Kind, ...]
    names: list[str]
    kind_of: NDArray[np.int64]
    at_s: Floats
    for_s: Floats
    skipped: Mapping[str, int]
    rounds: int = 1

    def __len__(self) -> int:
        return len(self.names)

    @property
    def span_s(self) -> float:
        """From the first arrival to the last."""
        return float(self.at_s[-1]) if len(self) else 0.0

    def amounts(self) -> NDArray[np.int64]:
        """Return (resources, pods): what each pod takes."""
        return np.array([kind.amounts for kind in self.kinds], np.int64).reshape(-1, len(RESOURCES)).T[:, self.kind_of]

    def counts(self) -> list[tuple[Kind, int]]:
        """Return how many pods there are of each kind, the most first."""
        found = Counter(self.kind_of.tolist())
        return [(self.kinds[kind], count) for kind, count in sorted(found.items(), key=lambda item: (-item[1], item[0]))]


def loads(workload: Workload, capacity: Mapping[str, int]) -> dict[str, dict[str, float]]:
    """Return per resource that the cluster has the load at the busiest moment, and on average over the time in which pods come."""
    held, amounts, span = _Held(workload.at_s, workload.for_s), workload.amounts(), workload.span_s
    staying = np.minimum(workload.for_s, span - workload.at_s)
    found = {}
    for resource, row in zip(RESOURCES, amounts, strict=True):
        if capacity.get(resource):
            mean = float(row @ staying) / span if span else held.most(row)
            found[resource] = {"peak": held.most(row) / capacity[resource], "mean": mean / capacity[resource]}
    return found


def arranged(workload: Workload, capacity: Mapping[str, int], seed: int, speed: float = 1.0, load: float | None = None) -> Workload:
    """Let arrivals come so many times as fast, while each pod runs as long as it did, and so often that a load is reached.

    Raises  TraceError
    """
    sped = Workload(workload.kinds, workload.names, workload.kind_of, workload.at_s / speed, workload.for_s, workload.skipped)
    if load is None or not len(sped):
        return sped
    rounds = _Rounds(sped, seed)
    low, high = 0, 1  # pods that are too few, and enough
    while not _reaches(rounds.first(high), capacity, load):
        if high >= TRACE_PODS_MAX:
            raise TraceError(f"a load of {load:g} takes more than {TRACE_PODS_MAX} pods: let them come faster")
        low, high = high, min(2 * high, TRACE_PODS_MAX)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _reaches(rounds.first(middle), capacity, load) else (middle, high)
    return rounds.first(high)


class _Rounds:
    """A workload again and again."""

    def __init__(self, workload: Workload, seed: int) -> None:
        self._workload = workload
        self._seed = seed
        self._first_turn = SeededEntropy(seed).random()
        self._made: list[tuple[Floats, NDArray[np.int64]]] = []

    def first(self, pods: int) -> Workload:
        """Return so many pods: whole rounds, and a part of one more."""
        one = self._workload
        whole, rest = divmod(pods, len(one))
        parts = [(number, np.arange(len(one))) for number in range(whole)]
        if rest:
            parts.append((whole, np.sort(self._round(whole)[1][:rest])))
        at_s = np.concatenate([self._round(number)[0][chosen] for number, chosen in parts])
        index = np.concatenate([chosen for _, chosen in parts])
        number_of = np.concatenate([np.full(len(chosen), number) for number, chosen in parts])
        order = np.argsort(at_s, kind="stable")
        names = [
            f"{one.names[place]}-{number}" if number else one.names[place]
            for place, number in zip(index[order].tolist(), number_of[order].tolist(), strict=True)
        ]
        chosen, starts = index[order], at_s[order]
        return Workload(one.kinds, names, one.kind_of[chosen], starts - starts[0], one.for_s[chosen], one.skipped, len(parts))

    def _round(self, number: int) -> tuple[Floats, NDArray[np.int64]]:
        """Return when the pods of a round come, and an order in which some of them are taken."""
        while len(self._made) <= number:
            entropy, made = SeededEntropy(f"{self._seed}/{len(self._made)}"), len(self._made)
            span, turn = self._workload.span_s, (self._first_turn + made * GOLDEN_RATIO) % 1 if made else 0.0
            at_s = self._workload.at_s if not turn or not span else (self._workload.at_s + turn * span) % span
            self._made.append((at_s, np.argsort([entropy.random() for _ in range(len(self._workload))])))
        return self._made[number]


class _Held:
    """Comings and goings in order, as if every pod had a node at once; who goes at a moment makes room for who comes then."""

    def __init__(self, at_s: Floats, for_s: Floats) -> None:
        self._going = np.flatnonzero(np.isfinite(for_s))
        moments = np.concatenate((at_s, (at_s + for_s)[self._going]))
        comes = np.concatenate((np.ones(len(at_s)), np.zeros(len(self._going))))
        self._order = np.lexsort((comes, moments))

    def most(self, amounts: NDArray[np.int64]) -> int:
        """Return the most that is held at a moment."""
        changes = np.concatenate((amounts, -amounts[self._going]))
        return int(np.cumsum(changes[self._order]).max(initial=0))


def _reaches(workload: Workload, capacity: Mapping[str, int], load: float) -> bool:
    return any(found["peak"] >= load for found in loads(workload, capacity).values())
