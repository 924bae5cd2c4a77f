"""The objects of simulated clusters, for nodes of one core and a handful of addresses."""

from __future__ import annotations

from typing import Any, Final

from kcore.client import kinds
from kcore.machinery import codec

NAMESPACE: Final = "default"


def made(api_version: str, kind: str, name: str, **parts: Any) -> Any:
    """An object from its JSON form."""
    group, _, version = api_version.rpartition("/")
    message = kinds.of_kind(group, version, kind).message
    metadata = {"name": name, "namespace": NAMESPACE, **parts.pop("metadata", {})}
    raw = codec.encode(message.DESCRIPTOR.full_name, {"metadata": metadata, **parts})
    return message.FromString(raw)


def pod_spec(cpu: int, image: str = "c:1", **more: Any) -> dict[str, Any]:
    """A pod's spec; it leaves a lost node after seconds, not minutes, so that a run is short."""
    resources = {"requests": {"cpu": f"{cpu}m", "memory": "64Mi"}}
    gone = [
        {"key": f"node.kubernetes.io/{what}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 20}
        for what in ("not-ready", "unreachable")
    ]
    container = {"name": "c", "image": image, "resources": resources}
    return {"containers": [container], "tolerations": gone, "terminationGracePeriodSeconds": 5, **more}


def workload(app: str, cpu: int, **more: Any) -> dict[str, Any]:
    """Selector and template of a workload."""
    labels = {"app": app}
    return {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod_spec(cpu, **more)}}


def deployment(name: str, replicas: int, cpu: int, surge: int | str, unavailable: int | str) -> Any:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    return made("apps/v1", "Deployment", name, spec={"replicas": replicas, "strategy": strategy, **workload(name, cpu)})


def replicaset(name: str, replicas: int, cpu: int) -> Any:
    return made("apps/v1", "ReplicaSet", name, spec={"replicas": replicas, **workload(name, cpu)})


def statefulset(name: str, replicas: int, cpu: int, policy: str) -> Any:
    spec = {"replicas": replicas, "serviceName": name, "podManagementPolicy": policy, **workload(name, cpu)}
    return made("apps/v1", "StatefulSet", name, spec=spec)


def job(name: str, completions: int, parallelism: int, indexed: bool) -> Any:
    template = {"spec": pod_spec(50, restartPolicy="Never")}
    spec = {"completions": completions, "parallelism": parallelism, "template": template, "backoffLimit": 100}
    return made("batch/v1", "Job", name, spec={**spec, "completionMode": "Indexed" if indexed else "NonIndexed"})


def pod(name: str, cpu: int) -> Any:
    return made("v1", "Pod", name, metadata={"labels": {"app": name}}, spec=pod_spec(cpu))


def service(name: str) -> Any:
    return made("v1", "Service", name, spec={"selector": {"app": name}, "ports": [{"port": 80}]})
