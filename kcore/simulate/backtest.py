"""How far a cluster stands where the scheduler would put it: each bound pod is taken away alone and judged, all others as they are.

That a pod stands where another node scores higher need not be a mistake of anybody: when it was placed, others were not there yet.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from kcore.scheduler.columns import Columns
from kcore.scheduler.configuration.reading import Configuration
from kcore.scheduler.cycle import look_up
from kcore.scheduler.diagnosis import rejections
from kcore.scheduler.evaluation import Evaluation, Evaluations
from kcore.scheduler.ingest import pod_row
from kcore.scheduler.rows import PodRow
from kcore.scheduler.snapshot import Snapshot, snapshot
from kcore.scheduler.volumes.needs import Refusal
from kcore.simulate.cluster import Cluster

Report = dict[str, Any]

NO_NODE: Final = "its node is not there"


def backtested(cluster: Cluster, configuration: Configuration | None = None) -> Report:
    """Judge every bound pod of a cluster.

    Returns  how many are feasible and best where they stand, and of each other pod why not
    Raises   DecodeError
    """
    rows = [row for row in map(pod_row, cluster.pods) if row.node_name and not row.finished]
    judge = _Judge(snapshot(cluster.nodes, cluster.pods, cluster.others), configuration or Configuration())
    infeasible, worse, undecided, feasible = [], [], [], 0
    for row in rows:
        unknown = judge.unknown(row)
        if unknown:
            undecided.append({"pod": row.key, "node": row.node_name, "reason": unknown})
            continue
        reason, found = judge.judged(row)
        if reason:
            infeasible.append({"pod": row.key, "node": row.node_name, "reason": reason})
            continue
        feasible += 1
        if found is not None:
            worse.append(found)
    skipped = {"cluster": {"nodes": len(cluster.nodes), "pods": len(cluster.pods), "skipped": cluster.skipped, "undecided": {}}}
    counts = {"bound": len(rows), "feasible": feasible, "best": feasible - len(worse)}
    return {**skipped, **counts, "infeasible": infeasible, "not_best": worse, "not_judged": undecided}


class _Judge:
    """The cluster, and what is known of asks."""

    def __init__(self, cluster: Snapshot, configuration: Configuration) -> None:
        self._columns = cluster.columns
        self._evaluations = {profile.name: Evaluations(profile) for profile in configuration.profiles}

    def unknown(self, row: PodRow) -> str:
        """Return why nothing can be said of a pod; "" where something can."""
        if row.scheduler_name not in self._evaluations:
            return f"it belongs to the scheduler {row.scheduler_name}"
        return ""

    def judged(self, row: PodRow) -> tuple[str, Report | None]:
        """Return why a pod could not stand where it does, or ""; then which node is better, if one is."""
        columns, slot = self._columns, self._columns.slots[row.node_name]
        if columns.rows[slot] is None:
            return NO_NODE, None
        with columns.peers.pinned({row.account.peer}):
            columns.displace(row.node_name, row.account)
            found = self._standing(row, slot)
            columns.place(row.node_name, row.account)
        return found

    def _standing(self, row: PodRow, slot: int) -> tuple[str, Report | None]:
        """Judge a pod that has been taken away."""
        columns = self._columns
        looked_up = look_up(row, columns)
        if isinstance(looked_up, Refusal):
            return f"{looked_up.plugin}: {looked_up.message}", None
        evaluation = self._evaluations[row.scheduler_name].of(looked_up, columns)
        if not evaluation.feasible[slot]:
            return _why_not(evaluation, columns, row.node_name), None
        return "", self._better(row, slot, evaluation)

    def _better(self, row: PodRow, slot: int, evaluation: Evaluation) -> Report | None:
        columns = self._columns
        totals = np.where(evaluation.feasible[: columns.count], evaluation.totals[: columns.count], -1)
        best = int(totals.argmax())
        if evaluation.feasible_count < 2 or totals[slot] == totals[best]:
            return None
        gains = {}
        for plugin, (scores, weight) in evaluation.scores(columns, self._evaluations[row.scheduler_name].nodes).items():
            gain = 0 if isinstance(scores, int) else weight * int(scores[best] - scores[slot])
            if gain:
                gains[plugin] = gain
        total, highest = int(totals[slot]), int(totals[best])
        return {"pod": row.key, "node": row.node_name, "total": total, "best": columns.names[best], "best_total": highest, "gains": gains}


def _why_not(evaluation: Evaluation, columns: Columns, node: str) -> str:
    found = rejections(evaluation, columns, node)[node]
    return f"{found.plugin}: {', '.join(found.reasons)}"
