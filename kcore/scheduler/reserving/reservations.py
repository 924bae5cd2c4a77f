"""Pods that have a node and wait for what is reserved for them, from the decision until they may be bound or start anew.

    add       decided: what they are to get is assumed
    written   the API has been told
    changed   a claim is another one: whose turn is it?
    take      who waits no longer, too long, or in vain

A pod comes out of here once, in `take`: DONE, or with the reason why it failed; then nothing is assumed for it any more.

Thread: one.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kcore.base import verify
from kcore.base.limits import SCHEDULER_VOLUMES_BOUND_S_MAX
from kcore.scheduler.columns import Columns
from kcore.scheduler.events import ClusterEvent
from kcore.scheduler.reserving.part import Part, Progress, Write
from kcore.scheduler.rows import PodRow


class Outcome(NamedTuple):
    """A pod that waits no longer.

    problem   why it failed; "" where it may be bound
    restored  what its end means to others
    """

    pod: PodRow
    node_name: str
    problem: str
    restored: list[ClusterEvent]


@dataclass(slots=True)
class _Waiting:
    pod: PodRow
    node_name: str
    parts: Sequence[Part]
    deadline: float
    written: bool = False


class Reservations:
    """All pods that wait."""

    def __init__(self, columns: Columns, timeouts_s: Mapping[str, float] | None = None) -> None:
        """Hold nobody; timeouts_s: how long pods wait, by scheduler name."""
        self._columns = columns
        self._timeouts_s = timeouts_s or {}
        self._waiting: dict[str, _Waiting] = {}
        self._by_claim: dict[str, dict[str, None]] = {}
        self._due: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_due(self) -> bool:
        """Say whether `take` has anybody to look at."""
        return bool(self._due)

    def add(self, pod: PodRow, node_name: str, parts: Sequence[Part], now: float) -> None:
        """Let a pod wait."""
        until = now + self._timeouts_s.get(pod.scheduler_name, SCHEDULER_VOLUMES_BOUND_S_MAX)
        self._waiting[pod.key] = _Waiting(pod, node_name, parts, until)
        for key in (key for part in parts for key in part.keys):
            self._by_claim.setdefault(key, {})[pod.key] = None

    def writes(self, pod: PodRow, now: float) -> Iterator[Write]:
        """Yield what has to be written for a pod."""
        waiting = self._waiting.get(pod.key)
        if waiting is not None and waiting.pod.uid == pod.uid:
            for part in waiting.parts:
                yield from part.writes(now)

    def written(self, pod: PodRow) -> None:
        """Take in that all was written for a pod."""
        waiting = self._waiting.get(pod.key)
        if waiting is not None and waiting.pod.uid == pod.uid:
            waiting.written = True
            self._due[pod.key] = None

    def __contains__(self, key: str) -> bool:
        """Whether something is reserved for a pod."""
        return key in self._waiting

    def changed(self, key: str) -> None:
        """Look again at the pods that wait for a claim."""
        self._due.update(self._by_claim.get(key, {}))

    def node_gone(self, name: str) -> None:
        """Look again at the pods that were to go to a node."""
        self._due.update(dict.fromkeys(key for key, waiting in self._waiting.items() if waiting.node_name == name))

    def drop(self, key: str) -> list[ClusterEvent]:
        """Forget a pod, and take back what is assumed for it; Returns what that means to others."""
        waiting = self._waiting.pop(key, None)
        self._due.pop(key, None)
        if waiting is None:
            return []
        for name in {name for part in waiting.parts for name in part.keys}:
            pods = self._by_claim[name]
            pods.pop(key, None)
            if not pods:
                del self._by_claim[name]
        return [event for part in waiting.parts for event in part.release()]

    def take(self, now: float) -> Iterator[Outcome]:
        """Yield the pods that wait no longer."""
        for key in self._expired(now):
            self._due[key] = None
        due, self._due = self._due, {}
        for key in due:
            waiting = self._waiting.get(key)
            if waiting is None or not waiting.written:
                continue
            problem = self._progress(waiting, now)
            if problem is not None:
                yield Outcome(waiting.pod, waiting.node_name, problem, self.drop(key))

    def verify(self) -> None:
        """Check that nothing is assumed for nobody."""
        assumed = self._columns.catalog.assumed_count + self._columns.devices.assumed_count
        verify.that(bool(self._waiting) or not assumed, "what is assumed belongs to a pod that waits for it")

    def next_at(self) -> float | None:
        """Return when the first wait has been too long; all are equally long, so it is the one that began first."""
        return next((waiting.deadline for waiting in self._waiting.values()), None)

    def worded(self, pod: PodRow, problem: str) -> str:
        """Say why something that is reserved for a pod could not be written."""
        waiting = self._waiting.get(pod.key)
        return waiting.parts[0].worded(problem) if waiting is not None else problem

    def _progress(self, waiting: _Waiting, now: float) -> str | None:
        """Return "" for a pod that may be bound, why one cannot be, and None while it waits."""
        node = self._columns.node(waiting.node_name)
        if node is None:
            return waiting.parts[0].worded(f'node "{waiting.node_name}" not found')
        open_parts: list[Part] = []
        for part in waiting.parts:
            found = part.progress(node)
            if isinstance(found, str):
                return part.worded(found)
            if found is Progress.WAITING:
                open_parts.append(part)
        if open_parts and now >= waiting.deadline:
            return open_parts[0].worded("timed out waiting for the condition")
        return None if open_parts else ""

    def _expired(self, now: float) -> Iterable[str]:
        found: list[str] = []
        for key, waiting in self._waiting.items():
            if waiting.deadline > now:
                break
            found.append(key)
        return found
