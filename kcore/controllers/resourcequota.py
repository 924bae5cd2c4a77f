"""ResourceQuotas: what their namespace uses, counted again when it may be less than was charged.

Admission charges what comes; what goes, ends or shrinks, and a quota that is new or changed, are for this controller. It counts at the API
server, not in listers: whatever is created after the quota was read is charged to it, so that the status written here, which names the
version that was read, is refused and counted anew. Thus a count never undoes a charge.

Source: Kubernetes `pkg/controller/resourcequota`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from kcore.api.core.v1.resource_quota_pb2 import ResourceQuota
from kcore.base import limits
from kcore.client import kinds
from kcore.client.kinds import Resource
from kcore.client.wire import split_key
from kcore.controllers import actions, live
from kcore.controllers.actions import Action, UpdateStatus
from kcore.controllers.controller import Context, Controller, Result, Source, key_of
from kcore.controllers.pod_state import is_finished
from kcore.controllers.resources import with_calls
from kcore.machinery import codec
from kcore.machinery.kinds.requests import Amounts
from kcore.machinery.quantity import parse
from kcore.machinery.quota.charge import measured
from kcore.machinery.quota.usage import SPECIAL, evaluator

NAME: Final = "resourcequota"
QUOTAS: Final = kinds.resource("", "v1", "resourcequotas")
PODS: Final = kinds.resource("", "v1", "pods")
READS: Final = {
    "pods": ("status.phase", "spec.containers[]@raw"),
    "services": ("spec.type", "spec.ports[]@raw"),
    "persistentvolumeclaims": ("spec.resources@raw",),
}
"""What of objects that are more than counted decides how much they use."""


def plan(quota: Any, usage: Mapping[str, str]) -> list[Action]:
    """Decide what a quota's status must say.

    usage  of what the quota bounds, what is used; a name that nobody can count is missing
    """
    hard = {name: amount.string for name, amount in quota.spec.hard.items()}
    before = {name: amount.string for name, amount in quota.status.used.items()}
    used = {name: text for name, text in {**before, **usage}.items() if name in hard}
    if same(hard, {name: amount.string for name, amount in quota.status.hard.items()}) and same(used, before):
        return []
    updated = ResourceQuota()
    updated.CopyFrom(quota)
    for field, texts in ((updated.status.hard, hard), (updated.status.used, used)):
        field.clear()
        for name, text in texts.items():
            field[name].string = text
    return [UpdateStatus(updated)]


def same(left: Mapping[str, str], right: Mapping[str, str]) -> bool:
    """Tell whether two lists have the same amounts."""
    return left.keys() == right.keys() and all(parse(left[name]) == parse(right[name]) for name in left)


def bounds(quota: Any, resource: Resource) -> bool:
    """Tell whether a quota bounds what objects of a resource use."""
    return any(map(evaluator(resource.group, resource.resource).speaks_of, quota.spec.hard))


def as_dict(resource: Resource, object_: Any) -> dict[str, Any]:
    """An object in the form in which usage is measured."""
    api_version = f"{resource.group}/{resource.version}" if resource.group else resource.version
    return codec.decode(object_.DESCRIPTOR.full_name, object_.SerializeToString(), api_version, resource.kind)


class Reconciler:
    """Counts, and carries plans out."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._quotas = context.informer(QUOTAS).lister
        listed = with_calls("list", "watch", "delete", features=context.settings.features)
        self._resources = [found for found in listed if found.namespaced and found.resource != "events"]

    async def reconcile(self, key: str) -> Result | None:
        """Look at a quota."""
        namespace, name = split_key(key)
        quota = await live.find(self._context.api, QUOTAS, namespace, name) if self._quotas.get(name, namespace=namespace) else None
        if quota is None:
            return None
        outcomes = await actions.apply(plan(quota, await self._usage(quota)), self._context.api.bulk, self._context.recorder)
        actions.raise_first(outcomes, harmless=("NotFound",))
        return Result(limits.QUOTA_RESYNC_PERIOD_S)

    async def _usage(self, quota: Any) -> dict[str, str]:
        """Count what a quota bounds."""
        found: Amounts = {}
        bounding = as_dict(QUOTAS, quota)
        for resource in self._resources:
            if bounds(quota, resource):
                special = (resource.group, resource.resource) in SPECIAL
                calls = self._context.api.resource(resource)
                listed = await calls.list(namespace=quota.metadata.namespace, metadata_only=not special)
                objects = (as_dict(resource, item) if special else {} for item in listed.items)
                found |= measured(bounding, objects, evaluator(resource.group, resource.resource), self._context.clock.now())
        return {name: str(amount) for name, amount in found.items()}

    def changed(self, resource: Resource, old: Any, new: Any) -> Iterable[str]:
        """Look at the quotas that bound what went, or what may use less."""
        if old is None or (new is not None and resource.resource == "pods" and not uses_less(old, new)):
            return ()
        return [key_of(quota) for quota in self._quotas.list(namespace=old.metadata.namespace) if bounds(quota, resource)]

    def sources(self) -> Iterable[Source]:
        """Return what is watched: quotas, and all that they may bound."""
        yield Source(QUOTAS, quota_changed, reads=("spec@raw",))
        for resource in self._resources:
            changed = partial(self.changed, resource)
            if (resource.group, resource.resource) in SPECIAL:
                yield Source(resource, changed, reads=READS[resource.resource], gather_s=limits.QUOTA_GATHER_S)
            else:
                yield Source(resource, changed, metadata_only=True, reads=(), gather_s=limits.QUOTA_GATHER_S)


def uses_less(old: Any, new: Any) -> bool:
    """Tell whether a pod ended or was resized."""
    return is_finished(new) != is_finished(old) or new.spec.containers != old.spec.containers


def quota_changed(_old: Any, new: Any) -> Iterable[str]:
    """Look at a quota that is there."""
    return () if new is None else (key_of(new),)


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    return Controller(NAME, context.queue(NAME), reconciler.reconcile, tuple(reconciler.sources()))
