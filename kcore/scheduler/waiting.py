"""What the queue holds: a pod that waits, where it does, and those that sleep together because they would be decided alike."""
from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple

from kcore.scheduler.gangs.rows import GangRow
from kcore.scheduler.rows import Account, Ask, Owner, PodRow

Queued = PodRow | GangRow
"""What waits as one: a pod, or the pods of a group that are scheduled together."""


class State(Enum):
    """Where a pod waits."""

    ACTIVE = "active"
    BACKOFF = "backoff"
    UNSCHEDULABLE = "unschedulable"
    GATED = "gated"
    IN_FLIGHT = "in flight"


@dataclass(slots=True, eq=False)
class Waiting:
    """A pod in the queue.

    since      when it came to where it is (s); queued_at: when it was added, or failed last: who waits longest comes first
    attempts   how often it was handed out
    early      whether it may be tried before its pause is over
    nominated  the node that is being cleared for it, while it is unschedulable
    entry      number of its valid entry in a heap; older entries of it are passed over
    """

    pod: Queued
    state: State
    since: float
    queued_at: float
    attempts: int = 0
    rejected_by: tuple[str, ...] = ()
    early: bool = True
    nominated: str = ""
    entry: int = 0


class Group(NamedTuple):
    """What decides about a pod; with claims, whose they are decides too, and pods that are scheduled together are one by themselves."""

    scheduler_name: str
    asks: tuple[Ask, ...]
    account: Account
    owner: Owner | None
    key: str = ""

    @property
    def claim_keys(self) -> frozenset[str]:
        """Return the names of all claims that its pods name."""
        return frozenset[str]().union(*(ask.claim_keys for ask in self.asks))


BELOW_ALL: Final = -(1 << 63)
"""A priority that no pod is below."""


@dataclass(slots=True)
class Sleepers:
    """The unschedulable pods of a group, in the order in which they failed, and who of the group has the turn.

    free     those that no node is being cleared for; nominated: the others, by that node
    filters  how many of them each filter rejected
    turn     the key of the pod that was woken for all of them, or ""
    """

    free: dict[str, Waiting] = field(default_factory=dict)
    nominated: dict[str, dict[str, Waiting]] = field(default_factory=dict)
    filters: dict[str, int] = field(default_factory=dict)
    turn: str = ""

    def add(self, waiting: Waiting) -> None:
        among = self.nominated.setdefault(waiting.nominated, {}) if waiting.nominated else self.free
        among[waiting.pod.key] = waiting
        for name in waiting.rejected_by:
            self.filters[name] = self.filters.get(name, 0) + 1

    def remove(self, waiting: Waiting) -> None:
        among = self.nominated[waiting.nominated] if waiting.nominated else self.free
        del among[waiting.pod.key]
        if waiting.nominated and not among:
            del self.nominated[waiting.nominated]
        for name in waiting.rejected_by:
            self.filters[name] -= 1

    def first(self) -> Waiting | None:
        for among in (self.free, *self.nominated.values()):
            for waiting in among.values():
                return waiting
        return None

    @property
    def is_empty(self) -> bool:
        return not (self.free or self.nominated or self.turn)


_NO_ACCOUNT: Final = Account()

Heap = list[tuple[float, float, int, Waiting]]


def group_of(pod: Queued) -> Group:
    """Return the group that a pod is decided with."""
    if isinstance(pod, GangRow):
        return Group(pod.scheduler_name, pod.asks, _NO_ACCOUNT, None, pod.key)
    has_claims = pod.ask.volumes is not None or pod.ask.claims is not None
    return Group(pod.scheduler_name, (pod.ask,), pod.account, pod.owner, pod.key if has_claims else "")


def is_alike(pod: PodRow, other: PodRow) -> bool:
    """Say whether two pods ask and show the very same."""
    return (
        pod.ask is other.ask and pod.account is other.account and pod.scheduler_name == other.scheduler_name and pod.owner == other.owner
    )
