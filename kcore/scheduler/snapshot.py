"""A cluster as it is at one moment, for whoever asks what the scheduler would decide: explanations, simulations, recorded scenarios."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from kcore.scheduler.cache import Cache
from kcore.scheduler.columns import Columns
from kcore.scheduler.dra.ingest import DEVICE_KINDS
from kcore.scheduler.ingest import node_row, pod_row
from kcore.scheduler.peers.ingest import WORKLOADS, namespace_labels, service_selector, workload_selector
from kcore.scheduler.preemption.budgets import Budgets, budget_row
from kcore.scheduler.preemption.choice import Preemptor
from kcore.scheduler.volumes.ingest import STORAGE_KINDS

OTHERS: Final = {
    "Namespace": ("", "namespaces"),
    "Service": ("", "services"),
    "PodDisruptionBudget": ("policy", "poddisruptionbudgets"),
    **WORKLOADS,
    "PersistentVolumeClaim": ("", "persistentvolumeclaims"),
    "PersistentVolume": ("", "persistentvolumes"),
    "StorageClass": ("storage.k8s.io", "storageclasses"),
    "CSIDriver": ("storage.k8s.io", "csidrivers"),
    "CSIStorageCapacity": ("storage.k8s.io", "csistoragecapacities"),
    "CSINode": ("storage.k8s.io", "csinodes"),
    "VolumeAttachment": ("storage.k8s.io", "volumeattachments"),
    "DeviceClass": ("resource.k8s.io", "deviceclasses"),
    "DeviceTaintRule": ("resource.k8s.io", "devicetaintrules"),
    "ResourceSlice": ("resource.k8s.io", "resourceslices"),
    "ResourceClaim": ("resource.k8s.io", "resourceclaims"),
}
"""The further kinds that decisions depend on: group and resource of each; all are v1."""


class Snapshot(NamedTuple):
    """What decisions are made on."""

    columns: Columns
    preemptor: Preemptor


def snapshot(nodes: Iterable[bytes], pods: Iterable[bytes], others: Iterable[tuple[str, bytes]] = ()) -> Snapshot:
    """Take in Nodes and Pods; pods without a node, and those that have finished, take no place, but a node may be kept for one.

    others   objects of further kinds, each with its kind; those that nobody looks at are passed over
    Raises   DecodeError
    """
    columns, budgets = Columns(), Budgets()
    cache = Cache(columns)
    for kind, raw in others:
        take_in(kind, raw, columns, budgets)
    for raw in nodes:
        cache.set_node(node_row(raw))
    for row in map(pod_row, pods):
        if row.node_name and not row.finished:
            cache.confirm(row)
        elif row.nominated and not (row.finished or row.terminating):
            columns.nominate(row.nominated, row.key, row.account)
    return Snapshot(columns, Preemptor(cache, budgets))


def take_in(kind: str, raw: bytes, columns: Columns, budgets: Budgets) -> None:
    """Take in an object of a further kind; one that nobody looks at is passed over."""
    if kind == "Namespace":
        columns.peers.set_namespace(*namespace_labels(raw))
    elif kind == "Service":
        columns.owners.set_service(*service_selector(raw))
    elif kind in WORKLOADS:
        columns.owners.set_workload(*workload_selector(kind, raw))
    elif kind == "PodDisruptionBudget":
        budgets.set(budget_row(raw))
    elif kind in STORAGE_KINDS:
        columns.catalog.set(STORAGE_KINDS[kind](raw))
    elif kind in DEVICE_KINDS:
        columns.devices.set(DEVICE_KINDS[kind](raw))
