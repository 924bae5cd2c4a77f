"""One attempt to place the pods of a group, each beside those that were placed before it.

    minCount 3, pods a, b, c, d:   a -> n0, b -> n1, c finds none, d -> n0      placed: a, b, d
                                   a finds none, b finds none                   2 left cannot make 3: c and d are not looked at

What is placed counts in the cache at once; `undo` takes all of it back, and leaves no trace but in the log of the columns.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from kcore.scheduler.cache import Cache
from kcore.scheduler.columns import Columns
from kcore.scheduler.cycle import Decision
from kcore.scheduler.events import PeerChanged
from kcore.scheduler.reserving.part import Part
from kcore.scheduler.reserving.plan import reserve_all
from kcore.scheduler.rows import PodRow

UNSCHEDULABLE: Final = "pod group is unschedulable"
"""What begins each sentence about a group that was not placed."""

Decide = Callable[[PodRow], Decision]


class Taken(NamedTuple):
    """A pod that is assumed on a node, what is reserved for it, and what that means to others."""

    pod: PodRow
    decision: Decision
    node: str
    parts: list[Part]
    event: PeerChanged


class Feasibility(NamedTuple):
    """Whether enough pods are placed; if not, whether the rest can still make up for it, and in words."""

    enough: bool
    possible: bool
    message: str = ""


def feasibility(needed: int, scheduled: int, remaining: int) -> Feasibility:
    """Judge how far a group came: so many of its pods have a node, so many are yet to be looked at."""
    counts = f"{scheduled} scheduled, {remaining} remaining"
    if scheduled + remaining < needed:
        return Feasibility(False, False, f"minCount ({needed}) cannot be satisfied: {counts}")
    if scheduled < needed:
        return Feasibility(False, True, f"minCount ({needed}) is not yet satisfied: {counts}")
    return Feasibility(True, True)


class Attempt:
    """An attempt, and what it came to.

    taken    the pods that found a node, assumed there
    failed   those that found none; those behind them may not have been looked at
    message  why the group cannot be placed; "" where it is
    """

    def __init__(self, cache: Cache, columns: Columns, decide: Decide) -> None:
        self._cache, self._columns, self._decide = cache, columns, decide
        self.taken: list[Taken] = []
        self.failed: dict[str, Decision] = {}
        self.message = ""

    @property
    def is_placed(self) -> bool:
        """Whether what is taken may go to be bound."""
        return not self.message

    def run(self, pods: Sequence[PodRow], needed: int, scheduled: int) -> bool:
        """Place pods until all are looked at or it is in vain; -> whether the group is placed, else all is taken back."""
        state = feasibility(needed, scheduled, len(pods))
        for number, pod in enumerate(pods, 1):
            if not state.possible:
                break
            self._place(pod)
            state = feasibility(needed, scheduled + len(self.taken), len(pods) - number)
        if state.enough and self.taken:
            return True
        self.undo()
        self.message = ", ".join(filter(None, (UNSCHEDULABLE, state.message)))
        return False

    def undo(self) -> None:
        """Take back what was assumed, the last first; `taken` tells what it was."""
        for each in reversed(self.taken):
            for part in each.parts:
                part.release()
            self._cache.forget(each.pod)
        if any(each.parts for each in self.taken):
            self._columns.touch_devices()

    def rejected_by(self) -> tuple[str, ...]:
        """Return the filters whose events may help, sorted."""
        names: Iterable[str] = (name for decision in self.failed.values() for name in decision.rejected_by)
        return tuple(sorted(set(names)))

    def _place(self, pod: PodRow) -> None:
        decision = self._decide(pod)
        if decision.node is None:
            self.failed[pod.key] = decision
            return
        parts = reserve_all(pod, decision.needs, decision.device_needs, decision.node, self._columns)
        event = self._cache.assume(pod, decision.node)
        if parts:
            self._columns.touch_devices()
        self.taken.append(Taken(pod, decision, decision.node, parts, event))
