"""What every node is to wishes for devices, kept up to date node by node.

Wishes with alternatives are scored anew with every change of any device, since nodes are compared; without this each decision would ask all
nodes. What is kept takes in the slots that the columns' log names, as evaluations do.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from kcore.base.limits import SCHEDULER_DEVICE_VERDICTS_MAX
from kcore.scheduler.columns import Columns, Int64
from kcore.scheduler.dra.asks import Extended, Wish
from kcore.scheduler.dra.capacity import AllocationError
from kcore.scheduler.dra.rows import INVALID
from kcore.scheduler.rows import NodeRow

CANNOT_ALLOCATE: Final = 1
INVALID_POOLS: Final = 2
FAILED: Final = 4
"""Bits of reason codes."""


@dataclass(slots=True)
class Verdict:
    """What slots are.

    codes     0 where the wishes can be satisfied, else why not; scores: what the alternatives earn that a slot gives
    problems  by slot, why the question cannot be answered
    """

    codes: Int64
    scores: Int64
    versions: tuple[int, int]
    position: int
    problems: dict[int, AllocationError] = field(default_factory=dict)

    def look(self, slot: int, wishes: tuple[Wish, ...], columns: Columns, node: NodeRow | None) -> None:
        """Find out what a slot is."""
        self.problems.pop(slot, None)
        self.scores[slot] = 0
        try:
            found = columns.devices.allocate(wishes, node)
        except AllocationError as problem:
            self.codes[slot], self.problems[slot] = FAILED, problem
            return
        if found is not None:
            self.codes[slot], self.scores[slot] = 0, found.score
        else:
            is_invalid = any(pool.flaw == INVALID for pool in columns.devices.pools(node))
            self.codes[slot] = INVALID_POOLS if is_invalid else CANNOT_ALLOCATE


def verdict(wishes: tuple[Wish, ...], columns: Columns) -> Verdict:
    """Return the verdict as of now; not to be written to, and not to be kept."""
    columns.touch_devices()
    kept = columns.device_verdicts
    found = kept.pop(wishes, None)
    versions = columns.static_version, columns.devices.version
    touched = columns.touched_since(found.position) if found is not None and found.versions == versions else None
    if found is None or touched is None:
        found = _bare(wishes, columns, versions)
    for slot in _slots(columns) if touched is None else set(touched):
        node = columns.rows[slot]
        if node is not None:
            found.look(slot, wishes, columns, node)
    found.position = columns.position
    if len(kept) >= SCHEDULER_DEVICE_VERDICTS_MAX:
        del kept[next(iter(kept))]
    kept[wishes] = found
    return found


def lacking(extended: Extended, columns: Columns, slot: int) -> tuple[str, ...]:
    """Return which of the extended resources a node does not offer itself, so that devices have to provide them."""
    return tuple(name for name, _ in extended.classes if not offered(name, columns)[slot])


def offered(resource: str, columns: Columns) -> Int64:
    """Return how much of a resource each slot offers."""
    row = columns.resources.get(resource)
    return np.zeros(columns.count, np.int64) if row is None else columns.allocatable[row, : columns.count]


def _bare(wishes: tuple[Wish, ...], columns: Columns, versions: tuple[int, int]) -> Verdict:
    """Return the verdict on nodes without any devices."""
    found = Verdict(np.zeros(columns.count, np.int64), np.zeros(columns.count, np.int64), versions, 0)
    if columns.count:
        found.look(0, wishes, columns, None)
        found.codes[:], found.scores[:] = found.codes[0], found.scores[0]
        if found.problems:
            found.problems = dict.fromkeys(range(columns.count), found.problems[0])
    return found


def _slots(columns: Columns) -> Iterable[int]:
    """Return the slots that have any devices."""
    if columns.devices.shared:
        return range(columns.count)
    return [columns.slots[name] for name in columns.devices.nodes() if name in columns.slots]
