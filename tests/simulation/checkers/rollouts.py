"""What a Deployment promises while it rolls out: never above replicas + surge, never below replicas - unavailable."""

from __future__ import annotations

from math import ceil, floor
from typing import Any, NamedTuple

from tests.simulation.checkers.owners import Asked, is_available, is_going, is_voluntary, owner_of
from tests.simulation.history import Change, Checker, History


class Bounds(NamedTuple):
    """What a Deployment's spec allows."""

    most: int
    least: int


def bounds(found: Any) -> Bounds:
    """Read a Deployment's bounds; without surge, one that may not be unavailable could never be replaced."""
    replicas, rolling = found.spec.replicas, found.spec.strategy.rollingUpdate
    surge = part_of(rolling.maxSurge, replicas, ceil)
    unavailable = part_of(rolling.maxUnavailable, replicas, floor)
    if not surge and not unavailable:
        unavailable = 1
    return Bounds(replicas + surge, max(0, replicas - unavailable))


def part_of(amount: Any, whole: int, rounded: Any) -> int:
    """A number, or a percentage of another."""
    if amount.type == 0:
        return int(amount.intVal)
    return int(rounded(int(amount.strVal.removesuffix("%")) * whole / 100))


class Surges(Checker):
    """The sets of a Deployment never ask for more than replicas and surge when one of them grows."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = Asked(bounds)

    def saw(self, change: Change, history: History) -> None:
        if change.kind == "Deployment" and change.new is not None:
            self.asked.saw(change.new.message)
        if change.kind != "ReplicaSet" or change.new is None:
            return
        found, before = change.new.message, 0 if change.old is None else change.old.message.spec.replicas
        reference = owner_of(found)
        if reference is None or reference.kind != "Deployment" or found.spec.replicas <= before:
            return
        total = sum(other.spec.replicas for other in sets_of(history, reference.uid))
        allowed = max((each.most for each in self.asked.since(reference.uid)), default=total)
        if total > allowed:
            self.wrong(change, f"the sets of {reference.name} ask for {total} pods, {allowed} are allowed")


class Availability(Checker):
    """A Deployment that once had all its pods available never takes so many away that fewer than asked for are left.

    What others took (nodes that went, people) is not held against it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked = Asked(bounds)
        self.by_hand: set[str] = set()
        self.least: dict[str, int] = {}
        self.lost: dict[str, int] = {}

    def saw(self, change: Change, history: History) -> None:
        if change.kind == "Deployment" and change.new is not None:
            found = change.new.message
            self.asked.saw(found)
            if found.metadata.uid in self.least:
                self.least[found.metadata.uid] = min(self.least[found.metadata.uid], bounds(found).least)
            self._full(found, history)
        elif change.kind == "Pod":
            self._pod(change, history)

    def _full(self, found: Any, history: History) -> None:
        """All that was asked for is there to stay, and the controllers have seen it: from here on it counts.

        A pod that is on its way out is available until its node ends it, and who took it away may not have seen that yet. A set that has
        not seen its newest size may be about to take away what an older one had too many.
        """
        status, size = found.status, found.spec.replicas
        known = all(has_seen(each) for each in (found, *sets_of(history, found.metadata.uid)))
        settled = known and status.replicas == status.availableReplicas == size
        if settled and available_count(history, found.metadata.uid, staying=True) == size:
            self.least[found.metadata.uid] = bounds(found).least
            self.lost[found.metadata.uid] = 0

    def _pod(self, change: Change, history: History) -> None:
        if change.old is None or not is_available(change.old.message) or (change.new is not None and is_available(change.new.message)):
            return
        pod = (change.new or change.old).message
        owner = next((found for found in history.all("ReplicaSet") if found.metadata.uid == getattr(owner_of(pod), "uid", "")), None)
        uid = getattr(owner_of(owner), "uid", "") if owner is not None else ""
        if uid not in self.least:
            return
        parent = next((found for found in history.all("Deployment") if found.metadata.uid == uid), None)
        if parent is None or is_going(parent):
            self.least.pop(uid, None)
            return
        if not is_going(pod) or pod.metadata.uid in self.by_hand or not is_voluntary(pod, history, owner.metadata.uid):
            self.lost[uid] += 1
            return
        count = available_count(history, uid)
        if count + self.lost[uid] < self.least[uid]:
            self.wrong(change, f"without {change.key} {count} pods of {parent.metadata.name} are available, {self.least[uid]} have to be")


def has_seen(found: Any) -> bool:
    """Whether an object's controller has acted on its newest spec."""
    seen: bool = found.status.observedGeneration == found.metadata.generation
    return seen


def sets_of(history: History, uid: str) -> list[Any]:
    """The sets that a Deployment controls."""
    return [found for found in history.all("ReplicaSet") if getattr(owner_of(found), "uid", "") == uid]


def available_count(history: History, uid: str, *, staying: bool = False) -> int:
    """How many available pods a Deployment has; staying: that are not on their way out."""
    sets = {found.metadata.uid for found in sets_of(history, uid)}
    pods = [pod for pod in history.all("Pod") if getattr(owner_of(pod), "uid", "") in sets]
    return sum(is_available(pod) and not (staying and is_going(pod)) for pod in pods)
