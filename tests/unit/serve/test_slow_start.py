"""A part that does not become ready says what it waits for."""

import asyncio
import logging

import pytest

from kcore.base import limits, virtual_loop
from kcore.base.clock import VirtualClock
from kcore.serve import slow_start


async def never() -> None:
    await asyncio.Event().wait()


def test_it_tells_each_task_and_its_line_until_the_part_is_ready(caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock()
    ready = False

    async def main() -> None:
        nonlocal ready
        task = asyncio.create_task(never(), name="informer-pods")
        telling = asyncio.create_task(slow_start.tell(lambda: ready, clock))
        await clock.sleep(limits.SLOW_START_S * 1.5)
        ready = True
        await telling
        task.cancel()

    with caplog.at_level(logging.WARNING):
        virtual_loop.run(main(), clock)
    (record,) = caplog.records
    assert record.message == "not ready yet" and "informer-pods at locks.py:" in record.fields["waiting"]  # type: ignore[attr-defined]


def test_a_part_that_is_ready_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock()
    virtual_loop.run(slow_start.tell(lambda: True, clock), clock)
    assert not caplog.records
