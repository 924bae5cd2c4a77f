"""However late news is and whenever controllers die, a set never has a pod too many, and in the end has exactly as many as asked for.

One of the sets is a ReplicaSet, the other a ReplicationController.
"""
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.base import virtual_loop
from kcore.base.clock import VirtualClock
from kcore.client import kinds
from kcore.controllers.pod_state import is_active
from kcore.machinery import status
from tests.property.controllers.world import COUNTED, PODS, World, replicaset, replicationcontroller, world

CONTROLLERS = ("replicaset", "replicationcontroller", "garbage-collector")


@settings(max_examples=25)
@given(st.integers(0, 1 << 32))
def test_crashes_and_late_news_never_make_a_pod_too_many(seed: int) -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with world(seed, clock) as here:
            here.controllers = CONTROLLERS
            here.create(replicaset("web", 5))
            here.create(replicationcontroller("api", 3))
            await here.start()
            for _ in range(25):
                await _disturb(here)
            await here.restart()
            await here.until(lambda: _is_settled(here))
            await here.clock.sleep(5)
            assert _is_settled(here)
            assert here.violations == [], f"seed {seed}"

    virtual_loop.run(story(), clock)


async def _disturb(here: World) -> None:
    """Let something happen at any moment."""
    await here.clock.sleep(here.chance.random() * 2 * here.lag_s)
    owners = _owners(here)
    active = [found for found in here.all(PODS) if is_active(found)]
    deed = here.chance.choice(["crash", "restart", "delete", "fail", "scale", "lose", "lost answer", "break", "compact"])
    if deed == "crash":
        await here.crash()
        await here.clock.sleep(here.chance.random() * here.lag_s)
        await here.start()
    elif deed == "restart":
        await here.restart()
    elif deed == "delete" and active:
        found = here.chance.choice(active)
        here.delete(PODS, f"default/{found.metadata.name}")
    elif deed == "fail" and active:
        found = here.chance.choice(active)
        found.status.phase = "Failed"
        here.server.update(PODS, found, "status")
    elif deed == "scale":
        owner = here.chance.choice(owners)
        size = here.chance.randrange(9)
        here.change(kinds.of_message(owner), f"default/{owner.metadata.name}", lambda found: setattr(found.spec, "replicas", size))
    elif deed == "lose":
        here.transport.fail("create", status.internal("out of luck"), times=2)
    elif deed == "lost answer":
        here.transport.fail("bulk", status.service_unavailable("lost"), after=True)
    elif deed == "break":
        here.transport.break_streams(status.service_unavailable("broken"))
    elif deed == "compact":
        here.server.compact()
        here.transport.break_streams(status.service_unavailable("broken"))


def _is_settled(here: World) -> bool:
    return all(
        len(here.pods_of(owner)) == owner.spec.replicas == owner.status.replicas == owner.status.availableReplicas
        for owner in _owners(here)
    )


def _owners(here: World) -> list[Any]:
    return [owner for resource in COUNTED for owner in here.all(resource)]
