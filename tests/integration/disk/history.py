"""What the load of the fault tests writes, and whether a store holds just that: a pure function of how far it came.

Transaction n (from 1) has revision n + 1. It puts /key/n and /counter, and deletes /key/(n - KEEP):

    n         1      2      3   ...   KEEP + 1
    /counter  1      2      3         KEEP + 1
    /key/1    put    .      .         deleted
    /key/2           put    .         .

So a store that is at transaction n and holds anything but what this says has lost a write, torn one or gone back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kcore.store import Delete, Engine, KeyValue, Mutation, Put, StoreError, Txn

KEEP = 150
COUNTER = b"/counter"
HISTORY = 100
"""Revisions that the load leaves readable when it compacts."""


def key(n: int) -> bytes:
    return b"/key/%08d" % n


def value(n: int) -> bytes:
    """Of many sizes: some fill a sector or a page, few are larger than a chunk of the log."""
    size = 300_000 if n % 97 == 0 else n * 7919 % 1_400
    return b"%d:" % n + bytes((n + at) & 0xFF for at in range(251)) * (size // 251) + b";"


def batch_size(n: int) -> int:
    """How many transactions the load commits together, from n on."""
    return 1 + n * 31 % 23


def txn(n: int) -> Txn:
    writes: list[Put | Delete] = [Put(key(n), value(n)), Put(COUNTER, b"%d" % n)]
    if n > KEEP:
        writes.append(Delete(key(n - KEEP)))
    return Txn(success=writes)


def mutations(n: int) -> list[Mutation]:
    """What transaction n tells a watcher."""
    told = [Mutation(n + 1, 0, key(n), value(n), n + 1, 1), Mutation(n + 1, 1, COUNTER, b"%d" % n, 2, n)]
    return told if n <= KEEP else [*told, Mutation(n + 1, 2, key(n - KEEP), None)]


def state(n: int) -> list[KeyValue]:
    """All that is there after transaction n."""
    if n == 0:
        return []
    keys = [KeyValue(key(m), value(m), m + 1, m + 1, 1) for m in range(max(1, n - KEEP + 1), n + 1)]
    return [KeyValue(COUNTER, b"%d" % n, 2, n + 1, n), *keys]


def reached(engine: Engine) -> int:
    """The newest transaction, durable or not."""
    counter = engine.head(COUNTER)
    return 0 if counter is None else int(counter.value)


@dataclass
class Told:
    """What the load told the world: how far it was acknowledged, and how far a watcher saw."""

    acknowledged: int = 0
    seen: int = 0
    faults: list[str] = field(default_factory=list)

    def hear(self, lines: Iterable[str]) -> None:
        """Read `ack FIRST LAST` and `saw FIRST LAST`, a line each."""
        for line in lines:
            what, *numbers = line.split()
            if what == "ack":
                self.acknowledged = int(numbers[1])
            elif what == "saw":
                first, last = map(int, numbers)
                if first != self.seen + 1:
                    self.faults.append(f"a watcher that had seen {self.seen} was told {first} next")
                self.seen = last


def faults_of(engine: Engine, told: Told) -> list[str]:
    """What is wrong with a store that was opened after the load ended somehow; a watcher resumes where it was, and has then seen all."""
    try:
        n = reached(engine)
        found = list(told.faults)
        if engine.revision != n + 1:
            found.append(f"transaction {n} has revision {engine.revision}")
        if n < max(told.acknowledged, told.seen):
            found.append(f"{told.acknowledged} was acknowledged and {told.seen} seen, but the newest is {n}")
        if engine.range(b"", b"\0").kvs != state(n):
            found.append(f"after transaction {n} the store holds something else")
        resumed = engine.changes(told.seen + 1) if told.seen <= n else []
        if resumed != [mutation for m in range(told.seen + 1, n + 1) for mutation in mutations(m)]:
            found.append(f"a watcher that resumed after {told.seen} was told something else")
    except StoreError as error:
        return [str(error)]
    told.seen = max(told.seen, n)
    return found
