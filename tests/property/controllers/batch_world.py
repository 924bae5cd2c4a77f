"""A world whose pods end, and whose nodes come and go: for Jobs and DaemonSets."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from kcore.api.apps.v1.daemon_set_pb2 import DaemonSet
from kcore.api.batch.v1.job_pb2 import Job
from kcore.api.core.v1.namespace_pb2 import Namespace
from kcore.api.core.v1.node_pb2 import Node
from kcore.base.clock import VirtualClock
from kcore.controllers.adoption import controller_of
from kcore.controllers.daemonset.pods import DAEMONSETS, REVISION_LABEL, target_node
from kcore.controllers.job.pods import INDEX, JOBS, TRACKING
from kcore.controllers.node_taints import NODES
from kcore.controllers.pod_state import is_active, is_finished
from kcore.machinery.status import StatusError
from kcore.testing.fake_server import Mutation
from tests.property.controllers.world import PODS, LateTransport, World

__all__ = ["DAEMONSETS", "INDEX", "JOBS", "NODES", "PODS", "BatchWorld", "batch_world", "daemonset", "job", "node"]


class UnevenTransport(LateTransport):
    """A way on which news of Jobs is, at times, much later than that of pods."""

    def stream(self, method: str, request: bytes) -> Any:
        found = super().stream(method, request)
        if "JobService" in method and self.chance.random() < 0.5:
            found.pause = self.pause_long
        return found


class BatchWorld(World):
    """A cluster.

    fate       what becomes of a pod that runs: Succeeded, Failed, or empty while it goes on
    succeeded  uids of the pods that ever did, by Job
    failed     uids of the pods that ever failed or were deleted before they ended, by Job
    bounds     (since, parallelism) of each Job
    """

    transport_class = UnevenTransport
    surges = False

    def __init__(self, seed: int, clock: VirtualClock, lag_s: float = 0.2) -> None:
        super().__init__(seed, clock, lag_s)
        self.fate: Callable[[Any], str] = lambda pod: ""
        self.succeeded: dict[str, set[str]] = {}
        self.failed: dict[str, set[str]] = {}
        self.bounds: dict[str, list[tuple[float, int]]] = {}

    def _committed(self, mutations: list[Mutation]) -> None:
        super()._committed(mutations)
        for mutation in mutations:
            if mutation.resource is PODS:
                self._follow(mutation)
            elif mutation.resource is JOBS and mutation.type != "DELETED":
                self._check_job(mutation.old, mutation.new)

    def _follow(self, mutation: Mutation) -> None:
        """Note the ends of pods, and check that none is too many."""
        pod = mutation.new
        reference = controller_of(pod)
        if reference is None:
            return
        if pod.status.phase == "Succeeded":
            self.succeeded.setdefault(reference.uid, set()).add(pod.metadata.uid)
        elif pod.status.phase == "Failed" or pod.metadata.HasField("deletionTimestamp"):
            self.failed.setdefault(reference.uid, set()).add(pod.metadata.uid)
        if mutation.type == "ADDED" and reference.kind == "Job":
            self._check_active(reference)
        if mutation.type == "ADDED" and reference.kind == "DaemonSet":
            self._check_node(reference, target_node(pod))

    def _active(self, uid: str) -> list[Any]:
        return [pod for pod in self.all(PODS) if is_active(pod) and any(found.uid == uid for found in pod.metadata.ownerReferences)]

    def _check_active(self, reference: Any) -> None:
        """No more pods than a Job asked for lately, and no index twice."""
        now, active = self.clock.monotonic(), self._active(reference.uid)
        bounds = self.bounds.get(reference.uid, [])
        until = [*(time for time, _ in bounds[1:]), now + 1.0]
        allowed = max((size for (_, size), end in zip(bounds, until, strict=True) if end >= now - 100 * self.lag_s), default=0)
        if len(active) > allowed:
            self.violations.append(f"{now:.3f}: {reference.name} has {len(active)} pods, {allowed} are allowed")
        indexes = Counter(index for pod in active if (index := pod.metadata.annotations.get(INDEX)))
        self.violations += [f"{now:.3f}: {reference.name} runs index {index} twice" for index, count in indexes.items() if count > 1]

    def _check_node(self, reference: Any, name: str) -> None:
        """One pod of each revision on a node; a second one only where one of an older revision is replaced."""
        here = [pod for pod in self._active(reference.uid) if target_node(pod) == name]
        revisions = Counter(pod.metadata.labels[REVISION_LABEL] for pod in here)
        if len(here) > 1 + self.surges or max(revisions.values()) > 1:
            self.violations.append(f"{self.clock.monotonic():.3f}: {reference.name} has {len(here)} pods on {name}")

    def _check_job(self, old: Any, new: Any) -> None:
        """What is counted happened, once; conditions come in order."""
        uid, status = new.metadata.uid, new.status
        if old is None or old.spec.parallelism != new.spec.parallelism:
            self.bounds.setdefault(uid, []).append((self.clock.monotonic(), new.spec.parallelism))
        succeeded = self.succeeded.get(uid, set())
        ended = succeeded | self.failed.get(uid, set())
        for name, happened in (("succeeded", succeeded), ("failed", ended)):
            noted = set(getattr(status.uncountedTerminatedPods, name))
            if getattr(status, name) + len(noted) > len(happened) or not noted <= happened:
                self.violations.append(f"{new.metadata.name}: {getattr(status, name)} + {len(noted)} {name}, {len(happened)} did")
            if old is not None and getattr(status, name) < getattr(old.status, name):
                self.violations.append(f"{new.metadata.name}: {name} fell to {getattr(status, name)}")
        if status.succeeded + status.failed > len(ended):
            self.violations.append(f"{new.metadata.name}: {status.succeeded} succeeded, {status.failed} failed, {len(ended)} ended")
        said = {item.type for item in status.conditions if item.status == "True"}
        before = {item.type for item in old.status.conditions if item.status == "True"} if old is not None else set()
        for end, announced in (("Complete", "SuccessCriteriaMet"), ("Failed", "FailureTarget")):
            if end in said and announced not in before:
                self.violations.append(f"{new.metadata.name}: {end} before {announced}")
        if {"Complete", "Failed"} <= said or (before & {"Complete", "Failed"} and said != before):
            self.violations.append(f"{new.metadata.name}: {before} became {said}")

    async def _tend(self, pod: Any) -> None:
        """Do for a pod what scheduler and kubelet do next."""
        await self.clock.sleep(self.chance.random() * 0.5)
        try:
            found = self.server.get(PODS, f"{pod.metadata.namespace}/{pod.metadata.name}")
            if found.metadata.uid == pod.metadata.uid:
                self._tend_now(found)
        except StatusError:
            return

    def _tend_now(self, found: Any) -> None:
        if found.metadata.HasField("deletionTimestamp"):
            if not is_finished(found) and found.spec.restartPolicy != "Always":
                self.end(found, "Failed")       # a kubelet does, or the pod garbage collector
            elif found.metadata.deletionGracePeriodSeconds or not found.metadata.finalizers:
                self.delete(PODS, f"{found.metadata.namespace}/{found.metadata.name}", grace_s=0)
        elif not found.spec.nodeName:
            name = target_node(found) or f"n{self.chance.randrange(3)}"
            if target_node(found) and name not in {one.metadata.name for one in self.all(NODES)}:
                return
            found.spec.nodeName = name
            self.server.update(PODS, found)
        elif found.status.phase == "Pending":
            found.status.phase = "Running"
            value = "False" if self.unready(found) else "True"
            found.status.conditions.add(type="Ready", status=value).lastTransitionTime.seconds = int(self.clock.now())
            self.server.update(PODS, found, "status")
        elif found.status.phase == "Running" and (fate := self.fate(found)):
            self.end(found, fate)

    def end(self, found: Any, phase: str) -> None:
        """Let the containers of a pod end."""
        found.status.phase = phase
        for condition in found.status.conditions:
            condition.status = "False"
        terminated = found.status.containerStatuses.add(name="c").state.terminated
        terminated.exitCode = int(phase == "Failed")
        terminated.finishedAt.seconds = int(self.clock.now())
        self.server.update(PODS, found, "status")

    def tracked(self) -> list[str]:
        """Names of pods that still have the finalizer of Jobs."""
        return [pod.metadata.name for pod in self.all(PODS) if TRACKING in pod.metadata.finalizers]


@asynccontextmanager
async def batch_world(seed: int, clock: VirtualClock, **options: Any) -> AsyncIterator[BatchWorld]:
    """Make a cluster with a namespace, and end it."""
    made = BatchWorld(seed, clock, **options)
    namespace = Namespace()
    namespace.metadata.name, namespace.status.phase = "default", "Active"
    namespace.spec.finalizers.append("kubernetes")
    made.create(namespace)
    try:
        yield made
    finally:
        await made.close()
        await asyncio.sleep(0)


def job(name: str, completions: int | None, parallelism: int, indexed: bool = False, **fields: Any) -> Job:
    found = Job()
    found.metadata.name = name
    spec = found.spec
    spec.parallelism, spec.backoffLimit = parallelism, 6
    if completions is not None:
        spec.completions = completions
    spec.completionMode = "Indexed" if indexed else "NonIndexed"
    spec.podReplacementPolicy = "TerminatingOrFailed"
    for field, value in fields.items():
        setattr(spec, field, value)
    spec.selector.matchLabels["job"] = name
    spec.template.metadata.labels["job"] = name
    spec.template.spec.restartPolicy = "Never"
    spec.template.spec.containers.add(name="c", image=f"{name}:1")
    return found


def daemonset(name: str, surge: int = 0, unavailable: int = 1) -> DaemonSet:
    found = DaemonSet()
    found.metadata.name = name
    spec = found.spec
    spec.revisionHistoryLimit = 10
    spec.updateStrategy.type = "RollingUpdate"
    for field, value in (("maxSurge", surge), ("maxUnavailable", unavailable)):
        getattr(spec.updateStrategy.rollingUpdate, field).type = 0
        getattr(spec.updateStrategy.rollingUpdate, field).intVal = value
    spec.selector.matchLabels["app"] = name
    spec.template.metadata.labels["app"] = name
    spec.template.spec.restartPolicy = "Always"
    spec.template.spec.containers.add(name="c", image=f"{name}:1")
    return found


def node(name: str, **labels: str) -> Node:
    found = Node()
    found.metadata.name = name
    found.metadata.labels.update(labels)
    return found


def pick(chance: random.Random, items: list[Any]) -> Any | None:
    """Choose one of some, if there are any."""
    return chance.choice(items) if items else None
