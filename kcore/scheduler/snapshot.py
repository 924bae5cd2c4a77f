"""A cluster as it is at one moment, for whoever asks what the scheduler would decide: explanations, simulations, recorded scenarios."""
from __future__ import annotations

from collections.abc import Iterable

from kcore.scheduler.columns import Columns
from kcore.scheduler.ingest import node_row, pod_row


def snapshot(nodes: Iterable[bytes], pods: Iterable[bytes]) -> Columns:
    """Return the columns of Nodes and Pods; pods without a node, and those that have finished, take no place.

    Raises  DecodeError
    """
    columns = Columns()
    for raw in nodes:
        columns.set_node(node_row(raw))
    for row in map(pod_row, pods):
        if row.node_name and not row.finished:
            columns.place(row.node_name, row.account)
    return columns
