"""Empties namespaces that are being deleted: the acting half of ``namespace``, as a controller."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from kcore.base import limits
from kcore.base.features import NO_FEATURES, Features
from kcore.client.kinds import Resource
from kcore.controllers import actions, live, namespace
from kcore.controllers.actions import UpdateStatus
from kcore.controllers.adoption import is_deleting
from kcore.controllers.controller import Context, Controller, Result, Source, own_keys
from kcore.controllers.namespace import Remaining
from kcore.controllers.pod_state import seconds
from kcore.controllers.pod_writes import PODS
from kcore.controllers.resources import with_calls
from kcore.controllers.serviceaccount import NAMESPACES
from kcore.machinery import status
from kcore.machinery.status import StatusError

BACKGROUND: Final = "Background"
"""What becomes of dependents: they are in the namespace too, so that nobody is to be orphaned first."""


def deletable(features: Features = NO_FEATURES) -> list[Resource]:
    """Return the namespaced resources whose objects can be listed and deleted, pods first."""
    found = [resource for resource in with_calls("list", "delete", features=features) if resource.namespaced]
    return sorted(found, key=lambda resource: resource is not PODS)


class Reconciler:
    """Carries plans out."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._namespaces = context.informer(NAMESPACES).lister
        self._resources = deletable(context.settings.features)

    async def reconcile(self, key: str) -> Result | None:
        """Look at a namespace."""
        known = self._namespaces.get(key)
        if known is None or not is_deleting(known):
            return None
        found = await live.find(self._context.api, NAMESPACES, "", key)
        if found is None or not is_deleting(found) or namespace.FINALIZER not in found.spec.finalizers:
            return None
        planned = namespace.plan(found, await self._empty(found), self._context.clock.now())
        if planned.status is not None:
            outcomes = await actions.apply([UpdateStatus(planned.status)], self._context.api.bulk, self._context.recorder)
            actions.raise_first(outcomes, harmless=("NotFound",))
        if planned.finalize:
            await self._finalize(found)
        if planned.error:
            raise status.internal(planned.error)
        return Result(requeue_after_s=planned.requeue_after_s)

    def content_changed(self, old: Any, new: Any) -> Iterable[str]:
        """Look at a namespace that is being deleted when something in it went."""
        if new is not None or not old.metadata.namespace:
            return ()
        found = self._namespaces.get(old.metadata.namespace)
        return (old.metadata.namespace,) if found is not None and is_deleting(found) else ()

    def sources(self) -> Iterable[Source]:
        """Return what is watched: namespaces, and all that can be in them."""
        yield Source(NAMESPACES, own_keys)
        watchable = with_calls("watch", features=self._context.settings.features)
        for resource in self._resources:
            if resource in watchable and resource.resource != "events":
                yield Source(resource, self.content_changed, metadata_only=True, reads=())

    async def _empty(self, found: Any) -> list[Remaining]:
        """Delete all pods; when none is left, everything else. Returns what is left."""
        name = found.metadata.name
        deleted_for_s = self._context.clock.now() - seconds(found.metadata.deletionTimestamp)
        pods = await self._empty_resource(PODS, name, deleted_for_s)
        if pods.count:
            return [pods]
        slots = asyncio.Semaphore(limits.NAMESPACE_CALLS_MAX)

        async def empty(resource: Resource) -> Remaining:
            async with slots:
                return await self._empty_resource(resource, name, 0.0)

        rest = [resource for resource in self._resources if resource is not PODS]
        return [pods, *await asyncio.gather(*map(empty, rest))]

    async def _empty_resource(self, resource: Resource, name: str, deleted_for_s: float) -> Remaining:
        """Delete all objects of a resource in a namespace; an error is part of the answer."""
        gvr = (resource.group, resource.version, resource.resource)
        calls = self._context.api.resource(resource)
        graceful = resource is PODS
        try:
            present = (await calls.list(namespace=name, metadata_only=not graceful)).items
            if not present:
                return Remaining(*gvr)
            estimate_s = namespace.graceful_estimate_s(present, deleted_for_s) if graceful else 0
            await self._delete_all(calls, resource, name, present)
            present = (await calls.list(namespace=name, metadata_only=True)).items
        except StatusError as error:
            return Remaining(*gvr, error=error.message)
        return namespace.left_of(gvr, present, name, estimate_s, limits.NAMESPACE_FINALIZERS_ESTIMATE_S)

    async def _delete_all(self, calls: Any, resource: Resource, name: str, present: Iterable[Any]) -> None:
        """Delete as a collection, or one by one where the resource has no such call."""
        if "deletecollection" in resource.spec.verbs:
            await calls.delete_collection(namespace=name, propagation_policy=BACKGROUND)
            return
        deletes = [
            actions.Delete(resource, name, found.metadata.name, uid=found.metadata.uid, propagation_policy=BACKGROUND) for found in present
        ]
        outcomes = await actions.apply(deletes, self._context.api.bulk, self._context.recorder)
        actions.raise_first(outcomes, harmless=("NotFound", "Conflict"))

    async def _finalize(self, found: Any) -> None:
        """Take the finalizer from a namespace, as it is by now."""
        calls = self._context.api.resource(NAMESPACES)
        name = found.metadata.name
        newest = await live.find(self._context.api, NAMESPACES, "", name)
        if newest is None or newest.metadata.uid != found.metadata.uid:
            return
        try:
            await calls.write_subresource("finalize", name, namespace.finalized(newest))
        except StatusError as error:
            if error.reason != "NotFound":
                raise



def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    return Controller("namespace", context.queue("namespace"), reconciler.reconcile, tuple(reconciler.sources()))
