"""Taint eviction: pods leave nodes whose NoExecute taints they do not tolerate, at once or when their time is up.

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
from kcore.controllers.node_lifecycle import BY_NODE, NO_EXECUTE, NODES, PODS, by_node
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

    since  when the taints were first seen, for those without a time of their own
    """
    if not taints:
        return inf
    leave = inf
    for taint in taints:
        covering = [toleration for toleration in pod.spec.tolerations if tolerates(toleration, taint)]
        if not covering:
            return 0.0
        bounded = [toleration.tolerationSeconds for toleration in covering if toleration.HasField("tolerationSeconds")]
        if bounded:
            began = seconds(taint.timeAdded) if taint.HasField("timeAdded") else since
            leave = min(leave, max(0.0, began + max(0, min(bounded)) - now))
    return leave


def evict(pod: Any, now: float) -> list[Action]:
    """Delete a pod, and say why."""
    updated = Pod()
    updated.CopyFrom(pod)
    conditions.put(
        updated.status.conditions,
        DISRUPTION_TARGET,
        "True",
        "DeletionByTaintManager",
        "Taint manager: deleting due to NoExecute taint",
        now,
    )
    key = key_of(pod)
    return [
        Event(pod, actions.NORMAL, "TaintManagerEviction", f"Marking for deletion Pod {key}"),
        UpdateStatus(updated),
        Delete(PODS, pod.metadata.namespace, pod.metadata.name, uid=pod.metadata.uid),
    ]


class Reconciler:
    """Keeps the time of each pod that has to leave."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.nodes = context.informer(NODES).lister
        pods = context.informer(PODS)
        pods.add_index(BY_NODE, by_node)
        self.pods = pods.lister
        self.since: dict[str, float] = {}

    async def reconcile(self, key: str) -> Result:
        """Look at one pod."""
        namespace, name = split_key(key)
        pod = self.pods.get(name, namespace=namespace)
        node = self.nodes.get(pod.spec.nodeName) if pod is not None and pod.spec.nodeName else None
        taints = no_execute(node) if node is not None else []
        if pod is None or not taints or pod.metadata.HasField("deletionTimestamp"):
            if self.since.pop(key, None) is not None and pod is not None and not pod.metadata.HasField("deletionTimestamp"):
                self.context.recorder.event(pod, actions.NORMAL, "TaintManagerEviction", f"Cancelling deletion of Pod {key}")
            return DONE
        now = self.context.clock.now()
        leave = leave_in_s(pod, taints, self.since.setdefault(key, now), now)
        if leave == inf:
            self.since.pop(key, None)
            return DONE
        if leave > 0:
            return Result(leave)
        self.since.pop(key, None)
        outcomes = await actions.apply(evict(pod, now), self.context.api.bulk, self.context.recorder)
        actions.raise_first(outcomes[-1:], harmless=("NotFound", "Conflict"))
        return DONE

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
            return (key_of(old),) if key_of(old) in self.since else ()
        if not new.spec.nodeName or (old is not None and old.spec == new.spec):
            return ()
        node = self.nodes.get(new.spec.nodeName)
        return (key_of(new),) if node is not None and no_execute(node) else ()


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    return Controller(
        NAME, context.queue(NAME), reconciler.reconcile, (Source(NODES, reconciler.node_changed), Source(PODS, reconciler.pod_changed))
    )
