"""A Deployment's sets in one reconciliation: sizes that a rollout, a scaling or a Recreate gives them.

Works on copies: `Family` holds the Deployment and its sets as they shall be, and notes what changed and which Events tell of it. How many
pods may exist and must be available:

    replicas 4, maxSurge 25 %, maxUnavailable 25 %
    at most 4 + 1 pods in all sets together; the new set grows by what is left of that
    at least 4 - 1 available; old sets shrink by what is available beyond that (and by what is not available, first)

A change of size in the middle of a rollout is spread over all active sets in proportion to their sizes.

Source: Kubernetes `pkg/controller/deployment/rolling.go`, `recreate.go`, `sync.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from kcore.controllers import revisions
from kcore.controllers.actions import NORMAL, Event
from kcore.controllers.adoption import is_deleting

ROLLING_UPDATE: Final = "RollingUpdate"
RECREATE: Final = "Recreate"
_STRING: Final = 1
"""IntOrString.type of a text."""


class Family:
    """A Deployment and its sets, as they shall be.

    new      the set that has the Deployment's template; None if there is none
    old      all others
    changed  uids of sets that differ from what was observed, with the Events of the change
    """

    def __init__(self, deployment: Any, sets: Iterable[Any]) -> None:
        copies = [_copy(found) for found in sets]
        self.deployment = deployment
        self.new: Any = revisions.find_new(deployment.spec.template, copies)
        self.old = [found for found in copies if found is not self.new]
        self.changed: dict[str, list[Event]] = {}
        self.surge, self.unavailable = fenceposts(deployment.spec)

    @property
    def replicas(self) -> int:
        """The size that the Deployment asks for."""
        size: int = self.deployment.spec.replicas
        return size

    @property
    def all(self) -> list[Any]:
        """All sets, the new one last."""
        return self.old if self.new is None else [*self.old, self.new]

    @property
    def maximum(self) -> int:
        """How many pods there may be in all."""
        return self.replicas + self.surge

    def touch(self, found: Any) -> list[Event]:
        """Note that a set changed."""
        return self.changed.setdefault(found.metadata.uid, [])

    def scale(self, found: Any, size: int) -> bool:
        """Give a set a size; one that has it is left as it is. Returns whether it changed."""
        if found.spec.replicas == size:
            return False
        self.resize(found, size)
        return True

    def resize(self, found: Any, size: int) -> None:
        """Give a set a size, and the annotations that say of which Deployment size that is a share."""
        before = found.spec.replicas
        if revisions.put_sizes(found, self.replicas, self.maximum) or before != size:
            events = self.touch(found)
            found.spec.replicas = size
            if before != size:
                events.append(scaling_event(self.deployment, found.metadata.name, before, size))


def scaling_event(deployment: Any, name: str, before: int, after: int) -> Event:
    """Tell of a set's new size."""
    direction = "up" if after > before else "down"
    return Event(deployment, NORMAL, "ScalingReplicaSet", f"Scaled {direction} replica set {name} from {before} to {after}")


def is_scaling(family: Family) -> bool:
    """Tell whether the size of the Deployment changed since its active sets were scaled."""
    sizes = (revisions.desired_of(found) for found in active(family.all))
    return any(size is not None and size != family.replicas for size in sizes)


def scale(family: Family) -> None:
    """Follow a change of the Deployment's size, or keep to it, without rolling anything out.

    Differs from upstream: a set that somebody scaled by hand to the very size that the Deployment then asked for is told of it, too;
    without that, it would look for ever as if the Deployment were being scaled, and no rollout would be judged.
    """
    only = active_or_latest(family)
    if only is not None:
        if only.spec.replicas != family.replicas or revisions.desired_of(only) not in (None, family.replicas):
            family.resize(only, family.replicas)
    elif is_saturated(family):
        for found in active(family.old):
            family.scale(found, 0)
    elif family.deployment.spec.strategy.type == ROLLING_UPDATE:
        _scale_in_proportion(family)


def roll(family: Family) -> bool:
    """Take a rolling update's next step, growing the new set first; returns whether there was one. Needs the new set."""
    return grow_new(family) or shrink_old(family)


def grow_new(family: Family) -> bool:
    """Bring the new set nearer to the Deployment's size, as far as the surge allows."""
    if family.new.spec.replicas >= family.replicas:
        return family.scale(family.new, family.replicas)
    return family.scale(family.new, new_size(family, family.new.spec.replicas))


def new_size(family: Family, present: int) -> int:
    """Return the size that the new set may have, from `present`, while the old ones are as they are."""
    if family.deployment.spec.strategy.type == RECREATE:
        return family.replicas
    room = family.maximum - _total(family.old) - present
    return present if room <= 0 else present + min(room, family.replicas - present)


def shrink_old(family: Family) -> bool:
    """Make old sets smaller as far as availability allows: first by pods that are not available, then by others, oldest set first."""
    old = active(family.old)
    if not old:
        return False
    least = family.replicas - family.unavailable
    new_unavailable = family.new.spec.replicas - family.new.status.availableReplicas
    spare = _total(old) + family.new.spec.replicas - least - new_unavailable
    if spare <= 0:
        return False
    old.sort(key=revisions.age_order)
    unhealthy = _shrink(family, old, spare, unavailable_only=True)
    available = sum(staying(found) for found in [*old, family.new])
    return _shrink(family, old, available - least, unavailable_only=False) + unhealthy > 0


def staying(found: Any) -> int:
    """Return how many of a set's available pods stay.

    Differs from upstream: a set that was made smaller counts the pods that it gives up until it looks again; counted as available, they
    let other pods go too early, and fewer were left than maxUnavailable allows.
    """
    return int(min(found.status.availableReplicas, found.spec.replicas))


def shrink_all_old(family: Family) -> bool:
    """Take all pods from old sets, as Recreate begins; returns whether there were any."""
    old = active(family.old)
    for found in old:
        family.scale(found, 0)
    return bool(old)


def to_clean_up(family: Family) -> list[Any]:
    """Return old sets beyond the history limit that nothing uses, oldest revision first."""
    spec = family.deployment.spec
    if not spec.HasField("revisionHistoryLimit"):
        return []
    alive = [found for found in family.old if not is_deleting(found)]
    beyond = revisions.by_revision(alive)[: max(0, len(alive) - spec.revisionHistoryLimit)]
    return [found for found in beyond if _is_unused(found)]


def active(sets: Iterable[Any]) -> list[Any]:
    """Return the sets that ask for pods."""
    return [found for found in sets if found.spec.replicas > 0]


def active_or_latest(family: Family) -> Any | None:
    """Return the only active set; if none is active, the new one, else the newest. None if several are active, or there is none."""
    found = active(family.all)
    if len(found) > 1:
        return None
    if found:
        return found[0]
    return family.new if family.new is not None else max(family.old, key=revisions.age_order, default=None)


def is_saturated(family: Family) -> bool:
    """Tell whether the new set has the Deployment's size, all available."""
    new, size = family.new, family.replicas
    return new is not None and new.spec.replicas == size == revisions.desired_of(new) == new.status.availableReplicas


def fenceposts(spec: Any) -> tuple[int, int]:
    """Return how many pods there may be too many and too few in a rolling update; never neither."""
    if spec.strategy.type != ROLLING_UPDATE:
        return 0, 0
    rolling, size = spec.strategy.rollingUpdate, spec.replicas
    surge = share(rolling.maxSurge, size, up=True)
    unavailable = share(rolling.maxUnavailable, size, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return surge, min(unavailable, size)


def share(value: Any, size: int, *, up: bool) -> int:
    """Return how many of `size` a number or a percentage means, rounded up or down."""
    if value.type != _STRING:
        number: int = value.intVal
        return number
    percent = int(value.strVal.removesuffix("%") or 0)
    return -(-size * percent // 100) if up else size * percent // 100


def _scale_in_proportion(family: Family) -> None:
    """Spread what is missing or too many over all active sets, larger ones first; what rounding leaves goes to the largest."""
    sets = active(family.all)
    if not sets:
        return
    missing = (family.maximum if family.replicas > 0 else 0) - _total(sets)
    sets.sort(key=revisions.age_order, reverse=missing > 0)
    sets.sort(key=lambda found: -found.spec.replicas)
    sizes, added = [], 0
    for found in sets:
        share = _proportion(family, found, missing - added, missing)
        sizes.append(found.spec.replicas + share)
        added += share
    if missing:
        sizes[0] = max(0, sizes[0] + missing - added)
    for found, size in zip(sets, sizes, strict=True):
        family.resize(found, size)


def _proportion(family: Family, found: Any, left: int, missing: int) -> int:
    """Return a set's share of what is missing (or, negative, too many), no more than is left to share."""
    if missing == 0 or left == 0:
        return 0
    share = _fraction(family, found)
    return min(share, left) if missing > 0 else max(share, left)


def _fraction(family: Family, found: Any) -> int:
    size: int = found.spec.replicas
    if family.replicas == 0:
        return -size
    before = revisions.maximum_of(found) or family.deployment.status.replicas
    if not before:
        return 0
    return int(size * family.maximum / before + 0.5) - size


def _shrink(family: Family, sets: Sequence[Any], count: int, unavailable_only: bool) -> int:
    """Take pods from sets in order, up to a count; returns how many were taken."""
    taken = 0
    for found in sets:
        size = found.spec.replicas
        part = min(count - taken, size - found.status.availableReplicas if unavailable_only else size)
        if part > 0:
            family.scale(found, size - part)
            taken += part
    return taken


def _total(sets: Iterable[Any]) -> int:
    return sum(found.spec.replicas for found in sets)


def _is_unused(found: Any) -> bool:
    is_seen: bool = found.status.observedGeneration >= found.metadata.generation
    return is_seen and not found.spec.replicas and not found.status.replicas


def _copy(message: Any) -> Any:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy
