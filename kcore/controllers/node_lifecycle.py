"""Node lifecycle: a node that is not heard of for a while is Unknown, its pods are not ready, and taints say what is wrong with it.

A heartbeat is a renewal of the node's Lease, or a Ready condition that the node posts. What each node needs is decided when it changes. In
a rhythm, all are looked at by a few words that are kept of each: those that fell silent, and those that may evict now, are then decided
upon one by one. So a look costs next to nothing while all is well, and a change of one node is never waited for.

Differs from upstream: a node of an Unknown state has its ready pods marked whenever it is decided upon, not once at the moment when it fell
silent, so that a restart in between leaves no pod ready. Of Leases only the metadata is followed: any change of one counts as a renewal.

Source: Kubernetes `pkg/controller/nodelifecycle`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kcore.api.core.v1.node_pb2 import Node
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.base import limits
from kcore.client import kinds
from kcore.client.correlator import Regarding
from kcore.client.workqueue import WorkQueue
from kcore.controllers import actions, conditions, node_taints
from kcore.controllers.actions import Action, Event, UpdateStatus
from kcore.controllers.controller import DONE, IGNORE, Context, Controller, Result, Source
from kcore.controllers.node_disruption import Disruption
from kcore.controllers.node_taints import NODES, ready_status
from kcore.controllers.pod_state import is_ready, seconds, set_seconds
from kcore.machinery.kinds.readiness import READY

NAME: Final = "node-lifecycle-controller"
LEASES: Final = kinds.resource("coordination.k8s.io", "v1", "leases")
PODS: Final = kinds.resource("", "v1", "pods")
LEASE_NAMESPACE: Final = "kube-node-lease"
BY_NODE: Final = "node"
ALL: Final = "*"
UNKNOWN: Final = "Unknown"
WATCHED: Final = (READY, "MemoryPressure", "DiskPressure", "PIDPressure")
"""The conditions that nodes post themselves."""

ZONE: Final = "topology.kubernetes.io/zone"
REGION: Final = "topology.kubernetes.io/region"
EXCLUDED: Final = "node.kubernetes.io/exclude-disruption"
"""A node with this label says nothing about how its zone is."""


def silent(node: Any, now: float) -> list[Action]:
    """Note that a node is not heard of: the conditions that it posts itself are Unknown."""
    updated = Node()
    updated.CopyFrom(node)
    for name in WATCHED:
        known = conditions.find(updated.status.conditions, name)
        if known is None:
            known = updated.status.conditions.add(
                type=name, status=UNKNOWN, reason="NodeStatusNeverUpdated", message="Kubelet never posted node status."
            )
            known.lastHeartbeatTime.CopyFrom(node.metadata.creationTimestamp)
            set_seconds(known.lastTransitionTime, now)
        elif known.status != UNKNOWN:
            known.status, known.reason, known.message = UNKNOWN, "NodeStatusUnknown", "Kubelet stopped posting node status."
            set_seconds(known.lastTransitionTime, now)
    was_ready = ready_status(node) == "True"
    return [UpdateStatus(updated, done=(status_changed(node, "NodeNotReady"),) if was_ready else ())]


def status_changed(node: Any, to: str) -> Event:
    """The Event about a node that is something else now."""
    return Event(node, actions.NORMAL, to, f"Node {node.metadata.name} status is now: {to}")


def unready_pods(node: Any, pods: Sequence[Any], now: float) -> list[Action]:
    """Note that the pods of a node of which nothing is known are not ready."""
    if ready_status(node) != UNKNOWN:
        return []
    found: list[Action] = []
    for pod in pods:
        if is_ready(pod):
            updated = Pod()
            updated.CopyFrom(pod)
            condition = conditions.find(updated.status.conditions, READY)
            assert condition is not None
            condition.status = "False"
            set_seconds(condition.lastTransitionTime, now)
            found.append(UpdateStatus(updated, done=(Event(pod, actions.WARNING, "NodeNotReady", "Node is not ready"),)))
    return found


def plan(node: Any, pods: Sequence[Any], may_evict: bool, is_total: bool, now: float) -> list[Action]:
    """Everything that a node needs now whose conditions say how it is.

    may_evict  its pods may be evicted from now on
    is_total   no node is ready anywhere
    """
    return node_taints.plan(node, may_evict, is_total, now) + unready_pods(node, pods, now)


def zone_of(node: Any) -> str:
    """The zone in which a node counts."""
    labels = node.metadata.labels
    return f"{labels.get(REGION, '')}:{labels.get(ZONE, '')}"


NODE_READS: Final = ("spec.nodeName",)
"""What `by_node` reads."""


def by_node(pod: Any) -> list[str]:
    """What the index of pods by node holds of one."""
    return [pod.spec.nodeName] if pod.spec.nodeName else []


@dataclass(slots=True)
class Health:
    """What is kept of a node, so that a look at all of them reads no object.

    heard_at  when it was heard of, in monotonic seconds
    ready     the status of its Ready condition; '' if it has none
    evicts    it has a taint of this controller that evicts
    counts    it says something about its zone
    """

    uid: str
    heard_at: float
    zone: str = ""
    ready: str = ""
    evicts: bool = False
    counts: bool = True
    is_registered: bool = False

    def take(self, node: Any) -> None:
        """Take in what a node says."""
        self.zone, self.ready = zone_of(node), ready_status(node)
        self.evicts, self.counts = node_taints.evicts(node), EXCLUDED not in node.metadata.labels

    def is_silent(self, now: float) -> bool:
        """Whether the node fell silent, and nobody noted that."""
        grace_s = limits.NODE_GRACE_PERIOD_S if self.ready else limits.NODE_STARTUP_GRACE_PERIOD_S
        return self.ready != UNKNOWN and now - self.heard_at > grace_s


class Reconciler:
    """Listens to heartbeats, decides upon nodes that changed, and looks at all in a rhythm."""

    def __init__(self, context: Context, queue: WorkQueue[str]) -> None:
        self.context, self.queue = context, queue
        self.nodes = context.informer(NODES).lister
        pods = context.informer(PODS)
        pods.add_index(BY_NODE, by_node, NODE_READS)
        self.pods = pods.lister
        self.known: dict[str, Health] = {}
        self.removed: dict[str, str] = {}
        self.may_evict: set[str] = set()
        self.disruption = Disruption()

    async def reconcile(self, key: str) -> Result:
        """Look at a node, or at all."""
        if key == ALL:
            self.look_at_all()
            return Result(limits.NODE_MONITOR_PERIOD_S)
        if key in self.removed:
            self.tell(key, self.removed.pop(key), "RemovingNode", f"Removing Node {key} from Controller")
        node, health = self.nodes.get(key), self.known.get(key)
        if node is None or health is None:
            return DONE
        if not health.is_registered:
            health.is_registered = True
            self.tell(key, health.uid, "RegisteredNode", f"Registered Node {key} in Controller")
        now = self.context.clock.now()
        if health.is_silent(self.context.clock.monotonic()):
            wanted = silent(node, now)
        else:
            pods = self.pods.by_index(BY_NODE, key) if health.ready == UNKNOWN else []
            wanted = plan(node, pods, key in self.may_evict, self.disruption.is_total, now)
        if wanted:
            outcomes = await actions.apply(wanted, self.context.api.bulk, self.context.recorder)
            actions.raise_first(outcomes, harmless=("NotFound",))
        self.may_evict.discard(key)
        return DONE

    def look_at_all(self) -> None:
        """Have the nodes decided upon that fell silent, that may evict now, or that may not any more."""
        now = self.context.clock.monotonic()
        if self.disruption.observe((health.zone, health.ready) for health in self.known.values() if health.counts):
            for health in self.known.values():
                health.heard_at = now
        for name, health in self.known.items():
            if health.is_silent(now):
                self.queue.add(name)
            elif health.ready in node_taints.EVICTING:
                if self.disruption.is_total:
                    if health.evicts:
                        self.queue.add(name)
                elif not health.evicts and (name in self.may_evict or self.disruption.take(health.zone, now)):
                    self.may_evict.add(name)
                    self.queue.add(name)

    def tell(self, name: str, uid: str, reason: str, what: str) -> None:
        """Record an Event about a node that came or went."""
        regarding = Regarding("v1", "Node", "", name, uid)
        self.context.recorder.event(regarding, actions.NORMAL, reason, f"Node {name} event: {what}")

    def node_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Take in what a node says; a Ready condition that it posted is a heartbeat."""
        name = (old if new is None else new).metadata.name
        if new is None:
            self.known.pop(name, None)
            self.may_evict.discard(name)
            self.removed[name] = old.metadata.uid
            return (name,)
        health = self.known.get(name)
        if health is None or health.uid != new.metadata.uid:
            if health is not None:
                self.removed[name] = health.uid
            health = self.known[name] = Health(new.metadata.uid, self.first_heard_at(new))
        elif old is not None and self.is_posted(old, new):
            health.heard_at = self.context.clock.monotonic()
        health.take(new)
        changed = old is None or old.status.conditions != new.status.conditions or old.spec != new.spec
        return (name,) if changed or old.metadata.labels != new.metadata.labels else ()

    def first_heard_at(self, node: Any) -> float:
        """A node that says how it is gets its time from now on, one that never did from its creation."""
        clock = self.context.clock
        if ready_status(node):
            return clock.monotonic()
        return clock.monotonic() - max(0.0, clock.now() - seconds(node.metadata.creationTimestamp))

    def is_posted(self, old: Any, new: Any) -> bool:
        """Whether somebody spoke of the node being ready: the node, or this controller, after which silence is noted anyway."""
        now = conditions.find(new.status.conditions, READY)
        return now is not None and now != conditions.find(old.status.conditions, READY)

    def lease_changed(self, old: Any, new: Any) -> Iterable[str]:
        """A renewed Lease is a heartbeat."""
        if new is not None and new.metadata.namespace == LEASE_NAMESPACE:
            health = self.known.get(new.metadata.name)
            if health is not None:
                health.heard_at = self.context.clock.monotonic()
        return ()


def make(context: Context) -> Controller:
    """Make the controller."""
    queue = context.queue(NAME)
    reconciler = Reconciler(context, queue)
    sources = (Source(NODES, reconciler.node_changed), Source(LEASES, reconciler.lease_changed, metadata_only=True), Source(PODS, IGNORE))
    return Controller(NAME, queue, reconciler.reconcile, sources, workers=limits.NODE_WORKERS, first_keys=(ALL,))
