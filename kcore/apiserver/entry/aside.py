"""Long work of a write, done beside the event loop.

A write is decided in one go, in the loop's thread. Of one that is large (hundreds of kilobytes) reading, judging and counting who owns what
take a second, and all others would wait. So such a write is decided in a greenlet: where it comes to work that is long and pure, it stands
still, a thread does the work, and the loop goes on.

    decide --done(work)--> stands still      the loop serves others      goes on with what came of it --> submits
                                \\--> thread: work() -------------------/

What it had looked up may be old by then. What it rests on is compared when it is submitted, as ever: if somebody else was faster, it is
decided anew, and at last in one go. Admission may have seen a namespace, a class or a limit a second ago, as in Kubernetes.

Thread: the event loop's; one thread does the work of all, one after the other. Cost: 50 ns where nothing is large.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

from kcore.apiserver.objects import Outcome
from kcore.base import garbage, limits
from kcore.machinery import status

T = TypeVar("T")
THREAD = ThreadPoolExecutor(1, "aside")


class Decision(greenlet):
    """A write that is being decided, and can stand still."""


def is_large() -> bool:
    """Whether it is a large write that is being decided."""
    return type(getcurrent()) is Decision


def done(work: Callable[..., T], *given: Any) -> T:
    """What comes of work that is pure: done at once, or beside the loop if a large write comes to it."""
    here = getcurrent()
    if type(here) is not Decision:
        return work(*given)
    assert here.parent is not None
    found: T = here.parent.switch(partial(work, *given))
    return found


async def decided(decide: Callable[[], Outcome]) -> Outcome:
    """Decide a large write; nothing else of the loop waits for its long work. Raises StatusError."""
    for _ in range(limits.LARGE_WRITE_TRIES):
        try:
            found = await stepwise(Decision(decide))
        except status.StatusError as error:
            if error.reason != "Conflict":
                raise
        else:
            found.warnings = await asyncio.get_running_loop().run_in_executor(THREAD, in_peace, found.all_warnings)
            found.doubts = list
            return found
    return decide()


async def stepwise(decision: Decision) -> Outcome:
    """Have a decision go on until it is made. Raises what it raises."""
    reached: Any = decision.switch()
    try:
        while not decision.dead:
            work = asyncio.get_running_loop().run_in_executor(THREAD, in_peace, reached)
            await asyncio.wait((work,))
            failed = work.exception()
            reached = decision.switch(work.result()) if failed is None else decision.throw(failed)
    finally:
        if not decision.dead:
            decision.throw()  # whoever waited for it is gone
    outcome: Outcome = reached
    return outcome


def in_peace(work: Callable[[], T]) -> T:
    """Do work in the thread; the collector, which holds all up while it looks through what is being made, waits until it is done."""
    with garbage.held_back():
        return work()
