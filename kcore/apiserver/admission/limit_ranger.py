"""Bounds and defaults of what one pod, container or claim may ask for, as the LimitRanges of its namespace say.

Source: Kubernetes admission plugin LimitRanger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from kcore.apiserver.admission.cluster import LIMIT_RANGE, Cluster
from kcore.machinery import status
from kcore.machinery.kinds.core.limitrange import CLAIM, CONTAINER, POD
from kcore.machinery.kinds.requests import Amounts, amounts, pod_limits, pod_requests
from kcore.machinery.quantity import Quantity, parse

if TYPE_CHECKING:
    from kcore.apiserver.registry import Write

Object = dict[str, Any]
Check = Callable[[str, str, Quantity, Amounts, Amounts], str]

ANNOTATION = "kubernetes.io/limit-ranger"
RESIZE = "resize"
MILLI_MAX = (2**63 - 1) // 1000


def admit_pod(write: Write, obj: Object, _old: Object | None, cluster: Cluster) -> None:
    """Fill in what the containers of a new pod leave open."""
    if write.operation != "CREATE" or write.subresource:
        return
    for found in cluster.within(LIMIT_RANGE, write.namespace):
        set_defaults(obj, found)


def set_defaults(pod: Object, found: Object) -> None:
    """Give containers the requests and limits of one LimitRange, and say in an annotation which."""
    limits: dict[str, str] = {}
    requests: dict[str, str] = {}
    for item in items(found, CONTAINER):
        limits |= item.get("default") or {}
        requests |= item.get("defaultRequest") or {}
    if not limits and not requests:
        return
    told: list[str] = []
    for kind, container in containers(pod):
        resources = container["resources"] = dict(container.get("resources") or {})
        for half, defaults in (("requests", requests), ("limits", limits)):
            given = resources.get(half) or {}
            added = {name: amount for name, amount in defaults.items() if name not in given}
            if added:
                resources[half] = {**given, **added}
                told.append(f"{', '.join(sorted(added))} {half[:-1]} for {kind} {container['name']}")
    if told:
        annotations = pod["metadata"].get("annotations") or {}
        pod["metadata"]["annotations"] = {**annotations, ANNOTATION: f"LimitRanger plugin set: {'; '.join(told)}"}


def containers(pod: Object) -> Iterator[tuple[str, Object]]:
    """The containers of a pod, with what they are called."""
    for container in pod["spec"].get("containers") or ():
        yield "container", container
    for container in pod["spec"].get("initContainers") or ():
        yield "init container", container


def items(found: Object, kind: str) -> Iterator[Object]:
    """What a LimitRange says of one kind of thing."""
    return (item for item in (found.get("spec") or {}).get("limits") or () if item.get("type") == kind)


def validate_pod(write: Write, obj: Object, _old: Object | None, cluster: Cluster) -> None:
    """Refuse a new or resized pod that is outside the bounds."""
    if (write.operation != "CREATE" or write.subresource) and write.subresource != RESIZE:
        return
    for found in cluster.within(LIMIT_RANGE, write.namespace):
        refuse(write, pod_errors(obj, found))


def pod_errors(pod: Object, found: Object) -> Iterator[str]:
    """What one LimitRange finds wrong with a pod."""
    for item in (found.get("spec") or {}).get("limits") or ():
        if item.get("type") == CONTAINER:
            for _, container in containers(pod):
                resources = container.get("resources") or {}
                yield from errors(item, BOUNDS, amounts(resources.get("requests")), amounts(resources.get("limits")))
        elif item.get("type") == POD:
            yield from errors(item, BOUNDS, pod_requests(pod, overhead=False), pod_limits(pod, overhead=False))


def validate_claim(write: Write, obj: Object, _old: Object | None, cluster: Cluster) -> None:
    """Refuse a claim that is outside the bounds; one on its way out may be updated whatever it asks for."""
    if write.subresource or obj["metadata"].get("deletionTimestamp"):
        return
    for found in cluster.within(LIMIT_RANGE, write.namespace):
        requests = amounts(((obj.get("spec") or {}).get("resources") or {}).get("requests"))
        refuse(write, (sentence for item in items(found, CLAIM) for sentence in errors(item, CLAIM_BOUNDS, requests, {})))


def refuse(write: Write, sentences: Iterable[str]) -> None:
    """Raise what is wrong, each sentence once."""
    found = list(dict.fromkeys(sentences))
    if found:
        detail = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
        raise status.forbidden(write.spec.resource, write.spec.group, write.name, detail)


def errors(item: Object, bounds: tuple[tuple[str, Check], ...], requests: Amounts, limits: Amounts) -> Iterator[str]:
    """What is outside the bounds of an item, one sentence per resource and bound."""
    for field, check in bounds:
        for name, text in sorted((item.get(field) or {}).items()):
            if sentence := check(item["type"], name, parse(text), requests, limits):
                yield sentence


def minimum(kind: str, name: str, bound: Quantity, requests: Amounts, limits: Amounts) -> str:
    """What is asked for is at least the bound."""
    asked, limit = requests.get(name), limits.get(name)
    start = f"minimum {name} usage per {kind} is {bound}"
    if asked is None:
        return f"{start}.  No request is specified"
    if asked < bound:
        return f"{start}, but request is {asked}"
    return f"{start}, but limit is {limit}" if limit is not None and limit < bound else ""


def maximum(kind: str, name: str, bound: Quantity, requests: Amounts, limits: Amounts) -> str:
    """The limit is at most the bound, and so is what is asked for."""
    asked, limit = requests.get(name), limits.get(name)
    start = f"maximum {name} usage per {kind} is {bound}"
    if limit is None:
        return f"{start}.  No limit is specified"
    if limit > bound:
        return f"{start}, but limit is {limit}"
    return f"{start}, but request is {asked}" if asked is not None and asked > bound else ""


def maximum_request(kind: str, name: str, bound: Quantity, requests: Amounts, _limits: Amounts) -> str:
    """What is asked for is at most the bound, where limits have no meaning."""
    asked = requests.get(name)
    start = f"maximum {name} usage per {kind} is {bound}"
    if asked is None:
        return f"{start}.  No request is specified"
    return f"{start}, but request is {asked}" if asked > bound else ""


def ratio(kind: str, name: str, bound: Quantity, requests: Amounts, limits: Amounts) -> str:
    """The limit is at most so many times what is asked for."""
    asked, limit = requests.get(name), limits.get(name)
    start = f"{name} max limit to request ratio per {kind} is {bound}"
    if asked is None or not asked.nano:
        return f"{start}, but no request is specified or request is 0"
    if limit is None or not limit.nano:
        return f"{start}, but no limit is specified or limit is 0"
    fine = max(asked.value(), limit.value()) <= MILLI_MAX
    provided = limit.milli_value() / asked.milli_value() if fine else limit.value() / asked.value()
    return f"{start}, but provided ratio is {provided:f}" if provided * 1000 > bound.milli_value() else ""


BOUNDS: tuple[tuple[str, Check], ...] = (("min", minimum), ("max", maximum), ("maxLimitRequestRatio", ratio))
CLAIM_BOUNDS: tuple[tuple[str, Check], ...] = (("min", minimum), ("max", maximum_request))
