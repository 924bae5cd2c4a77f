"""The pods of each node in the order of their importance, as arrays: what dry runs where amounts alone decide run over.

A node's pods are written when its dry run is asked for, and again when the node has changed; what they stood in before is dead, until half
of all is and everything is written anew. Thread: one. Size: some 70 bytes for each pod of the nodes that were asked about.
"""
from __future__ import annotations

import math
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from kcore.scheduler import _clearing
from kcore.scheduler.cache import Cache, Placed
from kcore.scheduler.columns import Columns, Int64
from kcore.scheduler.preemption.budgets import Budgets
from kcore.scheduler.preemption.claims import Claimed
from kcore.scheduler.requests import Amounts

UNKNOWN: Final = -1
PODS_FIRST: Final = 1024

Float64 = NDArray[np.float64]
T = TypeVar("T", np.int64, np.float64)


def importance(pod: Placed) -> tuple[int, float, str]:
    """Return the key by which the most important pod is the first; one that has not started counts as started now."""
    return -pod.account.priority, pod.started or math.inf, pod.uid or pod.key


class Lineups:
    """The pods of nodes; `guarded` (slots,) tells where one of them is under a budget, which arithmetic alone does not keep."""

    def __init__(self, cache: Cache, budgets: Budgets) -> None:
        self._cache = cache
        self._budgets = budgets
        self._position = 0
        self._versions = (-1, -1)
        self._clear(0)

    def of(self, slots: Int64, columns: Columns) -> NDArray[np.bool_]:
        """Bring what is known of some nodes up to date; Returns which of them are guarded."""
        self._expire(columns)
        unknown = slots[self._length[slots] == UNKNOWN]
        if len(unknown):
            self._write(unknown.tolist(), columns)
        return self._guarded[slots]

    def clear(
        self, slots: Int64, asked: Amounts, priority: int, columns: Columns, kinds: NDArray[np.int8], costs: Float64, codes: Int64
    ) -> None:
        """Clear nodes on trial, which were brought up to date; see `_clearing.clear`."""
        rows, amounts = columns.asked(asked)
        place_of = np.zeros(len(columns.resources), np.int64)
        place_of[rows[rows >= 0]] = np.flatnonzero(rows >= 0) + 1
        left = np.empty((len(slots), len(rows) + 1), np.int64)
        left[:, 0] = columns.pod_limit[slots] - columns.pod_count[slots] - 1
        for place, (row, amount) in enumerate(zip(rows.tolist(), amounts.tolist(), strict=True), 1):
            left[:, place] = columns.allocatable[row, slots] - columns.requested[row, slots] - amount if row >= 0 else -amount
        if columns.nominated:
            _take_claims(left, slots, rows, columns.claimed_before(priority))
        pods, pairs = self._pod_count, self._pair_count
        _clearing.clear(
            slots, self._first, self._length, self._priority[:pods], self._started[:pods], self._begin[: pods + 1],
            self._resources[:pairs], self._amounts[:pairs], place_of, priority, left, kinds, costs, codes,
        )  # fmt: skip

    def _expire(self, columns: Columns) -> None:
        versions, touched = (columns.static_version, self._budgets.version), columns.touched_since(self._position)
        if versions != self._versions or touched is None or len(self._length) != columns.capacity or self._dead * 2 > self._pod_count:
            self._clear(columns.capacity)
        elif touched:
            slots = np.unique(np.array(touched, np.int64))
            known = slots[self._length[slots] != UNKNOWN]
            self._dead += int(self._length[known].sum())
            self._length[known] = UNKNOWN
        self._versions, self._position = versions, columns.position

    def _clear(self, capacity: int) -> None:
        self._first: Int64 = np.zeros(capacity, np.int64)
        self._length: Int64 = np.full(capacity, UNKNOWN, np.int64)
        self._guarded: NDArray[np.bool_] = np.zeros(capacity, np.bool_)
        self._priority: Int64 = np.zeros(PODS_FIRST, np.int64)
        self._started: Float64 = np.zeros(PODS_FIRST, np.float64)
        self._begin: Int64 = np.zeros(PODS_FIRST + 1, np.int64)
        self._resources: Int64 = np.zeros(PODS_FIRST, np.int64)
        self._amounts: Int64 = np.zeros(PODS_FIRST, np.int64)
        self._pod_count = self._pair_count = self._dead = 0

    def _write(self, slots: list[int], columns: Columns) -> None:
        """Line up the pods of some nodes behind all others."""
        priority: list[int] = []
        started: list[float] = []
        ends: list[int] = []
        resources: list[int] = []
        amounts: list[int] = []
        row_of = columns.resources
        for slot in slots:
            pods = sorted(self._cache.on(columns.names[slot]), key=importance)
            self._first[slot], self._length[slot] = self._pod_count + len(priority), len(pods)
            self._guarded[slot] = any(map(self._budgets.covers, pods))
            for pod in pods:
                account = pod.account
                priority.append(account.priority)
                started.append(pod.started or math.inf)
                for name, amount in account.amounts:
                    if name in row_of:
                        resources.append(row_of[name])
                        amounts.append(amount)
                ends.append(self._pair_count + len(resources))
        before, self._pod_count = self._pod_count, self._pod_count + len(priority)
        self._priority = _put(self._priority, before, priority)
        self._started = _put(self._started, before, started)
        self._begin = _put(self._begin, before + 1, ends)
        before, self._pair_count = self._pair_count, self._pair_count + len(resources)
        self._resources = _put(self._resources, before, resources)
        self._amounts = _put(self._amounts, before, amounts)


def _take_claims(left: Int64, slots: Int64, rows: Int64, claimed: Claimed) -> None:
    """Take what nominated pods claim from what is left on some nodes."""
    left[:, 0] -= claimed.count[slots]
    for place, row in enumerate(rows.tolist(), 1):
        if row >= 0:
            left[:, place] -= claimed.amounts[row, slots]


def _put(array: NDArray[T], at: int, values: list[int] | list[float]) -> NDArray[T]:
    """Write values into an array, or into a larger one in its place."""
    stop = at + len(values)
    if stop > len(array):
        array = np.concatenate((array[:at], np.zeros(max(stop, 2 * len(array)) - at, array.dtype)))
    array[at:stop] = values
    return array
