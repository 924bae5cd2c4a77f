"""Node lifecycle: a node that is not heard of for a while is Unknown, and taints say what is wrong with a node.

A heartbeat is any change of the node's Lease or of its status. What taints a node NoSchedule follows from its conditions at once; the
NoExecute taints, which evict its pods,
are given zone by zone at a bounded rate, and not at all when everything seems to be down, since then it is probably this controller that
is cut off.

Source: Kubernetes `pkg/controller/nodelifecycle`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from kcore.api.core.v1.node_pb2 import Node
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.base import limits
from kcore.client import kinds
from kcore.controllers import actions, conditions
from kcore.controllers.actions import Action, Event, Patch, UpdateStatus
from kcore.controllers.controller import DONE, Context, Controller, Result, Source
from kcore.controllers.pod_state import is_ready, set_seconds
from kcore.machinery.kinds.readiness import READY
from kcore.machinery.timestamp import format_time

NAME: Final = "node-lifecycle-controller"
NODES: Final = kinds.resource("", "v1", "nodes")
LEASES: Final = kinds.resource("coordination.k8s.io", "v1", "leases")
PODS: Final = kinds.resource("", "v1", "pods")
LEASE_NAMESPACE: Final = "kube-node-lease"
BY_NODE: Final = "node"
ALL: Final = "*"

NOT_READY: Final = "node.kubernetes.io/not-ready"
UNREACHABLE: Final = "node.kubernetes.io/unreachable"
UNSCHEDULABLE: Final = "node.kubernetes.io/unschedulable"
NO_SCHEDULE: Final = "NoSchedule"
NO_EXECUTE: Final = "NoExecute"
# condition -> (status, taint) that keeps new pods away
CONDITION_TAINTS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    READY: (("False", NOT_READY), ("Unknown", UNREACHABLE)),
    "MemoryPressure": (("True", "node.kubernetes.io/memory-pressure"),),
    "DiskPressure": (("True", "node.kubernetes.io/disk-pressure"),),
    "PIDPressure": (("True", "node.kubernetes.io/pid-pressure"),),
    "NetworkUnavailable": (("True", "node.kubernetes.io/network-unavailable"),),
}
OWN_NO_SCHEDULE: Final = frozenset(taint for pairs in CONDITION_TAINTS.values() for _, taint in pairs) | {UNSCHEDULABLE}
WATCHED: Final = (READY, "MemoryPressure", "DiskPressure", "PIDPressure")
COPIED_LABELS: Final = (("kubernetes.io/os", "beta.kubernetes.io/os"), ("kubernetes.io/arch", "beta.kubernetes.io/arch"))
ZONE: Final = "topology.kubernetes.io/zone"
REGION: Final = "topology.kubernetes.io/region"


class Taint(NamedTuple):
    """A taint without its time."""

    key: str
    effect: str


def ready_status(node: Any) -> str:
    """True, False, Unknown, or '' if the node never said."""
    condition = conditions.find(node.status.conditions, READY)
    return str(condition.status) if condition is not None else ""


def silent(node: Any, now: float) -> UpdateStatus | None:
    """Note that a node is not heard of: its conditions are Unknown. None if that is noted."""
    if all(
        condition is not None and condition.status == "Unknown"
        for condition in (conditions.find(node.status.conditions, name) for name in WATCHED)
    ):
        return None
    updated = Node()
    updated.CopyFrom(node)
    for name in WATCHED:
        known = conditions.find(updated.status.conditions, name)
        if known is None:
            added = updated.status.conditions.add(
                type=name, status="Unknown", reason="NodeStatusNeverUpdated", message="Kubelet never posted node status."
            )
            added.lastHeartbeatTime.CopyFrom(node.metadata.creationTimestamp)
            set_seconds(added.lastTransitionTime, now)
        elif known.status != "Unknown":
            known.status, known.reason, known.message = "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."
            set_seconds(known.lastTransitionTime, now)
    return UpdateStatus(updated)


def wanted_taints(node: Any, evicts: bool) -> list[Taint]:
    """The taints that a node's state asks for.

    evicts  its pods may be evicted now
    """
    found = [
        Taint(taint, NO_SCHEDULE)
        for condition in node.status.conditions
        for status, taint in CONDITION_TAINTS.get(condition.type, ())
        if condition.status == status
    ]
    if node.spec.unschedulable:
        found.append(Taint(UNSCHEDULABLE, NO_SCHEDULE))
    state = ready_status(node)
    key = {"False": NOT_READY, "Unknown": UNREACHABLE}.get(state)
    if key and (evicts or has_taint(node, key, NO_EXECUTE) or has_no_execute(node)):
        found.append(Taint(key, NO_EXECUTE))
    return found


def has_taint(node: Any, key: str, effect: str) -> bool:
    """Whether a node has a taint."""
    return any(taint.key == key and taint.effect == effect for taint in node.spec.taints)


def has_no_execute(node: Any) -> bool:
    """Whether a node has a NoExecute taint of this controller."""
    return has_taint(node, NOT_READY, NO_EXECUTE) or has_taint(node, UNREACHABLE, NO_EXECUTE)


def plan_spec(node: Any, evicts: bool, now: float) -> list[Action]:
    """Bring a node's taints and copied labels to what its state asks for, in one patch; others' taints stay."""
    wanted = wanted_taints(node, evicts)
    kept = [taint for taint in node.spec.taints if not is_own(taint) or Taint(taint.key, taint.effect) in wanted]
    have = {Taint(taint.key, taint.effect) for taint in kept}
    added = [taint for taint in wanted if taint not in have]
    labels = node.metadata.labels
    copied = {old: labels[name] for name, old in COPIED_LABELS if name in labels and labels.get(old) != labels[name]}
    body: dict[str, Any] = {}
    if added or len(kept) != len(node.spec.taints):
        body["spec"] = {"taints": [taint_dict(taint) for taint in kept] + [new_taint(taint, now) for taint in added] or None}
    if copied:
        body["metadata"] = {"labels": copied}
    if not body:
        return []
    body.setdefault("metadata", {})["resourceVersion"] = node.metadata.resourceVersion
    return [Patch(NODES, "", node.metadata.name, body)]


def is_own(taint: Any) -> bool:
    """Whether this controller gives and takes a taint."""
    return (taint.effect == NO_SCHEDULE and taint.key in OWN_NO_SCHEDULE) or (
        taint.effect == NO_EXECUTE and taint.key in (NOT_READY, UNREACHABLE)
    )


def taint_dict(taint: Any) -> dict[str, Any]:
    """A taint in JSON form."""
    found = {"key": taint.key, "effect": taint.effect}
    if taint.value:
        found["value"] = taint.value
    if taint.HasField("timeAdded"):
        found["timeAdded"] = taint.timeAdded.seconds
    return found | ({"timeAdded": time_text(found["timeAdded"])} if "timeAdded" in found else {})


def new_taint(taint: Taint, now: float) -> dict[str, Any]:
    """A taint as it is added."""
    found: dict[str, Any] = {"key": taint.key, "effect": taint.effect}
    if taint.effect == NO_EXECUTE:
        found["timeAdded"] = time_text(now)
    return found


def time_text(seconds: float) -> str:
    """A time in JSON form."""
    return format_time(seconds)


def unready_pods(node: Any, pods: Sequence[Any], now: float) -> list[Action]:
    """Note that the pods of a node that is not ready are not ready."""
    found: list[Action] = []
    for pod in pods:
        if is_ready(pod):
            updated = Pod()
            updated.CopyFrom(pod)
            for condition in updated.status.conditions:
                if condition.type == READY:
                    condition.status = "False"
                    set_seconds(condition.lastTransitionTime, now)
            found.append(UpdateStatus(updated))
    if found:
        found.insert(0, Event(node, actions.NORMAL, "NodeNotReady", f"Node {node.metadata.name} status is now: NodeNotReady"))
    return found


def zone_of(node: Any) -> str:
    """The zone in which a node counts."""
    labels = node.metadata.labels
    return f"{labels.get(REGION, '')}:{labels.get(ZONE, '')}"


def eviction_rates(nodes: Iterable[Any]) -> dict[str, float]:
    """Nodes a second that may begin to evict, by zone."""
    total: Counter[str] = Counter()
    unready: Counter[str] = Counter()
    for node in nodes:
        total[zone_of(node)] += 1
        unready[zone_of(node)] += ready_status(node) != "True"
    is_down = {zone: unready[zone] == count and count > 0 for zone, count in total.items()}
    if total and all(is_down.values()):
        return dict.fromkeys(total, 0.0)
    rates = {}
    for zone, count in total.items():
        is_partly_down = unready[zone] > 2 and unready[zone] / count >= limits.UNHEALTHY_ZONE_SHARE
        small = count <= limits.LARGE_CLUSTER_NODES
        rates[zone] = (
            limits.EVICTION_RATE_PER_S if is_down[zone] or not is_partly_down else 0.0 if small else limits.SECONDARY_EVICTION_RATE_PER_S
        )
    return rates


def by_node(pod: Any) -> list[str]:
    """What the index of pods by node holds of one."""
    return [pod.spec.nodeName] if pod.spec.nodeName else []


class Reconciler:
    """Listens to heartbeats, and looks at all nodes in a rhythm."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.nodes = context.informer(NODES).lister
        pods = context.informer(PODS)
        pods.add_index(BY_NODE, by_node)
        self.pods = pods.lister
        self.heard: dict[str, float] = {}
        self.rates: dict[str, float] = {}
        self.evicted_at: dict[str, float] = {}

    async def reconcile(self, key: str) -> Result:
        """Look at a node, or at all."""
        if key == ALL:
            return await self.look_at_all()
        node = self.nodes.get(key)
        if node is None:
            self.heard.pop(key, None)
            return DONE
        await self.apply(self.plan(node))
        return DONE

    async def look_at_all(self) -> Result:
        """Find the nodes that fell silent, and let evictions begin."""
        nodes = self.nodes.list()
        self.rates = eviction_rates(nodes)
        wanted: list[Action] = []
        for node in nodes:
            wanted += self.plan(node)
        await self.apply(wanted)
        return Result(limits.NODE_MONITOR_PERIOD_S)

    async def apply(self, wanted: list[Action]) -> None:
        if wanted:
            actions.raise_first(
                await actions.apply(wanted, self.context.api.bulk, self.context.recorder), harmless=("NotFound", "Conflict")
            )

    def plan(self, node: Any) -> list[Action]:
        """Everything that a node needs now."""
        now = self.context.clock.now()
        name = node.metadata.name
        if self.context.clock.monotonic() - self.heard.setdefault(name, self.context.clock.monotonic()) > limits.NODE_GRACE_PERIOD_S:
            noted = silent(node, now)
            if noted is not None:
                return [noted]
        state = ready_status(node)
        evicts = state in ("False", "Unknown") and not has_no_execute(node) and self.may_evict(node)
        found = plan_spec(node, evicts, now)
        if state in ("False", "Unknown"):
            found += unready_pods(node, self.pods.by_index(BY_NODE, name), now)
        return found

    def may_evict(self, node: Any) -> bool:
        """Take an eviction from the zone's allowance, if it has one now."""
        zone, now = zone_of(node), self.context.clock.monotonic()
        rate = self.rates.get(zone, limits.EVICTION_RATE_PER_S)
        if rate <= 0 or now - self.evicted_at.get(zone, float("-inf")) < 1 / rate:
            return False
        self.evicted_at[zone] = now
        return True

    def node_changed(self, old: Any, new: Any) -> Iterable[str]:
        """A change of a node's own word is a heartbeat."""
        if new is None:
            return (old.metadata.name,)
        if old is None or old.status.conditions != new.status.conditions:
            if ready_status(new) != "Unknown":
                self.heard[new.metadata.name] = self.context.clock.monotonic()
            return (new.metadata.name,)
        return (new.metadata.name,) if old.spec != new.spec or old.metadata.labels != new.metadata.labels else ()

    def lease_changed(self, old: Any, new: Any) -> Iterable[str]:
        """A renewed Lease is a heartbeat."""
        if new is not None and new.metadata.namespace == LEASE_NAMESPACE:
            self.heard[new.metadata.name] = self.context.clock.monotonic()
        return ()


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = (
        Source(NODES, reconciler.node_changed),
        Source(LEASES, reconciler.lease_changed, metadata_only=True),
        Source(PODS, lambda _old, _new: ()),
    )
    return Controller(NAME, context.queue(NAME), reconciler.reconcile, sources, first_keys=(ALL,))
