"""What a claim's allocation says: which request got which device, how devices are to be set up, and from which nodes they can be used.

Source: Kubernetes dynamic-resource-allocation `structured`, allocation results.
"""
from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kcore.machinery import quantity
from kcore.scheduler.dra.allocator import Pick
from kcore.scheduler.dra.asks import Request
from kcore.scheduler.dra.capacity import Consumed
from kcore.scheduler.dra.rows import DeviceClaim, DeviceClass, Held, Offer
from kcore.scheduler.labels import NAME_FIELD
from kcore.scheduler.rows import Expression, Term, Toleration


class Given(NamedTuple):
    """A device that a claim gets; share: the name of the part of a shared device, else ""."""

    request: Request
    offer: Offer
    consumed: Consumed | None
    share: str = ""

    @property
    def held(self) -> Held:
        """Return what the claim has of it then."""
        return Held(self.offer.id, self.request.name, self.request.admin, self.share, self.consumed or ())


def given(picks: Sequence[Pick], offers: Sequence[Offer], shares: Iterator[str]) -> list[Given]:
    """Return what picks are of; shares: names for parts of shared devices."""
    return [
        Given(pick.request, offers[pick.number], pick.consumed, next(shares) if pick.consumed is not None else "") for pick in picks
    ]


def node_terms(devices: Sequence[Given], node_name: str) -> tuple[Term, ...] | None:
    """Return from which nodes devices can be used together: this one, if any of them is its own or binds to it."""
    if any(each.offer.where.node_name or each.offer.device.binds_to_node for each in devices):
        return (Term((), (Expression(NAME_FIELD, "In", (node_name,)),)),)
    terms = [each.offer.where.terms[0] for each in devices if each.offer.where.terms]
    if not terms:
        return None
    expressions = tuple(dict.fromkeys(expression for term in terms for expression in term.expressions))
    return (Term(expressions, tuple(dict.fromkeys(field for term in terms for field in term.fields))),)


def allocation(
    claim: DeviceClaim, devices: Sequence[Given], terms: tuple[Term, ...] | None, classes: Mapping[str, DeviceClass]
) -> dict[str, Any]:
    """Return an allocation as it goes into the API."""
    config = [*_class_config(claim, devices, classes), *_claim_config(claim, devices)]
    found: dict[str, Any] = {"devices": {"results": [_result(each) for each in devices], **({"config": config} if config else {})}}
    if terms is not None:
        found["nodeSelector"] = {"nodeSelectorTerms": [_term(term) for term in terms]}
    return found


def _result(each: Given) -> dict[str, Any]:
    driver, pool, device = each.offer.id
    found: dict[str, Any] = {"request": each.request.name, "driver": driver, "pool": pool, "device": device}
    if each.request.admin:
        found["adminAccess"] = True
    if each.request.tolerations:
        found["tolerations"] = [_toleration(toleration) for toleration in each.request.tolerations]
    if each.offer.device.conditions:
        found["bindingConditions"] = list(each.offer.device.conditions)
    if each.offer.device.failures:
        found["bindingFailureConditions"] = list(each.offer.device.failures)
    if each.share:
        found["shareID"] = each.share
    if each.consumed:
        found["consumedCapacity"] = {name: written(amount) for name, amount in each.consumed}
    return found


def written(nano: int) -> str:
    """Write an amount; one that is a multiple of 1024 as such."""
    value, rest = divmod(nano, quantity.NANO)
    if rest:
        return str(quantity.Quantity(nano, quantity.DECIMAL))
    return str(quantity.of_value(value, quantity.BINARY if value and value % 1024 == 0 else quantity.DECIMAL))


def _class_config(claim: DeviceClaim, devices: Sequence[Given], classes: Mapping[str, DeviceClass]) -> Iterator[dict[str, Any]]:
    """Yield the configuration of each class once, for all requests of it."""
    chosen = _chosen(claim, devices)
    for name in dict.fromkeys(request.class_name for request in chosen):
        requests = [request.name for request in chosen if request.class_name == name]
        for text in classes[name].config if name in classes else ():
            yield _config("FromClass", requests, text, covers_all=len(requests) == len(chosen))


def _claim_config(claim: DeviceClaim, devices: Sequence[Given]) -> Iterator[dict[str, Any]]:
    """Yield the claim's own configuration as far as it is for what was chosen."""
    names = [{request.name, request.name.partition("/")[0]} for request in _chosen(claim, devices)]
    for each in claim.config:
        meant = [not own.isdisjoint(each.requests) for own in names]
        if not each.requests or any(meant):
            yield _config("FromClaim", each.requests, each.text, covers_all=not each.requests or all(meant))


def _chosen(claim: DeviceClaim, devices: Sequence[Given]) -> list[Request]:
    """Return of each request of a claim the alternative that was chosen."""
    found = {each.request.name for each in devices}
    return [next((r for r in choice.alternatives if r.name in found), choice.alternatives[0]) for choice in claim.wish.choices]


def _config(source: str, requests: Sequence[str], text: str, covers_all: bool) -> dict[str, Any]:
    return {"source": source, **({} if covers_all else {"requests": list(requests)}), **json.loads(text)}


def _toleration(found: Toleration) -> dict[str, str]:
    return {name: value for name, value in found._asdict().items() if value}


def _term(term: Term) -> dict[str, Any]:
    both = {"matchExpressions": term.expressions, "matchFields": term.fields}
    return {name: list(map(_requirement, expressions)) for name, expressions in both.items() if expressions}


def _requirement(expression: Expression) -> dict[str, Any]:
    found: dict[str, Any] = {"key": expression.key, "operator": expression.operator}
    return {**found, "values": list(expression.values)} if expression.values else found
