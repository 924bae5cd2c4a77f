"""How full a cluster is: what its nodes have, and what the pods on them have asked for."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from kcore.scheduler.columns import Columns
from kcore.scheduler.requests import CPU, PODS

CPU_UNIT: Final = 1000
"""The columns count milli-units of cpu."""


class Amount(NamedTuple):
    """Of one resource, in cores, bytes or ones."""

    allocatable: float
    requested: float

    @property
    def fraction(self) -> float | None:
        """Return the part that is asked for; None where there is nothing to ask for."""
        return self.requested / self.allocatable if self.allocatable else None


class Utilisation(NamedTuple):
    """A moment of a cluster.

    resources  of all nodes together, cpu and memory first
    nodes      node -> resource -> amount
    """

    resources: dict[str, Amount]
    nodes: dict[str, dict[str, Amount]]


def utilisation(columns: Columns) -> Utilisation:
    """Measure the nodes that are there now."""
    slots = np.flatnonzero(columns.present[: columns.count])
    counted = {PODS: (columns.pod_limit[slots], columns.pod_count[slots])}
    for name, row in columns.resources.items():
        unit = CPU_UNIT if name == CPU else 1
        allocatable, requested = columns.allocatable[row, slots], columns.requested[row, slots]
        if allocatable.any() or requested.any():
            counted[name] = (allocatable / unit, requested / unit) if unit > 1 else (allocatable, requested)
    order = sorted(counted, key=lambda name: (name != CPU, name != "memory", name))
    totals = {name: Amount(*(column.sum().item() for column in counted[name])) for name in order}
    per_node: dict[str, dict[str, Amount]] = {columns.names[slot]: {} for slot in slots.tolist()}
    for name in order:
        for node, *amounts in zip(per_node, *(column.tolist() for column in counted[name]), strict=True):
            per_node[node][name] = Amount(*amounts)
    return Utilisation(totals, per_node)
