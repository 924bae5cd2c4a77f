"""A dry run: which pods of a node have to go so that another one fits.

All pods of lower priority are taken away. If the pod fits then, they are put back one by one where it still does, those first that would
violate a budget, then the others, each in the order of importance: higher priority first, then who started earlier. Who cannot be put back
is a victim.

    node: 4 cpu, pods a (priority 5, 1 cpu), b (3, 2 cpu), c (3, 1 cpu); a pod of priority 9 asks for 2 cpu
    none of them: fits; a back: fits; b back: does not; c back: fits   ->  victim b

Where amounts alone decide this is arithmetic on what is free, for many nodes at once (`lineups`) or for one; other filters are asked with
the pods taken from the columns.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final, NamedTuple

from kcore.scheduler.cache import Cache, Placed
from kcore.scheduler.columns import Columns
from kcore.scheduler.evaluation import Evaluation
from kcore.scheduler.framework import PeerFilter, PlacedFilter
from kcore.scheduler.plugins.node_resources_fit import NodeResourcesFit
from kcore.scheduler.preemption.budgets import Budgets
from kcore.scheduler.preemption.lineups import importance
from kcore.scheduler.rows import Account, Ask

NO_VICTIMS: Final = "No preemption victims found for incoming pod"
# Added to each priority of a sum, so that more victims never make it smaller.
PRIORITY_OFFSET: Final = 1 << 31


class Candidate(NamedTuple):
    """A node that can be cleared, compared by what it costs: the least comes first.

    violations  victims that violate a budget
    highest     the highest priority of a victim; priorities: the sum over them, each made positive
    started     minus the start of the earliest of the victims with the highest priority: who started late goes first
    """

    violations: int
    highest: int
    priorities: int
    victim_count: int
    started: float
    node: str
    victims: tuple[Placed, ...]


Refusal = tuple[str, ...]
"""Why clearing a node does not help."""

Verdict = list[Placed] | tuple[PlacedFilter | PeerFilter, int]
"""The victims, or the filter that rejects the node when all of them are gone, and its code."""


def dry_run(slot: int, evaluation: Evaluation, cache: Cache, columns: Columns, budgets: Budgets) -> Candidate | Refusal:
    """Return what one node costs, or the reasons why clearing it does not help."""
    ask, node = evaluation.ask, columns.names[slot]
    lower = sorted((pod for pod in cache.on(node) if pod.account.priority < ask.priority), key=importance)
    if not lower:
        return (NO_VICTIMS,)
    violating = budgets.violating(lower)
    order = sorted(lower, key=lambda pod: pod.key not in violating) if violating else lower
    fit = evaluation.fit_alone
    found = _by_filters(order, slot, evaluation, columns) if fit is None else _by_amounts(order, slot, fit, ask, columns)
    if isinstance(found, list):
        return _candidate(node, found, violating) if found else (NO_VICTIMS,)
    plugin, code = found
    return tuple(text for bit, text in enumerate(plugin.reasons(ask)) if code >> bit & 1)


def _candidate(node: str, victims: Sequence[Placed], violating: frozenset[str]) -> Candidate:
    highest = max(pod.account.priority for pod in victims)
    return Candidate(
        violations=sum(pod.key in violating for pod in victims),
        highest=highest,
        priorities=sum(pod.account.priority + PRIORITY_OFFSET for pod in victims),
        victim_count=len(victims),
        started=-min(pod.started or math.inf for pod in victims if pod.account.priority == highest),
        node=node,
        victims=tuple(sorted(victims, key=importance)),
    )


def _by_filters(order: Sequence[Placed], slot: int, evaluation: Evaluation, columns: Columns) -> Verdict:
    node, victims = columns.names[slot], []
    with ExitStack() as cleared:
        cleared.callback(evaluation.take_in, slot)
        cleared.enter_context(columns.trial(node, without=[pod.account for pod in order]))
        failing = evaluation.failing(slot, columns)
        if failing is not None:
            return failing
        for pod in order:
            with ExitStack() as back:
                back.enter_context(columns.trial(node, also=[pod.account]))
                if evaluation.failing(slot, columns) is None:
                    cleared.push(back.pop_all())
                else:
                    victims.append(pod)
    return victims


def _by_amounts(order: Sequence[Placed], slot: int, fit: NodeResourcesFit, ask: Ask, columns: Columns) -> Verdict:
    # What is left when the pod is there and all others are gone: of places for pods, then of each resource that it asks for.
    place_of = {name: place for place, (name, _) in enumerate(fit.counted(ask), 1)}
    rows, amounts = columns.asked(fit.counted(ask))
    left = [int(columns.pod_limit[slot] - columns.pod_count[slot]) - 1]
    for row, amount in zip(rows, amounts, strict=True):
        left.append(int(columns.allocatable[row, slot] - columns.requested[row, slot] - amount) if row >= 0 else -int(amount))
    for pod in order:
        _add(left, pod.account, place_of, 1)
    for claim in columns.claims(slot, ask.priority):
        _add(left, claim, place_of, -1)
    if min(left) < 0:
        return fit, sum(1 << bit for bit, amount in enumerate(left) if amount < 0)
    victims = []
    for pod in order:
        _add(left, pod.account, place_of, -1)
        if min(left) < 0:
            _add(left, pod.account, place_of, 1)
            victims.append(pod)
    return victims


def _add(left: list[int], account: Account, place_of: dict[str, int], sign: int) -> None:
    left[0] += sign
    for name, amount in account.amounts:
        place = place_of.get(name)
        if place is not None:
            left[place] += sign * amount
