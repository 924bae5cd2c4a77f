"""Random owners, random deletions, late news and crashes: what is left is what a simple model says."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.api.core.v1.config_map_pb2 import ConfigMap
from kcore.base import virtual_loop
from kcore.base.clock import VirtualClock
from kcore.client import kinds
from tests.property.controllers.world import World, world

CONFIGMAPS = kinds.resource("", "v1", "configmaps")


@settings(max_examples=25)
@given(st.integers(0, 1 << 32))
def test_what_is_left_is_what_the_model_says(seed: int) -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with world(seed, clock) as here:
            here.controllers = ("garbage-collector",)
            await here.start()
            owners = _make(here, 20)
            await here.clock.sleep(3.0)
            gone = set[str]()
            for _ in range(6):
                name = here.chance.choice(sorted(owners))
                if name in {found.metadata.name for found in here.all(CONFIGMAPS)}:
                    here.delete(CONFIGMAPS, f"default/{name}", here.chance.choice(["", "Background", "Foreground"]))
                gone.add(name)
                if here.chance.random() < 0.3:
                    await here.restart()
                await here.clock.sleep(here.chance.random())
            await here.clock.sleep(60.0)
            left = {found.metadata.name for found in here.all(CONFIGMAPS)}
            assert left == _left(owners, gone), f"seed {seed}"
            referred = {reference.name for found in here.all(CONFIGMAPS) for reference in found.metadata.ownerReferences}
            assert referred <= left, f"seed {seed}"

    virtual_loop.run(story(), clock)


def _make(here: World, count: int) -> dict[str, list[str]]:
    """Make objects that are owned by former ones; returns the owners of each."""
    owners: dict[str, list[str]] = {}
    uids: dict[str, str] = {}
    for number in range(count):
        name = f"c{number}"
        owners[name] = here.chance.sample(sorted(owners), min(len(owners), here.chance.choice([0, 0, 1, 1, 1, 2])))
        found = ConfigMap()
        found.metadata.name = name
        for owner in owners[name]:
            blocks = here.chance.random() < 0.5
            found.metadata.ownerReferences.add(apiVersion="v1", kind="ConfigMap", name=owner, uid=uids[owner], blockOwnerDeletion=blocks)
        uids[name] = here.create(found).metadata.uid
    return owners


def _left(owners: dict[str, list[str]], deleted: set[str]) -> set[str]:
    """Return what was not deleted and has an owner left, or never had one; owners come before what they own."""
    left: set[str] = set()
    for name, own in owners.items():
        if name not in deleted and (not own or left.intersection(own)):
            left.add(name)
    return left
