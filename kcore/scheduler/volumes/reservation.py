"""What is decided of a pod's claims along with its node, and what has to happen before the pod may be bound.

    reserve     a volume is given to a claim, or a claim that is to be provisioned to the node: assumed in the catalog at once
    writes      what has to be written to the API for that
    progress    whether all claims are bound by now: a binder and a provisioner, which are others, answer the writes
    release     the assumptions that the API does not show are taken back

What was written is not undone: a volume that names a claim stays reserved for it, and the pod's next attempt builds on that.

Source: kube-scheduler 1.37 VolumeBinding, Reserve, PreBind and Unreserve.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from kcore.scheduler.columns import Columns
from kcore.scheduler.labels import term_matches
from kcore.scheduler.reserving.part import Progress, Write
from kcore.scheduler.rows import NodeRow
from kcore.scheduler.volumes.asks import Needs, PodVolumes
from kcore.scheduler.volumes.catalog import Catalog, StorageChanged
from kcore.scheduler.volumes.ingest import BOUND_BY_CONTROLLER, SELECTED_NODE
from kcore.scheduler.volumes.matching import RESERVED, verdict
from kcore.scheduler.volumes.needs import to_bind
from kcore.scheduler.volumes.pool import NONE
from kcore.scheduler.volumes.rows import Claim, Volume


class Reservation(NamedTuple):
    """What a pod's claims are to get.

    given        (claim, volume): by namespace/name, and by name
    provisioned  claims that get a new volume which the node can reach
    """

    node_name: str
    given: tuple[tuple[str, str], ...]
    provisioned: tuple[str, ...]

    @property
    def claims(self) -> tuple[str, ...]:
        """Return the keys of all claims."""
        return (*(claim for claim, _ in self.given), *self.provisioned)


VOLUMES: Final = ("", "persistentvolumes")
CLAIMS: Final = ("", "persistentvolumeclaims")


@dataclass(frozen=True, slots=True)
class ReservedVolumes:
    """What a pod's claims are to get, as a part of all that is reserved for it."""

    reservation: Reservation
    catalog: Catalog

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the claims whose changes decide."""
        return self.reservation.claims

    def writes(self, now: float) -> Iterator[Write]:
        """Yield what the API has yet to be told."""
        return writes(self.reservation, self.catalog)

    def progress(self, node: NodeRow) -> Progress | str:
        """Return how far the binding is, or why it cannot come to an end."""
        return progress(self.reservation, self.catalog, node)

    def worded(self, problem: str) -> str:
        """Say whose step failed, and why."""
        return f'running PreBind plugin "VolumeBinding": binding volumes: {problem}'

    def release(self) -> list[StorageChanged]:
        """Take back what is assumed."""
        return [StorageChanged(None, row) for row in release(self.reservation, self.catalog)]


def reserve(volumes: PodVolumes, needs: Needs, node_name: str, columns: Columns) -> Reservation:
    """Choose for each claim that is not bound, and assume it; needs are those with which the node was decided."""
    catalog, slot = columns.catalog, columns.slots[node_name]
    given: list[tuple[str, str]] = []
    provisioned: list[str] = []
    rows = verdict(needs, columns).chosen[:, slot].tolist()
    for claim, wanted, kind in zip(to_bind(volumes, catalog), needs.wanted, rows, strict=True):
        if kind == NONE:
            provisioned.append(claim.key)
            if not claim.selected:
                catalog.assume_claim(claim.key, node_name)
            continue
        name = wanted.reserved if kind == RESERVED else catalog.pools[claim.class_name].name_of(kind)
        given.append((claim.key, name))
        volume = catalog.volume(name)
        if volume is not None and volume.claim_uid != claim.uid:
            catalog.assume_volume(name, claim)
    return Reservation(node_name, tuple(given), tuple(provisioned))


def writes(reservation: Reservation, catalog: Catalog) -> Iterator[Write]:
    """Yield what the API has yet to be told."""
    for key, name in reservation.given:
        claim, volume = catalog.claim(key), catalog.shown_volume(name)
        if claim is not None and volume is not None and volume.claim_uid != claim.uid:
            yield Write(VOLUMES, "", name, _claim_patch(volume, claim))
    for key in reservation.provisioned:
        shown = catalog.shown_claim(key)
        if shown is not None and shown.selected != reservation.node_name:
            namespace, _, name = key.partition("/")
            metadata = {"annotations": {SELECTED_NODE: reservation.node_name}, **_at(shown.resource_version)}
            yield Write(CLAIMS, namespace, name, {"metadata": metadata})


def progress(reservation: Reservation, catalog: Catalog, node: NodeRow) -> Progress | str:
    """Return how far the binding is, or why it cannot come to an end."""
    waiting = False
    for key, name in reservation.given:
        problem = _volume_problem(catalog, key, name, node)
        if problem:
            return problem
        waiting |= _is_open(catalog, key) or catalog.is_assumed(name)
    for key in reservation.provisioned:
        problem = _claim_problem(catalog, key, node)
        if problem:
            return problem
        waiting |= _is_open(catalog, key)
    return Progress.WAITING if waiting else Progress.DONE


def release(reservation: Reservation, catalog: Catalog) -> list[Volume | Claim]:
    """Take back what is assumed; Returns the rows that are as before now."""
    restored: list[Volume | Claim | None] = []
    for _, name in reservation.given:
        if catalog.restore_volume(name):
            restored.append(catalog.volume(name))
    for key in reservation.provisioned:
        if catalog.restore_claim(key):
            restored.append(catalog.claim(key))
    return [row for row in restored if row is not None]


def _claim_patch(volume: Volume, claim: Claim) -> dict[str, Any]:
    namespace, _, name = claim.key.partition("/")
    reference = {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": namespace, "name": name, "uid": claim.uid}
    metadata: dict[str, Any] = _at(volume.resource_version)
    if not volume.claim:
        metadata["annotations"] = {BOUND_BY_CONTROLLER: "yes"}
    return {"metadata": metadata, "spec": {"claimRef": reference | _at(claim.resource_version)}}


def _at(resource_version: str) -> dict[str, Any]:
    return {"resourceVersion": resource_version} if resource_version else {}


def _is_open(catalog: Catalog, key: str) -> bool:
    claim = catalog.shown_claim(key)
    return claim is None or not claim.bound or catalog.volume(claim.volume_name) is None


def _volume_problem(catalog: Catalog, key: str, name: str, node: NodeRow) -> str:
    volume, claim = catalog.volume(name), catalog.shown_claim(key)
    if volume is None or claim is None:
        return f'could not find v1.PersistentVolume "{name}"' if volume is None else f'could not find v1.PersistentVolumeClaim "{key}"'
    if not _reaches(volume, node, catalog):
        return f'pv "{name}" node affinity doesn\'t match node "{node.name}"'
    return "" if volume.claim == key and volume.claim_uid == claim.uid else f'ClaimRef got reset for pv "{name}"'


def _claim_problem(catalog: Catalog, key: str, node: NodeRow) -> str:
    claim = catalog.claim(key)
    if claim is None:
        return f'could not find v1.PersistentVolumeClaim "{key}"'
    if claim.selected != node.name:
        return f'provisioning failed for PVC "{key.partition("/")[2]}"'
    volume = catalog.volume(claim.volume_name)
    if volume is not None and not _reaches(volume, node, catalog):
        return f'pv "{volume.name}" node affinity doesn\'t match node "{node.name}"'
    return ""


def _reaches(volume: Volume, node: NodeRow, catalog: Catalog) -> bool:
    limits = catalog.limits.get(node.name)
    terms = volume.moved if volume.plugin and limits is not None and volume.plugin in limits.migrated else volume.affinity
    return terms is None or any(term_matches(term, node) for term in terms)
