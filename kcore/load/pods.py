"""Pods for a load: from a template, all alike or each with labels, environment and requests of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kcore.api.core.v1 import pod_pb2, pod_spec_pb2
from kcore.base.entropy import Entropy

RUN_LABEL = "kcore.io/load-run"
TIERS = ("web", "api", "worker", "cache", "batch")
CPU_STEPS, MEMORY_STEPS = 40, 64


def plain_template() -> pod_pb2.Pod:
    """A small pod with one container."""
    pod = pod_pb2.Pod()
    pod.metadata.labels["app"] = "load"
    container = pod.spec.containers.add(name="app", image="registry.k8s.io/pause:3.10")
    container.resources.requests["cpu"].string = "10m"
    container.resources.requests["memory"].string = "16Mi"
    return pod


@dataclass(frozen=True, slots=True)
class Plan:
    """What a load creates.

    vary      every pod differs in labels, environment and requests
    """

    run: str
    namespace: str
    count: int
    vary: bool = False
    template: pod_pb2.Pod = field(default_factory=plain_template)

    def name(self, index: int) -> str:
        """Name of a pod."""
        return f"load-{self.run}-{index}"


def pods(plan: Plan, entropy: Entropy) -> Iterator[tuple[str, bytes]]:
    """(name, message) of each pod of a plan."""
    pod = pod_pb2.Pod()
    pod.CopyFrom(plan.template)
    pod.metadata.namespace = plan.namespace
    pod.metadata.labels[RUN_LABEL] = plan.run
    for index in range(plan.count):
        pod.metadata.name = plan.name(index)
        if plan.vary:
            vary(pod, index, entropy)
        yield pod.metadata.name, pod.SerializeToString()


def vary(pod: pod_pb2.Pod, index: int, entropy: Entropy) -> None:
    """Make a pod unlike all others."""
    pod.metadata.labels["tier"] = TIERS[index % len(TIERS)]
    pod.metadata.labels["index"] = str(index)
    for container in pod.spec.containers:
        del container.env[:]
        container.env.append(pod_spec_pb2.EnvVar(name="INDEX", value=str(index)))
        container.env.append(pod_spec_pb2.EnvVar(name="TOKEN", value=str(entropy.randrange(1 << 30))))
        container.resources.requests["cpu"].string = f"{1 + entropy.randrange(CPU_STEPS)}m"
        container.resources.requests["memory"].string = f"{1 + entropy.randrange(MEMORY_STEPS)}Mi"
