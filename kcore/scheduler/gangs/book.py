"""Which pods belong to which group, and how far each of them is.

    waiting   has no node, as it was seen last, in the order in which they came
    assumed   this scheduler has given it a node, and the API does not show it yet
    bound     the API shows it on a node

Each pod of a group is in one of the three until it is gone. A group is known by its pods before its PodGroup comes and after that is gone.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from kcore.scheduler.gangs.rows import GangRow, GroupRow
from kcore.scheduler.rows import PodRow

INCOMPLETE: Final = "waiting for minCount pods from a gang to appear in scheduling queue"


@dataclass(slots=True)
class Gang:
    """A group of pods."""

    key: str
    group: GroupRow | None = None
    waiting: dict[str, PodRow] = field(default_factory=dict)
    assumed: dict[str, PodRow] = field(default_factory=dict)
    bound: dict[str, PodRow] = field(default_factory=dict)

    @property
    def placed_count(self) -> int:
        """How many of its pods have a node."""
        return len(self.assumed) + len(self.bound)

    @property
    def needed(self) -> int:
        """How many of its pods have to be placed for any to be."""
        return max(1, self.group.min_count) if self.group is not None else 1

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of it."""
        return self.group is None and not (self.waiting or self.assumed or self.bound)

    def place_of(self, key: str) -> dict[str, PodRow] | None:
        """Return where a pod is; None where it is nowhere."""
        return next((each for each in (self.waiting, self.assumed, self.bound) if key in each), None)

    def in_order(self) -> list[PodRow]:
        """Return the waiting pods in the order in which they are placed: the highest priority first, then who came first."""
        return sorted(self.waiting.values(), key=lambda pod: -pod.priority)

    def row(self) -> GangRow | None:
        """Return its entry in the queue; None where no pod of it is on its way."""
        pods = [*self.waiting.values()]
        if not pods and not self.assumed:
            return None
        first = pods[0] if pods else next(iter(self.assumed.values()))
        group = self.group
        priority = group.priority if group is not None else first.priority
        uid = group.uid if group is not None else ""
        asks = tuple(dict.fromkeys(pod.ask for pod in pods))
        return GangRow(self.key, uid, first.scheduler_name, priority, self.held_by(), asks)

    def held_by(self) -> tuple[str, ...]:
        """Return what it waits for before it is tried: its PodGroup, pods, or gates of its pods."""
        if self.group is None:
            name = self.key.partition("/")[2]
            return (f'waiting for pods\'s pod group "{name}" to appear in scheduling queue',)
        if len(self.waiting) + self.placed_count < self.group.min_count:
            return (INCOMPLETE,)
        return tuple(gate for pod in self.waiting.values() for gate in pod.gates)


class Book:
    """All groups."""

    def __init__(self) -> None:
        self._gangs: dict[str, Gang] = {}
        self._of: dict[str, str] = {}

    def __iter__(self) -> Iterator[Gang]:
        return iter([*self._gangs.values()])

    def gang(self, key: str) -> Gang | None:
        """Return a group."""
        return self._gangs.get(key)

    def of(self, pod_key: str) -> Gang | None:
        """Return the group that a pod is in."""
        key = self._of.get(pod_key)
        return None if key is None else self._gangs[key]

    def pod(self, key: str) -> PodRow | None:
        """Return a pod that waits, as it was seen last."""
        gang = self.of(key)
        return None if gang is None else gang.waiting.get(key) or gang.assumed.get(key)

    def set_group(self, row: GroupRow) -> Gang:
        """Take in a PodGroup, new or changed."""
        gang = self._gangs.setdefault(row.key, Gang(row.key))
        gang.group = row
        return gang

    def remove_group(self, key: str) -> Gang | None:
        """Take in that a PodGroup is gone."""
        gang = self._gangs.get(key)
        if gang is not None:
            gang.group = None
            self._end(gang)
        return gang

    def put(self, pod: PodRow) -> Gang:
        """Take in a pod of a group; one that was given a node here stays assumed until it shows one."""
        key = f"{pod.namespace}/{pod.pod_group}"
        gang = self._gangs.setdefault(key, Gang(key))
        old = gang.place_of(pod.key)
        if pod.node_name:
            to = gang.bound
        elif old is gang.assumed and old[pod.key].uid == pod.uid:
            to = gang.assumed
        else:
            to = gang.waiting
        if old is not None and old is not to:
            del old[pod.key]
        to[pod.key] = pod
        self._of[pod.key] = key
        return gang

    def remove(self, pod_key: str) -> Gang | None:
        """Take in that a pod is gone, or is nobody's here; Returns the group that it was in."""
        gang = self.of(pod_key)
        if gang is None:
            return None
        place = gang.place_of(pod_key)
        if place is not None:
            del place[pod_key]
        del self._of[pod_key]
        self._end(gang)
        return gang

    def _end(self, gang: Gang) -> None:
        if gang.is_empty:
            self._gangs.pop(gang.key, None)
