"""A cluster as it is at one moment, for whoever asks what the scheduler would decide: explanations, simulations, recorded scenarios."""
from __future__ import annotations

from collections.abc import Iterable

from kcore.scheduler.columns import Columns
from kcore.scheduler.ingest import node_row, pod_row
from kcore.scheduler.peers.ingest import WORKLOADS, namespace_labels, service_selector, workload_selector


def snapshot(nodes: Iterable[bytes], pods: Iterable[bytes], others: Iterable[tuple[str, bytes]] = ()) -> Columns:
    """Return the columns of Nodes and Pods; pods without a node, and those that have finished, take no place.

    others   objects of further kinds, each with its kind; those that no plugin looks at are passed over
    Raises   DecodeError
    """
    columns = Columns()
    for kind, raw in others:
        _take_in(kind, raw, columns)
    for raw in nodes:
        columns.set_node(node_row(raw))
    for row in map(pod_row, pods):
        if row.node_name and not row.finished:
            columns.place(row.node_name, row.account)
    return columns


def _take_in(kind: str, raw: bytes, columns: Columns) -> None:
    if kind == "Namespace":
        columns.peers.set_namespace(*namespace_labels(raw))
    elif kind == "Service":
        columns.owners.set_service(*service_selector(raw))
    elif kind in WORKLOADS:
        columns.owners.set_workload(*workload_selector(kind, raw))
