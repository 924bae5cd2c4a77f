"""Pods as the API server hands them to a node."""

from zlib import crc32

from kcore.api.core.v1.pod_pb2 import Pod

WALL_S = 1_767_225_600


def assigned(name: str = "web", node: str = "node-0", **annotations: str) -> Pod:
    """A pod of one container that was just bound."""
    pod = Pod()
    meta = pod.metadata
    meta.name, meta.namespace, meta.uid = name, "default", f"00000000-0000-4000-8000-{crc32(name.encode()):012d}"
    meta.generation, meta.resourceVersion = 1, "10"
    for key, value in annotations.items():
        meta.annotations["kcore.io/" + key.replace("_", "-")] = value
    pod.spec.nodeName = node
    pod.spec.restartPolicy = "Always"
    pod.spec.containers.add(name="main", image="nginx:1.27")
    pod.status.phase = "Pending"
    pod.status.qosClass = "BestEffort"
    condition = pod.status.conditions.add(type="PodScheduled", status="True", observedGeneration=1)
    condition.lastTransitionTime.seconds = WALL_S - 1
    return pod
