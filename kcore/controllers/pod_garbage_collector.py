"""Pod garbage collector: removes pods that nobody else will.

Those of nodes that are gone (after a while, and a live look), those that finished when there are too many, those that are deleted and
were never assigned, and those that
are being deleted on a node that is out of service.

Source: Kubernetes `pkg/controller/podgc`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.base import limits
from kcore.client import kinds
from kcore.controllers import actions, conditions
from kcore.controllers.actions import Action, Delete, UpdateStatus
from kcore.controllers.controller import IGNORE, Context, Controller, Result, Source
from kcore.controllers.pod_state import is_finished, is_ready, seconds
from kcore.machinery.status import StatusError

NAME: Final = "pod-garbage-collector-controller"
PODS: Final = kinds.resource("", "v1", "pods")
NODES: Final = kinds.resource("", "v1", "nodes")
OUT_OF_SERVICE: Final = "node.kubernetes.io/out-of-service"
DISRUPTION_TARGET: Final = "DisruptionTarget"


def plan(pods: Sequence[Any], nodes: dict[str, Any], gone: frozenset[str], threshold: int, now: float) -> list[Action]:
    """Decide which pods go.

    nodes      the nodes that are there, by name
    gone       names of nodes that are known not to be there
    threshold  how many finished pods may stay
    """
    found: list[Action] = []
    for pod in pods:
        node = pod.spec.nodeName
        deleting = pod.metadata.HasField("deletionTimestamp")
        if node and node in gone:
            found += fail(pod, "PodGC: node no longer exists", now)
            found.append(remove(pod))
        elif deleting and not node:
            found.append(remove(pod))
        elif deleting and node in nodes and is_out_of_service(nodes[node]):
            found += fail(pod, "PodGC: node is out of service", now)
            found.append(remove(pod))
    finished = sorted(
        (pod for pod in pods if is_finished(pod) and pod.spec.nodeName not in gone),
        key=lambda pod: (seconds(pod.metadata.creationTimestamp), pod.metadata.name),
    )
    return found + [remove(pod) for pod in finished[: max(0, len(finished) - threshold)]]


def remove(pod: Any) -> Delete:
    """Delete a pod at once."""
    return Delete(PODS, pod.metadata.namespace, pod.metadata.name, uid=pod.metadata.uid, grace_period_seconds=0)


def fail(pod: Any, message: str, now: float) -> list[Action]:
    """Say that a pod that did not finish failed, and why."""
    if is_finished(pod):
        return []
    updated = Pod()
    updated.CopyFrom(pod)
    updated.status.phase = "Failed"
    conditions.put(updated.status.conditions, DISRUPTION_TARGET, "True", "DeletionByPodGC", message, now)
    return [UpdateStatus(updated)]


def is_out_of_service(node: Any) -> bool:
    """Whether a node is marked as out of service, and is not ready."""
    return any(taint.key == OUT_OF_SERVICE for taint in node.spec.taints) and not is_ready(node)


class Reconciler:
    """Looks at all pods in a rhythm."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.pods = context.informer(PODS).lister
        self.nodes = context.informer(NODES).lister
        self.missing_since: dict[str, float] = {}

    async def reconcile(self, key: str) -> Result:
        """Look at everything."""
        pods = self.pods.list()
        nodes = {node.metadata.name: node for node in self.nodes.list()}
        gone = await self.gone({pod.spec.nodeName for pod in pods if pod.spec.nodeName and pod.spec.nodeName not in nodes})
        wanted = plan(pods, nodes, gone, limits.TERMINATED_PODS_MAX, self.context.clock.now())
        actions.raise_first(await actions.apply(wanted, self.context.api.bulk, self.context.recorder), harmless=("NotFound", "Conflict"))
        return Result(limits.POD_GC_PERIOD_S)

    async def gone(self, missing: Iterable[str]) -> frozenset[str]:
        """Those of the missing nodes that have been missing for a while and are not found live."""
        now = self.context.clock.monotonic()
        self.missing_since = {name: self.missing_since.get(name, now) for name in missing}
        found = set()
        for name, since in self.missing_since.items():
            if now - since < limits.POD_GC_QUARANTINE_S:
                continue
            try:
                await self.context.api.resource(NODES).get(name, metadata_only=True)
            except StatusError as error:
                if error.reason != "NotFound":
                    raise
                found.add(name)
        return frozenset(found)


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = (Source(PODS, IGNORE), Source(NODES, IGNORE))
    return Controller(NAME, context.queue(NAME), reconciler.reconcile, sources, workers=1, first_keys=("all",))
