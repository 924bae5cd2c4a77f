"""What is told of a simulation: values that JSON can say, from which tables and pictures are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kcore.scheduler.configuration.reading import Configuration
from kcore.scheduler.cycle import Decision
from kcore.simulate.changes import Change
from kcore.simulate.cluster import Cluster
from kcore.simulate.utilisation import Amount, Utilisation, utilisation
from kcore.simulate.what_if import WhatIf

Report = dict[str, Any]

AS_IT_IS = "pods pending in the cluster"


def simulated(cluster: Cluster, changes: Sequence[Change], seed: int = 0, configuration: Configuration | None = None) -> Report:
    """Carry out changes on a cluster, and report; the scheduler decides by its defaults where it is not configured.

    Raises  ChangeError, DecodeError
    """
    what_if = WhatIf(cluster, seed, configuration)
    before = utilisation(what_if.columns)
    what_if.settle()
    for change in changes:
        what_if.change(change)
    after = utilisation(what_if.columns)
    unplaced = what_if.unplaced()
    return {
        "cluster": {"nodes": len(cluster.nodes), "pods": len(cluster.pods), "skipped": cluster.skipped, "undecided": what_if.undecided},
        "changes": _steps(what_if, changes, unplaced),
        "placements": [{"pod": key, "node": node, "from": what_if.homes.get(key)} for key, node in what_if.placed.items()],
        "unplaced": grouped(unplaced),
        "preempted": [each._asdict() for each in what_if.preempted],
        "unmanaged": what_if.unmanaged,
        "drained": what_if.drained,
        "grown": what_if.grown,
        "utilisation": {"before": _moment(before), "after": _moment(after)},
        "nodes": _nodes(before, after),
    }


def grouped(unplaced: dict[str, Decision]) -> list[Report]:
    """Put pods together that wait for the same reason, the most first."""
    groups: dict[str, Report] = {}
    for key, decision in unplaced.items():
        group = groups.setdefault(decision.message, {"message": decision.message, "reasons": decision.reasons, "pods": []})
        group["pods"].append(key)
    return sorted(groups.values(), key=lambda group: -len(group["pods"]))


def _steps(what_if: WhatIf, changes: Sequence[Change], unplaced: dict[str, Decision]) -> list[Report]:
    """Per change, how many pods looked for a node because of it, and how many have one in the end."""
    titles = [AS_IT_IS, *(change.title for change in changes)]
    steps = [
        {"change": title, "pods": len(keys), "placed": len(keys & what_if.placed.keys()), "unplaced": len(keys & unplaced.keys())}
        for title, keys in zip(titles, map(set, what_if.brought), strict=True)
    ]
    return steps if steps[0]["pods"] else steps[1:]


def _moment(found: Utilisation) -> Report:
    resources = {name: {**amount._asdict(), "fraction": _rounded(amount)} for name, amount in found.resources.items()}
    return {"nodes": len(found.nodes), "resources": resources}


def _nodes(before: Utilisation, after: Utilisation) -> list[Report]:
    """Per node the part of each resource that is asked for; None where the node is not there."""
    names = dict.fromkeys([*before.nodes, *after.nodes])
    moments = before.nodes, after.nodes
    return [{"node": name, "before": _fractions(moments[0].get(name)), "after": _fractions(moments[1].get(name))} for name in names]


def _fractions(amounts: dict[str, Amount] | None) -> dict[str, float | None] | None:
    return None if amounts is None else {name: _rounded(amount) for name, amount in amounts.items()}


def _rounded(amount: Amount) -> float | None:
    return None if amount.fraction is None else round(amount.fraction, 4)
