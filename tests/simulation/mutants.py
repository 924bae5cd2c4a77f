"""Wrong planes: each has one fault that a checker exists for, put in for the time of a run, and is what that checker is proven with."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from kcore.agent.podfleet import PodFleet
from kcore.apiserver.registry import Registry
from kcore.controllers import garbage_collector, rollout, stateful_plan, statefulset
from kcore.controllers.expectations import Expectations
from kcore.controllers.job import tracking
from kcore.controllers.rollout import Family
from kcore.scheduler.cache import Cache
from kcore.scheduler.core import Core
from kcore.store import Engine
from kcore.watch import Hub
from kcore.watch.watcher import Watcher


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is wrong, and the words of which one has to appear in what a seed finds wrong."""

    put_in: Callable[[], AbstractContextManager[None]]
    found_by: str


@contextmanager
def replaced(owner: Any, name: str, other: Any) -> Iterator[None]:
    """Put something in the place of a method for a while."""
    original = owner.__dict__[name]
    setattr(owner, name, other)
    try:
        yield
    finally:
        setattr(owner, name, original)


def expectations_removed() -> AbstractContextManager[None]:
    """Controllers act on what they see, whatever they have sent."""
    return replaced(Expectations, "satisfied", lambda self, key, now: True)


def assumed_pod_not_forgotten() -> AbstractContextManager[None]:
    """A pod whose binding failed stays where it was assumed, as if it were there."""
    return replaced(Core, "refused", lambda self, pods: None)


def assumed_pod_not_counted() -> AbstractContextManager[None]:
    """The room of a pod that was sent to a node counts only when the API shows it there."""

    def assume(self: Any, pod: Any, node_name: str) -> None:
        put(self, pod, node_name, True)
        self._columns.displace(node_name, pod.account)

    def confirm(self: Any, pod: Any) -> Any:
        if self.is_assumed(pod.key):
            placed = self._pods[pod.key]
            self._columns.place(placed.node_name, placed.account)
        return confirmed(self, pod)

    put, confirmed = Cache._put, Cache.confirm
    stack = ExitStack()
    stack.enter_context(replaced(Cache, "assume", assume))
    stack.enter_context(replaced(Cache, "confirm", confirm))
    return stack


def dropped_watch_event() -> AbstractContextManager[None]:
    """Now and then the hub forgets to offer a change to a watch."""
    offer, count = Watcher.offer, itertools.count()

    def forgetful(self: Any, change: Any) -> None:
        if next(count) % 97 != 96:
            offer(self, change)

    return replaced(Watcher, "offer", forgetful)


def resumed_too_late() -> AbstractContextManager[None]:
    """A watch that comes back misses the first change after its revision."""
    since = Hub.since
    return replaced(Hub, "since", lambda self, state, after: since(self, state, after)[1:])


def address_released_too_early() -> AbstractContextManager[None]:
    """The address of a pod is free as soon as it is to go, not when it is gone."""
    look = PodFleet._look

    def hasty(self: Any, pod: Any, seen: Any, now: Any) -> None:
        look(self, pod, seen, now)
        if seen is not None and seen.metadata.HasField("deletionTimestamp"):
            self._release(pod, now)

    return replaced(PodFleet, "_look", hasty)


def compare_left_out_of_updates() -> AbstractContextManager[None]:
    """An update is taken whatever it was made from."""
    match = Registry.match

    def blind(self: Any, write: Any, new: Any, old: Any) -> None:
        new.setdefault("metadata", {})["resourceVersion"] = old["metadata"]["resourceVersion"]
        match(self, write, new, old)

    return replaced(Registry, "match", blind)


def compare_left_out_of_creates() -> AbstractContextManager[None]:
    """A create is taken whatever is there."""
    stack = ExitStack()
    stack.enter_context(replaced(Registry, "refuse_existing", lambda self, _write: None))
    stack.enter_context(replaced(Engine, "holds", lambda self, compare: True))
    return stack


def surge_counted_twice() -> AbstractContextManager[None]:
    """A rollout makes one pod more than it may."""
    return replaced(Family, "maximum", property(lambda self: self.replicas + self.surge + 1))


def unavailable_counted_twice() -> AbstractContextManager[None]:
    """A rollout takes one pod more away than it may."""
    fenceposts = rollout.fenceposts

    def generous(spec: Any) -> tuple[int, int]:
        surge, unavailable = fenceposts(spec)
        return surge, unavailable + 1

    return replaced(rollout, "fenceposts", generous)


def ordinal_filled_too_early() -> AbstractContextManager[None]:
    """A pod that is to go holds its ordinal no longer, and the next one has another name."""
    new_pod, begin, count = stateful_plan.new_pod, stateful_plan._Walk.__init__, itertools.count()

    def renamed(owner: Any, revision: str, ordinal: int) -> Any:
        pod = new_pod(owner, revision, ordinal)
        pod.metadata.name = f"{owner.metadata.name}-x{next(count)}-{ordinal}"
        return pod

    def hasty(self: Any, observed: Any, planned: Any) -> None:
        begin(self, observed, planned)
        self._pods = {ordinal: pod for ordinal, pod in self._pods.items() if not pod.metadata.HasField("deletionTimestamp")}

    stack = ExitStack()
    stack.enter_context(replaced(stateful_plan, "new_pod", renamed))
    stack.enter_context(replaced(stateful_plan._Walk, "__init__", hasty))
    for module in (stateful_plan, statefulset):
        stack.enter_context(replaced(module, "ordinal_of", lambda _owner, pod: int(pod.metadata.name.rpartition("-")[2])))
    return stack


def order_of_ordinals_forgotten() -> AbstractContextManager[None]:
    """The pods of a StatefulSet are made without waiting for those before them."""
    return replaced(stateful_plan, "is_available", lambda pod, owner, now: True)


def counted_pods_stay_noted() -> AbstractContextManager[None]:
    """A pod that a Job has counted is counted again at the next look."""
    count = tracking._count

    def forgetful(status: Any, held: Any) -> None:
        noted = status.uncountedTerminatedPods.succeeded
        before = list(noted)
        count(status, held)
        del noted[:]
        noted.extend(before)

    return replaced(tracking, "_count", forgetful)


def orphans_left() -> AbstractContextManager[None]:
    """An owner that went is taken for one that stands."""
    state = garbage_collector.Reconciler._state

    async def trusting(self: Any, node: Any, owner: Any) -> str | None:
        found = await state(self, node, owner)
        return garbage_collector.STANDS if found == garbage_collector.WENT else found

    return replaced(garbage_collector.Reconciler, "_state", trusting)


MUTANTS: Final[Mapping[str, Mutant]] = {
    "expectations removed": Mutant(expectations_removed, "ReplicaSets at"),
    "assumed pod not forgotten": Mutant(assumed_pod_not_forgotten, "waits, though"),
    "assumed pod not counted": Mutant(assumed_pod_not_counted, "Capacity at"),
    "dropped watch event": Mutant(dropped_watch_event, "LostEvents"),
    "resumed too late": Mutant(resumed_too_late, "LostEvents"),
    "address released too early": Mutant(address_released_too_early, "Addresses at"),
    "compare left out of updates": Mutant(compare_left_out_of_updates, "LostUpdates"),
    "compare left out of creates": Mutant(compare_left_out_of_creates, "LostUpdates"),
    "surge counted twice": Mutant(surge_counted_twice, "Surges at"),
    "unavailable counted twice": Mutant(unavailable_counted_twice, "Availability at"),
    "ordinal filled too early": Mutant(ordinal_filled_too_early, "has two pods"),
    "order of ordinals forgotten": Mutant(order_of_ordinals_forgotten, "StatefulSets at"),
    "counted pods stay noted": Mutant(counted_pods_stay_noted, "Jobs at"),
    "orphans left": Mutant(orphans_left, "which is gone"),
}
