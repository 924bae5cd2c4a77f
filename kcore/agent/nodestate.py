"""The Node and Lease objects of hollow nodes: as they are registered, as they report, and what of them counts.

Source: kubelet pkg/kubelet/kubelet_node_status.go, nodestatus/setters.go (labels, conditions, reasons, messages),
component-helpers/apimachinery/lease.
"""

from hashlib import sha256
from ipaddress import IPv4Address, ip_address
from typing import Final, NamedTuple

from kcore.agent.settings import NodeSettings
from kcore.api.coordination.v1.lease_pb2 import Lease
from kcore.api.core.v1.node_pb2 import Node, NodeCondition
from kcore.base import limits

LEASE_NAMESPACE: Final = "kube-node-lease"
NOT_READY_TAINT: Final = "node.kubernetes.io/not-ready"
KUBELET_VERSION: Final = "v1.37.2-kcore"
HOST_BASE: Final = int(IPv4Address("172.16.0.0"))
"""Hollow nodes have addresses from here on, in a private range apart from the usual pod and service ranges; 2^20 fit."""


class _Condition(NamedTuple):
    type: str
    status: str
    reason: str
    message: str


CONDITIONS: Final = (
    _Condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    _Condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    _Condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    _Condition("NetworkUnavailable", "False", "RouteCreated", "the pod network of this node is up"),
    _Condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


class NodeFacts(NamedTuple):
    """What counts of a Node object as it is seen."""

    name: str
    uid: str
    cidrs: tuple[str, ...]
    host_ips: tuple[str, ...]
    is_ready: bool
    is_tainted: bool


def facts(node: Node) -> NodeFacts:
    """Read what counts."""
    spec, status = node.spec, node.status
    cidrs = tuple(spec.podCIDRs) or ((spec.podCIDR,) if spec.podCIDR else ())
    return NodeFacts(
        node.metadata.name,
        node.metadata.uid,
        cidrs,
        tuple(each.address for each in status.addresses if each.type == "InternalIP"),
        any(each.type == "Ready" and each.status == "True" for each in status.conditions),
        any(each.key == NOT_READY_TAINT for each in spec.taints),
    )


def host_ip(index: int) -> str:
    """Address of a hollow node."""
    return str(ip_address(HOST_BASE + 2 + index))


def new_node(settings: NodeSettings, index: int, wall_s: int, cidrs: tuple[str, ...] = ()) -> Node:
    """Node object that registers a hollow node, with its status."""
    node = Node()
    meta, name = node.metadata, settings.name(index)
    meta.name = name
    meta.labels.update(_labels(settings, index))
    meta.annotations["volumes.kubernetes.io/controller-managed-attach-detach"] = "true"
    if cidrs:
        node.spec.podCIDR = cidrs[0]
        node.spec.podCIDRs.extend(cidrs)
    node.spec.providerID = f"kcore://{name}"
    for taint in settings.shape(index).taints:
        node.spec.taints.add(**taint)
    report(node, settings, index, wall_s)
    return node


def _labels(settings: NodeSettings, index: int) -> dict[str, str]:
    labels = {
        "beta.kubernetes.io/arch": settings.architecture,
        "beta.kubernetes.io/os": "linux",
        "kcore.io/hollow": "true",
        "kubernetes.io/arch": settings.architecture,
        "kubernetes.io/hostname": settings.name(index),
        "kubernetes.io/os": "linux",
    }
    if settings.zones:
        labels["topology.kubernetes.io/zone"] = settings.zones[index % len(settings.zones)]
    if settings.region:
        labels["topology.kubernetes.io/region"] = settings.region
    return labels | dict(settings.labels) | dict(settings.shape(index).labels)


def report(node: Node, settings: NodeSettings, index: int, wall_s: int) -> None:
    """Bring a node's status to what its kubelet reports now. Conditions of others stay."""
    status, name = node.status, settings.name(index)
    capacity = {**settings.capacity, **settings.shape(index).capacity}
    for amounts in (status.capacity, status.allocatable):
        for resource, amount in capacity.items():
            amounts[resource].string = amount
    _report_conditions(node, wall_s)
    del status.addresses[:]
    status.addresses.add(type="InternalIP", address=settings.kubelet_address or host_ip(index))
    status.addresses.add(type="Hostname", address=name)
    if settings.kubelet_port:
        status.daemonEndpoints.kubeletEndpoint.Port = settings.kubelet_port
    info, digest = status.nodeInfo, sha256(name.encode()).hexdigest()
    info.machineID = digest[:32]
    info.systemUUID = info.bootID = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
    info.kernelVersion = "6.12.0"
    info.osImage = "kcore hollow node"
    info.containerRuntimeVersion = "kcore://1.0.0"
    info.kubeletVersion = KUBELET_VERSION
    info.kubeProxyVersion = ""
    info.operatingSystem = "linux"
    info.architecture = settings.architecture


def _report_conditions(node: Node, wall_s: int) -> None:
    present = {each.type: each for each in node.status.conditions}
    for wanted in CONDITIONS:
        condition = present.get(wanted.type)
        if condition is None:
            condition = node.status.conditions.add(type=wanted.type)
        if condition.status != wanted.status or not condition.HasField("lastTransitionTime"):
            condition.lastTransitionTime.seconds = wall_s
        _say(condition, wanted, wall_s)


def _say(condition: NodeCondition, wanted: _Condition, wall_s: int) -> None:
    condition.status, condition.reason, condition.message = wanted.status, wanted.reason, wanted.message
    condition.lastHeartbeatTime.seconds = wall_s


def lease_bytes(name: str, node_uid: str, resource_version: str, now_s: float) -> bytes:
    """Heartbeat Lease of a node, renewed now; without resource version it is a new one.

    now_s   wall clock, seconds since 1970
    Cost    some 4 us
    """
    lease = Lease()
    meta, spec = lease.metadata, lease.spec
    meta.name, meta.namespace = name, LEASE_NAMESPACE
    if resource_version:
        meta.resourceVersion = resource_version
    if node_uid:
        meta.ownerReferences.add(apiVersion="v1", kind="Node", name=name, uid=node_uid)
    spec.holderIdentity = name
    spec.leaseDurationSeconds = limits.NODE_LEASE_DURATION_S
    spec.renewTime.seconds = int(now_s)
    spec.renewTime.nanos = int(now_s % 1 * 1e6) * 1000
    return lease.SerializeToString()
