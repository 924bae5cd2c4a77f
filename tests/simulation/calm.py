"""What has to be so when nothing has gone wrong for a while: all that was asked for is there, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kcore.machinery import quantity
from tests.simulation.checkers.owners import is_active, is_going, is_ready, owner_of
from tests.simulation.checkers.plane import FINAL, requests
from tests.simulation.history import History

ADDRESSES_PER_NODE: Final = 5
COUNTED: Final = ("ReplicaSet", "StatefulSet")


def problems(history: History) -> list[str]:
    """What is not so."""
    return [found for look in LOOKS for found in look(history)]


def leavings(history: History) -> Iterator[str]:
    """Nothing is on its way out for ever."""
    for key, version in history.present.items():
        if version.message.metadata.HasField("deletionTimestamp"):
            yield f"{key} does not go"


def orphans(history: History) -> Iterator[str]:
    """Every owner that an object names is there."""
    uids = {version.uid for version in history.present.values()}
    for key, version in history.present.items():
        if version.kind != "Event":
            gone = [owner.name for owner in version.message.metadata.ownerReferences if owner.uid not in uids]
            yield from (f"{key} belongs to {name}, which is gone" for name in gone)


def nodes(history: History) -> Iterator[str]:
    """Every node is ready and open for pods."""
    for node in history.all("Node"):
        if not is_ready(node):
            yield f"node {node.metadata.name} is not ready"
        yield from (f"node {node.metadata.name} keeps the taint {taint.key}" for taint in node.spec.taints)
        if not node.spec.podCIDRs:
            yield f"node {node.metadata.name} has no subnet"


def pods(history: History) -> Iterator[str]:
    """Every pod runs, or waits because no node has room, or its own no address, for it."""
    present = {node.metadata.name: node for node in history.all("Node")}
    for pod in history.all("Pod"):
        name, node = pod.metadata.name, present.get(pod.spec.nodeName)
        if pod.status.phase in FINAL:
            continue
        if not pod.spec.nodeName:
            if room := [each for each in present if fits(pod, present[each], history)]:
                yield f"pod {name} waits, though {room[0]} has room"
        elif node is None:
            yield f"pod {name} is on {pod.spec.nodeName}, which is gone"
        elif not pod.status.podIP and addresses_of(node, history) >= ADDRESSES_PER_NODE:
            continue
        elif not is_ready(pod):
            yield f"pod {name} on {node.metadata.name} is {pod.status.phase} and not ready"


def addresses_of(node: Any, history: History) -> int:
    """How many addresses of a node its pods have."""
    mine = (pod for pod in history.all("Pod") if pod.spec.nodeName == node.metadata.name and pod.status.phase not in FINAL)
    return sum(bool(pod.status.podIP) for pod in mine)


def has_place(pod: Any) -> bool:
    """Whether a pod has all that there may be too little of: a node and an address."""
    return bool(pod.spec.nodeName and pod.status.podIP)


def fits(pod: Any, node: Any, history: History) -> bool:
    """Whether a node takes a pod: a slow twin of the scheduler for pods that want nothing but room."""
    if node.spec.unschedulable or any(taint.effect != "PreferNoSchedule" for taint in node.spec.taints):
        return False
    wanted = requests(pod)
    for name, text in node.status.allocatable.items():
        held = (other for other in history.all("Pod") if other.spec.nodeName == node.metadata.name and other.status.phase not in FINAL)
        used = sum(requests(other).get(name, 0) for other in held)
        if used + wanted.get(name, 0) > quantity.parse(text.string).milli_value():
            return False
    return True


def active_of(owner: Any, history: History) -> list[Any]:
    """The active pods that something controls."""
    return [pod for pod in history.all("Pod") if is_active(pod) and getattr(owner_of(pod), "uid", "") == owner.metadata.uid]


def replicas(history: History) -> Iterator[str]:
    """Every set has as many pods as it asks for, and says so."""
    for kind in COUNTED:
        for found in history.all(kind):
            name, mine = f"{kind} {found.metadata.name}", active_of(found, history)
            ready = sum(map(is_ready, mine))
            if is_stuck(found, mine):
                continue
            if len(mine) != found.spec.replicas:
                yield f"{name} has {len(mine)} pods, {found.spec.replicas} are asked for"
            if (found.status.replicas, found.status.readyReplicas) != (len(mine), ready):
                yield f"{name} counts {found.status.replicas}, {found.status.readyReplicas} ready; there are {len(mine)}, {ready}"
            if found.status.observedGeneration != found.metadata.generation:
                yield f"{name} is at generation {found.status.observedGeneration} of {found.metadata.generation}"


def is_stuck(found: Any, mine: list[Any]) -> bool:
    """Whether a set that makes one pod after the other waits for one that has no room."""
    return found.DESCRIPTOR.name == "StatefulSet" and not all(map(has_place, mine))


def deployments(history: History) -> Iterator[str]:
    """Every Deployment has rolled out, unless its pods have no room."""
    for found in history.all("Deployment"):
        name, status = f"Deployment {found.metadata.name}", found.status
        sets = [each for each in history.all("ReplicaSet") if getattr(owner_of(each), "uid", "") == found.metadata.uid]
        if status.observedGeneration != found.metadata.generation:
            yield f"{name} is at generation {status.observedGeneration} of {found.metadata.generation}"
        if not all(has_place(pod) for each in sets for pod in active_of(each, history)):
            continue
        counted = (status.replicas, status.updatedReplicas, status.availableReplicas)
        if counted != (found.spec.replicas,) * 3:
            yield f"{name} counts {counted} of {found.spec.replicas}"


def endpoints(history: History) -> Iterator[str]:
    """Every Service leads to all ready pods that it selects, and to no other."""
    for service in history.all("Service"):
        selector, name = dict(service.spec.selector), service.metadata.name
        if not selector:
            continue
        wanted = {pod.status.podIP for pod in history.all("Pod") if is_selected(pod, selector)}
        slices = [each for each in history.all("EndpointSlice") if each.metadata.labels["kubernetes.io/service-name"] == name]
        listed = [address for each in slices for point in each.endpoints if point.conditions.ready for address in point.addresses]
        if sorted(listed) != sorted(wanted):
            yield f"the slices of service {name} list {sorted(listed)}, ready are {sorted(wanted)}"
        old = [each for each in history.all("Endpoints") if each.metadata.name == name]
        addresses = sorted(address.ip for each in old for subset in each.subsets for address in subset.addresses)
        if addresses != sorted(wanted):
            yield f"the Endpoints of service {name} list {addresses}, ready are {sorted(wanted)}"


def is_selected(pod: Any, selector: dict[str, str]) -> bool:
    """Whether a Service leads to a pod."""
    return is_active(pod) and is_ready(pod) and all(pod.metadata.labels.get(name) == value for name, value in selector.items())


def jobs(history: History) -> Iterator[str]:
    """Every Job is complete, with as many successes as it asked for."""
    for job in history.all("Job"):
        if not any(each.type == "Complete" and each.status == "True" for each in job.status.conditions):
            mine = active_of(job, history)
            if not is_going(job) and all(map(has_place, mine)):
                yield f"Job {job.metadata.name} is not complete: {job.status.succeeded} of {job.spec.completions}"


LOOKS: Final = (leavings, orphans, nodes, pods, replicas, deployments, endpoints, jobs)
