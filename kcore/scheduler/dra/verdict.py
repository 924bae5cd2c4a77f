"""What every node is to wishes for devices, kept up to date node by node.

Wishes with alternatives are scored anew with every change of any device, since nodes are compared; without this each decision would ask all
nodes. What is kept takes in the slots that the columns' log names, as evaluations do.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kcore.base.limits import SCHEDULER_DEVICE_VERDICTS_MAX
from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.dra.asks import Wish


@dataclass(slots=True)
class Verdict:
    """What slots are: whether they can satisfy the wishes, and what the alternatives earn that they give."""

    can: UInt8
    scores: Int64
    versions: tuple[int, int]
    position: int


def verdict(wishes: tuple[Wish, ...], columns: Columns) -> Verdict:
    """Return the verdict as of now; not to be written to, and not to be kept."""
    columns.touch_devices()
    kept = columns.device_verdicts
    found = kept.pop(wishes, None)
    versions = columns.static_version, columns.devices.version
    touched = columns.touched_since(found.position) if found is not None and found.versions == versions else None
    if found is None or touched is None:
        found = Verdict(np.zeros(columns.count, np.uint8), np.zeros(columns.count, np.int64), versions, 0)
    for slot in _slots(columns) if touched is None else set(touched):
        node = columns.rows[slot]
        allocation = columns.devices.allocate(wishes, node) if node is not None else None
        found.can[slot] = allocation is not None
        found.scores[slot] = allocation.score if allocation is not None else 0
    found.position = columns.position
    if len(kept) >= SCHEDULER_DEVICE_VERDICTS_MAX:
        del kept[next(iter(kept))]
    kept[wishes] = found
    return found


def _slots(columns: Columns) -> Iterable[int]:
    """Return the slots that have any devices."""
    if columns.devices.shared:
        return range(columns.count)
    return [columns.slots[name] for name in columns.devices.nodes() if name in columns.slots]
