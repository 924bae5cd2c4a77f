"""Tallies summed over the values of one topology key, kept up to date slot by slot.

    slot             0     1     2     3
    zone             a     b     a     -           codes  [1 2 1 0]
    counted          1     1     0     1           by this ask; slot 2 is on a node that it excludes
    tally            2     0     7     5
    values           [0 2 0]                       by code: 2 in a, 0 in b; what has no zone counts nowhere

Each tally is added with a weight. What the sums hold of each slot is remembered (`seen`), so that taking in a slot again whose count has
changed, or changed back, adds the difference: summing up afresh is taking in all slots.

Codes are of the moment: when a node changes, whoever keeps sums makes them anew.
"""
from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kcore.scheduler import _peers
from kcore.scheduler.labels import LabelColumn
from kcore.scheduler.peers.index import Int32, Tally

Int64 = NDArray[np.int64]
UInt8 = NDArray[np.uint8]


class Sums:
    """What stands within each value of a topology key.

    codes    (slots,) the value's code of each slot
    values   (codes,) int64, the sums
    """

    def __init__(self, column: LabelColumn, counted: UInt8) -> None:
        self.codes: Int32 = column.codes
        self.values: Int64 = np.zeros(len(column.values), np.int64)
        self._counted = counted
        self._tallies: list[tuple[Tally, Int32, int]] = []

    @classmethod
    def per_slot(cls, column: LabelColumn, counted: UInt8) -> Sums:
        """Return sums that take each slot with the label for a value of its own, whatever its label says."""
        sums = cls(column, counted)
        slots = np.arange(1, len(column.codes) + 1, dtype=np.int32)
        sums.codes = np.where(column.codes > 0, slots, np.int32(0))
        sums.values = np.zeros(len(column.codes) + 1, np.int64)
        return sums

    @property
    def kept(self) -> bool:
        """Whether all tallies are still kept."""
        return all(tally.kept for tally, _, _ in self._tallies)

    @cached_property
    def is_unique(self) -> bool:
        """Whether no two slots have the same value, so that what changes of one value concerns one slot."""
        return bool(np.bincount(self.codes[: len(self._counted)], minlength=2)[1:].max() <= 1)

    @property
    def size_bytes(self) -> int:
        """How much memory the arrays take."""
        return self.values.nbytes + sum(seen.nbytes for _, seen, _ in self._tallies)

    def add(self, tally: Tally, weight: int = 1) -> Sums:
        """Add a tally."""
        seen = np.zeros(len(tally.counts), np.int32)
        self._tallies.append((tally, seen, weight))
        occupied = np.flatnonzero(tally.counts[: len(self._counted)])
        _peers.take_in(occupied, tally.counts, seen, self.codes, self._counted, weight, self.values)
        return self

    def update(self, slots: Int64) -> bool:
        """Take in slots whose counts may have changed; -> whether a sum did."""
        changed = 0
        for tally, seen, weight in self._tallies:
            changed += _peers.take_in(slots, tally.counts, seen, self.codes, self._counted, weight, self.values)
        return changed > 0

    def domains(self) -> UInt8:
        """Return which values the counted slots have."""
        found = np.zeros(len(self.values), np.uint8)
        _peers.distinct(self.codes, self._counted, len(self._counted), found)
        return found
