"""Which failures are tried again, and when."""

import pytest

from kcore.client import retry
from kcore.client.retry import Backoff
from kcore.machinery import status
from kcore.machinery.status import StatusError
from tests.unit.client.virtual import run


def test_pauses_double_up_to_their_bound_and_chance_only_shortens_them():
    backoff = Backoff(0.1, 1.0, jitter=0.5)
    assert [backoff.pause_s(n, 0.0) for n in (1, 2, 3, 4, 5, 1000)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    assert backoff.pause_s(1, 1.0) == 0.05


def failing(errors):
    asked = []

    async def operation():
        asked.append(None)
        if len(asked) <= len(errors):
            raise errors[len(asked) - 1]
        return len(asked)

    return operation


def test_a_read_is_tried_again_while_the_server_is_away():
    async def test(world):
        operation = failing([status.service_unavailable("gone")] * 3)
        assert await retry.call(operation, retry.READS, world.clock, world.entropy) == 4
        assert 0.17 < world.clock.monotonic() <= 0.35

    run(test)


def test_attempts_end_and_the_last_failure_stands():
    async def test(world):
        with pytest.raises(StatusError, match="gone"):
            await retry.call(failing([status.service_unavailable("gone")] * 99), retry.READS, world.clock, world.entropy)
        assert world.clock.monotonic() < 40

    run(test)


def test_a_write_that_may_have_happened_is_not_tried_again():
    async def test(world):
        with pytest.raises(StatusError):
            await retry.call(failing([status.service_unavailable("gone")]), retry.WRITES, world.clock, world.entropy)

    run(test)


def test_a_write_that_was_refused_waits_as_long_as_the_server_asks():
    async def test(world):
        assert await retry.call(failing([status.too_many_requests("later", 3)]), retry.WRITES, world.clock, world.entropy) == 2
        assert world.clock.monotonic() == 3.0

    run(test)
