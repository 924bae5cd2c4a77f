"""However late news is and whenever controllers die: completions are counted once, and there are never more pods than asked for."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.base import virtual_loop
from kcore.base.clock import VirtualClock
from kcore.controllers.job import indexes
from kcore.controllers.job.pods import is_finished
from kcore.controllers.pod_state import is_active
from kcore.machinery import status
from kcore.machinery.status import StatusError
from tests.property.controllers.batch_world import JOBS, PODS, BatchWorld, batch_world, job, pick

CONTROLLERS = ("job", "job-orphan", "garbage-collector")
UNBOUNDED = 2**31 - 1


@settings(max_examples=12)
@given(st.integers(0, 1 << 32))
def test_each_completion_is_counted_once_and_all_jobs_end(seed: int) -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with batch_world(seed, clock) as here:
            here.controllers = CONTROLLERS
            here.fate = lambda pod: here.chance.choices(["Succeeded", "Failed"], [4, 1])[0]
            policy = here.chance.choice(["Failed", "TerminatingOrFailed"])
            here.create(job("plain", 9, 3, backoffLimit=UNBOUNDED, podReplacementPolicy=policy))
            here.create(job("indexed", 7, 3, indexed=True, backoffLimit=UNBOUNDED, podReplacementPolicy=policy))
            here.create(job("any", None, 2, backoffLimit=UNBOUNDED))
            await here.start()
            for _ in range(25):
                await _disturb(here)
            await here.restart()
            await here.until(lambda: all(is_finished(found) for found in here.all(JOBS)), within_s=6_000.0)
            await here.until(lambda: not here.tracked(), within_s=60.0)
            assert here.violations == [], f"seed {seed}"
            _check_ends(here)

    virtual_loop.run(story(), clock)


def _check_ends(here: BatchWorld) -> None:
    """All Jobs have completed, with as many successes as they asked for and as there are pods that succeeded."""
    found = {one.metadata.name: one for one in here.all(JOBS)}
    for name, one in found.items():
        said = {item.type for item in one.status.conditions if item.status == "True"}
        assert said - {"Suspended"} == {"SuccessCriteriaMet", "Complete"}, name
        assert (one.status.active, one.status.ready, one.status.terminating) == (0, 0, 0), name
        assert not one.status.uncountedTerminatedPods.succeeded and not one.status.uncountedTerminatedPods.failed, name
    assert found["plain"].status.succeeded == 9
    assert found["indexed"].status.succeeded == 7 and indexes.parse(found["indexed"].status.completedIndexes, 7) == ((0, 6),)
    assert found["any"].status.succeeded >= 1


async def _disturb(here: BatchWorld) -> None:
    """Let something happen at any moment."""
    await here.clock.sleep(here.chance.random() * 4 * here.lag_s)
    deed = here.chance.choice(["crash", "restart", "delete", "scale", "suspend", "lose", "lost answer", "break", "compact"])
    name = f"default/{here.chance.choice(['plain', 'indexed', 'any'])}"
    with contextlib.suppress(StatusError):
        if deed == "crash":
            await here.crash()
            await here.clock.sleep(here.chance.random() * here.lag_s)
            await here.start()
        elif deed == "restart":
            await here.restart()
        elif deed == "delete":
            found = pick(here.chance, [pod for pod in here.all(PODS) if is_active(pod)])
            if found is not None:
                here.delete(PODS, f"default/{found.metadata.name}")
        elif deed == "scale":
            size = here.chance.randrange(1, 5)
            here.change(JOBS, name, lambda found: setattr(found.spec, "parallelism", size))
        elif deed == "suspend":
            here.change(JOBS, name, lambda found: setattr(found.spec, "suspend", True))
            await here.clock.sleep(here.chance.random())
            here.change(JOBS, name, lambda found: setattr(found.spec, "suspend", False))
        elif deed == "lose":
            here.transport.fail("create", status.internal("out of luck"), times=2)
        elif deed == "lost answer":
            here.transport.fail("bulk", status.service_unavailable("lost"), after=True)
        elif deed == "break":
            here.transport.break_streams(status.service_unavailable("broken"))
        elif deed == "compact":
            here.server.compact()
            here.transport.break_streams(status.service_unavailable("broken"))


@settings(max_examples=5)
@given(st.integers(0, 1 << 32))
def test_a_job_that_fails_ends_all_its_pods_and_counts_them(seed: int) -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with batch_world(seed, clock) as here:
            here.controllers = CONTROLLERS
            here.fate = lambda pod: here.chance.choices(["Succeeded", "Failed"], [1, 1])[0]
            here.create(job("work", 20, 4, backoffLimit=2))
            await here.start()
            await here.until(lambda: here.server.get(JOBS, "default/work").status.failed > 0, within_s=300.0)
            await here.restart()
            await here.until(lambda: is_finished(here.server.get(JOBS, "default/work")), within_s=600.0)
            await here.until(lambda: not here.tracked(), within_s=60.0)
            found = here.server.get(JOBS, "default/work")
            uid = found.metadata.uid
            assert here.violations == [], f"seed {seed}"
            assert found.status.failed > 2
            assert found.status.failed + found.status.succeeded == len(here.failed[uid] | here.succeeded.get(uid, set()))
            assert not any(is_active(pod) for pod in here.all(PODS))

    virtual_loop.run(story(), clock)


@settings(max_examples=5)
@given(st.integers(0, 1 << 32))
def test_no_pod_of_a_deleted_job_is_held(seed: int) -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with batch_world(seed, clock) as here:
            here.controllers = CONTROLLERS
            here.create(job("work", 6, 3))
            await here.start()
            await here.clock.sleep(here.chance.random() * 3)
            here.delete(JOBS, "default/work", here.chance.choice(["Background", "Foreground", "Orphan"]))
            if here.chance.random() < 0.5:
                await here.restart()
            await here.until(lambda: not here.all(JOBS) and not here.tracked(), within_s=120.0)

    virtual_loop.run(story(), clock)
