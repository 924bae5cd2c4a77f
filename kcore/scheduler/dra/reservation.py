"""What a pod's resource claims are given along with its node: devices, for those that have none, and the right of the pod to use them.

A claim gets a finalizer, so that nobody takes it away while it holds devices, then allocation and consumers in one write of its status.

Source: kube-scheduler 1.37 DynamicResources, Reserve, PreBind and Unreserve.
"""
from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kcore.machinery import timestamp
from kcore.scheduler.columns import Columns
from kcore.scheduler.dra.allocator import Pick
from kcore.scheduler.dra.devices import Devices, DevicesChanged
from kcore.scheduler.dra.needs import claims_of
from kcore.scheduler.dra.rows import Consumer, DeviceClaim, Offer
from kcore.scheduler.labels import NAME_FIELD
from kcore.scheduler.reserving.part import Progress, Write
from kcore.scheduler.rows import Expression, NodeRow, PodRow, Term

CLAIMS: Final = ("resource.k8s.io", "resourceclaims")
FINALIZER: Final = "resource.kubernetes.io/delete-protection"


@dataclass(frozen=True, slots=True)
class ReservedDevices:
    """What the claims of one pod are to get.

    uid     of the pod
    given   the claims as they are to become; allocations: by claim, what goes into the API for those that get devices here
    """

    uid: str
    given: tuple[DeviceClaim, ...]
    allocations: dict[str, dict[str, Any]]
    devices: Devices

    @property
    def keys(self) -> Sequence[str]:
        """Return the claims whose changes decide."""
        return [device_key(claim.key) for claim in self.given]

    def writes(self, now: float) -> Iterator[Write]:
        """Yield what the API has yet to be told."""
        for claim in self.given:
            shown = self.devices.shown_claim(claim.key)
            if shown is not None and self.devices.is_assumed(claim.key):
                yield from _writes(claim, shown, self.allocations.get(claim.key), now)

    def progress(self, node: NodeRow) -> Progress | str:
        """Return whether the API shows it by now, or why it never will."""
        for claim in self.given:
            name, found = claim.key.partition("/")[2], self.devices.claim(claim.key)
            if found is None:
                return f'resourceclaim "{name}" not found'
            if found.allocation is None or self.uid not in {consumer.uid for consumer in found.reserved}:
                return f'resourceclaim "{name}" was given up'
        return Progress.WAITING if any(self.devices.is_assumed(claim.key) for claim in self.given) else Progress.DONE

    def worded(self, problem: str) -> str:
        """Say whose step failed, and why."""
        return f'running PreBind plugin "DynamicResources": {problem}'

    def release(self) -> Sequence[DevicesChanged]:
        """Take back what is assumed."""
        found: list[DevicesChanged] = []
        for claim in self.given:
            if self.devices.restore(claim.key):
                found.append(DevicesChanged(claim, self.devices.claim(claim.key) or claim))
        return found


def device_key(claim: str) -> str:
    """Return how a resource claim is called among all that pods wait for."""
    return f"devices of {claim}"


def reserve_devices(pod: PodRow, node_name: str, columns: Columns) -> ReservedDevices:
    """Give the pod's claims devices of its node, and assume it."""
    devices, node = columns.devices, columns.node(node_name)
    claims = claims_of(pod.ask.claims or (), devices)
    lacking = [claim for claim in claims if claim.allocation is None]
    assert node is not None, "the node was decided for"
    found = devices.allocate(tuple(claim.wish for claim in lacking), node) if lacking else None
    picks = dict(zip((claim.key for claim in lacking), found.picks if found is not None else (), strict=True))
    offers = devices.offers(node)
    given: list[DeviceClaim] = []
    allocations: dict[str, dict[str, Any]] = {}
    for claim in claims:
        becomes = claim
        if claim.key in picks:
            own = picks[claim.key]
            terms = _terms([offers[pick.number] for pick in own], node_name)
            becomes = becomes._replace(allocation=tuple((offers[pick.number].id, pick.admin) for pick in own), terms=terms)
            allocations[claim.key] = _allocation(claim, own, offers, terms, devices)
        if pod.uid not in {consumer.uid for consumer in claim.reserved}:
            becomes = becomes._replace(reserved=(*claim.reserved, Consumer("pods", pod.name, pod.uid)))
        if becomes != claim:
            devices.assume(becomes)
        given.append(becomes)
    return ReservedDevices(pod.uid, tuple(given), allocations, devices)


def _terms(offers: Sequence[Offer], node_name: str) -> tuple[Term, ...] | None:
    """Return from which nodes devices can be used together: this one, if any of them is its own."""
    if any(offer.where.node_name for offer in offers):
        return (Term((), (Expression(NAME_FIELD, "In", (node_name,)),)),)
    terms = [offer.where.terms[0] for offer in offers if offer.where.terms]
    if not terms:
        return None
    expressions = tuple(dict.fromkeys(expression for term in terms for expression in term.expressions))
    return (Term(expressions, tuple(dict.fromkeys(field for term in terms for field in term.fields))),)


def _allocation(
    claim: DeviceClaim, picks: Sequence[Pick], offers: Sequence[Offer], terms: tuple[Term, ...] | None, devices: Devices
) -> dict[str, Any]:
    results: list[dict[str, Any]] = []
    for pick in picks:
        driver, pool, device = offers[pick.number].id
        result = {"request": pick.request, "driver": driver, "pool": pool, "device": device}
        results.append({**result, "adminAccess": True} if pick.admin else result)
    config: list[dict[str, Any]] = []
    requests = {request.name: request for choice in claim.wish.choices for request in choice.alternatives}
    for name in dict.fromkeys(pick.request for pick in picks):
        class_ = devices.classes.get(requests[name].class_name)
        config += [{"source": "FromClass", "requests": [name], **json.loads(each)} for each in (class_.config if class_ else ())]
    config += [{"source": "FromClaim", **json.loads(each)} for each in claim.config]
    found: dict[str, Any] = {"devices": {"results": results, **({"config": config} if config else {})}}
    if terms is not None:
        found["nodeSelector"] = {"nodeSelectorTerms": [_term(term) for term in terms]}
    return found


def _term(term: Term) -> dict[str, Any]:
    both = {"matchExpressions": term.expressions, "matchFields": term.fields}
    return {name: list(map(_requirement, expressions)) for name, expressions in both.items() if expressions}


def _requirement(expression: Expression) -> dict[str, Any]:
    found: dict[str, Any] = {"key": expression.key, "operator": expression.operator}
    return {**found, "values": list(expression.values)} if expression.values else found


def _writes(claim: DeviceClaim, shown: DeviceClaim, allocation: dict[str, Any] | None, now: float) -> Iterator[Write]:
    namespace, _, name = claim.key.partition("/")
    at = {"resourceVersion": shown.resource_version} if shown.resource_version else {}
    if allocation is not None and FINALIZER not in shown.finalizers:
        yield Write(CLAIMS, namespace, name, {"metadata": {**at, "finalizers": [*shown.finalizers, FINALIZER]}})
        at = {}
    consumers = [
        {"resource": each.resource, "name": each.name, "uid": each.uid, **({"apiGroup": each.group} if each.group else {})}
        for each in claim.reserved
    ]
    status: dict[str, Any] = {"reservedFor": consumers}
    if allocation is not None:
        status["allocation"] = {**allocation, "allocationTimestamp": timestamp.format_time(now)}
    yield Write(CLAIMS, namespace, name, {"metadata": {"uid": claim.uid, **at}, "status": status}, "status")
