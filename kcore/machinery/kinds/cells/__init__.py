"""Table cells that no JSON path gives: each a function of the object and the time.

Guarantees: pure; one module a family of kinds, each with the literal table of its cells; a column that is in no table comes from its
JSON path. A cell is what the API server puts into a Table: text, number or truth.

Source: Kubernetes `pkg/printers/internalversion/printers.go`, recorded tables of 1.37.
"""

from __future__ import annotations

from typing import Final

from kcore.machinery.kinds.cells import events, network, nodes, pods, policy, storage, workloads
from kcore.machinery.kinds.cells.forms import Cell, Cells, Object

CELLS: Final[Cells] = {
    **pods.CELLS,
    **nodes.CELLS,
    **network.CELLS,
    **events.CELLS,
    **workloads.CELLS,
    **storage.CELLS,
    **policy.CELLS,
}


def of(group: str, kind: str, column: str) -> Cell | None:
    """What computes a column; None for one that is only read."""
    return CELLS.get((group, kind, column)) or workloads.ANY_KIND.get(column)


def conditions(group: str, kind: str, obj: Object) -> list[Object]:
    """The conditions of an object's row: whether a pod is over."""
    return pods.row_conditions(obj) if (group, kind) == ("", "Pod") else []


__all__ = ["Cell", "conditions", "of"]
