"""What became of a load's pods so far, from what was sent, answered and watched. Pure.

A load has a first phase, in which the plan's pods are made, and may have a second one, in which pods come and go. A pod belongs to the
phase in which its create was sent; a pod that a Deployment makes belongs to the oldest request of its Deployment that has no pod yet:
the Deployment's create, or later the deletion of one of its pods. Pods that others make are known by uid, since their names come again.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from kcore.client.wire import DELETED
from kcore.load.measure import Times
from kcore.load.pods import Wanted, owner
from kcore.machinery.status import StatusError


class Seen(NamedTuple):
    """What a watch shows of a pod."""

    name: str
    uid: str
    node: str
    phase: str
    is_unschedulable: bool = False


@dataclass(slots=True)
class Phase:
    """Pods that are made together.

    count      how many were asked for
    refused    how many of them cannot come, since their create was refused
    deletes    when the deletion of each pod was sent, `deleted` when it was seen to be gone
    """

    count: int = 0
    refused: int = 0
    times: Times = field(default_factory=Times)
    failures: dict[str, StatusError] = field(default_factory=dict)
    deletes: dict[str, float] = field(default_factory=dict)
    deleted: dict[str, float] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether all run that can, and all are gone that were deleted."""
        return len(self.times.running) >= self.count - self.refused and len(self.deleted) >= len(self.deletes)

    @property
    def left(self) -> int:
        """How many pods may still come to run."""
        return self.count - self.refused - len(self.times.running) - len(self.times.unschedulable)


class Tracker:
    """The pods of one load."""

    def __init__(self, has_owners: bool) -> None:
        self.has_owners = has_owners
        self.first = self.phase = Phase()
        self.running: dict[str, str] = {}
        self.awaited: defaultdict[str, deque[float]] = defaultdict(deque)

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The first one, and the second if there is one."""
        return (self.first,) if self.phase is self.first else (self.first, self.phase)

    def begin_churn(self) -> None:
        """Count what is sent from now on by itself."""
        self.phase = Phase()

    def sent(self, items: Iterable[Wanted], now: float) -> None:
        """Creates go out."""
        for name, _, pods in items:
            self.phase.times.sent[name] = now
            self.phase.count += pods
            if self.has_owners:
                self.awaited[name].extend([now] * pods)

    def answered(self, item: Wanted, error: StatusError | None, now: float) -> None:
        """The server took a create, or refused it."""
        if error is None:
            self.phase.times.acknowledged[item.name] = now
        else:
            self.phase.failures[item.name] = error
            self.phase.refused += item.pods

    def observe(self, event: str, pod: Seen, now: float) -> None:
        """A watch says something of a pod."""
        key = pod.uid if self.has_owners else pod.name
        if event == DELETED:
            self.running.pop(key, None)
            if key in self.phase.deletes:
                self.phase.deleted[key] = now
            return
        times = self.first.times if key in self.first.times.sent else self.phase.times
        if self.has_owners and key not in times.sent and (waiting := self.awaited.get(owner(pod.name))):
            times.sent[key] = waiting.popleft()
        runs_first = key not in times.running
        times.observe(key, pod.node, pod.phase, now)
        if pod.is_unschedulable and not pod.node:
            times.unschedulable.add(key)
        if runs_first and pod.phase == "Running":
            self.running[key] = pod.name

    def take_oldest(self, count: int, now: float) -> list[str]:
        """Choose the pods that have been running for longest, to be deleted now; -> their names."""
        taken = list(islice(self.running.items(), count))
        for key, name in taken:
            del self.running[key]
            self.phase.deletes[key] = now
            if self.has_owners:
                self.awaited[owner(name)].append(now)
                self.phase.count += 1
        return [name for _, name in taken]
