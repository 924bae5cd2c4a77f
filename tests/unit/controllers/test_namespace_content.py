"""A namespace that is being deleted on a fake API server: content first, pods before all else."""

from collections.abc import Awaitable, Callable

from kcore.api.core.v1.config_map_pb2 import ConfigMap
from kcore.base import virtual_loop
from kcore.base.clock import VirtualClock
from kcore.client import kinds
from kcore.controllers.namespace_content import deletable
from tests.property.controllers.world import EVENTS, NAMESPACES, PODS, World, pod, replicationcontroller, world

CONFIGMAPS = kinds.resource("", "v1", "configmaps")


def tell(story: Callable[[World], Awaitable[None]]) -> None:
    """Run a story with the namespace controller."""
    clock = VirtualClock()

    async def run() -> None:
        async with world(1, clock) as here:
            here.controllers = ("namespace",)
            await here.start()
            await story(here)

    virtual_loop.run(run(), clock)


def configmap(*finalizers: str) -> ConfigMap:
    found = ConfigMap()
    found.metadata.name = "x"
    found.metadata.finalizers.extend(finalizers)
    return found


def conditions(here: World) -> dict[str, tuple[str, str]]:
    return {found.type: (found.status, found.message) for found in here.server.get(NAMESPACES, "default").status.conditions}


def test_an_empty_namespace_goes_at_once() -> None:
    async def story(here: World) -> None:
        here.delete(NAMESPACES, "default")
        await here.until(lambda: here.all(NAMESPACES) == [], within_s=10.0)

    tell(story)


def test_content_goes_with_its_namespace() -> None:
    async def story(here: World) -> None:
        here.create(configmap())
        here.create(pod("a"))
        here.delete(NAMESPACES, "default")
        await here.until(lambda: here.all(NAMESPACES) == [], within_s=60.0)
        assert here.all(CONFIGMAPS) == here.all(PODS) == here.all(EVENTS) == []

    tell(story)


def test_nobody_waits_for_dependents_to_be_orphaned() -> None:
    async def story(here: World) -> None:
        here.create(replicationcontroller("old", 0))
        here.delete(NAMESPACES, "default")
        await here.until(lambda: here.all(NAMESPACES) == [], within_s=10.0)

    tell(story)


def test_a_finalizer_holds_the_namespace_until_it_is_gone_and_the_conditions_say_so() -> None:
    async def story(here: World) -> None:
        here.create(configmap("example.com/hold"))
        here.delete(NAMESPACES, "default")
        await here.until(lambda: len(conditions(here)) == 5)
        said = conditions(here)
        assert said["NamespaceContentRemaining"] == ("True", "Some resources are remaining: configmaps. has 1 resource instances")
        assert said["NamespaceDeletionContentFailure"][0] == "False"
        here.change(CONFIGMAPS, "default/x", lambda found: found.metadata.ClearField("finalizers"))
        await here.until(lambda: here.all(NAMESPACES) == [], within_s=3.0)

    tell(story)


def test_pods_go_before_everything_else() -> None:
    async def story(here: World) -> None:
        here.create(configmap())
        held = pod("a")
        held.metadata.finalizers.append("example.com/hold")
        here.create(held)
        here.delete(NAMESPACES, "default")
        await here.until(lambda: len(conditions(here)) == 5)
        assert len(here.all(CONFIGMAPS)) == 1
        assert conditions(here)["NamespaceContentRemaining"][1] == "Some resources are remaining: pods. has 1 resource instances"
        here.change(PODS, "default/a", lambda found: found.metadata.ClearField("finalizers"))
        await here.until(lambda: here.all(NAMESPACES) == [])

    tell(story)


def test_other_namespaces_are_left_alone() -> None:
    async def story(here: World) -> None:
        other = here.server.get(NAMESPACES, "default")
        other.metadata.name = "other"
        here.server.create(NAMESPACES, other)
        kept = configmap()
        kept.metadata.namespace = "other"
        here.server.create(CONFIGMAPS, kept)
        here.delete(NAMESPACES, "default")
        await here.until(lambda: len(here.all(NAMESPACES)) == 1)
        assert len(here.all(CONFIGMAPS)) == 1

    tell(story)


def test_every_kind_in_a_namespace_is_emptied_pods_first() -> None:
    resources = deletable()
    assert resources[0] is PODS
    assert {"configmaps", "secrets", "services", "deployments", "events", "leases"} <= {found.resource for found in resources}
    assert all(found.namespaced for found in resources)
