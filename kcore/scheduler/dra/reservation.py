"""What a pod's resource claims are given along with its node: devices, for those that have none, and the right of the pod to use them.

A claim gets a finalizer, so that nobody takes it away while it holds devices, then allocation and consumers in one write of its status. For
extended resources that devices provide, a claim is made that the pod owns, and the pod's status tells which container gets what of it.
Devices that have to be prepared are waited for.

Source: kube-scheduler 1.37 DynamicResources, Reserve, PreBind and Unreserve.
"""
from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kcore.machinery import timestamp
from kcore.scheduler.columns import Columns
from kcore.scheduler.dra.asks import DeviceNeeds, Extended
from kcore.scheduler.dra.devices import Devices, DevicesChanged
from kcore.scheduler.dra.extended import Plan, plan
from kcore.scheduler.dra.ingest import EXTENDED_CLAIM
from kcore.scheduler.dra.needs import claims_of, is_lost
from kcore.scheduler.dra.results import allocation, given, node_terms
from kcore.scheduler.dra.rows import Consumer, DeviceClaim
from kcore.scheduler.dra.verdict import lacking
from kcore.scheduler.reserving.part import Progress, Write
from kcore.scheduler.rows import NodeRow, PodRow

CLAIMS: Final = ("resource.k8s.io", "resourceclaims")
PODS: Final = ("", "pods")
FINALIZER: Final = "resource.kubernetes.io/delete-protection"
_BASE: Final = "-extended-resources-"
_NAME_LENGTH_MAX: Final = 253
_SUFFIX_LENGTH: Final = 10


@dataclass(frozen=True, slots=True)
class ReservedDevices:
    """What the claims of one pod are to get.

    pod     who gets it
    given   the claims as they are to become; allocations: by claim, what goes into the API for those that get devices here
    extra   what is asked of devices for extended resources, by the last of the claims
    """

    pod: PodRow
    given: tuple[DeviceClaim, ...]
    allocations: dict[str, dict[str, Any]]
    devices: Devices
    extra: Plan | None = None

    @property
    def keys(self) -> Sequence[str]:
        """Return the claims whose changes decide."""
        return [device_key(claim.key) for claim in self.given]

    def writes(self, now: float) -> Iterator[Write]:
        """Yield what the API has yet to be told."""
        for claim in self.given:
            shown = self.devices.shown_claim(claim.key)
            if self.extra is not None and claim.extended and shown is None:
                yield from _new_claim(self.pod, claim, self.allocations[claim.key], self.extra, now)
            elif shown is not None and self.devices.is_assumed(claim.key):
                yield from _writes(claim, shown, self.allocations.get(claim.key), now)

    def progress(self, node: NodeRow) -> Progress | str:
        """Return whether the API shows it by now, and devices are prepared, or why that never will be."""
        waits = False
        for claim in self.given:
            name, found = claim.key.partition("/")[2], self.devices.claim(claim.key)
            if found is None:
                return f'could not find ResourceClaim "{claim.key}"'
            if found.allocation is None or self.pod.uid not in {consumer.uid for consumer in found.reserved}:
                return f'resourceclaim "{name}" was given up'
            if found.readiness.failure:
                return found.readiness.failure
            if is_lost(found, self.devices.now):
                return f"device binding timeout: claim={name}"
            waits |= self.devices.is_assumed(claim.key) or not found.readiness.ready
        return Progress.WAITING if waits else Progress.DONE

    def worded(self, problem: str) -> str:
        """Say whose step failed, and why."""
        return f'running PreBind plugin "DynamicResources": {problem}'

    def release(self) -> Sequence[DevicesChanged]:
        """Take back what is assumed."""
        found: list[DevicesChanged] = []
        for claim in self.given:
            if self.devices.restore(claim.key):
                found.append(DevicesChanged(claim, self.devices.claim(claim.key) or claim._replace(allocation=None)))
        return found


def device_key(claim: str) -> str:
    """Return how a resource claim is called among all that pods wait for."""
    return f"devices of {claim}"


def reserve_devices(pod: PodRow, node_name: str, needs: DeviceNeeds | None, columns: Columns) -> ReservedDevices | None:
    """Give the pod's claims devices of its node, and assume it; None where it needs none there."""
    devices, node = columns.devices, columns.node(node_name)
    assert node is not None, "the node was decided for"
    claims = claims_of(pod.ask.claims or (), devices)
    extra = _extra(needs.extended if needs is not None else None, node_name, columns)
    if extra is not None:
        claims.append(_extended_claim(pod, extra))
    if not claims:
        return None
    wanting = [claim for claim in claims if claim.allocation is None]
    found = devices.allocate(tuple(claim.wish for claim in wanting), node) if wanting else None
    picks = dict(zip((claim.key for claim in wanting), found.picks if found is not None else (), strict=True))
    offers = [offer for pool in devices.pools(node) for offer in pool.offers]
    becoming: list[DeviceClaim] = []
    allocations: dict[str, dict[str, Any]] = {}
    for claim in claims:
        becomes = claim
        if claim.key in picks:
            own = given(picks[claim.key], offers, _shares(claim))
            terms = node_terms(own, node_name)
            becomes = becomes._replace(allocation=tuple(each.held for each in own), terms=terms)
            allocations[claim.key] = allocation(claim, own, terms, devices.classes)
        if pod.uid not in {consumer.uid for consumer in claim.reserved}:
            becomes = becomes._replace(reserved=(*claim.reserved, Consumer("pods", pod.name, pod.uid)))
        if becomes != claim:
            devices.assume(becomes)
        becoming.append(becomes)
    return ReservedDevices(pod, tuple(becoming), allocations, devices, extra)


def _extra(extended: Extended | None, node_name: str, columns: Columns) -> Plan | None:
    """Return what a node is asked for of devices, since it does not offer it otherwise."""
    if extended is None:
        return None
    resources = lacking(extended, columns, columns.slots[node_name])
    return plan(extended, resources) if resources else None


def _extended_claim(pod: PodRow, extra: Plan) -> DeviceClaim:
    """Return the claim for a pod's extended resources, whose name follows from the pod."""
    suffix = hashlib.sha256(pod.uid.encode()).hexdigest()[:_SUFFIX_LENGTH]
    name = pod.name[: _NAME_LENGTH_MAX - len(_BASE) - _SUFFIX_LENGTH] + _BASE + suffix
    return DeviceClaim(f"{pod.namespace}/{name}", "", extra.wish, finalizers=(FINALIZER,), owner=pod.uid, extended=True)


def _shares(claim: DeviceClaim) -> Iterator[str]:
    """Yield names for parts of shared devices, which nobody else has: they follow from the claim."""
    number = 0
    while True:
        yield str(uuid.uuid5(uuid.NAMESPACE_OID, f"{claim.uid or claim.key}/{claim.resource_version}/{number}"))
        number += 1


def _new_claim(pod: PodRow, claim: DeviceClaim, given_: dict[str, Any], extra: Plan, now: float) -> Iterator[Write]:
    """Make a claim, give it its devices, and tell in the pod's status what they are for."""
    namespace, _, name = claim.key.partition("/")
    owner = {"apiVersion": "v1", "kind": "Pod", "name": pod.name, "uid": pod.uid, "controller": True}
    requests = [
        {"name": r.name, "exactly": {"deviceClassName": r.class_name, "allocationMode": "ExactCount", "count": r.device_count}}
        for choice in claim.wish.choices
        for r in choice.alternatives
    ]
    metadata = {"name": name, "namespace": namespace, "ownerReferences": [owner], "annotations": {EXTENDED_CLAIM: "true"}}
    body = {"metadata": {**metadata, "finalizers": list(claim.finalizers)}, "spec": {"devices": {"requests": requests}}}
    yield Write(CLAIMS, namespace, name, body, creates="ResourceClaim")
    yield Write(CLAIMS, namespace, name, {"status": _status(claim, given_, now)}, "status")
    mappings = [{"containerName": each.container, "resourceName": each.resource, "requestName": each.request} for each in extra.mappings]
    status = {"extendedResourceClaimStatus": {"requestMappings": mappings, "resourceClaimName": name}}
    yield Write(PODS, pod.namespace, pod.name, {"metadata": {"uid": pod.uid}, "status": status}, "status")


def _writes(claim: DeviceClaim, shown: DeviceClaim, given_: dict[str, Any] | None, now: float) -> Iterator[Write]:
    namespace, _, name = claim.key.partition("/")
    at = {"resourceVersion": shown.resource_version} if shown.resource_version else {}
    if given_ is not None and FINALIZER not in shown.finalizers:
        yield Write(CLAIMS, namespace, name, {"metadata": {**at, "finalizers": [*shown.finalizers, FINALIZER]}})
        at = {}
    yield Write(CLAIMS, namespace, name, {"metadata": {"uid": claim.uid, **at}, "status": _status(claim, given_, now)}, "status")


def _status(claim: DeviceClaim, given_: dict[str, Any] | None, now: float) -> dict[str, Any]:
    consumers = [
        {"resource": each.resource, "name": each.name, "uid": each.uid, **({"apiGroup": each.group} if each.group else {})}
        for each in claim.reserved
    ]
    status: dict[str, Any] = {"reservedFor": consumers}
    if given_ is not None:
        status["allocation"] = {**given_, "allocationTimestamp": timestamp.format_time(now)}
    return status
