"""The thread that makes commits durable, one after the other, so that the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue

from kcore.store.log import Log, Work
from kcore.store.storage import StoreError

Done = Callable[[StoreError | None], None]


def commit(log: Log, work: Work) -> StoreError | None:
    """Write one commit; -> what went wrong, as a value, since it is told to those who wait."""
    try:
        log.append(work)
    except StoreError as error:
        return error
    except OSError as error:
        return StoreError("failed", f"the store's file failed: {error}")
    return None


class Writer:
    """A thread with a queue of commits; `done` is called in the loop's thread."""

    def __init__(self, log: Log, loop: asyncio.AbstractEventLoop) -> None:
        self.log, self.loop = log, loop
        self.queue: SimpleQueue[tuple[Work, Done] | None] = SimpleQueue()
        self.thread = threading.Thread(target=self.run, name="store-writer", daemon=True)
        self.thread.start()

    def run(self) -> None:
        while (item := self.queue.get()) is not None:
            work, done = item
            error = commit(self.log, work)
            try:
                self.loop.call_soon_threadsafe(done, error)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return

    def hand_over(self, work: Work, done: Done) -> None:
        """Commit `work`, then call `done`."""
        self.queue.put((work, done))

    def stop(self) -> None:
        """End the thread after what was handed over."""
        self.queue.put(None)
        self.thread.join()
