"""However late news is and whenever controllers die, a StatefulSet makes no pod that nobody asked for, none before its predecessors were
ready, takes no more pods away at once than it may, and ends with one pod an ordinal, all of the newest template.
"""

import contextlib
from math import inf
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.base import virtual_loop
from kcore.base.clock import VirtualClock
from kcore.controllers import stateful_pods
from kcore.controllers.adoption import controller_of, is_deleting
from kcore.controllers.pod_state import is_active, is_ready
from kcore.machinery import status
from kcore.machinery.status import StatusError
from kcore.testing.fake_server import Mutation
from tests.property.controllers.world import CLAIMS, PODS, REVISIONS, STATEFULSETS, World, pod, statefulset, world

CONTROLLERS = ("statefulset", "garbage-collector")


class Watched:
    """Notes what a set asked for and which of its pods were ready, and when; news is several lags late, and so is what follows from it."""

    def __init__(self, here: World, ordered: bool) -> None:
        self.here, self.ordered = here, ordered
        self.asked: list[tuple[float, range]] = []
        self.ready_until: dict[int, float] = {}
        self.made: set[int] = set()
        here.server.subscribe(self.committed)

    def committed(self, mutations: list[Mutation]) -> None:
        for mutation in mutations:
            now = self.here.clock.monotonic()
            if mutation.resource is STATEFULSETS:
                self.asked.append((now, stateful_pods.ordinals(mutation.new)))
            elif mutation.resource is PODS and controller_of(mutation.new) is not None:
                self.pod_changed(mutation, now, self.here.all(STATEFULSETS)[0])

    def pod_changed(self, mutation: Mutation, now: float, owner: Any) -> None:
        ordinal = stateful_pods.ordinal_of(owner, mutation.new)
        if mutation.type == "ADDED":
            self.check_made(ordinal, now)
            self.made.add(ordinal)
        if mutation.type != "DELETED" and is_ready(mutation.new):
            self.ready_until[ordinal] = inf
        elif self.ready_until.get(ordinal) == inf:
            self.ready_until[ordinal] = now

    def check_made(self, ordinal: int, now: float) -> None:
        """A new pod must have been asked for lately, and with OrderedReady those before it must have been ready lately."""
        since = now - 25 * self.here.lag_s
        ends = [*(time for time, _ in self.asked[1:]), now]
        lately = [asked for (_, asked), end in zip(self.asked, ends, strict=True) if end >= since]
        wanted = [asked for asked in lately if ordinal in asked]
        if not wanted:
            self.here.violations.append(f"{now:.3f}: nobody asked for pod {ordinal}")
        elif self.ordered:
            start = max(asked.start for asked in wanted)
            late = [before for before in range(start, ordinal) if self.ready_until.get(before, -inf) < since]
            if late:
                self.here.violations.append(f"{now:.3f}: pod {ordinal} came before {late} were ready")


@settings(max_examples=20)
@given(st.integers(0, 1 << 32))
def test_crashes_and_late_news_never_make_a_pod_that_nobody_asked_for(seed: int) -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with world(seed, clock) as here:
            here.controllers = CONTROLLERS
            management = here.chance.choice(["OrderedReady", "Parallel"])
            watched = Watched(here, ordered=management == "OrderedReady")
            here.create(statefulset("web", 3, management, here.chance.randrange(1, 3)))
            await here.start()
            for _ in range(25):
                await _disturb(here)
            await here.restart()
            await here.until(lambda: _is_settled(here), within_s=600.0)
            await here.clock.sleep(5)
            assert _is_settled(here), f"seed {seed}"
            assert here.violations == [], f"seed {seed}"
            claims = {f"data-web-{ordinal}" for ordinal in watched.made}
            assert {claim.metadata.name for claim in here.all(CLAIMS)} >= claims, f"seed {seed}"
            assert len(here.all(REVISIONS)) <= 3, f"seed {seed}"

    virtual_loop.run(story(), clock)


@settings(max_examples=15)
@given(st.integers(0, 1 << 32))
def test_updates_never_take_more_pods_than_may_be_unavailable(seed: int) -> None:
    clock = VirtualClock()

    async def story() -> None:
        async with world(seed, clock) as here:
            here.controllers = CONTROLLERS
            unavailable = here.chance.randrange(1, 4)
            here.create(statefulset("web", 5, here.chance.choice(["OrderedReady", "Parallel"]), unavailable))
            await here.start()
            await here.until(lambda: _is_settled(here))
            here.server.subscribe(lambda _: _check_available(here, 5 - unavailable))
            for _ in range(25):
                await here.clock.sleep(here.chance.random() * 5 * here.lag_s)
                await _do(here, here.chance.choice(["image", "back", "restart", "crash", "lost answer", "break", "compact"]))
            await here.until(lambda: _is_settled(here), within_s=600.0)
            assert here.violations == [], f"seed {seed}"

    virtual_loop.run(story(), clock)


def _check_available(here: World, least: int) -> None:
    available = [found.metadata.name for found in here.all(PODS) if is_ready(found) and is_active(found)]
    if len(available) < least:
        here.violations.append(f"{here.clock.monotonic():.3f}: only {available} are available")


async def _disturb(here: World) -> None:
    """Let something happen at any moment."""
    await here.clock.sleep(here.chance.random() * 10 * here.lag_s)
    deed = here.chance.choice([
        "crash", "restart", "delete", "fail", "scale", "move", "image", "back", "stray", "lose", "lost answer", "break", "compact",
    ])  # fmt: skip
    await _do(here, deed)


async def _do(here: World, deed: str) -> None:
    with contextlib.suppress(StatusError):
        if deed == "crash":
            await here.crash()
            await here.clock.sleep(here.chance.random() * here.lag_s)
            await here.start()
        elif deed == "restart":
            await here.restart()
        elif deed in ("delete", "fail"):
            _hurt(here, deed)
        elif deed in ("scale", "move", "image", "back"):
            here.change(STATEFULSETS, "default/web", lambda found: _edit(here, found, deed))
        elif deed == "stray":
            here.create(pod(f"web-{here.chance.randrange(5)}", app="web"))
        elif deed == "lose":
            here.transport.fail("create", status.internal("out of luck"), times=2)
        elif deed == "lost answer":
            here.transport.fail("bulk", status.service_unavailable("lost"), after=True)
        else:
            if deed == "compact":
                here.server.compact()
            here.transport.break_streams(status.service_unavailable("broken"))


def _hurt(here: World, deed: str) -> None:
    active = [found for found in here.all(PODS) if is_active(found)]
    if not active:
        return
    found = here.chance.choice(active)
    if deed == "delete":
        here.delete(PODS, f"default/{found.metadata.name}")
    else:
        found.status.phase = "Failed"
        here.server.update(PODS, found, "status")


def _edit(here: World, found: Any, deed: str) -> None:
    if deed == "scale":
        found.spec.replicas = here.chance.randrange(6)
    elif deed == "move":
        found.spec.ordinals.start = here.chance.randrange(3)
    else:
        found.spec.template.spec.containers[0].image = "web:1" if deed == "back" else f"web:{here.chance.randrange(100)}"


def _is_settled(here: World) -> bool:
    """Tell whether there is one ready pod for each ordinal, of the newest template, and the status says so."""
    (owner,) = here.all(STATEFULSETS)
    found = here.pods_of(owner)
    image = owner.spec.template.spec.containers[0].image
    size, state = owner.spec.replicas, owner.status
    return (
        sorted(stateful_pods.ordinal_of(owner, item) for item in found) == list(stateful_pods.ordinals(owner))
        and all(is_ready(item) and not is_deleting(item) and item.spec.containers[0].image == image for item in found)
        and state.replicas == state.availableReplicas == state.updatedReplicas == state.currentReplicas == size
        and state.currentRevision == state.updateRevision
        and len(here.all(REVISIONS)) <= 3
    )
