"""ServiceCIDRs: ready as long as they are not on their way out, and gone only when no Service has an address of theirs alone.

Source: Kubernetes `pkg/controller/servicecidrs`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from kcore.api.networking.v1.service_cidr_pb2 import ServiceCIDR
from kcore.base import limits
from kcore.client import kinds
from kcore.controllers import actions, conditions
from kcore.controllers.actions import Action, Patch, UpdateStatus
from kcore.controllers.adoption import is_deleting
from kcore.controllers.controller import Context, Controller, Result, Source
from kcore.controllers.pod_state import seconds

NAME: Final = "service-cidrs"
CIDRS: Final = kinds.resource("networking.k8s.io", "v1", "servicecidrs")
ADDRESSES: Final = kinds.resource("networking.k8s.io", "v1", "ipaddresses")
FINALIZER: Final = "networking.k8s.io/service-cidr-finalizer"
READY: Final = "Ready"
READY_MESSAGE: Final = "Kubernetes Service CIDR is ready"
IN_USE: Final = "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"


class Plan(NamedTuple):
    """What to do, and when to look again by the clock alone; None: never."""

    actions: list[Action]
    again_s: float | None = None


def plan(found: Any, others: Sequence[Any], addresses: Iterable[str], now: float) -> Plan:
    """Decide what a range needs.

    others     the other ranges
    addresses  those that are taken
    """
    finalizers = list(found.metadata.finalizers)
    if not is_deleting(found):
        if FINALIZER not in finalizers:
            return Plan([finalize(found, [*finalizers, FINALIZER])])
        return Plan(say(found, "True", "", READY_MESSAGE, now))
    if FINALIZER not in finalizers:
        return Plan([])
    if needs(found, [other for other in others if not is_deleting(other)], addresses):
        return Plan(say(found, "False", "Terminating", IN_USE, now))
    left_s = seconds(found.metadata.deletionTimestamp) + limits.SERVICE_CIDR_GRACE_S - now
    if left_s > 0:
        return Plan([], left_s)
    return Plan([finalize(found, [name for name in finalizers if name != FINALIZER])])


def needs(found: Any, others: Sequence[Any], addresses: Iterable[str]) -> bool:
    """Tell whether an address is taken that is in this range and in no other."""
    own, rest = networks([found]), networks(others)
    return any(
        any(address in network for network in own) and not any(address in network for network in rest)
        for address in map(ipaddress.ip_address, addresses)
    )


def networks(ranges: Iterable[Any]) -> list[Any]:
    """The ranges as such."""
    return [ipaddress.ip_network(cidr) for found in ranges for cidr in found.spec.cidrs]


def finalize(found: Any, finalizers: list[str]) -> Patch:
    """Set the finalizers."""
    body = {"metadata": {"resourceVersion": found.metadata.resourceVersion, "finalizers": finalizers or None}}
    return Patch(CIDRS, "", found.metadata.name, body)


def say(found: Any, status: str, reason: str, message: str, now: float) -> list[Action]:
    """Set the condition Ready, unless it says so."""
    updated = ServiceCIDR()
    updated.CopyFrom(found)
    return [UpdateStatus(updated)] if conditions.put(updated.status.conditions, READY, status, reason, message, now) else []


class Reconciler:
    """Carries plans out."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._cidrs = context.informer(CIDRS).lister
        self._addresses = context.metadata_of(ADDRESSES).lister

    async def reconcile(self, key: str) -> Result | None:
        """Look at a range."""
        found = self._cidrs.get(key)
        if found is None:
            return None
        others = [other for other in self._cidrs.list() if other.metadata.name != key]
        taken = [each.metadata.name for each in self._addresses.list()] if is_deleting(found) else []
        planned = plan(found, others, taken, self._context.clock.now())
        outcomes = await actions.apply(planned.actions, self._context.api.bulk, self._context.recorder)
        actions.raise_first(outcomes, harmless=("NotFound",))
        return Result(planned.again_s) if planned.again_s is not None else None

    def range_changed(self, _old: Any, _new: Any) -> Iterable[str]:
        """Look at all ranges: there are few, and one that comes lets another go."""
        return [found.metadata.name for found in self._cidrs.list()]

    def address_changed(self, _old: Any, new: Any) -> Iterable[str]:
        """Look at ranges on their way out when an address is free."""
        return () if new is not None else [found.metadata.name for found in self._cidrs.list() if is_deleting(found)]


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = (Source(CIDRS, reconciler.range_changed), Source(ADDRESSES, reconciler.address_changed, metadata_only=True, reads=()))
    return Controller(NAME, context.queue(NAME), reconciler.reconcile, sources)
