"""Extended resources that devices provide: what a node does not offer as an amount is asked of a class of devices.

A container that runs asks for its own devices. Those that only start the pod run before it, one after another, so that each may use what
the later ones get, and the one that wants most beyond that asks for it on behalf of all:

    start-a 1, start-b 3, web 2    ->    container-1-request-0: 1 (start-b, beside the two of web), container-2-request-0: 2
    start-a uses one of web's, start-b all three

Source: kube-scheduler 1.37 DynamicResources, extended resources backed by DRA.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kcore.scheduler.dra.asks import Choice, Extended, ExtendedContainer, Request, Wish


class Mapping(NamedTuple):
    """The request by which a container gets a resource."""

    container: str
    resource: str
    request: str


class Plan(NamedTuple):
    """What is asked of devices for a pod, and who gets what of it."""

    wish: Wish
    mappings: tuple[Mapping, ...]


def plan(extended: Extended, resources: Sequence[str]) -> Plan:
    """Ask devices for some of a pod's extended resources."""
    classes = dict(extended.classes)
    requests: list[Request] = []
    mappings: list[Mapping] = []
    for resource in sorted(resources):
        found, who = _requests(resource, classes[resource], extended.containers)
        requests += found
        mappings += who
    choices = (Choice(request.name, (request,)) for request in sorted(requests, key=lambda request: request.name))
    return Plan(Wish(tuple(choices)), tuple(mappings))


def _requests(resource: str, class_name: str, containers: Sequence[ExtendedContainer]) -> tuple[list[Request], list[Mapping]]:
    running: dict[int, Request] = {}
    mappings: list[Mapping] = []
    for container in containers:
        own = None if container.starting else _own(container, resource, class_name)
        if own is not None:
            running[container.number] = own
            mappings.append(Mapping(container.name, resource, own.name))
    most: Request | None = None
    extra: set[str] = set()
    for container in containers:
        own = _own(container, resource, class_name) if container.starting else None
        if own is None:
            continue
        left = own.device_count or 0
        for number, request in running.items():
            if number >= container.number and left > 0:
                mappings.append(Mapping(container.name, resource, request.name))
                left -= request.device_count or 0
        if left > 0:
            mappings.append(Mapping(container.name, resource, own.name))
            extra.add(own.name)
            if most is None or left > (most.device_count or 0):
                most = own._replace(device_count=left)
    if most is not None:
        mappings = [each._replace(request=most.name) if each.request in extra else each for each in mappings]
    return [*([most] if most else []), *running.values()], mappings


def _own(container: ExtendedContainer, resource: str, class_name: str) -> Request | None:
    for name, count, place in container.requests:
        if name == resource and count:
            return Request(f"container-{container.number}-request-{place}", class_name, device_count=count)
    return None
