"""What a load creates: pods, or Deployments of pods, all alike or each with labels, environment and requests of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from kcore.api.apps.v1 import deployment_pb2
from kcore.api.core.v1 import pod_pb2, pod_spec_pb2
from kcore.base.entropy import Entropy
from kcore.client import kinds
from kcore.client.kinds import Resource

RUN_LABEL: Final = "kcore.io/load-run"
OWNER_LABEL: Final = "kcore.io/load-owner"
KINDS: Final = ("pods", "deployments")
TIERS = ("web", "api", "worker", "cache", "batch")
CPU_STEPS, MEMORY_STEPS = 40, 64


class Wanted(NamedTuple):
    """An object to create, and how many pods it stands for."""

    name: str
    raw: bytes
    pods: int = 1


def plain_template() -> pod_pb2.Pod:
    """A small pod with one container."""
    pod = pod_pb2.Pod()
    pod.metadata.labels["app"] = "load"
    container = pod.spec.containers.add(name="app", image="registry.k8s.io/pause:3.10")
    container.resources.requests["cpu"].string = "10m"
    container.resources.requests["memory"].string = "16Mi"
    return pod


PLAIN: Final = (plain_template(),)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a load creates.

    count       pods, however they are made
    vary        every object differs in labels, environment and requests
    templates   pods that are taken in turn
    kind        "pods", or "deployments" of `replicas` pods each
    """

    run: str
    namespace: str
    count: int
    vary: bool = False
    templates: tuple[pod_pb2.Pod, ...] = PLAIN
    kind: str = "pods"
    replicas: int = 10

    @property
    def resource(self) -> Resource:
        """Of what it creates."""
        return kinds.resource("", "v1", "pods") if self.kind == "pods" else kinds.resource("apps", "v1", "deployments")

    def name(self, index: int) -> str:
        """Name of an object."""
        return f"load-{self.run}-{index}"


def wanted(plan: Plan, entropy: Entropy) -> Iterator[Wanted]:
    """The objects of a plan, without end for `pods` so that a churn can go on with them."""
    return pods(plan, entropy) if plan.kind == "pods" else deployments(plan, entropy)


def pods(plan: Plan, entropy: Entropy) -> Iterator[Wanted]:
    """Pods without end, of which the plan's count are the load."""
    for index, pod in enumerate(turns(plan, entropy)):
        pod.metadata.name = plan.name(index)
        yield Wanted(pod.metadata.name, pod.SerializeToString())


def deployments(plan: Plan, entropy: Entropy) -> Iterator[Wanted]:
    """Deployments of the plan's count of pods; the last has what is left."""
    for index, pod in enumerate(turns(plan, entropy)):
        made, replicas = deployment_pb2.Deployment(), min(plan.replicas, plan.count - index * plan.replicas)
        if replicas <= 0:
            return
        made.metadata.name, made.metadata.namespace = plan.name(index), plan.namespace
        made.metadata.labels[RUN_LABEL] = plan.run
        made.spec.replicas = replicas
        made.spec.selector.matchLabels[OWNER_LABEL] = made.metadata.name
        made.spec.template.metadata.labels.update(pod.metadata.labels)
        made.spec.template.metadata.labels[OWNER_LABEL] = made.metadata.name
        made.spec.template.metadata.annotations.update(pod.metadata.annotations)
        made.spec.template.spec.CopyFrom(pod.spec)
        yield Wanted(made.metadata.name, made.SerializeToString(), replicas)


def owner(pod_name: str) -> str:
    """Name of the Deployment that a pod is of: before the hash and the suffix."""
    return pod_name.rsplit("-", 2)[0]


def turns(plan: Plan, entropy: Entropy) -> Iterator[pod_pb2.Pod]:
    """The templates in turn, labelled and, if wanted, varied; each is overwritten when its turn comes again."""
    own = []
    for template in plan.templates:
        pod = pod_pb2.Pod()
        pod.CopyFrom(template)
        pod.metadata.namespace = plan.namespace
        pod.metadata.labels[RUN_LABEL] = plan.run
        own.append(pod)
    index = 0
    while True:
        for pod in own:
            if plan.vary:
                vary(pod, index, entropy)
            yield pod
            index += 1


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
