"""Who has to go for a group that fits nowhere.

All pods of lower priority are taken away. If the group can be placed then, they are put back one by one wherever its pods still fit, those
first that would violate a budget, then the others, each in the order of importance: higher priority, groups before single pods, larger
groups, who started earlier. Who cannot be put back has to go. Pods of a group that can only be disrupted as a whole go, and stay, together.

What amounts decide is arithmetic on the nodes that the group's pods go to; whoever stands elsewhere stays. Where more decides, filters
are asked too, a bounded number of times. After that all stay who fit by amounts, if the group still fits beside all of them, else none.

Source: kube-scheduler 1.37, preemption of pod groups.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from kcore.base.limits import SCHEDULER_GANG_CHECKS_MAX
from kcore.scheduler.cache import Cache, Placed
from kcore.scheduler.columns import Columns
from kcore.scheduler.evaluation import Evaluation
from kcore.scheduler.gangs.attempt import Attempt, Taken
from kcore.scheduler.gangs.book import Book, Gang
from kcore.scheduler.preemption.budgets import Budgets
from kcore.scheduler.requests import PODS
from kcore.scheduler.rows import PodRow

NEVER: Final = "not eligible due to preemptionPolicy=Never."
ONGOING: Final = "ongoing preemption on nominated nodes"
NO_VICTIMS: Final = "No preemption victims found for incoming preemptor"


class GroupPreemption(NamedTuple):
    """What preemption found.

    message      what conditions say of it
    nominations  the node that is cleared for each pod, where there is one
    helps        whether the group waits for nodes to be cleared
    """

    message: str
    nominations: Mapping[str, str] = {}
    victims: tuple[Placed, ...] = ()
    helps: bool = False


class Unit(NamedTuple):
    """Pods that go or stay together."""

    priority: int
    is_grouped: bool
    pods: tuple[Placed, ...]

    @property
    def importance(self) -> tuple[int, bool, int, float, str]:
        """Return the key by which the most important unit is the first."""
        started = min(pod.started or math.inf for pod in self.pods)
        return -self.priority, not self.is_grouped, -len(self.pods), started, self.pods[0].key


class GroupPreemptor:
    """Decides on the preemption of groups. `evaluate` looks up what a pod is on all nodes, as the columns are."""

    def __init__(self, cache: Cache, columns: Columns, budgets: Budgets, book: Book, evaluate: Callable[[PodRow], Evaluation]) -> None:
        self._cache, self._columns, self._budgets, self._book, self._evaluate = cache, columns, budgets, book, evaluate

    def preempt(self, gang: Gang, nominations: Mapping[str, str], attempt: Callable[[], Attempt]) -> GroupPreemption:
        """Choose whom a group preempts. nominations: the nodes that are being cleared for its pods; attempt: tries to place it."""
        assert gang.group is not None
        priority = gang.group.priority
        if any(pod.ask.never_preempt for pod in gang.waiting.values()):
            return GroupPreemption(NEVER)
        if any(pod.leaves and pod.account.priority < priority for node in set(nominations.values()) for pod in self._cache.on(node)):
            return GroupPreemption(ONGOING, nominations, helps=True)
        units = [unit for unit in self._units() if unit.priority < priority]
        if not units:
            return GroupPreemption(NO_VICTIMS)
        away = {pod.key: pod for unit in units for pod in unit.pods}
        self._displace(away.values())
        try:
            tried = attempt()
            if not tried.is_placed:
                return GroupPreemption(tried.message)
            tried.undo()
            gone = self._not_put_back(units, tried.taken, away)
        finally:
            self._place(away.values())
        victims = tuple(pod for unit in sorted(gone, key=lambda unit: unit.importance) for pod in unit.pods)
        text = f"found a placement for podgroup, preempting {len(victims)} victims"
        return GroupPreemption(text, {each.pod.key: each.node for each in tried.taken}, victims, helps=True)

    def _units(self) -> list[Unit]:
        found: list[Unit] = []
        seen: set[str] = set()
        for pod in self._cache.all():
            gang = self._book.of(pod.key)
            group = gang.group if gang is not None else None
            if gang is None or group is None or not group.whole:
                found.append(Unit(group.priority if group else pod.account.priority, group is not None, (pod,)))
            elif gang.key not in seen:
                seen.add(gang.key)
                found.append(Unit(group.priority, True, tuple(members(gang, self._cache))))
        return found

    def _not_put_back(self, units: list[Unit], taken: Sequence[Taken], away: dict[str, Placed]) -> list[Unit]:
        """Put units back where the group still fits, the most important first; -> those that have to go."""
        ranked = sorted(units, key=lambda unit: unit.importance)
        violating = self._budgets.violating([pod for unit in ranked for pod in unit.pods])
        ranked.sort(key=lambda unit: not any(pod.key in violating for pod in unit.pods))
        room = _Room(self._columns, taken)
        filters = None if self._amounts_decide(taken) else _Filters(self._columns, taken, self._evaluate)
        gone, unasked = [], []
        for unit in ranked:
            is_asked = filters is not None and filters.left > 0
            if not room.takes(unit.pods):
                gone.append(unit)
                continue
            if is_asked and filters is not None and not filters.take(unit.pods):
                room.give_back(unit.pods)
                gone.append(unit)
                continue
            if filters is not None and not is_asked:
                unasked.append(unit)
            self._place(unit.pods)
            for pod in unit.pods:
                del away[pod.key]
        if filters is not None and unasked and not filters.take(()):
            back = [pod for unit in unasked for pod in unit.pods]
            self._displace(back)
            away |= {pod.key: pod for pod in back}
            gone += unasked
        return gone

    def _amounts_decide(self, taken: Sequence[Taken]) -> bool:
        """Say whether no other filter of pods concerns any of a group."""
        for pod in {each.pod.ask: each.pod for each in taken}.values():
            evaluation = self._evaluate(pod)
            evaluation.detail(self._columns)
            if evaluation.fit_alone is None:
                return False
        return True

    def _displace(self, pods: Iterable[Placed]) -> None:
        for pod in pods:
            self._columns.displace(pod.node_name, pod.account)

    def _place(self, pods: Iterable[Placed]) -> None:
        for pod in pods:
            self._columns.place(pod.node_name, pod.account)


def members(gang: Gang, cache: Cache) -> list[Placed]:
    """Return the pods of a group that have a node."""
    return [pod for key in (*gang.bound, *gang.assumed) if (pod := cache.placed(key)) is not None]


def together(victims: Iterable[Placed], cache: Cache, book: Book) -> list[Placed]:
    """Return pods that go, with all that have to go with them."""
    found = {pod.key: pod for pod in victims}
    for key in [*found]:
        gang = book.of(key)
        if gang is not None and gang.group is not None and gang.group.whole:
            found |= {pod.key: pod for pod in members(gang, cache)}
    return [*found.values()]


class _Room:
    """What is left beside a group, on the nodes that its pods go to."""

    def __init__(self, columns: Columns, taken: Sequence[Taken]) -> None:
        self._left: dict[str, dict[str, int]] = {}
        for each in taken:
            left = self._left.setdefault(each.node, {PODS: columns.free(each.node).get(PODS, 0)})
            for name, _ in each.pod.ask.amounts:
                left.setdefault(name, columns.free(each.node).get(name, 0))
        for each in taken:
            self._add(each.node, ((PODS, 1), *each.pod.account.amounts), -1)

    def takes(self, pods: Sequence[Placed]) -> bool:
        """Say whether pods may be put back, and count them if so."""
        for pod in pods:
            self._add(pod.node_name, ((PODS, 1), *pod.account.amounts), -1)
        if all(min(self._left[pod.node_name].values()) >= 0 for pod in pods if pod.node_name in self._left):
            return True
        self.give_back(pods)
        return False

    def give_back(self, pods: Sequence[Placed]) -> None:
        """Undo takes."""
        for pod in pods:
            self._add(pod.node_name, ((PODS, 1), *pod.account.amounts), 1)

    def _add(self, node: str, amounts: Iterable[tuple[str, int]], sign: int) -> None:
        left = self._left.get(node)
        if left is not None:
            for name, amount in amounts:
                if name in left:
                    left[name] += sign * amount


class _Filters:
    """Asks filters whether a group still fits beside pods that are put back."""

    def __init__(self, columns: Columns, taken: Sequence[Taken], evaluate: Callable[[PodRow], Evaluation]) -> None:
        self._columns, self._taken, self._evaluate = columns, taken, evaluate
        self.left = SCHEDULER_GANG_CHECKS_MAX

    def take(self, pods: Sequence[Placed]) -> bool:
        """Say whether the group fits beside pods that are put back."""
        for pod in pods:
            self._columns.place(pod.node_name, pod.account)
        placed: list[Taken] = []
        try:
            for each in self._taken:
                self.left -= 1
                if not self._evaluate(each.pod).feasible[self._columns.slots[each.node]]:
                    return False
                self._columns.place(each.node, each.pod.account)
                placed.append(each)
            return True
        finally:
            for each in reversed(placed):
                self._columns.displace(each.node, each.pod.account)
            for pod in pods:
                self._columns.displace(pod.node_name, pod.account)
