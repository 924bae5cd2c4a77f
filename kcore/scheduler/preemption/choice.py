"""Which node is cleared for a pod that fits nowhere: the question that a scheduling attempt ends with.

Nodes that reject the pod for a reason that removing pods may end are tried one by one, from one drawn at random, until enough are found (a
tenth of them, 100 at least) of which one violates no budget. Of those the one is chosen that costs least: fewest violations of budgets,
then the lowest highest priority of a victim, the smallest sum of priorities, the fewest victims, the latest start of a victim with the
highest priority, and the first tried.

A pod that was promised a node before waits until its victims there are gone.

Source: kube-scheduler 1.37, framework/preemption and DefaultPreemption.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kcore.base.limits import SCHEDULER_DRY_RUNS_KEPT_MAX
from kcore.scheduler.cache import Cache, Placed
from kcore.scheduler.columns import Columns, Int64
from kcore.scheduler.diagnosis import message, resolvable
from kcore.scheduler.evaluation import Evaluation
from kcore.scheduler.preemption.budgets import Budgets
from kcore.scheduler.preemption.dry_run import NO_VICTIMS, Candidate, Refusal, dry_run
from kcore.scheduler.preemption.lineups import Lineups
from kcore.scheduler.profile import DEFAULT_PREEMPTION, PreemptionArgs
from kcore.scheduler.rows import Ask, PodRow

NEVER: Final = "not eligible due to preemptionPolicy=Never."
TERMINATING: Final = "not eligible due to a terminating pod on the nominated node."
NOT_HELPFUL: Final = "Preemption is not helpful for scheduling"
UNKNOWN: Final = 0
CANDIDATE: Final = 1
REFUSED: Final = 2


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


class Found:
    """What dry runs of one ask found, by slot.

    kinds   (slots,) UNKNOWN, CANDIDATE or REFUSED; costs (5, slots) what a candidate costs, the most important first
    codes   (slots,) why a node is REFUSED that amounts alone decided about: a bit for each reason of the filter, 0 for no victims
    candidates, refusals  what was found of other nodes
    """

    def __init__(self, columns: Columns, versions: tuple[int, int]) -> None:
        self.kinds: NDArray[np.int8] = np.zeros(columns.capacity, np.int8)
        self.costs: NDArray[np.float64] = np.zeros((5, columns.capacity), np.float64)
        self.codes: Int64 = np.zeros(columns.capacity, np.int64)
        self.candidates: dict[int, Candidate] = {}
        self.refusals: dict[int, Refusal] = {}
        self._versions = versions
        self._position = columns.position

    def set(self, slot: int, found: Candidate | Refusal) -> None:
        """Keep what a dry run of one node found."""
        if isinstance(found, Candidate):
            self.kinds[slot] = CANDIDATE
            self.costs[:, slot] = found[:5]
            self.candidates[slot] = found
        else:
            self.kinds[slot] = REFUSED
            self.refusals[slot] = found

    def is_current(self, columns: Columns, versions: tuple[int, int]) -> bool:
        """Forget the nodes that have changed; Returns False if nothing is left."""
        touched = columns.touched_since(self._position)
        if versions != self._versions or touched is None or len(self.kinds) != columns.capacity:
            return False
        self._position = columns.position
        if touched:
            self.kinds[touched] = UNKNOWN
            for slot in touched if self.candidates or self.refusals else ():
                self.candidates.pop(slot, None)
                self.refusals.pop(slot, None)
        return True

    def cheapest(self, slots: Int64) -> int:
        """Return the slot of the cheapest of some candidates, the first of several."""
        for costs in self.costs:
            if len(slots) == 1:
                break
            own = costs[slots]
            slots = slots[own == own.min()]
        return int(slots[0])

    def reasons(self, slots: Int64, texts: tuple[str, ...]) -> dict[str, int]:
        """Count why some nodes are none; texts are the reasons of the filter of amounts."""
        counts: dict[str, int] = {}
        alone = slots[[slot not in self.refusals for slot in slots.tolist()]] if self.refusals else slots
        for code, count in zip(*(found.tolist() for found in np.unique(self.codes[alone], return_counts=True)), strict=True):
            for reason in [text for bit, text in enumerate(texts) if code >> bit & 1] if code else (NO_VICTIMS,):
                counts[reason] = counts.get(reason, 0) + count
        for slot in slots.tolist() if self.refusals else ():
            for reason in self.refusals.get(slot, ()):
                counts[reason] = counts.get(reason, 0) + 1
        return counts


class DryRuns:
    """What dry runs found, by ask; dropped where a node or a budget changed since."""

    def __init__(self) -> None:
        self._found: dict[Ask, Found] = {}

    def of(self, evaluation: Evaluation, columns: Columns, budgets: Budgets) -> Found:
        """Return what is known for an ask, to be completed; nothing is kept where more than a node itself decides."""
        versions = (columns.static_version, budgets.version)
        if evaluation.fit_alone is None:
            return Found(columns, versions)
        found = self._found.pop(evaluation.ask, None)
        if found is None or not found.is_current(columns, versions):
            found = Found(columns, versions)
            if len(self._found) >= max(1, SCHEDULER_DRY_RUNS_KEPT_MAX // columns.capacity):
                del self._found[next(iter(self._found))]
        self._found[evaluation.ask] = found
        return found


class Preemptor:
    """Decides on preemption."""

    def __init__(self, cache: Cache, budgets: Budgets, args: PreemptionArgs = DEFAULT_PREEMPTION) -> None:
        self._cache = cache
        self._budgets = budgets
        self._args = args
        self._kept = DryRuns()
        self._lineups = Lineups(cache, budgets)

    def preempt(self, pod: PodRow, evaluation: Evaluation, columns: Columns, randrange: Callable[[int], int]) -> Preemption:
        """Choose whom a pod preempts that no node takes."""
        if evaluation.ask.never_preempt:
            return Preemption(NEVER, keeps=True)
        slots = resolvable(evaluation, columns)
        if self._waits(pod, slots, columns):
            return Preemption(TERMINATING, keeps=True)
        found = self._kept.of(evaluation, columns, self._budgets)
        offset = randrange(len(slots)) if len(slots) else 0
        slots = np.concatenate((slots[offset:], slots[:offset]))
        tried = self._try(found, slots, evaluation, columns)
        candidates = tried[found.kinds[tried] == CANDIDATE]
        if not len(candidates):
            unhelped = {NOT_HELPFUL: columns.node_count - len(slots)}
            texts = evaluation.fit_alone.reasons(evaluation.ask) if evaluation.fit_alone is not None else ()
            return Preemption(message(columns.node_count, found.reasons(slots, texts) | unhelped))
        best = self._candidate(found, found.cheapest(candidates), evaluation, columns)
        text = f"found a potential placement for pod on node {best.node}, preempting {best.victim_count} victims"
        return Preemption(text, best.node, best.victims)

    def _waits(self, pod: PodRow, slots: Int64, columns: Columns) -> bool:
        """Say whether pods are leaving the node that was cleared for this one, which it still may go to."""
        slot = columns.slots.get(pod.nominated)
        if slot is None or slot not in slots:
            return False
        leaving = (other for other in self._cache.on(pod.nominated) if other.leaves)
        return any(other.account.priority < pod.priority for other in leaving)

    def _try(self, found: Found, slots: Int64, evaluation: Evaluation, columns: Columns) -> Int64:
        """Clear nodes on trial, in this order, until enough candidates are known; -> the nodes tried, of which all is known then."""
        wanted = min(len(slots), max(self._args.absolute, len(slots) * self._args.percentage // 100))
        while True:
            tried = slots[: _enough(found, slots, wanted)]
            unknown = tried[found.kinds[tried] == UNKNOWN][:wanted]
            if not len(unknown):
                return tried
            for slot in self._clear(found, unknown, evaluation, columns).tolist():
                found.set(slot, dry_run(slot, evaluation, self._cache, columns, self._budgets))

    def _clear(self, found: Found, slots: Int64, evaluation: Evaluation, columns: Columns) -> Int64:
        """Clear nodes on trial of which amounts alone decide, all at once; Returns the others."""
        fit = evaluation.fit_alone
        if fit is None:
            return slots
        guarded = self._lineups.of(slots, columns)
        plain, ask = slots[~guarded] if guarded.any() else slots, evaluation.ask
        self._lineups.clear(plain, fit.counted(ask), ask.priority, columns, found.kinds, found.costs, found.codes)
        return slots[guarded]

    def _candidate(self, found: Found, slot: int, evaluation: Evaluation, columns: Columns) -> Candidate:
        """Return a candidate with its victims."""
        known = found.candidates.get(slot)
        if known is not None:
            return known
        candidate = dry_run(slot, evaluation, self._cache, columns, self._budgets)
        assert isinstance(candidate, Candidate), f"clearing slot {slot} helps"
        return candidate


def _enough(found: Found, slots: Int64, wanted: int) -> int:
    """Return how many nodes have to be tried, as far as is known: to the wanted candidate, and to the first that keeps the budgets."""
    is_candidate = found.kinds[slots] == CANDIDATE
    places = np.flatnonzero(is_candidate)
    if len(places) < wanted:
        return len(slots)
    keeping = places[found.costs[0, slots[places]] == 0]
    return int(max(places[wanted - 1], keeping[0])) + 1 if len(keeping) else len(slots)
