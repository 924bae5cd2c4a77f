"""Table cells that no JSON path gives: each a function of the object and the time.

Guarantees: pure; one module a family of kinds, each with the literal table of its cells; a column that is in no table comes from its
JSON path. A cell is what the API server puts into a Table: text, number or truth.

Source: Kubernetes `pkg/printers/internalversion/printers.go`, recorded tables of 1.37.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kcore.machinery import meta
from kcore.machinery.conversion import horizontal_pod_autoscaler
from kcore.machinery.kinds.cells import events, network, nodes, pods, policy, scheduling, storage, workloads
from kcore.machinery.kinds.cells.forms import Cell, Cells, Object, created

CELLS: Final[Cells] = {
    **pods.CELLS,
    **nodes.CELLS,
    **network.CELLS,
    **events.CELLS,
    **workloads.CELLS,
    **storage.CELLS,
    **policy.CELLS,
    **scheduling.CELLS,
}

SURPLUS: Final[dict[tuple[str, str], tuple[Cell, ...]]] = {("networking.k8s.io", "IPAddress"): (created,)}
HIDDEN: Final = {
    ("apps", "DaemonSet"): frozenset((meta.TEMPLATE_GENERATION,)),
    ("autoscaling", "HorizontalPodAutoscaler"): frozenset(horizontal_pod_autoscaler.TRAVELLING),
}


ORDERS: Final[dict[tuple[str, str], Callable[[Object], Any]]] = {("flowcontrol.apiserver.k8s.io", "FlowSchema"): policy.by_precedence}


def order(group: str, kind: str) -> Callable[[Object], Any] | None:
    """By what the rows of a kind are sorted; None for those that stand as they are listed."""
    return ORDERS.get((group, kind))


def of(group: str, kind: str, column: str) -> Cell | None:
    """What computes a column; None for one that is only read."""
    return CELLS.get((group, kind, column)) or workloads.ANY_KIND.get(column)


def surplus(group: str, kind: str, obj: Object, now: float) -> list[Any]:
    """The cells of an object's row that have no column."""
    return [compute(obj, now) for compute in SURPLUS.get((group, kind), ())]


def hides(group: str, kind: str) -> bool:
    """Whether rows of a kind leave annotations out of their object's metadata."""
    return (group, kind) in HIDDEN


def metadata(group: str, kind: str, obj: Object) -> Object:
    """The metadata of an object as its row shows it: without annotations that stand for fields."""
    found: Object = obj.get("metadata") or {}
    hidden, annotations = HIDDEN.get((group, kind)), found.get("annotations")
    if hidden is None or not annotations:
        return found
    kept = {name: text for name, text in annotations.items() if name not in hidden}
    return {**found, "annotations": kept} if kept else {name: value for name, value in found.items() if name != "annotations"}


def conditions(group: str, kind: str, obj: Object) -> list[Object]:
    """The conditions of an object's row: whether a pod is over."""
    return pods.row_conditions(obj) if (group, kind) == ("", "Pod") else []


__all__ = ["Cell", "conditions", "hides", "metadata", "of", "order", "surplus"]
