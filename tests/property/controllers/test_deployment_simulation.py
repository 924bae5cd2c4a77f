"""However templates and sizes change while controllers lag and die: a rollout ends with the newest template, at the right size, once."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.base import virtual_loop
from kcore.base.clock import VirtualClock
from kcore.controllers import revisions
from kcore.controllers.pod_state import is_active
from kcore.machinery import status
from kcore.machinery.status import StatusError
from tests.property.controllers.world import DEPLOYMENTS, PODS, REPLICASETS, World, deployment, world

CONTROLLERS = ("deployment", "replicaset", "garbage-collector")


@settings(max_examples=12)
@given(st.integers(0, 1 << 32))
def test_every_rollout_ends_with_the_newest_template_at_the_right_size(seed: int) -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with world(seed, clock) as here:
            here.controllers = CONTROLLERS
            surge = here.chance.randrange(3)
            made = deployment("web", 4, surge, here.chance.randrange(3) if surge else 1)
            if here.chance.random() < 0.2:
                made.spec.strategy.type = "Recreate"
                made.spec.strategy.ClearField("rollingUpdate")
            here.create(made)
            await here.start()
            for _ in range(12):
                await _disturb(here)
            await here.restart()
            await here.until(lambda: _is_complete(here) and _has_right_sets(here), within_s=300.0)
            assert here.violations == [], f"seed {seed}"

    virtual_loop.run(story(), clock)


async def _disturb(here: World) -> None:
    await here.clock.sleep(here.chance.random() * 10 * here.lag_s)
    deed = here.chance.choice(["image", "image", "back", "scale", "restart", "crash", "delete pod", "lost answer", "delete set", "by hand"])
    with contextlib.suppress(StatusError):
        if deed == "image":
            image = f"web:{here.chance.randrange(100)}"
            here.change(DEPLOYMENTS, "default/web", lambda found: setattr(found.spec.template.spec.containers[0], "image", image))
        elif deed == "back":
            here.change(DEPLOYMENTS, "default/web", lambda found: setattr(found.spec.template.spec.containers[0], "image", "web:1"))
        elif deed == "scale":
            size = here.chance.randrange(8)
            here.change(DEPLOYMENTS, "default/web", lambda found: setattr(found.spec, "replicas", size))
        elif deed == "restart":
            await here.restart()
        elif deed == "crash":
            await here.crash()
            await here.clock.sleep(here.chance.random())
            await here.start()
        elif deed == "delete pod":
            active = [found for found in here.all(PODS) if is_active(found)]
            if active:
                here.delete(PODS, f"default/{here.chance.choice(active).metadata.name}")
        elif deed == "lost answer":
            here.transport.fail("bulk", status.service_unavailable("lost"), after=True)
        elif deed == "delete set" and here.all(REPLICASETS):
            here.delete(REPLICASETS, f"default/{here.chance.choice(here.all(REPLICASETS)).metadata.name}", "Background")
        elif deed == "by hand" and here.all(REPLICASETS):
            name = here.chance.choice(here.all(REPLICASETS)).metadata.name
            here.change(REPLICASETS, f"default/{name}", lambda found: setattr(found.spec, "replicas", 3))


def _is_complete(here: World) -> bool:
    found = here.server.get(DEPLOYMENTS, "default/web")
    size, said = found.spec.replicas, found.status
    conditions = {item.type: (item.status, item.reason) for item in said.conditions}
    image = found.spec.template.spec.containers[0].image
    pods = [pod for pod in here.all(PODS) if is_active(pod)]
    return (
        said.observedGeneration == found.metadata.generation
        and [said.replicas, said.updatedReplicas, said.availableReplicas, said.unavailableReplicas] == [size, size, size, 0]
        and conditions["Available"][0] == "True"
        and conditions["Progressing"] == ("True", "NewReplicaSetAvailable")
        and len(pods) == size == sum(member.spec.replicas for member in here.all(REPLICASETS))
        and all(pod.spec.containers[0].image == image for pod in pods)
    )


def _has_right_sets(here: World) -> bool:
    """One set for each template, each with a revision of its own, the newest the Deployment's and the only one with pods."""
    found, sets = here.server.get(DEPLOYMENTS, "default/web"), here.all(REPLICASETS)
    images = [member.spec.template.spec.containers[0].image for member in sets]
    numbers = [revisions.revision_of(member) for member in sets]
    newest = max(numbers, default=0)
    return (
        len(set(images)) == len(images)
        and len(set(numbers)) == len(numbers)
        and 0 < newest == revisions.revision_of(found)
        and not any(member.spec.replicas for member in sets if revisions.revision_of(member) != newest)
    )
