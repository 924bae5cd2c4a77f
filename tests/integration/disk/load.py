"""A process that writes into a store as fast as it can and tells of each write that was acknowledged, and of each that a watcher saw.

    python -m tests.integration.disk.load serve                  for each line on standard input: a child that does as it says
    python -m tests.integration.disk.load write FOLDER COUNT     so many transactions; mutants: --no-sync, --no-metasync
    python -m tests.integration.disk.load restore FOLDER COUNT   what a snapshot after so many transactions holds
    python -m tests.integration.disk.load fill FOLDER FAILURE    until the disk is full in one of the ways of `FAILURES`, and then on

What it writes is in history.py. The trace of recorder.c, which has to be loaded, takes what is told.

A child of `serve` is forked, so that a kill costs no start of an interpreter. `write FOLDER` writes until it is killed and prints what is
told, `hasty FOLDER` before it is true. `check FOLDER TOLD` opens a store after an accident and prints what is wrong with it, which may
kill it: LMDB trusts its pages.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lmdb

from kcore.base.clock import SystemClock
from kcore.base.entropy import SystemEntropy
from kcore.store import Engine, Mutation, StoreError, Submission
from kcore.store.restore import restore
from tests.integration.disk import history

Tell = Callable[[str], None]
Batch = tuple[int, int, Submission]
FAILURES = {"write": (1, errno.ENOSPC), "meta": (2, errno.ENOSPC), "sync": (3, errno.ENOSPC), "growth": (4, errno.ENOSPC)}
"""What fails on a full disk: a write, that of LMDB's meta page, the sync of what was promised a place; or the file cannot grow further."""


class Load:
    """Transactions in batches, one on its way to the disk while the next is submitted."""

    def __init__(self, folder: Path, tell: Tell, sync: bool = True, hasty: bool = False) -> None:
        """`hasty` tells of a write before it is durable: a mutant."""
        self.engine = Engine(folder, SystemClock(), SystemEntropy(), sync=sync)
        self.tell, self.hasty = tell, hasty
        self.n = history.reached(self.engine)
        self.engine.subscribe(self.saw)

    def saw(self, mutations: Sequence[Mutation], revision: int) -> None:
        counts = [int(m.value) for m in mutations if m.key == history.COUNTER and m.value is not None]
        assert counts == list(range(counts[0], counts[0] + len(counts)))
        self.tell(f"saw {counts[0]} {counts[-1]}")

    def submit(self) -> Batch:
        first, size = self.n + 1, history.batch_size(self.n)
        for n in range(first, first + size):
            last = self.engine.submit(history.txn(n))
        self.n += size
        return first, self.n, last

    async def arrive(self, batch: Batch) -> None:
        first, last, submission = batch
        if self.hasty:
            self.tell(f"ack {first} {last}")
        await submission.durable()
        if not self.hasty:
            self.tell(f"ack {first} {last}")
        if last // 300 > first // 300:
            self.engine.compact(self.engine.revision - history.HISTORY)

    async def run(self, count: int) -> None:
        end = self.n + count
        batch = self.submit()
        while self.n < end:
            await asyncio.sleep(0)
            following = self.submit()
            await self.arrive(batch)
            batch = following
        await self.arrive(batch)


def print_line(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # in one piece, whatever happens next


def serve() -> None:
    for line in sys.stdin:
        command, folder, *told = line.rstrip("\n").split(" ", 2)
        child = os.fork()
        if child == 0:
            print_line(f"pid {os.getpid()}")
            if command in ("write", "hasty"):
                asyncio.run(write(Path(folder), 1 << 60, print_line, hasty=command == "hasty"))
            else:
                print_line(json.dumps(checked(Path(folder), history.Told(**json.loads(told[0])))))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print_line(f"end {os.waitstatus_to_exitcode(status)}")


def checked(folder: Path, told: history.Told) -> tuple[list[str], int]:
    """What is wrong with a store, and the transaction up to which a watcher that resumed has seen it."""
    try:
        engine = Engine(folder, SystemClock(), SystemEntropy(), threaded=False, sync=False)
    except StoreError as error:
        return [f"the store cannot be opened: {error}"], told.seen
    faults = history.faults_of(engine, told)
    engine.close()
    return faults, told.seen


async def write(folder: Path, count: int, tell: Tell, sync: bool = True, hasty: bool = False) -> None:
    load = Load(folder, tell, sync, hasty)
    tell(f"open {load.n}")
    await load.run(count)
    load.engine.close()


async def fill(folder: Path, failure: str, tell: Tell, recorder: Any) -> None:
    load = Load(folder, tell)
    await load.run(100)
    kind, number = FAILURES[failure]
    recorder.recorder_fail(kind, number)
    for _ in range(3):
        try:
            await load.arrive(load.submit())
        except StoreError as error:
            tell(f"refused {error.kind}: {error}")
        load.n = history.reached(load.engine)
        kept = load.engine.range(b"", b"\0").kvs
        tell(f"read {kept == history.state(load.n)}")
    recorder.recorder_fail(kind, 0)
    await load.run(100)
    tell(f"recovered {load.n}")
    load.engine.close()


def without_metasync(opened: Callable[..., lmdb.Environment]) -> Callable[..., lmdb.Environment]:
    return lambda *arguments, **options: opened(*arguments, **{**options, "metasync": False})


def main(command: str, *arguments: str) -> None:
    if command == "serve":
        serve()
        return
    recorder = ctypes.CDLL(None)

    def tell(line: str) -> None:
        recorder.recorder_tell(line.encode())

    folder, what = Path(arguments[0]), arguments[1]
    if command == "fill":
        asyncio.run(fill(folder, what, tell, recorder))
        return
    if command == "restore":
        n = int(what)
        restore(folder, n + 1, history.state(n), {})
        tell(f"ack 1 {n}")
        return
    if "--no-metasync" in arguments:
        lmdb.open = without_metasync(lmdb.open)  # type: ignore[assignment]
    asyncio.run(write(folder, int(what), tell, "--no-sync" not in arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
