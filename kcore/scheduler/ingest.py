"""From the bytes of a Pod or a Node to its row: the one way in, for the watch, for simulations and for recorded scenarios alike.

The paths say which fields the scheduler knows. Those that pods of one template share are read as bytes (`@raw`), so that what follows from
them, ask and account, is worked out once per template and found again by the bytes: a further pod costs its projection and one look-up.

What pods wish of other pods is read by `peers.ingest`, what they need of volumes and devices by `volumes.pods` and `dra.pods`.

Source: core/v1 Pod and Node; which fields matter is kube-scheduler's choice.
"""
from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import Any, Final

from kcore.base.limits import SCHEDULER_TEMPLATES_MAX
from kcore.machinery.projection import Projection
from kcore.scheduler.dra.pods import extended_containers, pod_claims
from kcore.scheduler.peers.ingest import owner, pod_affinity, spread
from kcore.scheduler.plugins.image_locality import normalised
from kcore.scheduler.plugins.node_ports import WILDCARD
from kcore.scheduler.requests import PODS, Amounts, Container, ContainerStatus, Pairs, PodShape, Resizing, amount, pod_requests
from kcore.scheduler.rows import (
    Account,
    Ask,
    Expression,
    Image,
    NodeRow,
    Peer,
    PodRow,
    Port,
    Preference,
    Taint,
    Term,
    Toleration,
)
from kcore.scheduler.volumes.pods import has_volumes, pod_volumes

POD_PATHS: Final = (
    "metadata.namespace",
    "metadata.name",
    "metadata.uid",
    "metadata.deletionTimestamp@present",
    "spec.nodeName",
    "spec.schedulerName",
    "spec.schedulingGates[].name",
    "status.phase",
    "status.conditions[]@raw",
    "metadata.generation",
    "status.nominatedNodeName",
    "status.startTime",
    "spec.schedulingGroup.podGroupName",
    "metadata.ownerReferences[].apiVersion",
    "metadata.ownerReferences[].kind",
    "metadata.ownerReferences[].name",
    "metadata.ownerReferences[].controller",
    "metadata.labels",
    # Signs of a resize, which are looked at closely where there is one.
    "status.containerStatuses[].name",
    "status.containerStatuses[].allocatedResources",
    "status.containerStatuses[].resources@raw",
    "status.initContainerStatuses[].name",
    "status.initContainerStatuses[].allocatedResources",
    "status.initContainerStatuses[].resources@raw",
    "status.allocatedResources",
    "status.resources@present",
    "status.conditions[].reason",
    # Volumes, which pods of one template may have each its own.
    "spec.volumes[].persistentVolumeClaim.claimName",
    "spec.volumes[].ephemeral@present",
    "spec.volumes[].gcePersistentDisk@raw",
    "spec.volumes[].awsElasticBlockStore@raw",
    "spec.volumes[].iscsi@raw",
    "spec.volumes[].rbd@raw",
    "spec.volumes[].azureDisk@raw",
    "spec.volumes[].cinder@raw",
    "spec.volumes[].portworxVolume@raw",
    "spec.resourceClaims[].name",
    # What pods of a template share, in the order of `_template`.
    "spec.affinity@raw",
    "spec.topologySpreadConstraints[]@raw",
    "spec.containers[].name",
    "spec.containers[].image",
    "spec.containers[].resources@raw",
    "spec.containers[].ports[]@raw",
    "spec.initContainers[].name",
    "spec.initContainers[].image",
    "spec.initContainers[].resources@raw",
    "spec.initContainers[].ports[]@raw",
    "spec.initContainers[].restartPolicy",
    "spec.resources@raw",
    "spec.priority",
    "spec.preemptionPolicy",
    "spec.tolerations[]@raw",
    "spec.overhead",
    "spec.nodeSelector",
)
"""The fields of a pod."""

RESIZING_PATHS: Final = (
    "status.containerStatuses[].name",
    "status.containerStatuses[].allocatedResources",
    "status.containerStatuses[].resources@raw",
    "status.initContainerStatuses[].name",
    "status.initContainerStatuses[].allocatedResources",
    "status.initContainerStatuses[].resources@raw",
    "status.allocatedResources",
    "status.resources@raw",
    "status.conditions[].type",
    "status.conditions[].reason",
)
"""The fields of a placed pod's status that tell of a resize."""

NODE_PATHS: Final = (
    "metadata.name",
    "metadata.labels",
    "metadata.annotations",
    "spec.unschedulable",
    "spec.taints[].key",
    "spec.taints[].value",
    "spec.taints[].effect",
    "status.allocatable",
    "status.images[].names",
    "status.images[].sizeBytes",
)
"""The fields of a node."""

AFFINITY_PATHS: Final = (
    "nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution@present",
    *(
        f"nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[].{matches}[].{field}"
        for matches in ("matchExpressions", "matchFields")
        for field in ("key", "operator", "values")
    ),
    "nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[].weight",
    *(
        f"nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[].preference.{matches}[].{field}"
        for matches in ("matchExpressions", "matchFields")
        for field in ("key", "operator", "values")
    ),
    "podAffinity.requiredDuringSchedulingIgnoredDuringExecution[]@raw",
    "podAffinity.preferredDuringSchedulingIgnoredDuringExecution[]@raw",
    "podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[]@raw",
    "podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[]@raw",
)
"""The fields of an affinity."""

_POD: Final = Projection("kcore.api.core.v1.Pod", POD_PATHS)
_RESIZING: Final = Projection("kcore.api.core.v1.Pod", RESIZING_PATHS)
_NODE: Final = Projection("kcore.api.core.v1.Node", NODE_PATHS)
_AFFINITY: Final = Projection("kcore.api.core.v1.Affinity", AFFINITY_PATHS)
_RESOURCES: Final = Projection("kcore.api.core.v1.ResourceRequirements", ("requests",))
_PORT: Final = Projection("kcore.api.core.v1.ContainerPort", ("hostIP", "protocol", "hostPort"))
_TOLERATION: Final = Projection("kcore.api.core.v1.Toleration", ("key", "operator", "value", "effect"))

_CONDITION: Final = Projection("kcore.api.core.v1.PodCondition", ("type", "status", "reason"))

USAGE: Final = "kcore.io/usage"
"""The annotation of a node by which whoever measures says how much is used."""

DISRUPTION_TARGET: Final = "DisruptionTarget"
PREEMPTED: Final = "PreemptionByScheduler"
"""The type of the condition of a pod that has to go, and its reason where a scheduler preempted it."""

INFEASIBLE: Final = "Infeasible"
_IDENTITY_COUNT: Final = 10
_SIGNS_AT: Final = POD_PATHS.index("status.containerStatuses[].name")
_SOURCES_AT: Final = POD_PATHS.index("spec.volumes[].persistentVolumeClaim.claimName")
_TEMPLATE_AT: Final = POD_PATHS.index("spec.affinity@raw")
_CONTAINERS: Final = slice(POD_PATHS.index("spec.containers[].name"), POD_PATHS.index("spec.initContainers[].resources@raw") + 1)
_FINISHED: Final = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """What pods of one template ask for and take. Known by its identity: it is a part of keys, and what it holds is much to hash."""

    ask: Ask
    account: Account


def node_row(raw: bytes) -> NodeRow:
    """Read a Node.

    Raises  DecodeError
    """
    name, labels, annotations, unschedulable, keys, values, effects, allocatable, images, sizes = _NODE(raw)
    return NodeRow(
        name=name,
        labels=labels,
        unschedulable=unschedulable,
        taints=tuple(map(Taint, keys, values, effects)),
        allocatable=tuple(sorted((resource, amount(resource, text)) for resource, text in allocatable.items() if resource != PODS)),
        pod_limit=amount(PODS, allocatable.get(PODS, "0")),
        images=tuple(map(Image, images, sizes)),
        usage=measured(annotations.get(USAGE, "")),
    )


@lru_cache(SCHEDULER_TEMPLATES_MAX)
def measured(text: str) -> Amounts:
    """Read the annotation that says what of a node is used, a map of quantities as JSON; what is none says nothing."""
    try:
        found = json.loads(text or "{}")
        return tuple(sorted((resource, amount(resource, quantity)) for resource, quantity in found.items()))
    except (ValueError, AttributeError, TypeError):
        return ()


def pod_row(raw: bytes) -> PodRow:
    """Read a Pod.

    Raises  DecodeError
    Cost    4 us if its template is known
    """
    values = _POD(raw)
    namespace, name, uid, terminating, node_name, scheduler_name, gates, phase, conditions, generation = values[:_IDENTITY_COUNT]
    nominated, started, pod_group, api_versions, kinds, names, controls, labels = values[_IDENTITY_COUNT:_SIGNS_AT]
    *sources, claims = values[_SOURCES_AT:_TEMPLATE_AT]
    template, overhead, node_selector = values[_TEMPLATE_AT:-2], values[-2], values[-1]
    resizing = _resizing(raw) if node_name and _tells_of_resize(values) else None
    home = namespace if template[0] or template[1] else ""
    shared = _template(home, template, _pairs(overhead), _pairs(node_selector), resizing)
    ask, account = shared.ask, _shown(shared, namespace, _pairs(labels), terminating)
    if claims:
        ask = ask._replace(claims=pod_claims(raw, namespace, uid))
    if has_volumes(*sources):
        volumes = pod_volumes(raw, namespace, name, uid)
        ask, account = ask._replace(volumes=volumes), account._replace(volumes=volumes)
    return PodRow(
        namespace,
        name,
        uid,
        scheduler_name,
        node_name,
        account.priority,
        phase in _FINISHED,
        terminating,
        gates,
        ask,
        account,
        conditions,
        generation,
        owner(api_versions, kinds, names, controls) if kinds else None,
        nominated,
        started,
        terminating and preempted(conditions),
        pod_group,
    )


def preempted(conditions: Iterable[bytes]) -> bool:
    """Say whether a pod's conditions tell that it was preempted."""
    return (DISRUPTION_TARGET, "True", PREEMPTED) in map(_CONDITION, conditions)


@lru_cache(SCHEDULER_TEMPLATES_MAX)
def _shown(template: Template, namespace: str, labels: Pairs, terminating: bool) -> Account:
    """Return a template's account with what the pod shows to others; one for all that show the same, and each text once for all."""
    shown = tuple((intern(key), intern(value)) for key, value in labels)
    return template.account._replace(peer=Peer(intern(namespace), shown, terminating, template.ask.affinity))


def _tells_of_resize(values: tuple[Any, ...]) -> bool:
    """Say whether the status may tell of a resize; nearly none does: most repeat what the containers ask for."""
    running, allocated, in_force, starting, init_allocated, init_in_force, *of_pod, reasons = values[_SIGNS_AT:_SOURCES_AT]
    names, _, resources, _, init_names, _, init_resources = values[_CONTAINERS]
    return (
        any(of_pod)
        or INFEASIBLE in reasons
        or not _repeats(running, allocated, in_force, names, resources)
        or not _repeats(starting, init_allocated, init_in_force, init_names, init_resources)
    )


def _repeats(
    reporting: tuple[str, ...], allocated: tuple[dict[str, str], ...], in_force: tuple[bytes, ...], names: tuple[str, ...],
    resources: tuple[bytes, ...],
) -> bool:  # fmt: skip
    """Say whether statuses say nothing of amounts, or the same as the containers."""
    if not any(in_force) and not any(allocated):
        return True
    return reporting == names and in_force == resources and all(map(_is_requested, allocated, resources))


def _is_requested(allocated: dict[str, str], resources: bytes) -> bool:
    return _pairs(allocated) == _requests(resources)


def _resizing(raw: bytes) -> Resizing | None:
    """Return what the status says of a resize; None where it says nothing."""
    names, allocated, requests, init_names, init_allocated, init_requests, pod_allocated, pod_requests, types, reasons = _RESIZING(raw)
    statuses = tuple(
        ContainerStatus(name, _pairs(amounts), _requests(resources))
        for name, amounts, resources in zip(
            (*names, *init_names), (*allocated, *init_allocated), (*requests, *init_requests), strict=True
        )
        if amounts or resources
    )
    infeasible = ("PodResizePending", INFEASIBLE) in zip(types, reasons, strict=True)
    if not (statuses or pod_allocated or pod_requests or infeasible):
        return None
    return Resizing(statuses, infeasible, _pairs(pod_allocated), _requests(pod_requests))


@lru_cache(SCHEDULER_TEMPLATES_MAX)
def _template(home: str, values: tuple[Any, ...], overhead: Pairs, node_selector: Pairs, resizing: Resizing | None) -> Template:
    """Work out what pods of one template ask for and take; home: their namespace, where they have wishes about pods of it."""
    affinity, constraints, names, images, resources, ports, init_names, init_images, *more = values
    init_resources, init_ports, init_policies, pod_level, priority, preemption_policy, tolerations = more
    running = tuple(Container(name, _requests(each)) for name, each in zip(names, resources, strict=True))
    starting = tuple(
        Container(name, _requests(each), policy == "Always")
        for name, each, policy in zip(init_names, init_resources, init_policies, strict=True)
    )
    requests = pod_requests(PodShape(running, starting, _requests(pod_level), overhead, resizing))
    sidecar_ports = (each for each, policy in zip(init_ports, init_policies, strict=True) if policy == "Always")
    host_ports = tuple(port for each in (*ports, *sidecar_ports) for port in map(_port, each) if port[2])
    required, preferred, pod_terms = affinity_terms(affinity)
    ask = Ask(
        tolerations=tuple(map(_toleration, tolerations)),
        node_selector=node_selector,
        required=required,
        preferred=preferred,
        ports=host_ports,
        amounts=requests.amounts,
        nonzero_cpu=requests.scored_cpu,
        nonzero_memory=requests.scored_memory,
        images=tuple(map(normalised, (*init_images, *images))),
        priority=priority,
        never_preempt=preemption_policy == "Never",
        spread=spread(constraints, home),
        affinity=pod_affinity(home, *pod_terms) if pod_terms else None,
        extended=extended_containers(starting, running),
    )
    return Template(ask, Account(requests.amounts, requests.nonzero_cpu, requests.nonzero_memory, host_ports, priority))


@lru_cache(SCHEDULER_TEMPLATES_MAX)
def affinity_terms(raw: bytes) -> tuple[tuple[Term, ...] | None, tuple[Preference, ...], tuple[tuple[bytes, ...], ...]]:
    """Return required and preferred node terms, and the four lists of pod terms."""
    if not raw:
        return None, (), ()
    is_required, *values = _AFFINITY(raw)
    required = _terms(*values[:6]) if is_required else None
    preferred = tuple(map(Preference, values[6], _terms(*values[7:13])))
    return required, preferred, tuple(values[13:])


def _terms(*columns: Any) -> tuple[Term, ...]:
    """Put terms together from the keys, operators and values of their expressions, and likewise of their fields."""
    return tuple(
        Term(tuple(map(Expression, *expressions)), tuple(map(Expression, *fields)))
        for expressions, fields in zip(zip(*columns[:3], strict=True), zip(*columns[3:], strict=True), strict=True)
    )


@lru_cache(SCHEDULER_TEMPLATES_MAX)
def _requests(resources: bytes) -> Pairs:
    return _pairs(_RESOURCES(resources)[0]) if resources else ()


@lru_cache(SCHEDULER_TEMPLATES_MAX)
def _toleration(raw: bytes) -> Toleration:
    return Toleration(*_TOLERATION(raw))


@lru_cache(SCHEDULER_TEMPLATES_MAX)
def _port(raw: bytes) -> Port:
    host, protocol, number = _PORT(raw)
    return host or WILDCARD, protocol or "TCP", number


def _pairs(mapping: dict[str, str]) -> Pairs:
    return tuple(sorted(mapping.items())) if mapping else ()
