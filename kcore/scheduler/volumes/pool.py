"""The free volumes of one class: which of them a node would get for a claim.

Volumes that are alike (where they can be reached, size, modes, labels) are one kind with a number of them, so that a thousand network disks
cost what one costs, and a thousand local disks of as many nodes a kind each:

    kinds     0: n0, 5Gi     1: n0, 9Gi     2: any node, 7Gi
    left      1              0              12
    entries   (slot, kind), by slot, then size, then age of the kind:  (n0, 0) (n0, 2) (n0, 1) (n1, 2) (n2, 2) ...

A claim gets, on each slot, the first entry that has volumes left and suits it: the smallest that fits. Entries are made again when a kind
comes or a node changes, not when a volume is taken.

Thread: one.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kcore.base.limits import SCHEDULER_CLAIMS_APART_MAX, SCHEDULER_VOLUME_RESULTS_MAX
from kcore.scheduler.rows import Term
from kcore.scheduler.volumes.asks import Wanted
from kcore.scheduler.volumes.rows import Volume

Int64 = NDArray[np.int64]
Affinity = tuple[Term, ...] | None

NONE: Final = -1


class Nodes(NamedTuple):
    """What a pool has to know of the nodes.

    version  counts changes of them; slot_count: how many slots; reach: the slots of nodes from which a volume can be reached
    """

    version: int
    slot_count: int
    reach: Callable[[Affinity], Int64]


class Kind(NamedTuple):
    """What volumes have in common that are alike to any claim."""

    affinity: Affinity
    capacity_bytes: int
    access_modes: tuple[str, ...]
    volume_mode: str
    attributes_class: str
    labels: tuple[tuple[str, str], ...]

    def suits(self, wanted: Wanted) -> bool:
        """Say whether such a volume can serve a claim, wherever it is."""
        return (
            self.capacity_bytes >= wanted.request_bytes
            and self.volume_mode == wanted.volume_mode
            and self.attributes_class == wanted.attributes_class
            and set(wanted.access_modes) <= set(self.access_modes)
            and (wanted.selector is None or wanted.selector.matches(dict(self.labels)))
        )


def kind_of(volume: Volume) -> Kind:
    """Return the kind of a volume."""
    return Kind(
        volume.affinity, volume.capacity_bytes, volume.access_modes, volume.volume_mode, volume.attributes_class, volume.labels
    )


class Pool:
    """The free volumes of a class; sizes are in bytes by kind."""

    def __init__(self) -> None:
        self.kinds: list[Kind] = []
        self.left: Int64 = np.zeros(0, np.int64)
        self.sizes: Int64 = np.zeros(0, np.int64)
        self._changes: list[int] = []
        self._names: list[dict[str, None]] = []
        self._index: dict[Kind, int] = {}
        self._made_for = (-1, -1)
        self._reach: dict[Affinity, Int64] = {}
        self._slots: Int64 = np.zeros(0, np.int64)
        self._kinds: Int64 = np.zeros(0, np.int64)
        self._suiting: dict[Wanted, NDArray[np.bool_]] = {}

    def __len__(self) -> int:
        return int(self.left.sum())

    def add(self, volume: Volume) -> None:
        """Take in a volume that is free."""
        kind = kind_of(volume)
        number = self._index.get(kind)
        if number is None:
            number = self._index[kind] = len(self.kinds)
            self.kinds.append(kind)
            self._names.append({})
            if number == len(self.left):
                self.left = np.concatenate((self.left, np.zeros(max(16, number), np.int64)))
                self.sizes = np.concatenate((self.sizes, np.zeros(max(16, number), np.int64)))
            self.sizes[number] = kind.capacity_bytes
            self._suiting.clear()
        self._names[number][volume.name] = None
        self._count(number, len(self._names[number]) - 1)

    def remove(self, volume: Volume) -> None:
        """Take away a volume."""
        number = self._index[kind_of(volume)]
        del self._names[number][volume.name]
        self._count(number, len(self._names[number]))

    def version(self, claim_count: int) -> int:
        """Count what could change the choice of so many claims: that many volumes of a kind are as good as any more of it."""
        return sum(self._changes[:claim_count])

    def name_of(self, kind: int) -> str:
        """Return a volume of a kind that has some left."""
        return next(iter(self._names[kind]))

    def choose(self, wanted: Sequence[Wanted], nodes: Nodes) -> Int64:
        """Return for each claim and slot the kind of the volume that it gets, NONE where there is none; claims choose one after another."""
        self._make_entries(nodes)
        chosen: Int64 = np.full((len(wanted), nodes.slot_count), NONE, np.int64)
        left = self.left[self._kinds]
        for row, claim in enumerate(wanted):
            usable = np.flatnonzero(self._suits(claim)[self._kinds] & (left > 0))
            slots = self._slots[usable]
            first = usable[np.flatnonzero(np.concatenate(((True,), slots[1:] != slots[:-1])))] if len(usable) else usable
            chosen[row, self._slots[first]] = self._kinds[first]
            left[first] -= 1
        return chosen

    def _count(self, number: int, smaller: int) -> None:
        """Take in that a kind has one volume more or fewer; smaller is the smaller of the two numbers."""
        self.left[number] = len(self._names[number])
        while len(self._changes) <= min(smaller, SCHEDULER_CLAIMS_APART_MAX - 1):
            self._changes.append(0)
        self._changes[min(smaller, SCHEDULER_CLAIMS_APART_MAX - 1)] += 1

    def _suits(self, claim: Wanted) -> NDArray[np.bool_]:
        found = self._suiting.get(claim)
        if found is None:
            if len(self._suiting) >= SCHEDULER_VOLUME_RESULTS_MAX:
                self._suiting.clear()
            found = self._suiting[claim] = np.array([kind.suits(claim) for kind in self.kinds], np.bool_)
        return found

    def _make_entries(self, nodes: Nodes) -> None:
        if self._made_for == (len(self.kinds), nodes.version):
            return
        if self._made_for[1] != nodes.version:
            self._reach.clear()
        self._forget_dead()
        at = [self._slots_of(kind.affinity, nodes) for kind in self.kinds]
        slots = np.concatenate([*at, np.zeros(0, np.int64)])
        kinds = np.repeat(np.arange(len(at)), [len(each) for each in at])
        order = np.lexsort((kinds, self.sizes[kinds], slots))
        self._slots, self._kinds = slots[order], kinds[order]
        self._made_for = (len(self.kinds), nodes.version)

    def _slots_of(self, affinity: Affinity, nodes: Nodes) -> Int64:
        found = self._reach.get(affinity)
        if found is None:
            found = self._reach[affinity] = nodes.reach(affinity)
        return found

    def _forget_dead(self) -> None:
        """Drop kinds of which nothing is left, when half of them are such."""
        alive = [number for number, names in enumerate(self._names) if names]
        if len(alive) * 2 > len(self.kinds):
            return
        self.kinds, self._names = [self.kinds[number] for number in alive], [self._names[number] for number in alive]
        self.left = np.array([len(names) for names in self._names], np.int64)
        self.sizes = np.array([kind.capacity_bytes for kind in self.kinds], np.int64)
        self._index = {kind: number for number, kind in enumerate(self.kinds)}
        self._suiting.clear()
        self._reach.clear()
