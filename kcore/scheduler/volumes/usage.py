"""What the placed pods use: claims, disks that pods name themselves, and volumes that nodes have attached for them.

A claim becomes an attached volume (driver, handle) through what the catalog knows of it; when that changes, the claim is counted anew. A
volume that two pods of a node use is attached once.

Guarantee: after any sequence of calls all counts equal those made from the same pods and the same handles afresh.
Thread: one.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from kcore.scheduler.volumes.asks import Disk, PodVolumes

if TYPE_CHECKING:
    from kcore.scheduler.columns import Int64

Handle = tuple[str, str]
Count = dict[int, int]


class Usage:
    """Counts by slot.

    claims    key -> slot -> pods; handles: (driver, handle) -> slot -> claims
    attached  driver -> volumes per slot; may be shorter than there are slots
    disks     disk -> slot -> pods
    """

    def __init__(self, handle_of: Callable[[str], Handle | None]) -> None:
        self.claims: dict[str, Count] = {}
        self.handles: dict[Handle, Count] = {}
        self.attached: dict[str, Int64] = {}
        self.disks: dict[Disk, Count] = {}
        self._handle_of = handle_of
        self._handles: dict[str, Handle] = {}

    def count(self, slot: int, volumes: PodVolumes, sign: int) -> None:
        """Count a pod's volumes in (1) or out (-1)."""
        for disk in volumes.disks:
            _count(self.disks, disk, slot, sign)
        for handle in volumes.attached:
            self._attach(handle, slot, sign)
        for use in volumes.claims:
            before = self.claims.get(use.key, {}).get(slot, 0)
            if not self.claims.get(use.key):
                self._learn(use.key)
            _count(self.claims, use.key, slot, sign)
            if not before or before + sign == 0:
                self._attach(self._handles.get(use.key), slot, sign)
            if use.key not in self.claims:
                self._handles.pop(use.key, None)

    def changed(self, claim: str) -> list[int]:
        """Count a claim anew whose handle may have become another one; Returns the slots on which it is used."""
        slots = list(self.claims.get(claim, ()))
        if not slots or self._handle_of(claim) == self._handles.get(claim):
            return []
        for slot in slots:
            self._attach(self._handles.get(claim), slot, -1)
        self._learn(claim)
        for slot in slots:
            self._attach(self._handles.get(claim), slot, 1)
        return slots

    def attached_to(self, driver: str, capacity: int) -> Int64:
        """Return how many volumes of a driver each slot has."""
        found = self.attached.get(driver)
        if found is None or len(found) < capacity:
            old = np.zeros(0, np.int64) if found is None else found
            found = self.attached[driver] = np.zeros(max(capacity, 2 * len(old)), np.int64)
            found[: len(old)] = old
        return found

    def held(self, slot: int) -> tuple[object, ...]:
        """Return all that is counted on a slot; to compare."""
        users = [{key: users[slot] for key, users in counts.items() if slot in users} for counts in (self.claims, self.handles, self.disks)]
        attached = {driver: int(counts[slot]) for driver, counts in self.attached.items() if slot < len(counts) and counts[slot]}
        return (*users, attached)

    def _learn(self, claim: str) -> None:
        handle = self._handle_of(claim)
        if handle is None:
            self._handles.pop(claim, None)
        else:
            self._handles[claim] = handle

    def _attach(self, handle: Handle | None, slot: int, sign: int) -> None:
        if handle is None:
            return
        before = self.handles.get(handle, {}).get(slot, 0)
        _count(self.handles, handle, slot, sign)
        if not before or before + sign == 0:
            self.attached_to(handle[0], slot + 1)[slot] += sign


def _count(counts: dict[Any, Count], key: Any, slot: int, sign: int) -> None:
    users = counts.setdefault(key, {})
    users[slot] = users.get(slot, 0) + sign
    if not users[slot]:
        del users[slot]
    if not users:
        del counts[key]
