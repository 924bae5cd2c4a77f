"""A process that writes into a store as fast as it can and prints each acknowledged write: `key revision`, a line each.

    python -m tests.integration.store_under_load FOLDER ROUND [FILE_BYTES_MAX]

Keys are of its round, so that a write is known by its name. It compacts now and then. With a limit on the size of files, a full disk
is met: it prints `full`, lifts the limit, and goes on until it has `recovered`.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

from kcore.base.clock import SystemClock
from kcore.base.entropy import SystemEntropy
from kcore.store import Engine, Put, StoreError, Txn

WRITES_PER_TURN = 40


def write(engine: Engine, name: str, number: int) -> tuple[bytes, object]:
    key = f"/{name}/{number}".encode()
    return key, engine.submit(Txn(success=[Put(key, key * 60), Put(b"/counter", b"%d" % number)]))


async def load(engine: Engine, name: str) -> None:
    number = 0
    while True:
        submissions = []
        for _ in range(WRITES_PER_TURN):
            number += 1
            submissions.append(write(engine, name, number))
        for key, submission in submissions:
            await submission.durable()  # type: ignore[attr-defined]
            print(key.decode(), submission.revision, flush=True)  # type: ignore[attr-defined]
        if number % (20 * WRITES_PER_TURN) == 0:
            engine.compact(engine.revision - 100)


async def fill_up(engine: Engine, limit: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    number = acknowledged = 0
    try:
        while True:
            number += 1
            _, submission = write(engine, "fill", number)
            await submission.durable()  # type: ignore[attr-defined]
            acknowledged = number
    except StoreError as error:
        print("full", error.kind, acknowledged, len(engine.keys(b"/fill/", b"/fill0")), flush=True)
    kept = engine.get(b"/counter")
    assert kept is not None
    assert int(kept.value) == acknowledged
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    _, submission = write(engine, "fill", number)
    await submission.durable()  # type: ignore[attr-defined]
    print("recovered", engine.revision, flush=True)
    engine.close()


async def main() -> None:
    engine = Engine(Path(sys.argv[1]), SystemClock(), SystemEntropy())
    print("open", engine.revision, flush=True)
    if len(sys.argv) > 3:
        await fill_up(engine, int(sys.argv[3]))
    else:
        await load(engine, sys.argv[2])


if __name__ == "__main__":
    asyncio.run(main())
