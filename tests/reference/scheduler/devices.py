"""Devices for claims, the slow way: every assignment of devices to requests is tried, those with earlier alternatives first."""

from collections.abc import Iterator, Sequence
from itertools import combinations, product

from kcore.scheduler.dra.asks import Choice, Constraint, Request, Wish
from kcore.scheduler.dra.rows import Offer

Picked = list[tuple[str, int, bool]]


def best_score(wishes: Sequence[Wish], offers: Sequence[Offer], taken: set[int], left: dict) -> int | None:
    """Return the score of the first alternatives with which all claims can be satisfied; None if none can."""
    choices = [choice for wish in wishes for choice in wish.choices]
    for indices in product(*(range(len(choice.alternatives)) for choice in choices)):
        if any(is_solution(wishes, picks, offers, taken, left) for picks in assignments(wishes, choices, indices, offers)):
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
            picks[owner] += [(request.name, number, request.admin) for number in numbers]
        yield picks


def possible(request: Request, offers: Sequence[Offer]) -> list[tuple[int, ...]]:
    fitting = [number for number, offer in enumerate(offers) if selects(request, offer)]
    free = [number for number in fitting if offers[number].usable and not offers[number].device.taints]
    if request.device_count is None:
        return [tuple(fitting)] if fitting and free == fitting else []
    return list(combinations(free, request.device_count))


def selects(request: Request, offer: Offer) -> bool:
    """Selectors of tests are models."""
    return all(dict(offer.device.attributes).get("d/model") == ("string", selector) for selector in request.selectors)


def is_solution(wishes: Sequence[Wish], picks: Sequence[Picked], offers: Sequence[Offer], taken: set[int], left: dict) -> bool:
    used = [number for each in picks for _, number, admin in each if not admin]
    if len(set(used)) < len(used) or set(used) & taken:
        return False
    rest = dict(left)
    for number in used:
        for counter, amount in offers[number].device.consumes:
            key = (*offers[number].id[:2], counter)
            rest[key] = rest.get(key, 0) - amount
            if rest[key] < 0:
                return False
    return all(keeps(constraint, each, offers) for wish, each in zip(wishes, picks, strict=True) for constraint in wish.constraints)


def keeps(constraint: Constraint, picks: Picked, offers: Sequence[Offer]) -> bool:
    names = {name for name, _, _ in picks if not constraint.requests or {name, name.partition("/")[0]} & set(constraint.requests)}
    values = [dict(offers[number].device.attributes).get(constraint.attribute) for name, number, _ in picks if name in names]
    if None in values:
        return False
    return len(set(values)) == len(values) if constraint.distinct else len(set(values)) <= 1
