"""Pod garbage collector: removes pods that nobody else will.

Those of nodes that are gone (after a while, and a live look), those that finished when there are too many, those that are deleted and were
never assigned, and those that are being deleted on a node that is out of service. Indexes hold exactly these, so that a look at a cluster
in which all is well reads no pod.

Source: Kubernetes `pkg/controller/podgc`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.base import limits
from kcore.client import kinds
from kcore.controllers import actions, adoption, conditions, live
from kcore.controllers.actions import Action, Delete, UpdateStatus
from kcore.controllers.controller import Context, Controller, Result, Source
from kcore.controllers.node_lifecycle import BY_NODE, NODE_READS, by_node
from kcore.controllers.pod_state import is_finished, is_ready, seconds

NAME: Final = "pod-garbage-collector-controller"
PODS: Final = kinds.resource("", "v1", "pods")
NODES: Final = kinds.resource("", "v1", "nodes")
OUT_OF_SERVICE: Final = "node.kubernetes.io/out-of-service"
DISRUPTION_TARGET: Final = "DisruptionTarget"
BY_END: Final = "end"
FINISHED: Final = "finished"
DELETING: Final = "deleting"


def plan(
    orphans: Sequence[Any], deleting: Sequence[Any], finished: Sequence[Any], nodes: Mapping[str, Any], threshold: int, now: float
) -> list[Action]:
    """Decide which pods go.

    orphans    pods of nodes that are known to be gone
    deleting   pods that are being deleted
    finished   pods that finished
    nodes      the nodes of those that are being deleted, as far as they are there, by name
    threshold  how many finished pods may stay
    """
    found: list[Action] = []
    removed: set[str] = set()
    for pod in orphans:
        found += [*fail(pod, "PodGC: node no longer exists", now), remove(pod)]
        removed.add(pod.metadata.uid)
    for pod in deleting:
        node = pod.spec.nodeName
        if pod.metadata.uid not in removed and (not node or (node in nodes and is_out_of_service(nodes[node]))):
            found += [*fail(pod, "", now), remove(pod)]
            removed.add(pod.metadata.uid)
    too_many = sorted(finished, key=leaves_first)[: max(0, len(finished) - threshold)]
    return found + [remove(pod) for pod in too_many if pod.metadata.uid not in removed]


def leaves_first(pod: Any) -> tuple[bool, float, str, str]:
    """Order in which finished pods go: evicted ones first, then by age."""
    meta, status = pod.metadata, pod.status
    is_evicted = status.phase == "Failed" and status.reason == "Evicted"
    return not is_evicted, seconds(meta.creationTimestamp), meta.namespace, meta.name


def remove(pod: Any) -> Delete:
    """Delete a pod at once."""
    return Delete(PODS, pod.metadata.namespace, pod.metadata.name, uid=pod.metadata.uid, grace_period_seconds=0)


def fail(pod: Any, message: str, now: float) -> list[Action]:
    """Say that a pod that did not finish failed, and why if that is not its own doing."""
    if is_finished(pod):
        return []
    updated = Pod()
    updated.CopyFrom(pod)
    updated.status.phase = "Failed"
    if message:
        conditions.put(updated.status.conditions, DISRUPTION_TARGET, "True", "DeletionByPodGC", message, now)
    return [UpdateStatus(updated)]


def is_out_of_service(node: Any) -> bool:
    """Whether a node is marked as out of service, and is not ready."""
    return any(taint.key == OUT_OF_SERVICE for taint in node.spec.taints) and not is_ready(node)


def by_end(pod: Any) -> list[str]:
    """What the index of pods that come to an end holds of one."""
    found = [FINISHED] if is_finished(pod) else []
    return [*found, DELETING] if pod.metadata.HasField("deletionTimestamp") else found


class Reconciler:
    """Looks in a rhythm."""

    def __init__(self, context: Context) -> None:
        self.context = context
        pods = context.informer(PODS)
        pods.add_index(BY_NODE, by_node, NODE_READS)
        pods.add_index(BY_END, by_end, ("status.phase", adoption.DELETING))
        self.pods = pods.lister
        self.nodes = context.informer(NODES).lister
        self.suspects: set[str] = set()
        self.missing_since: dict[str, float] = {}

    async def reconcile(self, key: str) -> Result:
        """Look at all pods that may have to go."""
        orphans = [pod for name in sorted(await self.gone()) for pod in self.pods.by_index(BY_NODE, name)]
        deleting = self.pods.by_index(BY_END, DELETING)
        nodes = {name: node for name in {pod.spec.nodeName for pod in deleting} if (node := self.nodes.get(name)) is not None}
        finished = self.pods.by_index(BY_END, FINISHED)
        wanted = plan(orphans, deleting, finished, nodes, limits.TERMINATED_PODS_MAX, self.context.clock.now())
        actions.raise_first(await actions.apply(wanted, self.context.api.bulk, self.context.recorder), harmless=("NotFound", "Conflict"))
        return Result(limits.POD_GC_PERIOD_S)

    async def gone(self) -> list[str]:
        """Nodes that pods name, that have been missing for a while, and that are not found live."""
        now = self.context.clock.monotonic()
        self.suspects = {name for name in self.suspects if self.nodes.get(name) is None and self.pods.by_index(BY_NODE, name)}
        self.missing_since = {name: self.missing_since.get(name, now) for name in self.suspects}
        due = [name for name, since in self.missing_since.items() if now - since >= limits.POD_GC_QUARANTINE_S]
        return [name for name in due if await live.find(self.context.api, NODES, "", name, metadata_only=True) is None]

    def pod_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Suspect a node that a pod names and that is not known."""
        if new is not None and new.spec.nodeName and self.nodes.get(new.spec.nodeName) is None:
            self.suspects.add(new.spec.nodeName)
        return ()

    def node_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Suspect a node that went."""
        if new is None:
            self.suspects.add(old.metadata.name)
        return ()


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = (Source(PODS, reconciler.pod_changed, reads=NODE_READS), Source(NODES, reconciler.node_changed))
    return Controller(NAME, context.queue(NAME), reconciler.reconcile, sources, workers=1, first_keys=("all",))
