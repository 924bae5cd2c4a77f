"""The garbage collector on a fake API server: background, foreground, orphans, owners that are not there."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from kcore.api.core.v1.config_map_pb2 import ConfigMap
from kcore.api.core.v1.secret_pb2 import Secret
from kcore.base import virtual_loop
from kcore.base.clock import VirtualClock
from kcore.client import kinds
from tests.property.controllers.world import EVENTS, World, world

CONFIGMAPS = kinds.resource("", "v1", "configmaps")


class Story:
    """ConfigMaps that own each other."""

    def __init__(self, here: World) -> None:
        self.here = here

    def make(self, name: str, *owners: str, blocks: bool = False, finalizer: str = "", namespace: str = "default", **reference: str) -> Any:
        found = ConfigMap()
        found.metadata.name, found.metadata.namespace = name, namespace
        for owner in owners:
            known = self.get(owner)
            uid = known.metadata.uid if known is not None else "00000000-0000-4000-8000-000000000001"
            given = {"apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": uid, **reference}
            found.metadata.ownerReferences.add(blockOwnerDeletion=blocks, **given)
        if finalizer:
            found.metadata.finalizers.append(finalizer)
        return self.here.server.create(CONFIGMAPS, found)

    def get(self, name: str) -> Any:
        return next((found for found in self.here.all(CONFIGMAPS) if found.metadata.name == name), None)

    def delete(self, name: str, policy: str = "") -> None:
        self.here.delete(CONFIGMAPS, f"default/{name}", policy)

    def change(self, name: str, change: Callable[[Any], Any]) -> None:
        self.here.change(CONFIGMAPS, f"default/{name}", change)

    def left(self) -> list[str]:
        return sorted(found.metadata.name for found in self.here.all(CONFIGMAPS))

    def owners(self, name: str) -> list[str]:
        return [reference.name for reference in self.get(name).metadata.ownerReferences]

    async def settle(self) -> None:
        await self.here.clock.sleep(5.0)


def tell(story: Callable[[Story], Awaitable[None]]) -> None:
    """Run a story with a garbage collector."""
    clock = VirtualClock()

    async def run() -> None:
        async with opened(clock) as made:
            await story(made)

    virtual_loop.run(run(), clock)


@asynccontextmanager
async def opened(clock: VirtualClock) -> AsyncIterator[Story]:
    async with world(1, clock) as here:
        here.controllers = ("garbage-collector",)
        await here.start()
        yield Story(here)


def test_dependents_go_with_their_owner_by_default() -> None:
    async def story(here: Story) -> None:
        here.make("own")
        here.make("mid", "own")
        here.make("leaf", "mid")
        here.make("other")
        await here.settle()
        here.delete("own")
        await here.settle()
        assert here.left() == ["other"]

    tell(story)


def test_orphans_lose_the_reference_and_stay() -> None:
    async def story(here: Story) -> None:
        here.make("own")
        here.make("a", "own")
        here.make("b", "own")
        await here.settle()
        here.delete("own", "Orphan")
        await here.settle()
        assert here.left() == ["a", "b"] and here.owners("a") == here.owners("b") == []

    tell(story)


def test_an_owner_waits_in_foreground_for_dependents_that_block_it() -> None:
    async def story(here: Story) -> None:
        here.make("own")
        here.make("a", "own", blocks=True, finalizer="example.com/hold")
        await here.settle()
        here.delete("own", "Foreground")
        await here.settle()
        assert here.left() == ["a", "own"]
        here.change("a", lambda found: found.metadata.ClearField("finalizers"))
        await here.settle()
        assert here.left() == []

    tell(story)


def test_an_owner_does_not_wait_for_dependents_that_do_not_block_it() -> None:
    async def story(here: Story) -> None:
        here.make("own")
        here.make("a", "own", finalizer="example.com/hold")
        await here.settle()
        here.delete("own", "Foreground")
        await here.settle()
        assert here.left() == ["a"] and here.get("a").metadata.HasField("deletionTimestamp")

    tell(story)


def test_of_two_owners_only_the_reference_to_the_one_that_went_is_removed() -> None:
    async def story(here: Story) -> None:
        for name in ("own", "other"):
            here.make(name)
        here.make("a", "own", "other")
        here.make("b", "own", "other", blocks=True)
        await here.settle()
        here.delete("own", "Foreground")
        await here.settle()
        assert here.left() == ["a", "b", "other"]
        assert here.owners("a") == here.owners("b") == ["other"]

    tell(story)


def test_a_dependent_of_an_owner_that_never_was_goes() -> None:
    async def story(here: Story) -> None:
        here.make("a", "ghost")
        await here.settle()
        assert here.left() == []

    tell(story)


def test_an_absent_owner_beside_a_present_one_is_only_forgotten() -> None:
    async def story(here: Story) -> None:
        here.make("own")
        here.make("a", "own", "ghost")
        await here.settle()
        assert here.left() == ["a", "own"] and here.owners("a") == ["own"]

    tell(story)


def test_an_owner_in_another_namespace_counts_as_absent_and_is_told_of() -> None:
    async def story(here: Story) -> None:
        here.make("own", namespace="far")
        here.make("a", "own")
        await here.settle()
        assert here.left() == ["own"]
        told = [found for found in here.here.all(EVENTS) if found.reason == "OwnerRefInvalidNamespace"]
        uid = here.get("own").metadata.uid
        message = f'ownerRef [v1/ConfigMap, namespace: default, name: own, uid: {uid}] does not exist in namespace "default"'
        assert [(found.type, found.message, found.involvedObject.name) for found in told] == [("Warning", message, "a")]

    tell(story)


def test_an_owner_of_a_kind_that_does_not_exist_keeps_its_dependent() -> None:
    async def story(here: Story) -> None:
        here.make("a", "x", apiVersion="example.com/v1", kind="Nothing")
        await here.settle()
        assert here.left() == ["a"] and here.owners("a") == ["x"]

    tell(story)


def test_a_uid_under_the_wrong_kind_counts_as_absent() -> None:
    async def story(here: Story) -> None:
        here.make("own")
        here.make("a", "own", kind="Secret")
        await here.settle()
        assert here.left() == ["own"]

    tell(story)


def test_a_circle_in_foreground_goes() -> None:
    async def story(here: Story) -> None:
        here.make("own")
        here.make("a", "own", blocks=True)
        uid = here.get("a").metadata.uid
        here.change(
            "own",
            lambda found: found.metadata.ownerReferences.add(
                apiVersion="v1", kind="ConfigMap", name="a", uid=uid, blockOwnerDeletion=True
            ),
        )
        await here.settle()
        here.delete("own", "Foreground")
        await here.settle()
        assert here.left() == []

    tell(story)


def test_a_dependent_made_while_its_owner_waits_goes_with_it() -> None:
    async def story(here: Story) -> None:
        here.make("own", finalizer="example.com/hold")
        here.delete("own", "Foreground")
        await here.settle()
        here.make("a", "own", blocks=True)
        here.change("own", lambda found: found.metadata.finalizers.remove("example.com/hold"))
        await here.settle()
        assert here.left() == []

    tell(story)


def test_after_a_restart_what_happened_meanwhile_is_made_up_for() -> None:
    async def story(here: Story) -> None:
        here.make("own")
        here.make("a", "own")
        here.make("kept")
        here.make("b", "kept")
        await here.settle()
        await here.here.crash()
        here.delete("own")
        await here.here.start()
        await here.settle()
        assert here.left() == ["b", "kept"]

    tell(story)


def test_other_kinds_are_collected_too() -> None:
    async def story(here: Story) -> None:
        here.make("own")
        secret = Secret()
        secret.metadata.name = "s"
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "own", "uid": here.get("own").metadata.uid}
        secret.metadata.ownerReferences.add(**reference)
        here.here.create(secret)
        await here.settle()
        here.delete("own")
        await here.settle()
        assert here.here.all(kinds.resource("", "v1", "secrets")) == []

    tell(story)
