"""Which node is cleared for a pod that fits nowhere: the question that a scheduling attempt ends with.

Nodes that reject the pod for a reason that removing pods may end are tried one by one, from one drawn at random, until enough are found (a
tenth of them, 100 at least) of which one violates no budget. Of those the one is chosen that costs least: fewest violations of budgets,
then the lowest highest priority of a victim, the smallest sum of priorities, the fewest victims, the latest start of a victim with the
highest priority, and the first by name.

A pod that was promised a node before waits until its victims there are gone.

Source: kube-scheduler 1.37, framework/preemption and DefaultPreemption.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from kcore.base.limits import SCHEDULER_DRY_RUNS_KEPT_MAX
from kcore.scheduler.cache import Cache, Placed
from kcore.scheduler.columns import Columns
from kcore.scheduler.diagnosis import message, resolvable
from kcore.scheduler.evaluation import Evaluation
from kcore.scheduler.preemption.budgets import Budgets
from kcore.scheduler.preemption.dry_run import Candidate, Refusal, dry_run
from kcore.scheduler.profile import DEFAULT_PREEMPTION, PreemptionArgs
from kcore.scheduler.rows import Ask, PodRow

NEVER: Final = "not eligible due to preemptionPolicy=Never."
TERMINATING: Final = "not eligible due to a terminating pod on the nominated node."
NOT_HELPFUL: Final = "Preemption is not helpful for scheduling"


class Preemption(NamedTuple):
    """What preemption found.

    message  what the pod's condition says of it
    node     the node to be cleared, for which the pod is nominated, or None
    keeps    no new node, and the pod keeps the one that it was nominated for
    """

    message: str
    node: str | None = None
    victims: tuple[Placed, ...] = ()
    keeps: bool = False


class DryRuns:
    """What dry runs found, by ask and slot; dropped where a node or a budget changed since."""

    def __init__(self) -> None:
        self._found: dict[Ask, dict[int, Candidate | Refusal]] = {}
        self._versions = (-1, -1)
        self._position = 0

    def of(self, evaluation: Evaluation, columns: Columns, budgets: Budgets) -> dict[int, Candidate | Refusal]:
        """Return what is known for an ask, to be completed; nothing is kept where more than a node itself decides."""
        if evaluation.fit_alone is None:
            return {}
        self._expire(columns, budgets)
        found = self._found.pop(evaluation.ask, None)
        if found is None:
            found = {}
            if len(self._found) >= max(1, SCHEDULER_DRY_RUNS_KEPT_MAX // columns.capacity):
                del self._found[next(iter(self._found))]
        self._found[evaluation.ask] = found
        return found

    def _expire(self, columns: Columns, budgets: Budgets) -> None:
        versions, touched = (columns.static_version, budgets.version), columns.touched_since(self._position)
        if versions != self._versions or touched is None:
            self._found.clear()
        else:
            for slot in touched:
                for found in self._found.values():
                    found.pop(slot, None)
        self._versions, self._position = versions, columns.position


class Preemptor:
    """Decides on preemption."""

    def __init__(self, cache: Cache, budgets: Budgets, args: PreemptionArgs = DEFAULT_PREEMPTION) -> None:
        self._cache = cache
        self._budgets = budgets
        self._args = args
        self._kept = DryRuns()

    def preempt(self, pod: PodRow, evaluation: Evaluation, columns: Columns, randrange: Callable[[int], int]) -> Preemption:
        """Choose whom a pod preempts that no node takes."""
        if evaluation.ask.never_preempt:
            return Preemption(NEVER, keeps=True)
        slots = resolvable(evaluation, columns)
        if self._waits(pod, slots, columns):
            return Preemption(TERMINATING, keeps=True)
        found = self._candidates(slots, evaluation, columns, randrange)
        if isinstance(found, dict):
            unhelped = {NOT_HELPFUL: columns.node_count - len(slots)}
            return Preemption(message(columns.node_count, found | unhelped))
        best = min(found)
        text = f"found a potential placement for pod on node {best.node}, preempting {best.victim_count} victims"
        return Preemption(text, best.node, best.victims)

    def _waits(self, pod: PodRow, slots: list[int], columns: Columns) -> bool:
        """Say whether pods are leaving the node that was cleared for this one, which it still may go to."""
        slot = columns.slots.get(pod.nominated)
        if slot is None or slot not in slots:
            return False
        leaving = (other for other in self._cache.on(pod.nominated) if other.leaves)
        return any(other.account.priority < pod.priority for other in leaving)

    def _candidates(
        self, slots: list[int], evaluation: Evaluation, columns: Columns, randrange: Callable[[int], int]
    ) -> list[Candidate] | dict[str, int]:
        """Return candidates, or where there is none how many nodes have which reason."""
        wanted = min(len(slots), max(self._args.absolute, len(slots) * self._args.percentage // 100))
        known = self._kept.of(evaluation, columns, self._budgets)
        offset = randrange(len(slots)) if slots else 0
        candidates: list[Candidate] = []
        reasons: dict[str, int] = {}
        is_kept = False
        for slot in (*slots[offset:], *slots[:offset]):
            if is_kept and len(candidates) >= wanted:
                break
            found = known.get(slot)
            if found is None:
                found = known[slot] = dry_run(slot, evaluation, self._cache, columns, self._budgets)
            if isinstance(found, Candidate):
                candidates.append(found)
                is_kept |= not found.violations
            else:
                for reason in found:
                    reasons[reason] = reasons.get(reason, 0) + 1
        return candidates or reasons
