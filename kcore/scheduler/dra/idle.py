"""What a pod that fits nowhere has claims give back: devices that it cannot use and that nobody else is using.

A claim got devices on a node that the pod cannot go to any more, or they failed. If no other pod may use the claim, it gives its devices
back, and the pod is tried again when the API shows that. A claim that an earlier attempt made for the pod's extended resources is deleted.

Source: kube-scheduler 1.37 DynamicResources, PostFilter.
"""
from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from kcore.scheduler.columns import Columns, Int64
from kcore.scheduler.dra.asks import DeviceNeeds
from kcore.scheduler.dra.needs import claims_of, is_lost
from kcore.scheduler.dra.reservation import CLAIMS, FINALIZER
from kcore.scheduler.dra.rows import DeviceClaim
from kcore.scheduler.labels import term_matches
from kcore.scheduler.reserving.part import Write
from kcore.scheduler.rows import PodRow

GIVEN_BACK: Final = "deallocation of ResourceClaim completed"
DELETED: Final = "deletion of ResourceClaim completed"


class Return(NamedTuple):
    """What is given back, and how the pod's condition says it."""

    message: str
    writes: tuple[Write, ...]


def give_back(pod: PodRow, needs: DeviceNeeds, slots: Int64, columns: Columns) -> Return | None:
    """Return what a pod has a claim give back.

    pod    before it was looked up; needs: what was found then
    slots  the nodes that only claims keep the pod from which have devices
    """
    devices = columns.devices
    for claim in claims_of(pod.ask.claims or (), devices):
        if {consumer.uid for consumer in claim.reserved} <= {pod.uid} and len(claim.reserved) <= 1 and _unavailable(claim, slots, columns):
            return Return(GIVEN_BACK, tuple(_deallocation(claim)))
    stale = devices.extended_claim(pod.uid) if needs.extended is not None else None
    return Return(DELETED, tuple(_deletion(stale))) if stale is not None else None


def _unavailable(claim: DeviceClaim, slots: Int64, columns: Columns) -> bool:
    """Say whether a claim has devices, and one of the nodes cannot use them."""
    if claim.allocation is None or not len(slots):
        return False
    if is_lost(claim, columns.devices.now):
        return True
    nodes = (columns.rows[slot] for slot in slots.tolist())
    terms = claim.terms
    return terms is not None and any(node is not None and not any(term_matches(term, node) for term in terms) for node in nodes)


def _deallocation(claim: DeviceClaim) -> Iterator[Write]:
    namespace, _, name = claim.key.partition("/")
    status = {"reservedFor": None, "allocation": None, "devices": None}
    yield Write(CLAIMS, namespace, name, {"metadata": _as_seen(claim), "status": status}, "status")


def _deletion(claim: DeviceClaim) -> Iterator[Write]:
    namespace, _, name = claim.key.partition("/")
    if FINALIZER in claim.finalizers:
        left = [each for each in claim.finalizers if each != FINALIZER]
        yield Write(CLAIMS, namespace, name, {"metadata": {"uid": claim.uid, "finalizers": left or None}})
    yield Write(CLAIMS, namespace, name, {}, deletes=claim.uid)


def _as_seen(claim: DeviceClaim) -> dict[str, str]:
    return {"uid": claim.uid, **({"resourceVersion": claim.resource_version} if claim.resource_version else {})}
