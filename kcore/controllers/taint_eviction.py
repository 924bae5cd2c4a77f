"""Taint eviction: pods leave nodes whose NoExecute taints they do not tolerate, at once or when their time is up.

Differs from upstream: a pod's time begins when the taint was given (or the pod came to the node, if that was later), not when this process
first saw both; so a restart gives no pod more time. Each taint has its own time; upstream keeps the first one that it computed.

Source: Kubernetes `pkg/controller/tainteviction`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf
from typing import Any, Final

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.client.wire import split_key
from kcore.controllers import actions, conditions
from kcore.controllers.actions import Action, Delete, Event, UpdateStatus
from kcore.controllers.controller import DONE, Context, Controller, Result, Source, key_of
from kcore.controllers.node_lifecycle import BY_NODE, NODE_READS, PODS, by_node
from kcore.controllers.node_taints import NO_EXECUTE, NODES
from kcore.controllers.pod_garbage_collector import DISRUPTION_TARGET
from kcore.controllers.pod_state import seconds

NAME: Final = "taint-eviction-controller"


def no_execute(node: Any) -> list[Any]:
    """The taints of a node that evict."""
    return [taint for taint in node.spec.taints if taint.effect == NO_EXECUTE]


def tolerates(toleration: Any, taint: Any) -> bool:
    """Whether a toleration covers a taint."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    return bool(toleration.key) and toleration.operator in ("", "Equal") and toleration.value == taint.value


def leave_in_s(pod: Any, taints: Sequence[Any], since: float, now: float) -> float:
    """After how many seconds a pod must leave; 0 is at once, inf is never.

    Of several tolerations that cover a taint the first one counts.

    since  when the taints were first seen, for those without a time of their own
    """
    leave = inf
    for taint in taints:
        covering = next((toleration for toleration in pod.spec.tolerations if tolerates(toleration, taint)), None)
        if covering is None:
            return 0.0
        if covering.HasField("tolerationSeconds"):
            began = max(seconds(taint.timeAdded), came_at(pod)) if taint.HasField("timeAdded") else since
            leave = min(leave, max(0.0, began + max(0, covering.tolerationSeconds) - now))
    return leave


def came_at(pod: Any) -> float:
    """When a pod came to its node, as far as it says."""
    scheduled = conditions.find(pod.status.conditions, "PodScheduled")
    since = seconds(scheduled.lastTransitionTime) if scheduled is not None and scheduled.status == "True" else 0.0
    return max(seconds(pod.metadata.creationTimestamp), since)


def mark(pod: Any, now: float) -> list[Action]:
    """Say why a pod will be deleted."""
    updated = Pod()
    updated.CopyFrom(pod)
    message = "Taint manager: deleting due to NoExecute taint"
    is_new = conditions.put(updated.status.conditions, DISRUPTION_TARGET, "True", "DeletionByTaintManager", message, now)
    return [UpdateStatus(updated)] if is_new else []


def evict(pod: Any) -> list[Action]:
    """Delete a pod."""
    return [
        Event(pod, actions.NORMAL, "TaintManagerEviction", f"Marking for deletion Pod {key_of(pod)}"),
        Delete(PODS, pod.metadata.namespace, pod.metadata.name, uid=pod.metadata.uid),
    ]


class Reconciler:
    """Keeps the time of each pod that has to leave."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.nodes = context.informer(NODES).lister
        pods = context.informer(PODS)
        pods.add_index(BY_NODE, by_node, NODE_READS)
        self.pods = pods.lister
        self.since: dict[str, float] = {}

    async def reconcile(self, key: str) -> Result:
        """Look at one pod."""
        namespace, name = split_key(key)
        pod = self.pods.get(name, namespace=namespace)
        node = self.nodes.get(pod.spec.nodeName) if pod is not None and pod.spec.nodeName else None
        if pod is None or node is None or pod.metadata.HasField("deletionTimestamp"):
            self.since.pop(key, None)
            return DONE
        now = self.context.clock.now()
        leave = leave_in_s(pod, no_execute(node), self.since.get(key, now), now)
        if leave == inf:
            if self.since.pop(key, None) is not None:
                self.context.recorder.event(pod, actions.NORMAL, "TaintManagerEviction", f"Cancelling deletion of Pod {key}")
            return DONE
        if leave > 0:
            self.since.setdefault(key, now)
            return Result(leave)
        await self.send(mark(pod, now))
        self.since.pop(key, None)
        await self.send(evict(pod))
        return DONE

    async def send(self, wanted: list[Action]) -> None:
        """Carry out actions on a pod that may be gone."""
        actions.raise_first(await actions.apply(wanted, self.context.api.bulk, self.context.recorder), harmless=("NotFound",))

    def node_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at the pods of a node whose evicting taints changed."""
        before = no_execute(old) if old is not None else []
        after = no_execute(new) if new is not None else []
        if before == after:
            return ()
        return [key_of(pod) for pod in self.pods.by_index(BY_NODE, (old if new is None else new).metadata.name)]

    def pod_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at a pod that comes to a node that evicts, or changes there."""
        if new is None:
            return (key_of(old),) if self.since and key_of(old) in self.since else ()
        node = self.nodes.get(new.spec.nodeName) if new.spec.nodeName else None
        if node is None or not no_execute(node) or (old is not None and old.spec == new.spec):
            return ()
        return (key_of(new),)


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    pods = Source(PODS, reconciler.pod_changed, reads=(*NODE_READS, "spec.tolerations[]@raw"))
    return Controller(NAME, context.queue(NAME), reconciler.reconcile, (Source(NODES, reconciler.node_changed), pods))
