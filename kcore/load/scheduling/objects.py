"""Nodes and pods as the API server hands them to the scheduler: defaulted, with what admission adds, as bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from kcore.api.core.v1 import node_pb2, pod_pb2, pod_spec_pb2

NAMESPACE: Final = "default"
ZONE, HOSTNAME = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
ZONES: Final = 3
ALLOCATABLE: Final = (("cpu", "32"), ("memory", "128Gi"), ("ephemeral-storage", "512Gi"), ("pods", "500"))
LABELS: Final = {"app": "load", "tier": "web"}
EVICTING: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
EVICTED_AFTER_S: Final = 300
STEP_BYTES: Final = 64


def node_name(index: int) -> str:
    """Name of a node."""
    return f"node-{index}"


def node(index: int) -> bytes:
    """A node that is ready."""
    made = node_pb2.Node()
    made.metadata.name, made.metadata.uid = node_name(index), f"{index:08x}-0000-4000-8000-000000000000"
    made.metadata.labels.update({HOSTNAME: made.metadata.name, ZONE: f"zone-{index % ZONES}", "kubernetes.io/os": "linux"})
    for name, amount in ALLOCATABLE:
        made.status.allocatable[name].string = made.status.capacity[name].string = amount
    made.status.conditions.add(type="Ready", status="True", reason="KubeletReady")
    return made.SerializeToString()


def plain(index: int) -> pod_pb2.Pod:
    """A pod like all others but for its name."""
    made = pod_pb2.Pod()
    made.metadata.name, made.metadata.namespace = f"load-{index}", NAMESPACE
    made.metadata.uid = f"{index:08x}-0000-4000-8000-000000000001"
    made.metadata.labels.update(LABELS)
    container = made.spec.containers.add(name="app", image="registry.k8s.io/pause:3.10")
    container.resources.requests["cpu"].string, container.resources.requests["memory"].string = "50m", "64Mi"
    spec = made.spec
    spec.schedulerName, spec.restartPolicy, spec.preemptionPolicy, spec.priority = "default-scheduler", "Always", "PreemptLowerPriority", 0
    spec.serviceAccountName = "default"
    for key in EVICTING:
        spec.tolerations.add(key=key, operator="Exists", effect="NoExecute", tolerationSeconds=EVICTED_AFTER_S)
    made.status.phase = "Pending"
    return made


def different(index: int) -> pod_pb2.Pod:
    """A pod whose labels and requests no other one has."""
    made = plain(index)
    made.metadata.labels["index"] = str(index)
    requests = made.spec.containers[0].resources.requests
    requests["cpu"].string, requests["memory"].string = f"{10 + index % 80}m", str((16 << 20) + index * STEP_BYTES)
    return made


def spread(index: int) -> pod_pb2.Pod:
    """A pod that must be spread over the zones."""
    made = plain(index)
    wish = made.spec.topologySpreadConstraints.add(maxSkew=5, topologyKey=ZONE, whenUnsatisfiable="DoNotSchedule")
    wish.labelSelector.matchLabels.update(LABELS)
    return made


def near(index: int) -> pod_pb2.Pod:
    """A pod that must be in a zone of its like."""
    made = plain(index)
    term = pod_spec_pb2.PodAffinityTerm(topologyKey=ZONE)
    term.labelSelector.matchLabels.update(LABELS)
    made.spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.append(term)
    return made


SORTS: Final[Mapping[str, Callable[[int], pod_pb2.Pod]]] = {
    "alike": plain,
    "all different": different,
    "spread over zones": spread,
    "in one zone": near,
}


def placed(pod: pod_pb2.Pod, node: str) -> bytes:
    """A pod as the API server shows it once it is bound."""
    pod.spec.nodeName = node
    pod.status.conditions.add(type="PodScheduled", status="True")
    return pod.SerializeToString()
