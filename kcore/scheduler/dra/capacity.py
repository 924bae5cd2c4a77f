"""How much of a device's capacity a request takes: what it asks for, rounded up to what the device's policy allows.

    range 1Gi..8Gi in steps of 2Gi: a request of 2Gi takes 3Gi, one of 512Mi takes 1Gi, one of 9Gi cannot be had
    values 1Gi, 4Gi:                a request of 2Gi takes 4Gi
    no request:                     the policy's default, else all there is

Amounts are exact, in billionths.

Source: Kubernetes dynamic-resource-allocation `structured`, consumable capacity.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from kcore.machinery import quantity

Consumed = tuple[tuple[str, int], ...]
"""(capacity, amount)."""

INTEGER_MAX: Final = (1 << 63) - 1
_MILLI: Final = quantity.NANO // 1000


class AllocationError(Exception):
    """Something about claims, classes or slices that ends the attempt to schedule a pod.

    text   says `{claim}` for the claim with this number among those that are to get devices, and `{node}` for the node
    """

    def __init__(self, text: str, claim: int = 0) -> None:
        super().__init__(text)
        self.text = text
        self.claim = claim


class Range(NamedTuple):
    """From the smallest amount to the largest, in steps from the smallest."""

    low: int
    high: int | None = None
    step: int | None = None


class Capacity(NamedTuple):
    """How much there is of something on a device, and what may be asked of it.

    text     as the slice has it
    default  for who asks nothing; values, range: what may be asked
    """

    text: str
    value: int
    default: int | None = None
    values: tuple[int, ...] = ()
    range: Range | None = None


def consumed(capacities: Iterable[tuple[str, Capacity]], requests: Mapping[str, int]) -> dict[str, int]:
    """Return how much a request takes of each capacity.

    Raises  AllocationError
    """
    found: dict[str, int] = {}
    for name, capacity in capacities:
        amount = _taken(capacity, requests.get(name))
        if amount < 0:
            raise AllocationError(f'capacity "{name}": capacity value is negative')
        found[name] = amount
    return found


def fits(capacities: Iterable[tuple[str, Capacity]], requests: Mapping[str, int], used: Mapping[str, int]) -> bool:
    """Say whether a device has what a request takes beside what is used of it.

    Raises  AllocationError
    """
    known = dict(capacities)
    if not requests.keys() <= known.keys():
        return False
    taken = consumed(known.items(), requests)
    return all(
        _allowed(taken[name], capacity) and used.get(name, 0) + taken[name] <= capacity.value for name, capacity in known.items()
    )


def _taken(capacity: Capacity, request: int | None) -> int:
    if request is None:
        return capacity.value if capacity.default is None else capacity.default
    if capacity.range is not None:
        return _rounded(request, capacity.range)
    return next((value for value in capacity.values if request <= value), request)


def _rounded(request: int, allowed: Range) -> int:
    if request < allowed.low:
        return allowed.low
    if allowed.step is None:
        return request
    unit = _unit(allowed)
    low, step = _in_units(allowed.low, unit), _in_units(allowed.step, unit)
    found = low - (low - _in_units(request, unit)) // step * step
    if max(found, request // unit) > INTEGER_MAX or (unit == _MILLI and request % unit):
        raise AllocationError("capacity request cannot be represented in the device's range arithmetic")
    return found * unit


def _allowed(amount: int, capacity: Capacity) -> bool:
    """Say whether an amount keeps to the policy."""
    if amount == capacity.default:
        return True
    allowed = capacity.range
    if allowed is None:
        return not capacity.values or amount in capacity.values
    if allowed.high is not None and amount > allowed.high:
        return False
    if allowed.step is None:
        return True
    unit = _unit(allowed)
    if unit == _MILLI and amount % unit:
        return False
    return (_in_units(amount, unit) - _in_units(allowed.low, unit)) % _in_units(allowed.step, unit) == 0


def _unit(allowed: Range) -> int:
    """Return in what a range is computed: thousandths where all of it are whole ones of these, else ones."""
    bounds = [each for each in allowed if each is not None]
    exact = all(each % _MILLI == 0 and each // _MILLI <= INTEGER_MAX for each in bounds)
    return _MILLI if exact and (allowed.step is None or allowed.step >= _MILLI) else quantity.NANO


def _in_units(amount: int, unit: int) -> int:
    """Count units, rounded up, as an amount is read that is not a whole number of them."""
    return -(-amount // unit)
