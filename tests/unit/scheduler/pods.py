"""Pods and nodes for tests, as rows and as bytes."""

from typing import Any

from kcore.machinery import codec
from kcore.scheduler.rows import Account, Ask, NodeRow, Peer, PodRow, Taint

SMALL = Ask(amounts=(("cpu", 500),), nonzero_cpu=500, nonzero_memory=200 << 20)


def pod(
    name: str,
    ask: Ask = SMALL,
    *,
    priority: int = 0,
    node: str = "",
    gates: tuple[str, ...] = (),
    uid: str = "",
    labels: tuple[tuple[str, str], ...] = (),
    **more: Any,
) -> PodRow:
    ask = ask._replace(priority=priority)
    peer = Peer("default", labels, affinity=ask.affinity)
    account = Account(ask.amounts, ask.nonzero_cpu, ask.nonzero_memory, ask.ports, priority, peer)
    row = PodRow("default", name, uid or f"uid-{name}", "default-scheduler", node, priority, False, False, gates, ask, account)
    return row._replace(**more)


def node(name: str, cpu: int = 4000, pod_limit: int = 110, *, taints: tuple[Taint, ...] = (), **labels: str) -> NodeRow:
    return NodeRow(name, labels, False, taints, (("cpu", cpu), ("memory", 8 << 30)), pod_limit)


def pod_bytes(spec: dict[str, Any] | None = None, status: dict[str, Any] | None = None, **metadata: Any) -> bytes:
    container = {"name": "c", "image": "web", "resources": {"requests": {"cpu": "500m"}}}
    whole = {"containers": [container], "schedulerName": "default-scheduler", **(spec or {})}
    metadata = {"name": "a", "namespace": "default", "uid": "uid-a", **metadata}
    return codec.encode("kcore.api.core.v1.Pod", {"metadata": metadata, "spec": whole, "status": status or {"phase": "Pending"}})


def node_bytes(name: str, **allocatable: str) -> bytes:
    offered = {"cpu": "4", "memory": "8Gi", "pods": "110", **allocatable}
    return codec.encode("kcore.api.core.v1.Node", {"metadata": {"name": name}, "status": {"allocatable": offered}})
