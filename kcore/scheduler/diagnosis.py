"""Why no node took a pod: reasons counted over nodes, and the sentence that kube-scheduler writes of them.

    0/4 nodes are available: 1 node(s) were unschedulable, 2 Insufficient memory, 3 Insufficient cpu. preemption: 0/4 nodes are ...

A node counts for the first filter that rejects it, with all reasons of that filter. The counts are sorted as texts.

What preemption found is the second half of the sentence; `preemption` writes it.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from kcore.scheduler.columns import Columns, Int64, UInt8
from kcore.scheduler.evaluation import Evaluation
from kcore.scheduler.framework import UNRESOLVABLE, Diagnosis
from kcore.scheduler.rows import Unsupported
from kcore.scheduler.volumes.needs import Refusal

NO_NODES: Final = "no nodes available to schedule pods"


class Rejection(NamedTuple):
    """Why one filter rejects one node."""

    plugin: str
    reasons: tuple[str, ...]
    resolvable: bool


def diagnose(evaluation: Evaluation, columns: Columns) -> Diagnosis:
    """Count the reasons of an ask that no node satisfies."""
    if not columns.node_count:
        return Diagnosis(0, {}, tuple(sorted(evaluation.profile.wakers)))
    ask, count = evaluation.ask, columns.count
    left, absent = _looked_at(evaluation, columns)
    reasons: dict[str, int] = {}
    rejected_by: list[str] = []
    if absent:
        reasons["node(s) didn't satisfy plugin(s) [NodeAffinity]"] = absent
        rejected_by.append("NodeAffinity")
    all_pass = int(np.count_nonzero(evaluation.mask)) == columns.node_count
    for plugin in () if all_pass else evaluation.profile.node_filters:
        if plugin.reads(ask) is None:
            continue
        passing = plugin.mask(ask, columns)
        rejected = int(np.count_nonzero(left > passing))
        if rejected:
            reasons[plugin.reason] = reasons.get(plugin.reason, 0) + rejected
            rejected_by.append(plugin.name)
            left &= passing
    for placed, all_codes in evaluation.filters:
        codes = all_codes[:count] * left
        if not codes.any():
            continue
        rejected_by.append(placed.name)
        for bit, reason in enumerate(placed.reasons(ask)):
            rejected = int(np.count_nonzero(codes & (1 << bit)))
            if rejected:
                reasons[reason] = rejected
        left[codes != 0] = 0
    return Diagnosis(columns.node_count, reasons, tuple(sorted(set(rejected_by))))


def rejections(evaluation: Evaluation, columns: Columns, node: str | None = None) -> dict[str, Rejection]:
    """Return per node that is not feasible, of all or of this one, the filter that rejects it."""
    ask = evaluation.ask
    evaluation.detail(columns)
    left, _ = _looked_at(evaluation, columns)
    present = columns.present[: columns.count]
    if node is not None:
        alone = np.zeros(columns.count, np.uint8)
        alone[columns.slots[node]] = 1
        left, present = left & alone, present & alone
    found: dict[str, Rejection] = {}
    for slot in np.flatnonzero(present > left):
        found[columns.names[slot]] = Rejection("NodeAffinity", ("node(s) didn't satisfy plugin(s) [NodeAffinity]",), False)
    for plugin in evaluation.profile.node_filters:
        if plugin.reads(ask) is not None:
            passing = plugin.mask(ask, columns)
            for slot in np.flatnonzero(left > passing):
                found[columns.names[slot]] = Rejection(plugin.name, (plugin.reason,), False)
            left &= passing
    for placed, codes in evaluation.filters:
        texts = placed.reasons(ask)
        for slot in np.flatnonzero(codes[: columns.count] * left):
            code = int(codes[slot])
            names = tuple(text for bit, text in enumerate(texts) if code >> bit & 1)
            found[columns.names[slot]] = Rejection(placed.name, names, not code & UNRESOLVABLE)
            left[slot] = 0
    return found


def resolvable(evaluation: Evaluation, columns: Columns) -> Int64:
    """Return the slots of the nodes that reject the pod for a reason that removing pods may end."""
    left = evaluation.mask.astype(np.bool_)
    found = np.zeros(columns.count, np.bool_)
    for _, all_codes in evaluation.filters:
        codes = all_codes[: columns.count]
        # What cannot be resolved has the highest bit below the sign, so that it is larger than all else.
        found |= left & (codes > 0) & (codes < UNRESOLVABLE)
        left &= codes == 0
    slots: Int64 = np.flatnonzero(found)
    return slots


def message(nodes: int, reasons: Mapping[str, int]) -> str:
    """Write the sentence."""
    return f"0/{nodes} nodes are available: {_counts(reasons)}." if nodes else NO_NODES


def refusal_message(refusal: Refusal, columns: Columns, never_preempts: bool = False) -> str:
    """Write why a pod waits that no node is looked at for; the words at the end are Kubernetes' own, which differ by who refuses."""
    nodes = columns.node_count
    if refusal.plugin == "DynamicResources":
        unhelped = f"0/{nodes} nodes are available: {nodes} Preemption is not helpful for scheduling."
        end = f"preemption: {'not eligible due to preemptionPolicy=Never.' if never_preempts else unhelped}"
    else:
        end = "not found"
    return f"0/{nodes} nodes are available: {refusal.message}. {end}" if nodes else NO_NODES


def unsupported_message(wishes: tuple[Unsupported, ...], columns: Columns) -> str:
    """Write why a pod waits that asks for what no plugin decides."""
    names = ", ".join(wish.wish for wish in wishes)
    return f"0/{columns.node_count} nodes are available: this version of kcore cannot decide {names}."


def _looked_at(evaluation: Evaluation, columns: Columns) -> tuple[UInt8, int]:
    """Return a mask of the nodes that filters look at, and how many others there are."""
    present: UInt8 = columns.present[: columns.count].copy()
    if evaluation.named is None:
        return present, 0
    looked_at = np.zeros(columns.count, np.uint8)
    looked_at[[columns.slots[name] for name in evaluation.named if name in columns.slots]] = 1
    looked_at &= present
    return looked_at, columns.node_count - int(np.count_nonzero(looked_at))


def _counts(reasons: Mapping[str, int]) -> str:
    return ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items() if count))
