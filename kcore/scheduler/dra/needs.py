"""A pod's resource claims looked up: what they need of a node, or why the pod has to wait whatever the node.

Source: kube-scheduler 1.37 DynamicResources, PreEnqueue and PreFilter.

Differs from upstream: a pod whose claims are not there is not left aside unseen; it is tried, and says why it waits.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kcore.base.limits import SCHEDULER_DEVICES_READY_S_MAX
from kcore.scheduler.dra.allocator import ALTERNATIVES_MAX
from kcore.scheduler.dra.asks import ClaimReference, DeviceNeeds, Extended, Wish
from kcore.scheduler.dra.devices import Devices
from kcore.scheduler.dra.rows import DeviceClaim
from kcore.scheduler.rows import Ask
from kcore.scheduler.volumes.needs import Refusal

PLUGIN: Final = "DynamicResources"
CONSUMERS_MAX: Final = 256
"""Fixed by Kubernetes: pods that one claim can be reserved for."""


def device_needs(pod: str, uid: str, ask: Ask, devices: Devices) -> DeviceNeeds | Refusal | None:
    """Look up a pod's claims; pod is its namespace/name. None where it needs no device."""
    claims: list[DeviceClaim] = []
    for reference in ask.claims or ():
        claim = devices.claim(reference.key) if reference.key else None
        problem = _problem(pod, reference, claim)
        if problem:
            return Refusal(PLUGIN, problem)
        if claim is not None and claim not in claims:
            claims.append(claim)
    extended = _extended(uid, ask, devices)
    if not claims and extended is None:
        return None
    problem = next((problem for claim in claims if (problem := _unusable(uid, claim, devices))), "")
    if problem:
        return Refusal(PLUGIN, problem)
    wishes = tuple(claim.wish for claim in claims if claim.allocation is None)
    return DeviceNeeds(
        wishes=wishes,
        nodes=tuple(claim.terms for claim in claims if claim.allocation is not None and claim.terms is not None),
        lost=any(is_lost(claim, devices.now) for claim in claims),
        earned=sum(map(_earned, claims)) if wishes or extended is not None else 0,
        extended=extended,
        version=devices.changes if has_alternatives(wishes) else devices.version,
    )


def has_alternatives(wishes: Iterable[Wish]) -> bool:
    """Say whether any request is a list of alternatives, of which nodes that can give an earlier one are better."""
    return any(choice.scored for wish in wishes for choice in wish.choices)


def claims_of(references: Iterable[ClaimReference], devices: Devices) -> list[DeviceClaim]:
    """Return a pod's claims, each once, in the order in which they are allocated."""
    found = (devices.claim(reference.key) for reference in dict.fromkeys(references))
    return list(dict.fromkeys(claim for claim in found if claim is not None))


def is_lost(claim: DeviceClaim, now: float) -> bool:
    """Say whether a claim has devices that failed when they were prepared, or have not been ready in time."""
    readiness = claim.readiness
    if claim.allocation is None or not readiness.waits or readiness.ready:
        return False
    return bool(readiness.failure) or (readiness.since > 0 and readiness.since + SCHEDULER_DEVICES_READY_S_MAX < now)


def _problem(pod: str, reference: ClaimReference, claim: DeviceClaim | None) -> str:
    if not reference.key:
        return f'pod "{pod}": ResourceClaim not created yet'
    if claim is None:
        return f'could not find ResourceClaim "{reference.key}"'
    if claim.terminating:
        return f'resourceclaim "{reference.key.partition("/")[2]}" is being deleted'
    if reference.owner and reference.owner != claim.owner:
        return f"ResourceClaim {reference.key} was not created for Pod {pod} (Pod is not owner)"
    return ""


def _unusable(uid: str, claim: DeviceClaim, devices: Devices) -> str:
    if claim.allocation is not None:
        is_full = len(claim.reserved) >= CONSUMERS_MAX and uid not in {consumer.uid for consumer in claim.reserved}
        return "resourceclaim in use" if is_full else ""
    for choice in claim.wish.choices:
        for request in choice.alternatives:
            if request.class_name not in devices.classes:
                return f"request {request.name}: device class {request.class_name} does not exist"
    return ""


def _earned(claim: DeviceClaim) -> int:
    """Return what the alternatives earn that a claim has been given."""
    given = {held.request for held in claim.allocation or ()}
    return sum(
        ALTERNATIVES_MAX - index
        for choice in claim.wish.choices
        if choice.scored
        for index, request in enumerate(choice.alternatives)
        if request.name in given
    )


def _extended(uid: str, ask: Ask, devices: Devices) -> Extended | None:
    if not devices.extended or not ask.extended:
        return None
    classes = tuple((name, devices.extended[name]) for name, _ in ask.amounts if name in devices.extended)
    return Extended(classes, ask.extended, devices.extended_claim(uid) is not None) if classes else None
