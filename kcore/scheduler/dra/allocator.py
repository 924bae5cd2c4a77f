"""Which of the devices that a node offers satisfy claims: a search that goes through requests in order, and comes back where it got stuck.

Of a list of alternatives the first is taken that leads to a solution, those of earlier requests before those of later ones; of devices any
that lead to one. A search that is too long ends without a solution.

Source: Kubernetes dynamic-resource-allocation `structured`, allocator.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from kcore.base.limits import SCHEDULER_DEVICE_STEPS_MAX
from kcore.scheduler.dra.asks import Constraint, Request, Wish
from kcore.scheduler.dra.rows import Counter, Offer
from kcore.scheduler.rows import rejecting

DEVICES_PER_CLAIM_MAX: Final = 32
"""Fixed by Kubernetes: an allocation has no more results."""

ALTERNATIVES_MAX: Final = 8
"""Fixed by Kubernetes: the score of the first of a list of alternatives, each later one earns one less."""

Selects = Callable[[Request, Offer], bool]


class Pick(NamedTuple):
    """A device that a request gets: its number among what is offered."""

    request: str
    number: int
    admin: bool


class Allocation(NamedTuple):
    """A solution. picks: for each claim; score: of the alternatives chosen."""

    picks: tuple[tuple[Pick, ...], ...]
    score: int


@dataclass(slots=True)
class _Search:
    wishes: Sequence[Wish]
    offers: Sequence[Offer]
    selects: Selects
    taken: set[int]
    left: dict[tuple[str, str, Counter], int]
    picks: list[list[Pick]] = field(default_factory=list)
    score: int = 0
    steps: int = 0


def allocate(
    wishes: Sequence[Wish],
    offers: Sequence[Offer],
    taken: set[int],
    left: Mapping[tuple[str, str, Counter], int],
    selects: Selects,
) -> Allocation | None:
    """Return a solution, or None.

    taken    numbers of offers that are in use
    left     what is left of the counters that devices of a pool share
    selects  whether class and request select a device
    """
    search = _Search(wishes, offers, selects, set(taken), dict(left), [[] for _ in wishes])
    if not _choose(search, 0, 0):
        return None
    return Allocation(tuple(map(tuple, search.picks)), search.score)


def _choose(search: _Search, claim: int, choice: int) -> bool:
    """Satisfy everything from a choice on."""
    if claim == len(search.wishes):
        return True
    choices = search.wishes[claim].choices
    if choice == len(choices):
        return _choose(search, claim + 1, 0)
    for index, request in enumerate(choices[choice].alternatives):
        earned = ALTERNATIVES_MAX - index if choices[choice].scored else 0
        search.score += earned
        if _satisfy(search, claim, choice, request):
            return True
        search.score -= earned
    return False


def _satisfy(search: _Search, claim: int, choice: int, request: Request) -> bool:
    """Give a request its devices, and satisfy everything behind it."""
    fitting = [number for number, offer in enumerate(search.offers) if search.selects(request, offer)]
    if request.device_count is None:
        if not fitting or not all(search.offers[number].usable for number in fitting):
            return False
        return _give_all(search, claim, choice, request, fitting)
    usable = [number for number in fitting if search.offers[number].usable]
    return _give_some(search, claim, choice, request, usable, 0, request.device_count)


def _give_all(search: _Search, claim: int, choice: int, request: Request, numbers: Sequence[int]) -> bool:
    given = 0
    for number in numbers:
        if not _take(search, claim, request, number):
            break
        given += 1
    if given == len(numbers) and _choose(search, claim, choice + 1):
        return True
    for number in reversed(numbers[:given]):
        _put_back(search, claim, request, number)
    return False


def _give_some(search: _Search, claim: int, choice: int, request: Request, numbers: Sequence[int], start: int, count: int) -> bool:
    if not count:
        return _choose(search, claim, choice + 1)
    for position in range(start, len(numbers) - count + 1):
        search.steps += 1
        if search.steps > SCHEDULER_DEVICE_STEPS_MAX:
            return False
        if _take(search, claim, request, numbers[position]):
            if _give_some(search, claim, choice, request, numbers, position + 1, count - 1):
                return True
            _put_back(search, claim, request, numbers[position])
    return False


def _take(search: _Search, claim: int, request: Request, number: int) -> bool:
    offer, picks = search.offers[number], search.picks[claim]
    if len(picks) >= DEVICES_PER_CLAIM_MAX or any(rejecting(taint, request.tolerations) for taint in offer.device.taints):
        return False
    if not request.admin and (number in search.taken or not _has_left(search, offer)):
        return False
    pick = Pick(request.name, number, request.admin)
    if not all(_holds(constraint, [*picks, pick], search.offers) for constraint in search.wishes[claim].constraints):
        return False
    picks.append(pick)
    if not request.admin:
        search.taken.add(number)
        _consume(search, offer, 1)
    return True


def _put_back(search: _Search, claim: int, request: Request, number: int) -> None:
    search.picks[claim].pop()
    if not request.admin:
        search.taken.discard(number)
        _consume(search, search.offers[number], -1)


def _has_left(search: _Search, offer: Offer) -> bool:
    return all(search.left.get((*offer.id[:2], counter), 0) >= amount for counter, amount in offer.device.consumes)


def _consume(search: _Search, offer: Offer, sign: int) -> None:
    for counter, amount in offer.device.consumes:
        search.left[(*offer.id[:2], counter)] -= sign * amount


def _holds(constraint: Constraint, picks: Sequence[Pick], offers: Sequence[Offer]) -> bool:
    """Say whether the devices picked so far keep to a constraint; only the last one is new."""
    concerned = [pick for pick in picks if _concerns(constraint, pick.request)]
    if not concerned or not _concerns(constraint, picks[-1].request):
        return True
    values: list[Any] = [dict(offers[pick.number].device.attributes).get(constraint.attribute) for pick in concerned]
    if values[-1] is None:
        return False
    return values[-1] not in values[:-1] if constraint.distinct else values[-1] == values[0]


def _concerns(constraint: Constraint, request: str) -> bool:
    return not constraint.requests or request in constraint.requests or request.partition("/")[0] in constraint.requests
