"""Protection of pod groups that are in use: the finalizer of one that is to go is taken away when no pod names it that has not finished.

Source: Kubernetes `pkg/controller/scheduling/podgroupprotection`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from kcore.base import limits
from kcore.client import kinds
from kcore.client.wire import join_key, split_key
from kcore.controllers.actions import Action, Update
from kcore.controllers.adoption import is_deleting
from kcore.controllers.controller import Context, Controller, Source, own_keys
from kcore.controllers.pod_state import is_finished
from kcore.controllers.volume_protection import carry_out

NAME: Final = "podgroup-protection"
GROUPS: Final = kinds.resource("scheduling.k8s.io", "v1beta1", "podgroups")
PODS: Final = kinds.resource("", "v1", "pods")
FINALIZER: Final = "scheduling.k8s.io/podgroup-protection"
BY_GROUP: Final = "pod group"


def plan(group: Any, is_needed: bool) -> list[Action]:
    """Take the finalizer from a group that is to go and that nothing needs."""
    if is_needed or not is_deleting(group) or FINALIZER not in group.metadata.finalizers:
        return []
    changed = type(group)()
    changed.CopyFrom(group)
    changed.metadata.finalizers.remove(FINALIZER)
    return [Update(changed)]


def group_of(pod: Any) -> list[str]:
    """The key of the group that a pod names, as long as the pod has not finished."""
    name = pod.spec.schedulingGroup.podGroupName
    return [join_key(pod.metadata.namespace, name)] if name and not is_finished(pod) else []


def pod_went(old: Any, new: Any) -> Iterable[str]:
    """Look at the group of a pod that is gone or has finished."""
    return group_of(old) if old is not None and (new is None or is_finished(new)) else ()


class Groups:
    """Looks at groups."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.groups = context.informer(GROUPS).lister
        pods = context.informer(PODS)
        pods.add_index(BY_GROUP, group_of, ("status.phase",))
        self.pods = pods.lister

    async def reconcile(self, key: str) -> None:
        """Look at a group."""
        namespace, name = split_key(key)
        group = self.groups.get(name, namespace=namespace)
        if group is not None:
            await carry_out(self.context, plan(group, any(True for _ in self.pods.by_index(BY_GROUP, key))))


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Groups(context)
    sources = (
        Source(GROUPS, own_keys, reads=("metadata.deletionTimestamp", "metadata.finalizers"), gather_s=limits.STALE_VIEW_PAUSE_S),
        Source(PODS, pod_went, reads=("status.phase",)),
    )
    return Controller(NAME, context.queue(NAME), reconciler.reconcile, sources)
