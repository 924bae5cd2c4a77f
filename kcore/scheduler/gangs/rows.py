"""A PodGroup, and a group of waiting pods as the queue has it."""
from __future__ import annotations

from typing import Final, NamedTuple

from kcore.machinery.projection import Projection
from kcore.scheduler.rows import Ask

SCHEDULED: Final = "PodGroupInitiallyScheduled"
"""The type of the condition that says whether a group was ever placed."""

PATHS: Final = (
    "metadata.namespace",
    "metadata.name",
    "metadata.uid",
    "metadata.generation",
    "spec.priority",
    "spec.schedulingPolicy.gang@present",
    "spec.schedulingPolicy.gang.minCount",
    "spec.disruptionMode.all@present",
    "status.conditions[].type",
    "status.conditions[].status",
    "status.conditions[].reason",
    "status.conditions[].message",
)
"""The fields of a PodGroup."""

_GROUP: Final = Projection("kcore.api.scheduling.v1beta1.PodGroup", PATHS)


class Condition(NamedTuple):
    """What a condition says."""

    status: str
    reason: str
    message: str


class GroupRow(NamedTuple):
    """A PodGroup.

    min_count  how many of its pods are placed or none; 0 where each goes for itself
    whole      its pods can only be disrupted together
    condition  what it says of having been placed; None where nothing
    """

    namespace: str
    name: str
    uid: str = ""
    generation: int = 0
    priority: int = 0
    min_count: int = 0
    whole: bool = False
    condition: Condition | None = None

    @property
    def key(self) -> str:
        """Return namespace/name."""
        return f"{self.namespace}/{self.name}"


class GangRow(NamedTuple):
    """The pods of a group that wait, as one entry of the queue.

    gates  what the group waits for before it is tried at all
    asks   what its waiting pods ask, each once
    """

    group: str
    uid: str
    scheduler_name: str
    priority: int
    gates: tuple[str, ...]
    asks: tuple[Ask, ...]

    @property
    def key(self) -> str:
        """Return what no pod is called."""
        return entry_key(self.group)


def entry_key(group: str) -> str:
    """Return the key of a group's entry in the queue."""
    return f"group {group}"


def group_row(raw: bytes) -> GroupRow:
    """Read a PodGroup.

    Raises  DecodeError
    """
    namespace, name, uid, generation, priority, is_gang, count, whole, *conditions = _GROUP(raw)
    found = {type_: Condition(*rest) for type_, *rest in zip(*conditions, strict=True)}
    return GroupRow(namespace, name, uid, generation, priority, max(1, count) if is_gang else 0, whole, found.get(SCHEDULED))
