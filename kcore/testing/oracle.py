"""kcore's answers in the form in which recordings of Kubernetes are compared.

`decide` answers one scenario of recorded scheduling decisions: a cluster, one pending pod, what the scheduler does with it.
"""
from __future__ import annotations

from typing import Any

from kcore.base.entropy import SeededEntropy
from kcore.machinery import codec
from kcore.scheduler.columns import Columns
from kcore.scheduler.core import SCHEDULER_NAME
from kcore.scheduler.cycle import explain, schedule
from kcore.scheduler.evaluation import Evaluations
from kcore.scheduler.ingest import node_row, pod_row

Scenario = dict[str, Any]
Answer = dict[str, Any]


def decide(scenario: Scenario) -> Answer:
    """Decide one scenario.

    Returns  {"feasible", "scores", "total", "chosen", "reasons", "message"}: scores are weighted; reasons are counted over nodes
    """
    pod = pod_row(_wire(scenario["pod"]))
    if pod.scheduler_name != SCHEDULER_NAME or pod.gates:
        return {"chosen": None}
    columns = Columns()
    for node in scenario["nodes"]:
        columns.set_node(node_row(_wire(node)))
    for each in scenario["pods"]:
        row = pod_row(_wire(each))
        if not row.finished:
            columns.place(row.node_name, row.account)
    decision = schedule(pod, columns, Evaluations(), SeededEntropy(scenario["id"]).randrange)
    explanation = explain(pod, columns)
    return {
        "feasible": list(explanation.feasible),
        "scores": explanation.scores,
        "total": explanation.totals,
        "chosen": decision.node,
        "reasons": decision.reasons,
        "message": decision.message,
    }


def _wire(object_: dict[str, Any]) -> bytes:
    return codec.encode(f"kcore.api.core.v1.{object_['kind']}", object_)
