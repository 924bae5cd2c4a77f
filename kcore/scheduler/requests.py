"""What a pod requests: one sum per resource over its containers, in the ways that the scheduler counts.

Three figures come from the same containers:
- the *requests* that filters compare with what is free: the larger of (containers + sidecars) and (the largest init container + the
  sidecars started before it); pod-level requests replace the sums they name; overhead is added
- the *non-zero requests* that placed pods add to the least-allocated score: the same, with a default for a container that names no cpu or
  memory
- the *scored requests* that an incoming pod adds to that score: as before, but without pod-level requests

A pod in an in-place resize holds, per resource, the largest of three pod sums: spec, allocated, and what its status reports. A container
without status counts with its spec there; if the node refused the resize for good (infeasible), the spec sum is left out and such a
container counts as nothing.

Amounts are exact billionths until the sum is complete; cpu is then rounded up to thousandths, all else to ones.

Source: kube-scheduler 1.37, recomputed over recorded decisions.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from sys import intern
from typing import Final, NamedTuple

from kcore.base.limits import SCHEDULER_AMOUNT_MAX
from kcore.machinery import quantity

CPU: Final = "cpu"
MEMORY: Final = "memory"
PODS: Final = "pods"

NANO_PER_MILLI: Final = quantity.NANO // 1000
# What a container without a request is taken to use when scores are made.
NONZERO: Final[Mapping[str, int]] = {CPU: 100 * NANO_PER_MILLI, MEMORY: 200 * 2**20 * quantity.NANO}

Nanos = dict[str, int]
Amounts = tuple[tuple[str, int], ...]
Pairs = tuple[tuple[str, str], ...]


class Container(NamedTuple):
    """What the scheduler reads of a container.

    requests     (resource, quantity)
    restartable  an init container that keeps running (a sidecar)
    """

    name: str
    requests: Pairs
    restartable: bool = False


class ContainerStatus(NamedTuple):
    """What a node reports that a container has: allocated, and in force."""

    name: str
    allocated: Pairs
    requests: Pairs


class Resizing(NamedTuple):
    """The status side of in-place resizes.

    infeasible   the node refused the new spec for good: what the spec asks does not count
    allocated    pod-level amounts, likewise requests
    """

    statuses: tuple[ContainerStatus, ...] = ()
    infeasible: bool = False
    allocated: Pairs = ()
    requests: Pairs = ()


class PodShape(NamedTuple):
    """All of a pod that decides what it requests."""

    containers: tuple[Container, ...]
    init_containers: tuple[Container, ...] = ()
    pod_level: Pairs = ()
    overhead: Pairs = ()
    resizing: Resizing | None = None


class PodRequests(NamedTuple):
    """The figures of one pod.

    amounts          (resource, amount) of every resource that is not 0, by name
    nonzero_cpu      milli-units, nonzero_memory bytes: what it adds to the least-allocated score once placed
    scored_cpu       the same while it is incoming, likewise scored_memory
    """

    amounts: Amounts
    nonzero_cpu: int
    nonzero_memory: int
    scored_cpu: int
    scored_memory: int


def pod_requests(shape: PodShape) -> PodRequests:
    """Sum up a pod."""
    real = _held(shape, {}, with_pod_level=True)
    nonzero = _held(shape, NONZERO, with_pod_level=True)
    scored = _held(shape, NONZERO, with_pod_level=False) if shape.pod_level else nonzero
    amounts = tuple((intern(name), rounded(name, nano)) for name, nano in sorted(real.items()) if nano > 0)
    return PodRequests(
        amounts,
        rounded(CPU, nonzero.get(CPU, 0)),
        rounded(MEMORY, nonzero.get(MEMORY, 0)),
        rounded(CPU, scored.get(CPU, 0)),
        rounded(MEMORY, scored.get(MEMORY, 0)),
    )


def rounded(resource: str, nano: int) -> int:
    """Round billionths up to the unit in which a resource is compared.

    Differs from upstream: amounts stop above SCHEDULER_AMOUNT_MAX, so that sums cannot overflow.
    """
    unit = NANO_PER_MILLI if resource == CPU else quantity.NANO
    return min(-(-nano // unit), SCHEDULER_AMOUNT_MAX + 1)


def amount(resource: str, text: str) -> int:
    """Read one quantity in the unit in which its resource is compared."""
    return rounded(resource, quantity.parse(text).nano)


def _held(shape: PodShape, missing: Mapping[str, int], with_pod_level: bool) -> Nanos:
    resizing = shape.resizing
    if resizing is None:
        total = _spec_sum(shape, missing)
        if with_pod_level:
            total.update(_nanos(shape.pod_level))
    else:
        total = _resizing_sum(shape, resizing, missing, with_pod_level)
    for name, text in shape.overhead:
        total[name] = total.get(name, 0) + quantity.parse(text).nano
    return total


def _spec_sum(shape: PodShape, missing: Mapping[str, int]) -> Nanos:
    return _sum(
        [_with_missing(container.requests, missing) for container in shape.containers],
        [(_with_missing(container.requests, missing), container.restartable) for container in shape.init_containers],
    )


def _resizing_sum(shape: PodShape, resizing: Resizing, missing: Mapping[str, int], with_pod_level: bool) -> Nanos:
    allocated = {status.name: status.allocated for status in resizing.statuses}
    in_force = {status.name: status.requests for status in resizing.statuses}
    sums = [
        _status_sum(shape, allocated, missing, resizing.allocated or shape.pod_level, with_pod_level, resizing.infeasible),
        _status_sum(shape, in_force, missing, resizing.requests or shape.pod_level, with_pod_level, resizing.infeasible),
    ]
    if not resizing.infeasible:
        spec = _spec_sum(shape, missing)
        if with_pod_level:
            spec.update(_nanos(shape.pod_level))
        sums.append(spec)
    return _largest(sums)


def _status_sum(
    shape: PodShape,
    reported: Mapping[str, Pairs],
    missing: Mapping[str, int],
    pod_level: Pairs,
    with_pod_level: bool,
    infeasible: bool,
) -> Nanos:
    def requests(container: Container) -> Nanos:
        return _with_missing(reported.get(container.name, () if infeasible else container.requests), missing)

    total = _sum(
        [requests(container) for container in shape.containers],
        [(requests(container), container.restartable) for container in shape.init_containers],
    )
    if with_pod_level and shape.pod_level:
        total.update(_nanos(pod_level))
    return total


def _sum(containers: Sequence[Nanos], init_containers: Sequence[tuple[Nanos, bool]]) -> Nanos:
    """Add containers and sidecars; an init container alone with the sidecars before it may need more.

    init: a(1) side(2) b(4), containers: c(3)  ->  max(3 + 2, 1, 2, 4 + 2) = 6
    """
    running: Nanos = {}
    for requests in containers:
        _add(running, requests)
    sidecars: Nanos = {}
    starting: list[Nanos] = []
    for requests, restartable in init_containers:
        if restartable:
            _add(running, requests)
            _add(sidecars, requests)
            starting.append(dict(sidecars))
        else:
            alone = dict(requests)
            _add(alone, sidecars)
            starting.append(alone)
    return _largest([running, *starting])


def _with_missing(requests: Iterable[tuple[str, str]], missing: Mapping[str, int]) -> Nanos:
    nanos = _nanos(requests)
    for name, nano in missing.items():
        nanos.setdefault(name, nano)
    return nanos


def _nanos(requests: Iterable[tuple[str, str]]) -> Nanos:
    return {name: quantity.parse(text).nano for name, text in requests}


def _add(total: Nanos, more: Mapping[str, int]) -> None:
    for name, nano in more.items():
        total[name] = total.get(name, 0) + nano


def _largest(sums: Sequence[Nanos]) -> Nanos:
    if len(sums) == 1:
        return sums[0]
    largest: Nanos = {}
    for each in sums:
        for name, nano in each.items():
            largest[name] = max(nano, largest.get(name, 0))
    return largest
