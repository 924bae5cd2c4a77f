"""Which of the devices that a node offers satisfy claims: a search that goes through requests in order, and comes back where it got stuck.

Of a list of alternatives the first is taken that leads to a solution, those of earlier requests before those of later ones; of devices the
first that lead to one, in the order of the offers. The search tells apart three ends: a solution, none, and an `AllocationError`: something
is wrong with claims, classes or slices so that nothing can be said (a request for all devices of a pool that is just being replaced, an
expression that fails), or the search takes too long.

Source: Kubernetes dynamic-resource-allocation `structured`, the allocator of beta features.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from kcore.base.limits import SCHEDULER_DEVICE_STEPS_MAX
from kcore.scheduler.dra.asks import Constraint, Request, Wish
from kcore.scheduler.dra.capacity import AllocationError, Consumed, consumed, fits
from kcore.scheduler.dra.rows import INCOMPLETE, Counter, Offer, Pool
from kcore.scheduler.rows import rejecting

DEVICES_PER_CLAIM_MAX: Final = 32
"""Fixed by Kubernetes: an allocation has no more results."""

ALTERNATIVES_MAX: Final = 8
"""Fixed by Kubernetes: the score of the first of a list of alternatives, each later one earns one less."""

Selects = Callable[[Request, Offer], bool]
"""Whether class and request select a device; may raise AllocationError."""


class Pick(NamedTuple):
    """A device that a request gets: its number among what is offered.

    consumed  what it takes of a shared device; None of another one
    """

    request: Request
    number: int
    consumed: Consumed | None = None


class Allocation(NamedTuple):
    """A solution. picks: for each claim; score: of the alternatives chosen."""

    picks: tuple[tuple[Pick, ...], ...]
    score: int


class Usage(NamedTuple):
    """What others have of the devices that are offered.

    taken   numbers of offers that are in use as a whole
    shares  (number, what is used of its capacity) of shared offers that are in use
    left    for each pool, what is left of the counters that its devices share
    """

    taken: frozenset[int] = frozenset()
    shares: tuple[tuple[int, Consumed], ...] = ()
    left: tuple[tuple[tuple[Counter, int], ...], ...] = ()


class _TooMany(Exception):
    """A claim would get more devices than it may have: no other devices help, only an alternative with fewer."""


@dataclass(slots=True)
class _Search:
    """given: for each offer the claims that get it in this search; trail: how to take back each pick of a claim, in order."""

    wishes: Sequence[Wish]
    offers: Sequence[Offer]
    pool_of: Sequence[int]
    selects: Selects
    taken: frozenset[int]
    shares: dict[int, dict[str, int]]
    left: list[dict[Counter, int]]
    picks: list[list[Pick]]
    given: dict[int, list[int]] = field(default_factory=dict)
    trail: list[tuple[bool, dict[str, int] | None]] = field(default_factory=list)
    all: dict[tuple[int, int, int], list[int]] = field(default_factory=dict)
    selected: dict[tuple[int, int], bool] = field(default_factory=dict)
    score: int = 0
    steps: int = 0


def allocate(wishes: Sequence[Wish], pools: Sequence[Pool], usage: Usage, selects: Selects) -> Allocation | None:
    """Return a solution, or None. Offers are numbered through all pools.

    Raises  AllocationError
    """
    search = _Search(
        wishes,
        [offer for pool in pools for offer in pool.offers],
        [number for number, pool in enumerate(pools) for _ in pool.offers],
        selects,
        usage.taken,
        {number: dict(used) for number, used in usage.shares},
        [dict(counters) for counters in usage.left],
        [[] for _ in wishes],
    )
    _prepare(search, pools)
    if not _choose(search, 0, 0):
        return None
    return Allocation(tuple(map(tuple, search.picks)), search.score)


def _prepare(search: _Search, pools: Sequence[Pool]) -> None:
    """Find out what requests for all devices are for, and refuse claims that ask for more than any claim may have."""
    for claim, wish in enumerate(search.wishes):
        total = 0
        for place, choice in enumerate(wish.choices):
            least = 0
            for index, request in enumerate(choice.alternatives):
                count = request.device_count
                if count is None:
                    found = search.all[claim, place, index] = _all_devices(search, claim, request, pools)
                    count = len(found)
                least = min(least, count) if index else count
            if least > DEVICES_PER_CLAIM_MAX - total:
                raise AllocationError(
                    f"claim {{claim}}, request {choice.name}: adding {least} devices exceeds the claim limit of {DEVICES_PER_CLAIM_MAX}, "
                    f"with {total} already accounted for",
                    claim,
                )
            total += least


def _all_devices(search: _Search, claim: int, request: Request, pools: Sequence[Pool]) -> list[int]:
    found: list[int] = []
    number = 0
    for pool in pools:
        if pool.flaw:
            state = "being updated" if pool.flaw == INCOMPLETE else "invalid"
            text = f"asks for all devices, but resource pool {pool.name} is currently {state}"
            raise AllocationError(f"claim {{claim}}, request {request.own_name}: {text}", claim)
        for offer in pool.offers:
            if _selects(search, claim, request, number) and _has_capacity(claim, request, offer, {}, offer.device.name):
                found.append(number)
            number += 1
    return found


def _choose(search: _Search, claim: int, choice: int) -> bool:
    """Satisfy everything from a choice on."""
    if claim == len(search.wishes):
        return True
    choices = search.wishes[claim].choices
    if choice == len(choices):
        try:
            return _choose(search, claim + 1, 0)
        except _TooMany:
            return False
    too_many = choices[choice].scored
    for index, request in enumerate(choices[choice].alternatives):
        earned = ALTERNATIVES_MAX - index if choices[choice].scored else 0
        search.score += earned
        try:
            if _satisfy(search, claim, choice, index, request):
                return True
            too_many = False
        except _TooMany:
            if not choices[choice].scored:
                raise
        search.score -= earned
    if too_many:
        raise _TooMany
    return False


def _satisfy(search: _Search, claim: int, choice: int, index: int, request: Request) -> bool:
    """Give a request its devices, and satisfy everything behind it."""
    found = search.all.get((claim, choice, index))
    if found is None:
        return _give_some(search, claim, choice, request, 0, request.device_count or 0)
    return bool(found) and _give_all(search, claim, choice, request, found)


def _give_all(search: _Search, claim: int, choice: int, request: Request, numbers: Sequence[int]) -> bool:
    picks = search.picks[claim]
    before = len(picks)
    if len(numbers) > DEVICES_PER_CLAIM_MAX - before:
        raise _TooMany
    done = False
    try:
        done = all(_take(search, claim, request, number, must=True) for number in numbers) and _choose(search, claim, choice + 1)
    finally:
        while not done and len(picks) > before:
            _put_back(search, claim)
    return done


def _give_some(search: _Search, claim: int, choice: int, request: Request, start: int, count: int) -> bool:
    if not count:
        return _choose(search, claim, choice + 1)
    if count > DEVICES_PER_CLAIM_MAX - len(search.picks[claim]):
        raise _TooMany
    for number in range(start, len(search.offers)):
        search.steps += 1
        if search.steps > SCHEDULER_DEVICE_STEPS_MAX:
            raise AllocationError("node {node}: timed out trying to allocate devices")
        if not _is_free(search, claim, request, number) or not _selects(search, claim, request, number):
            continue
        if _take(search, claim, request, number, must=False):
            done = False
            try:
                done = _give_some(search, claim, choice, request, number + 1, count - 1)
            finally:
                if not done:
                    _put_back(search, claim)
            if done:
                return True
    return False


def _is_free(search: _Search, claim: int, request: Request, number: int) -> bool:
    """Say whether nobody has a device who keeps this request from it: who only looks at it minds nobody but its own claim."""
    if request.admin:
        return claim not in search.given.get(number, ())
    return number not in search.taken and not search.given.get(number)


def _selects(search: _Search, claim: int, request: Request, number: int) -> bool:
    key = (id(request), number)
    found = search.selected.get(key)
    if found is None:
        try:
            found = search.selected[key] = search.selects(request, search.offers[number])
        except AllocationError as problem:
            raise AllocationError(problem.text, claim) from problem
    return found


def _take(search: _Search, claim: int, request: Request, number: int, must: bool) -> bool:
    """Give a device to a request if it can have it; must: it needs just this one."""
    device = search.offers[number].device
    if not _is_free(search, claim, request, number):
        return False
    counted = bool(device.consumes) and not (device.shared and number in search.shares)
    if counted and not _count(search, number, 1):
        return False
    pick = _pick(search, claim, request, number, must)
    if pick is None:
        if counted:
            _count(search, number, -1)
        return False
    before = search.shares.get(number)
    if pick.consumed is None:
        search.given.setdefault(number, []).append(claim)
    else:
        search.shares[number] = {**(before or {}), **{name: (before or {}).get(name, 0) + taken for name, taken in pick.consumed}}
    search.picks[claim].append(pick)
    search.trail.append((counted, before))
    return True


def _pick(search: _Search, claim: int, request: Request, number: int, must: bool) -> Pick | None:
    """Return what a request would get of a device; None if it cannot have it."""
    offer = search.offers[number]
    if any(rejecting(taint, request.tolerations) for taint in offer.device.taints):
        return None
    pick = Pick(request, number)
    if not all(_holds(constraint, [*search.picks[claim], pick], search.offers) for constraint in search.wishes[claim].constraints):
        if must:
            text = f"cannot add device {'/'.join(offer.id)} because a claim constraint would not be satisfied"
            raise AllocationError(f"claim {{claim}}, request {request.own_name}: {text}", claim)
        return None
    if not _has_capacity(claim, request, offer, search.shares.get(number, {}), "/".join(offer.id)):
        return None
    if offer.device.shared:
        return pick._replace(consumed=tuple(sorted(consumed(offer.device.capacity, dict(request.capacity)).items())))
    return pick


def _has_capacity(claim: int, request: Request, offer: Offer, used: Mapping[str, int], name: str) -> bool:
    try:
        return fits(offer.device.capacity, dict(request.capacity), used)
    except AllocationError as problem:
        text = f"claim {{claim}}, request {request.own_name}: checking capacity for device {name}: {problem.text}"
        raise AllocationError(text, claim) from problem


def _put_back(search: _Search, claim: int) -> None:
    """Take back the last pick of a claim, the last one of all."""
    pick, (counted, before) = search.picks[claim].pop(), search.trail.pop()
    if pick.consumed is None:
        search.given[pick.number].pop()
    elif before is None:
        del search.shares[pick.number]
    else:
        search.shares[pick.number] = before
    if counted:
        _count(search, pick.number, -1)


def _count(search: _Search, number: int, sign: int) -> bool:
    """Take what a device consumes from its pool (1), or give it back (-1); nothing is taken where that would leave too little of any."""
    left = search.left[search.pool_of[number]]
    for counter, amount in search.offers[number].device.consumes:
        left[counter] -= sign * amount
    if sign > 0 and min(left.values()) < 0:
        _count(search, number, -1)
        return False
    return True


def _holds(constraint: Constraint, picks: Sequence[Pick], offers: Sequence[Offer]) -> bool:
    """Say whether the devices picked so far keep to a constraint; only the last one is new."""
    concerned = [pick for pick in picks if _concerns(constraint, pick.request.name)]
    if not concerned or concerned[-1] is not picks[-1]:
        return True
    values: list[Any] = [dict(offers[pick.number].device.attributes).get(constraint.attribute) for pick in concerned]
    if values[-1] is None:
        return False
    return values[-1] not in values[:-1] if constraint.distinct else values[-1] == values[0]


def _concerns(constraint: Constraint, request: str) -> bool:
    return not constraint.requests or request in constraint.requests or request.partition("/")[0] in constraint.requests
