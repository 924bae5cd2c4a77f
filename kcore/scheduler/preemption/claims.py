"""What nominated pods claim of each node, summed for whoever has to leave it to them.

A pod of priority 5 leaves to nominated pods what those of priority 5 and above claim. These sums are kept for the priorities asked about
last, and take in the nodes that changed. Thread: one. Size: 8 bytes for each node and resource, for each priority.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kcore.base.limits import SCHEDULER_CLAIM_PRIORITIES_MAX

if TYPE_CHECKING:
    from kcore.scheduler.columns import Columns

Int64 = NDArray[np.int64]


class Claimed:
    """The claims that come before pods of one priority, or with them.

    count    (slots,) how many; amounts (resources, slots) what they take
    """

    def __init__(self, priority: int) -> None:
        self.count: Int64 = np.zeros(0, np.int64)
        self.amounts: Int64 = np.zeros((0, 0), np.int64)
        self._priority = priority
        self._made_for = (-1, -1, -1)
        self._position = 0

    def take_in(self, columns: Columns) -> None:
        """Bring the sums up to date."""
        made_for = (columns.static_version, columns.capacity, len(columns.resources))
        touched = columns.touched_since(self._position)
        if made_for != self._made_for or touched is None:
            self.count = np.zeros(columns.capacity, np.int64)
            self.amounts = np.zeros((len(columns.resources), columns.capacity), np.int64)
            changed = columns.claimed()
        else:
            changed = [*set(touched)]
            if changed:
                self.count[changed] = 0
                self.amounts[:, changed] = 0
        for slot in changed:
            if columns.names[slot] in columns.nominated:
                self._add(slot, columns)
        self._made_for, self._position = made_for, columns.position

    def _add(self, slot: int, columns: Columns) -> None:
        for account in columns.claims(slot, self._priority):
            self.count[slot] += 1
            for name, amount in account.amounts:
                row = columns.resources.get(name)
                if row is not None:
                    self.amounts[row, slot] += amount


class Claims:
    """The sums for a few priorities."""

    def __init__(self) -> None:
        self._kept: dict[int, Claimed] = {}

    def of(self, priority: int, columns: Columns) -> Claimed:
        """Return what a pod of a priority has to leave to others."""
        found = self._kept.pop(priority, None)
        if found is None:
            found = Claimed(priority)
            if len(self._kept) >= SCHEDULER_CLAIM_PRIORITIES_MAX:
                del self._kept[next(iter(self._kept))]
        found.take_in(columns)
        self._kept[priority] = found
        return found
