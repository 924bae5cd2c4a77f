"""One scheduling decision: filter all nodes, score the feasible ones, pick one of the best.

A pure function of the pod's ask, the columns and one random number for ties; `Evaluations` only remembers what would be computed again, so
a run of pods with equal asks costs one slot per pod and gives the same decisions as one by one.

Where one node is feasible, nothing is scored; where none is, the decision says why, and what preemption can do about it. A node that was
cleared for the pod before is taken if it is feasible, whatever others score.

Source: kube-scheduler 1.37, scheduling cycle, with all nodes scored unless a profile names a part of them (percentageOfNodesToScore).
"""
from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kcore.base.limits import SCHEDULER_REASON_BITS_MAX
from kcore.scheduler.columns import Columns
from kcore.scheduler.diagnosis import Rejection, diagnose, message, refusal_message, rejections, unsupported_message
from kcore.scheduler.dra.asks import DeviceNeeds
from kcore.scheduler.dra.failures import devices_problem, slots_without_devices
from kcore.scheduler.dra.idle import give_back
from kcore.scheduler.dra.needs import device_needs
from kcore.scheduler.evaluation import Evaluation, Evaluations
from kcore.scheduler.evaluation.sample import Sample
from kcore.scheduler.explanation import Shortfall, shortfalls, would_help
from kcore.scheduler.preemption.choice import Preemption, Preemptor
from kcore.scheduler.profile import DEFAULT, Profile
from kcore.scheduler.reserving.part import Write
from kcore.scheduler.rows import PodRow, Unsupported
from kcore.scheduler.volumes.asks import Needs
from kcore.scheduler.volumes.needs import Refusal, needs_of

Randrange = Callable[[int], int]


class Decision(NamedTuple):
    """Where a pod goes, or why nowhere.

    node         the node's name; None where the pod has to wait
    feasible     how many nodes passed all filters; ties: how many of them have the highest total
    total        the highest total; 0 where nothing was scored
    message      why it waits, as in the PodScheduled condition
    rejected_by  plugins whose events may wake it, sorted
    preemption   what preemption found, where it was tried
    needs        what its volumes need, where it has any and goes to a node; device_needs: likewise
    writes       what is written so that a pod that waits may fit
    failed       something is wrong that keeps the question from being answered: no event is waited for
    """

    node: str | None
    feasible: int = 0
    ties: int = 0
    total: int = 0
    message: str = ""
    reasons: dict[str, int] = {}  # noqa: RUF012
    rejected_by: tuple[str, ...] = ()
    preemption: Preemption | None = None
    needs: Needs | None = None
    device_needs: DeviceNeeds | None = None
    writes: tuple[Write, ...] = ()
    failed: bool = False

    def explain(self, pod: PodRow, columns: Columns, profile: Profile = DEFAULT) -> Explanation:
        """Tell node by node what was found for the pod, while the columns are those that were decided on."""
        return explain(pod, columns, profile)


class Explanation(NamedTuple):
    """A decision node by node.

    rejected  node -> the filter that rejects it; shortfalls: node -> what is missing, where amounts are
    scores    plugin -> node -> weighted score; normalised: the same before weighing, raw: before that. Empty where nothing was scored
    totals    node -> sum of the weighted scores
    best      nodes with the highest total (ties, where there are several), or the one feasible node
    helpful   filter that rejects -> events that may help
    """

    feasible: tuple[str, ...]
    rejected: dict[str, Rejection]
    normalised: dict[str, dict[str, int]]
    scores: dict[str, dict[str, int]]
    totals: dict[str, int]
    best: tuple[str, ...]
    unsupported: tuple[Unsupported, ...]
    raw: dict[str, dict[str, int]] = {}  # noqa: RUF012
    shortfalls: dict[str, tuple[Shortfall, ...]] = {}  # noqa: RUF012
    helpful: dict[str, tuple[str, ...]] = {}  # noqa: RUF012


def schedule(
    pod: PodRow,
    columns: Columns,
    evaluations: Evaluations,
    randrange: Randrange,
    preemptor: Preemptor | None = None,
    sample: Sample | None = None,
) -> Decision:
    """Decide for one pod; nothing is changed but what evaluations, preemptor and sample remember.

    Without a preemptor nobody is preempted; without a sample all nodes are scored.
    """
    ask = pod.ask
    refused = _too_many_resources(pod)
    if refused:
        plugins = tuple(sorted({wish.plugin for wish in refused}))
        return Decision(None, message=unsupported_message(refused, columns), rejected_by=plugins)
    asked = pod
    if ask.volumes is not None or ask.claims is not None or (ask.extended and columns.devices.extended):
        looked_up = look_up(pod, columns)
        if isinstance(looked_up, Refusal):
            message_ = refusal_message(looked_up, columns, never_preempts=ask.never_preempt)
            return Decision(None, message=message_, rejected_by=(looked_up.plugin,))
        pod = looked_up
    evaluation = evaluations.of(pod, columns)
    needs, device_needs = pod.ask.needs, pod.ask.device_needs
    if device_needs is not None:
        problem = devices_problem(asked, evaluation, columns)
        if problem:
            return Decision(None, message=problem, failed=True)
    if not evaluation.feasible_count:
        return _rejected(asked, pod, columns, evaluation, randrange, preemptor)
    cleared = columns.slots.get(pod.nominated)
    if cleared is not None and evaluation.feasible[cleared]:
        return Decision(pod.nominated, 1, 1, needs=needs, device_needs=device_needs)
    part = sample.choose(pod, evaluation, columns, evaluations.nodes, randrange) if sample and evaluations.profile.percentage else None
    if part is not None:
        return Decision(columns.names[part.slot], part.scored, part.ties, part.total, needs=needs, device_needs=device_needs)
    slot, ties = evaluation.ranking.choose(randrange)
    total = int(evaluation.totals[slot]) if evaluation.feasible_count > 1 else 0
    return Decision(columns.names[slot], evaluation.feasible_count, ties, total, needs=needs, device_needs=device_needs)


def may_run(pod: PodRow, columns: Columns, evaluations: Evaluations) -> bool:
    """Say whether pods like this one may be placed as a run: amounts and nodes decide about them, and some node takes them."""
    ask = pod.ask
    looks_up = ask.volumes is not None or ask.claims is not None or (ask.extended and columns.devices.extended)
    if looks_up or ask.spread or ask.affinity is not None or _too_many_resources(pod) or evaluations.profile.percentage:
        return False
    return evaluations.of(pod, columns).may_run(columns)


def place_alike(pod: PodRow, most: int, columns: Columns, evaluations: Evaluations, randrange: Randrange) -> list[Decision]:
    """Decide for pods that ask and show what this one does, and place each before the next, as long as amounts alone decide.

    Returns  the decisions for the first of them; those that are left have to be decided one by one
    """
    decisions: list[Decision] = []
    names = columns.names
    while len(decisions) < most:
        placed = evaluations.of(pod, columns).place(most - len(decisions), pod.account, columns, randrange)
        if not placed:
            break
        decisions += [Decision(names[slot], feasible, ties, total if feasible > 1 else 0) for slot, ties, total, feasible in placed]
    return decisions


def explain(pod: PodRow, columns: Columns, profile: Profile = DEFAULT) -> Explanation:
    """Tell for every node what schedule would find now."""
    looked_up = look_up(pod, columns)
    refused = _too_many_resources(pod)
    if isinstance(looked_up, Refusal):
        rejection = Rejection(looked_up.plugin, (looked_up.message,), False)
        rejected, helpful = {row.name: rejection for row in columns.rows if row is not None}, would_help([looked_up.plugin], profile)
        return Explanation((), rejected, {}, {}, {}, (), refused, helpful=helpful)
    evaluations = Evaluations(profile)
    evaluation = evaluations.of(looked_up, columns)
    evaluation.detail(columns)
    slots = [int(slot) for slot in np.flatnonzero(evaluation.feasible[: columns.count])]
    feasible = tuple(columns.names[slot] for slot in slots)
    normalised: dict[str, dict[str, int]] = {}
    scores: dict[str, dict[str, int]] = {}
    totals: dict[str, int] = {}
    raw: dict[str, dict[str, int]] = {}
    if len(slots) > 1:
        for plugin, sums in evaluation.raws(columns).items():
            raw[plugin] = {columns.names[slot]: 0 if sums is None else round(sums[slot].item()) for slot in slots}
        for plugin, (values, weight) in evaluation.scores(columns, evaluations.nodes).items():
            row = {columns.names[slot]: values if isinstance(values, int) else int(values[slot]) for slot in slots}
            normalised[plugin] = row
            scores[plugin] = {name: weight * value for name, value in row.items()}
        totals = {columns.names[slot]: int(evaluation.totals[slot]) for slot in slots}
    highest = max(totals.values(), default=0)
    best = tuple(name for name, total in totals.items() if total == highest) if totals else feasible
    rejected = rejections(evaluation, columns)
    missing, helpful = shortfalls(looked_up.ask, columns, rejected), would_help((why.plugin for why in rejected.values()), profile)
    return Explanation(feasible, rejected, normalised, scores, totals, best, refused, raw, missing, helpful)


def look_up(pod: PodRow, columns: Columns) -> PodRow | Refusal:
    """Return a pod with its volumes and claims looked up, or why it has to wait whatever the node."""
    ask = pod.ask
    if ask.volumes is not None:
        needs = needs_of(pod.key, ask.volumes, columns.catalog, columns.usage)
        if isinstance(needs, Refusal):
            return needs
        ask = ask._replace(volumes=None, needs=needs)
    if ask.claims is not None or (ask.extended and columns.devices.extended):
        wanted = device_needs(pod.key, pod.uid, ask, columns.devices)
        if isinstance(wanted, Refusal):
            return wanted
        ask = ask._replace(claims=None, device_needs=wanted)
    return pod if ask is pod.ask else pod._replace(ask=ask)


def _rejected(
    asked: PodRow, pod: PodRow, columns: Columns, evaluation: Evaluation, randrange: Randrange, preemptor: Preemptor | None
) -> Decision:
    """Say why no node takes a pod, and what may help: claims that give devices back, and pods that go; asked: before it was looked up."""
    diagnosis = evaluation.diagnosis or diagnose(evaluation, columns)
    evaluation.diagnosis = diagnosis
    preemption = preemptor.preempt(pod, evaluation, columns, randrange) if preemptor and diagnosis.nodes else None
    needs = pod.ask.device_needs
    returned = give_back(asked, needs, slots_without_devices(evaluation, columns), columns) if needs is not None else None
    helps = [returned.message] if returned is not None and (preemption is None or preemption.node is None) else []
    if preemption is not None:
        helps.append(f"preemption: {preemption.message}")
    text = message(diagnosis.nodes, diagnosis.reasons) + (f" {', '.join(helps)}" if helps else "")
    writes = returned.writes if returned is not None else ()
    return Decision(None, 0, 0, 0, text, diagnosis.reasons, diagnosis.rejected_by, preemption, writes=writes)


def _too_many_resources(pod: PodRow) -> tuple[Unsupported, ...]:
    if len(pod.ask.amounts) <= SCHEDULER_REASON_BITS_MAX:
        return ()
    return (Unsupported("NodeResourcesFit", f"requests for more than {SCHEDULER_REASON_BITS_MAX} different resources"),)
