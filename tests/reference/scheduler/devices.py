"""Devices for claims, the slow way: every assignment of devices to requests is tried, those with earlier alternatives first."""

from collections.abc import Iterator, Sequence
from itertools import combinations, product

from kcore.scheduler.dra.asks import Choice, Constraint, Request, Wish
from kcore.scheduler.dra.rows import Offer, Pool

Picked = list[tuple[Request, int]]


def best_score(wishes: Sequence[Wish], pool: Pool, taken: set[int], used: dict[int, int], left: dict) -> int | None:
    """Return the score of the first alternatives with which all claims can be satisfied; None if none can."""
    choices = [choice for wish in wishes for choice in wish.choices]
    for indices in product(*(range(len(choice.alternatives)) for choice in choices)):
        found = assignments(wishes, choices, indices, pool.offers)
        if any(is_solution(wishes, picks, pool.offers, taken, used, left) for picks in found):
            return sum(8 - index for choice, index in zip(choices, indices, strict=True) if choice.scored)
    return None


def assignments(
    wishes: Sequence[Wish], choices: Sequence[Choice], indices: Sequence[int], offers: Sequence[Offer]
) -> Iterator[list[Picked]]:
    requests = [choice.alternatives[index] for choice, index in zip(choices, indices, strict=True)]
    owners = [number for number, wish in enumerate(wishes) for _ in wish.choices]
    for sets in product(*(possible(request, offers) for request in requests)):
        picks: list[Picked] = [[] for _ in wishes]
        for owner, request, numbers in zip(owners, requests, sets, strict=True):
            picks[owner] += [(request, number) for number in numbers]
        yield picks


def possible(request: Request, offers: Sequence[Offer]) -> list[tuple[int, ...]]:
    fitting = [number for number, offer in enumerate(offers) if selects(request, offer)]
    if request.device_count is None:
        large = [number for number in fitting if takes(request, offers[number]) is not None]
        return [tuple(large)] if large and not any(offers[number].device.taints for number in large) else []
    return list(combinations((number for number in fitting if not offers[number].device.taints), request.device_count))


def selects(request: Request, offer: Offer) -> bool:
    """Selectors of tests are models."""
    return all(dict(offer.device.attributes).get("d/model") == ("string", selector) for selector in request.selectors)


def takes(request: Request, offer: Offer) -> int | None:
    """Return what a request takes of the capacity of tests, "m", which has no policy; None where it is too small, or there is none."""
    asked, has = dict(request.capacity).get("m"), dict(offer.device.capacity).get("m")
    if has is None:
        return None if asked else 0
    amount = has.value if asked is None else asked
    return amount if amount <= has.value else None


def is_solution(
    wishes: Sequence[Wish], picks: Sequence[Picked], offers: Sequence[Offer], taken: set[int], used: dict[int, int], left: dict
) -> bool:
    given: list[tuple[int, int]] = []
    rest, shares = dict(left), dict(used)
    for claim, own in enumerate(picks):
        for request, number in own:
            device = offers[number].device
            amount = takes(request, offers[number])
            holders = [other for other, at in given if at == number]
            if claim in holders if request.admin else (number in taken or holders):
                return False
            if amount is None or (device.shared and shares.get(number, 0) + amount > dict(device.capacity)["m"].value):
                return False
            if not (device.shared and number in shares):
                for counter, share in device.consumes:
                    rest[counter] -= share
            if device.shared:
                shares[number] = shares.get(number, 0) + amount
            else:
                given.append((claim, number))
            if device.consumes and min(rest.values()) < 0:
                return False
    return all(keeps(constraint, each, offers) for wish, each in zip(wishes, picks, strict=True) for constraint in wish.constraints)


def keeps(constraint: Constraint, picks: Picked, offers: Sequence[Offer]) -> bool:
    def is_meant(name: str) -> bool:
        return not constraint.requests or bool({name, name.partition("/")[0]} & set(constraint.requests))

    values = [dict(offers[number].device.attributes).get(constraint.attribute) for request, number in picks if is_meant(request.name)]
    if None in values:
        return False
    return len(set(values)) == len(values) if constraint.distinct else len(set(values)) <= 1
