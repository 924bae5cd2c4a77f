"""However late news is and whenever controllers die: one pod on each node that shall have one, and of the newest template in the end."""

import contextlib
from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kcore.base import virtual_loop
from kcore.base.clock import VirtualClock
from kcore.controllers.daemonset.pods import REVISION_LABEL, target_node
from kcore.controllers.history import REVISIONS
from kcore.controllers.pod_state import is_active, is_ready
from kcore.machinery import status
from kcore.machinery.status import StatusError
from tests.property.controllers.batch_world import DAEMONSETS, NODES, PODS, BatchWorld, batch_world, daemonset, node, pick

CONTROLLERS = ("daemonset", "garbage-collector")


@settings(max_examples=12)
@given(st.integers(0, 1 << 32))
@example(270)
def test_every_node_ends_with_one_pod_of_the_newest_template(seed: int) -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with batch_world(seed, clock) as here:
            here.controllers = CONTROLLERS
            here.surges = here.chance.random() < 0.5
            for number in range(5):
                here.create(node(f"n{number}", disk="ssd"))
            made = daemonset("web", *((2, 0) if here.surges else (0, 2)))
            made.spec.template.spec.nodeSelector["disk"] = "ssd"
            here.create(made)
            await here.start()
            for _ in range(25):
                await _disturb(here)
            await here.restart()
            await here.until(lambda: _is_settled(here), within_s=300.0)
            assert here.violations == [], f"seed {seed}"

    virtual_loop.run(story(), clock)


async def _disturb(here: BatchWorld) -> None:
    """Let something happen at any moment."""
    await here.clock.sleep(here.chance.random() * 4 * here.lag_s)
    deeds = ["crash", "restart", "image", "back", "delete", "fail", "node", "label", "cordon", "lose", "lost answer", "break", "compact"]
    deed = here.chance.choice(deeds)
    with contextlib.suppress(StatusError):
        if deed == "crash":
            await here.crash()
            await here.clock.sleep(here.chance.random() * here.lag_s)
            await here.start()
        elif deed == "restart":
            await here.restart()
        elif deed in ("image", "back"):
            image = "web:1" if deed == "back" else f"web:{here.chance.randrange(9)}"
            here.change(DAEMONSETS, "default/web", lambda found: setattr(found.spec.template.spec.containers[0], "image", image))
        elif deed in ("delete", "fail"):
            _end_one(here, deed)
        elif deed in ("node", "label", "cordon"):
            _change_node(here, deed)
        elif deed == "lose":
            here.transport.fail("create", status.internal("out of luck"), times=2)
        elif deed == "lost answer":
            here.transport.fail("bulk", status.service_unavailable("lost"), after=True)
        elif deed == "break":
            here.transport.break_streams(status.service_unavailable("broken"))
        elif deed == "compact":
            here.server.compact()
            here.transport.break_streams(status.service_unavailable("broken"))


def _end_one(here: BatchWorld, deed: str) -> None:
    found = pick(here.chance, [pod for pod in here.all(PODS) if is_active(pod)])
    if found is not None and deed == "delete":
        here.delete(PODS, f"default/{found.metadata.name}")
    elif found is not None and found.spec.nodeName:
        here.end(found, "Failed")


def _change_node(here: BatchWorld, deed: str) -> None:
    if deed == "node":
        here.create(node(f"n{len(here.all(NODES))}", disk="ssd"))
    name = here.chance.choice(here.all(NODES)).metadata.name
    if deed == "label":
        disk = here.chance.choice(["ssd", "hdd"])
        here.change(NODES, name, lambda found: found.metadata.labels.update({"disk": disk}))
    elif deed == "cordon":
        here.change(NODES, name, _taint)


def _taint(found: Any) -> None:
    del found.spec.taints[:]
    found.spec.taints.add(key="node.kubernetes.io/unschedulable", effect="NoSchedule")


def _is_settled(here: BatchWorld) -> bool:
    found = here.server.get(DAEMONSETS, "default/web")
    wanted = {one.metadata.name for one in here.all(NODES) if one.metadata.labels["disk"] == "ssd"}
    pods = here.all(PODS)
    image, said, size = found.spec.template.spec.containers[0].image, found.status, len(wanted)
    return (
        sorted(map(target_node, pods)) == sorted(wanted)
        and all(is_ready(pod) and pod.spec.containers[0].image == image for pod in pods)
        and len({pod.metadata.labels[REVISION_LABEL] for pod in pods}) <= 1
        and [said.desiredNumberScheduled, said.currentNumberScheduled, said.updatedNumberScheduled, said.numberAvailable] == [size] * 4
        and said.numberUnavailable == said.numberMisscheduled == 0
        and said.observedGeneration == found.metadata.generation
        and _has_right_revisions(here, image)
    )


def _has_right_revisions(here: BatchWorld, image: str) -> bool:
    """One revision for each template, and the highest number is the newest template's."""
    found = sorted(here.all(REVISIONS), key=lambda one: one.revision)
    data = [one.data.raw for one in found]
    return len(set(data)) == len(data) and len({one.revision for one in found}) == len(found) and image.encode() in data[-1]


@pytest.mark.parametrize(("surge", "unavailable"), [(0, 1), (0, 2), (1, 0), (2, 0)])
def test_an_undisturbed_rolling_update_keeps_to_its_bounds(surge: int, unavailable: int) -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with batch_world(surge * 7 + unavailable, clock) as here:
            here.controllers, here.surges = CONTROLLERS, surge > 0
            for number in range(6):
                here.create(node(f"n{number}"))
            here.create(daemonset("web", surge, unavailable))
            await here.start()
            await here.until(lambda: here.server.get(DAEMONSETS, "default/web").status.numberAvailable == 6)
            bounds = here.server.get(DAEMONSETS, "default/web").metadata.uid, 6 - unavailable, surge
            here.server.subscribe(lambda _: here.violations.extend(_out_of_bounds(here, *bounds)))
            here.change(DAEMONSETS, "default/web", lambda found: setattr(found.spec.template.spec.containers[0], "image", "web:2"))
            await here.until(lambda: all(pod.spec.containers[0].image == "web:2" for pod in here.all(PODS)) and len(here.all(PODS)) == 6)
            assert here.violations == []

    virtual_loop.run(story(), clock)


def _out_of_bounds(here: BatchWorld, uid: str, least: int, surge: int) -> list[str]:
    """A node counts as available with any ready pod; no more nodes than the surge have two."""
    pods = [pod for pod in here.all(PODS) if is_active(pod) and any(found.uid == uid for found in pod.metadata.ownerReferences)]
    available = {target_node(pod) for pod in pods if is_ready(pod)}
    doubled = sum(count > 1 for count in Counter(map(target_node, pods)).values())
    return [f"{len(available)} available, {doubled} doubled"] if len(available) < least or doubled > surge else []
