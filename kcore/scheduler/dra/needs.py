"""A pod's resource claims looked up: what they need of a node, or why the pod has to wait whatever the node.

Source: kube-scheduler 1.37 DynamicResources, PreEnqueue and PreFilter.

Differs from upstream: a pod whose claims are not there is not left aside unseen; it is tried, and says why it waits.
"""
from __future__ import annotations

from typing import Final

from kcore.scheduler.dra.asks import ClaimReference, DeviceNeeds, Wish
from kcore.scheduler.dra.devices import Devices
from kcore.scheduler.dra.rows import DeviceClaim
from kcore.scheduler.volumes.needs import Refusal

PLUGIN: Final = "DynamicResources"
CONSUMERS_MAX: Final = 256
"""Fixed by Kubernetes: pods that one claim can be reserved for."""


def device_needs(pod: str, uid: str, references: tuple[ClaimReference, ...], devices: Devices) -> DeviceNeeds | Refusal:
    """Look up a pod's claims; pod is its namespace/name."""
    claims: list[DeviceClaim] = []
    for reference in references:
        claim = devices.claim(reference.key) if reference.key else None
        problem = _problem(pod, uid, reference, claim, devices)
        if problem:
            return Refusal(PLUGIN, problem)
        if claim is not None and claim not in claims:
            claims.append(claim)
    wishes = tuple(claim.wish for claim in claims if claim.allocation is None)
    terms = tuple(claim.terms for claim in claims if claim.allocation is not None and claim.terms is not None)
    return DeviceNeeds(wishes, terms, devices.changes if has_alternatives(wishes) else devices.version)


def has_alternatives(wishes: tuple[Wish, ...]) -> bool:
    """Say whether any request is a list of alternatives, of which nodes that can give an earlier one are better."""
    return any(choice.scored for wish in wishes for choice in wish.choices)


def claims_of(references: tuple[ClaimReference, ...], devices: Devices) -> list[DeviceClaim]:
    """Return a pod's claims, each once, in the order in which they are allocated."""
    found = (devices.claim(reference.key) for reference in dict.fromkeys(references))
    return list(dict.fromkeys(claim for claim in found if claim is not None))


def _problem(pod: str, uid: str, reference: ClaimReference, claim: DeviceClaim | None, devices: Devices) -> str:
    if not reference.key:
        return f'pod "{pod}": ResourceClaim not created yet'
    name = reference.key.partition("/")[2]
    if claim is None:
        return f'resourceclaim "{name}" not found'
    if claim.terminating:
        return f'resourceclaim "{name}" is being deleted'
    if reference.owner and reference.owner != claim.owner:
        return f"ResourceClaim {reference.key} was not created for pod {pod} (pod is not owner)"
    if claim.allocation is not None and uid not in {consumer.uid for consumer in claim.reserved} and len(claim.reserved) >= CONSUMERS_MAX:
        return "resourceclaim in use"
    if claim.allocation is None:
        for choice in claim.wish.choices:
            for request in choice.alternatives:
                if request.class_name not in devices.classes:
                    return f"request {request.name}: device class {request.class_name} does not exist"
    return ""
