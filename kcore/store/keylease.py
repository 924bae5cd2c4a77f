"""Leases of keys: when one ends, its keys are deleted. Pure; the engine keeps them on disk.

A lease begins anew when the store is opened, since nobody counted the time in between. Source: CONTRACT E6.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence

from kcore.store.storage import StoreError


class KeyLeases:
    """The leases, their keys and their ends."""

    def __init__(self) -> None:
        self.ttl_s: dict[int, int] = {}
        self.deadline: dict[int, float] = {}
        self.keys: defaultdict[int, set[bytes]] = defaultdict(set)
        self.due: list[tuple[float, int]] = []

    def grant(self, lease: int, ttl_s: int, now: float) -> None:
        """Begin a lease. Raises StoreError: lease exists."""
        if lease in self.ttl_s:
            raise StoreError("lease exists", f"lease {lease:x} exists")
        self.ttl_s[lease] = ttl_s
        self.renew(lease, now)

    def check(self, lease: int) -> None:
        """Raises StoreError: lease not found."""
        if lease not in self.ttl_s:
            raise StoreError("lease not found", f"lease {lease:x} does not exist")

    def renew(self, lease: int, now: float) -> int:
        """Begin a lease again; -> its time to live. Raises StoreError: lease not found."""
        self.check(lease)
        self.deadline[lease] = now + self.ttl_s[lease]
        self.await_end(lease)
        return self.ttl_s[lease]

    def put_off(self, lease: int, until: float) -> None:
        """Let a lease that ended, but could not be revoked, end again later."""
        if lease in self.ttl_s:
            self.deadline[lease] = until
            self.await_end(lease)

    def await_end(self, lease: int) -> None:
        """Note when a lease ends; the notes of renewed ones are thrown out when they are the most."""
        if len(self.due) > 2 * len(self.deadline) + 64:
            self.due = sorted((deadline, other) for other, deadline in self.deadline.items() if other != lease)
        heapq.heappush(self.due, (self.deadline[lease], lease))

    def drop(self, lease: int) -> set[bytes]:
        """Forget a lease; -> its keys."""
        self.check(lease)
        del self.ttl_s[lease], self.deadline[lease]
        return self.keys.pop(lease, set())

    def ended(self, now: float) -> list[int]:
        """The leases whose time is up."""
        found = []
        while self.due and self.due[0][0] <= now:
            deadline, lease = heapq.heappop(self.due)
            if self.deadline.get(lease) == deadline:
                found.append(lease)
        return found

    def take_back(self, changes: Sequence[tuple[int, int, int]], now: float) -> None:
        """Undo grants and ends (lease, new ttl, old ttl; 0 is none), the last first; keys are attached anew by the caller."""
        for lease, new, old in reversed(changes):
            if new:
                self.drop(lease)
            if old:
                self.grant(lease, old, now)

    def attach(self, keys: Mapping[int, set[bytes]]) -> None:
        """Set the keys of leases."""
        for lease, attached in keys.items():
            self.keys[lease] = set(attached)

    def move(self, key: bytes, old: int, new: int) -> None:
        """A key changed its lease."""
        if old and old != new and old in self.keys:
            self.keys[old].discard(key)
        if new:
            self.keys[new].add(key)
