"""Leader election among processes on virtual time."""

import asyncio

import pytest

from kcore.client.election import LeaderElector
from kcore.client.retry import READS
from kcore.machinery import status
from tests.unit.client.virtual import run


class Candidate:
    """An elector in a task, and when it led."""

    def __init__(self, world, client, identity, work_s=1e9):
        self.world, self.work_s, self.log = world, work_s, []
        self.elector = LeaderElector(client, "kube-system", "part", identity, on_leading=self.note)
        self.task = asyncio.create_task(self.elector.run(self.lead))

    def note(self, leading):
        self.log.append((leading, self.world.clock.monotonic()))

    async def lead(self):
        await self.world.clock.sleep(self.work_s)

    async def stop(self):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def lease_of(world):
    return (await world.client.leases.get("part", namespace="kube-system")).spec


def test_one_leads_and_the_other_takes_over_after_a_lease_duration_when_it_dies():
    async def test(world):
        first_transport, first_client = world.new_client()
        first = Candidate(world, first_client, "a")
        await world.clock.sleep(1)
        second = Candidate(world, world.client, "b")
        await world.clock.sleep(60)
        assert first.elector.is_leading
        assert not second.elector.is_leading
        assert second.elector.holder == "a"
        first_transport.go_down()
        await world.clock.sleep(60)
        assert not first.elector.is_leading
        assert second.elector.is_leading
        stopped_at, started_at = first.log[-1][1], second.log[0][1]
        assert 69 <= stopped_at <= 72
        assert stopped_at + 4 < started_at < 82
        assert (await lease_of(world)).leaseTransitions == 1
        await first.task
        await second.stop()

    run(test)


def test_a_leader_that_ends_gives_the_lease_up():
    async def test(world):
        first = Candidate(world, world.client, "a")
        await world.clock.sleep(1)
        second = Candidate(world, world.client, "b")
        await world.clock.sleep(5)
        await first.stop()
        await world.clock.sleep(4)
        assert second.elector.is_leading
        await second.stop()
        assert (await lease_of(world)).holderIdentity == ""

    run(test)


def test_a_restarted_process_takes_its_own_lease_at_once():
    async def test(world):
        transport, client = world.new_client()
        first = Candidate(world, client, "a")
        await world.clock.sleep(5)
        transport.go_down()
        await first.stop()
        again = Candidate(world, world.client, "a")
        before = world.clock.monotonic()
        await world.clock.sleep(0.001)
        assert again.log == [(True, before)]
        await again.stop()

    run(test)


def test_a_short_failure_does_not_end_leading():
    async def test(world):
        leader = Candidate(world, world.client, "a")
        await world.clock.sleep(5)
        world.transport.go_down()
        await world.clock.sleep(7)
        world.transport.come_up()
        await world.clock.sleep(20)
        assert leader.log == [(True, 0.0)]
        await leader.stop()

    run(test)


def test_a_server_that_does_not_answer_ends_leading_in_time():
    async def test(world):
        leader = Candidate(world, world.client, "a")
        await world.clock.sleep(5)
        world.transport._delay_s, world.transport._clock = 1000.0, world.clock
        await leader.task
        assert leader.log[-1][0] is False
        assert world.clock.monotonic() <= 5 + 10 + 0.01

    run(test)


def test_what_leading_raises_is_raised():
    async def test(world):
        async def lead():
            raise KeyError("broken")

        elector = LeaderElector(world.client, "kube-system", "part", "a")
        with pytest.raises(KeyError):
            await elector.run(lead)
        assert (await lease_of(world)).holderIdentity == ""

    run(test)


def test_work_that_is_done_ends_leading():
    async def test(world):
        done = Candidate(world, world.client, "a", work_s=3)
        await done.task
        assert done.log == [(True, 0.0), (False, 3.0)]

    run(test)


def test_two_that_create_the_lease_together_do_not_both_lead():
    async def test(world):
        world.transport.fail("create", status.already_exists("leases", "coordination.k8s.io", "part"))
        both = [Candidate(world, world.client, name) for name in "ab"]
        await world.clock.sleep(10)
        assert sum(each.elector.is_leading for each in both) == 1
        for each in both:
            await each.stop()

    run(test)


def test_reads_of_the_lease_fit_into_the_renew_deadline():
    assert READS.backoff.max_s < 10
