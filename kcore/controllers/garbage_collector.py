"""Garbage collector: what has no owner left goes, and owners wait for what they have to wait for.

`plan` decides about one object from what is known of its owners:

    some owner stands                         references to owners that went, or that wait for this object, are removed
    none stands, some waits for dependents    the object is deleted in foreground if it has dependents itself
    all went                                  the object is deleted as its own finalizers say, in background by default

An object that waits for its dependents (foreground) is released when none of them blocks it; one that orphans them is released when their
references to it are gone.

Source: Kubernetes `pkg/controller/garbagecollector/garbagecollector.go`. Differs from upstream: an owner whose deletion is not seen yet
counts as standing without being asked for, since its going is a change that brings the object back; only owners that were never seen are
asked of the API server. Writes carry the resourceVersion that was seen, so that one based on an old view is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from kcore.api.meta.v1 import meta_pb2
from kcore.base import limits
from kcore.base.features import NO_FEATURES, Features
from kcore.client import kinds
from kcore.client.correlator import Regarding
from kcore.client.kinds import Resource
from kcore.controllers import actions, live
from kcore.controllers.actions import Action, Delete, Event, Patch
from kcore.controllers.adoption import reference_value
from kcore.controllers.controller import Changed, Context, Controller, Result, Source
from kcore.controllers.owner_graph import Identity, Node, OwnerGraph, Reference, Report, Seen
from kcore.controllers.resources import with_calls
from kcore.machinery.gvk import split_api_version
from kcore.machinery.meta import FINALIZER_FOREGROUND, FINALIZER_ORPHAN

STANDS: Final = "stands"
WAITS: Final = "waits for dependents"
WENT: Final = "went"

_IGNORED: Final = frozenset((("", "events"), ("events.k8s.io", "events")))
"""Resources that own nothing and are owned by nothing, and change all the time."""


def plan(resource: Resource, node: Node, states: Mapping[Reference, str]) -> list[Action]:
    """Decide about an object that has owners.

    states  of each owner
    """
    lost = [owner for owner in node.owners if states[owner] == WENT]
    waiting = [owner for owner in node.owners if states[owner] == WAITS]
    if not node.owners or (not lost and not waiting):
        return []
    if len(lost) + len(waiting) < len(node.owners):
        return [without_owners(resource, node, {owner.uid for owner in (*lost, *waiting)})]
    if waiting and node.dependents:
        if any(dependent.is_waiting for dependent in node.dependents.values()):
            return [unblocked(resource, node), delete(resource, node, "Foreground", at_revision=False)]
        return [delete(resource, node, "Foreground")]
    return [delete(resource, node, propagation_of(node))]


def propagation_of(node: Node) -> str:
    """Return what is to become of the dependents of an object, by its finalizers."""
    finalizers = node.seen.finalizers if node.seen is not None else ()
    if FINALIZER_ORPHAN in finalizers:
        return "Orphan"
    return "Foreground" if FINALIZER_FOREGROUND in finalizers else "Background"


def delete(resource: Resource, node: Node, policy: str, *, at_revision: bool = True) -> Delete:
    """Delete an object, if it has not changed since it was seen."""
    identity = node.identity
    revision = node.seen.resource_version if at_revision and node.seen is not None else ""
    return Delete(resource, identity.namespace, identity.name, identity.uid, revision, policy)


def without_owners(resource: Resource, node: Node, uids: Iterable[str]) -> Patch:
    """Remove references to owners."""
    dropped = set(uids)
    kept = [reference for reference in references_in(node) if reference["uid"] not in dropped]
    return _patch(resource, node, {"ownerReferences": kept or None})


def unblocked(resource: Resource, node: Node) -> Patch:
    """Let references hold up nobody's deletion: in a circle everybody would wait for ever."""
    references = references_in(node)
    for reference in references:
        reference["blockOwnerDeletion"] = False
    return _patch(resource, node, {"ownerReferences": references})


def without_finalizer(resource: Resource, node: Node, finalizer: str) -> Patch:
    """Remove a finalizer."""
    kept = [name for name in _seen(node).finalizers if name != finalizer]
    return _patch(resource, node, {"finalizers": kept or None})


def _patch(resource: Resource, node: Node, change: dict[str, Any]) -> Patch:
    """Change an object's metadata, if it has not changed since it was seen."""
    identity = node.identity
    body = {"metadata": {"uid": identity.uid, "resourceVersion": _seen(node).resource_version, **change}}
    return Patch(resource, identity.namespace, identity.name, body)


def references_in(node: Node) -> list[dict[str, Any]]:
    """Return the owner references of an object in JSON form."""
    return [reference_value(meta_pb2.OwnerReference.FromString(raw)) for raw in _seen(node).references]


def _seen(node: Node) -> Seen:
    assert node.seen is not None, f"{node} was not seen"
    return node.seen


def invalid_namespace(report: Report) -> Event:
    """Tell of a reference to an owner in another namespace, which can only be meant wrong."""
    dependent, owner = report
    regarding = Regarding(dependent.api_version, dependent.kind, dependent.namespace, dependent.name, dependent.uid, "")
    reference = f"[{owner.api_version}/{owner.kind}, namespace: {dependent.namespace}, name: {owner.name}, uid: {owner.uid}]"
    message = f'ownerRef {reference} does not exist in namespace "{dependent.namespace}"'
    return Event(regarding, actions.WARNING, "OwnerRefInvalidNamespace", message)


def watched(features: Features = NO_FEATURES) -> list[Resource]:
    """Return the resources that own or are owned."""
    return [found for found in with_calls("list", "watch", "delete", features=features) if (found.group, found.resource) not in _IGNORED]


def resource_of(identity: Identity) -> Resource | None:
    """Return the resource in which an object would be; None if its kind does not exist."""
    try:
        group, version = split_api_version(identity.api_version)
        return kinds.of_kind(group, version, identity.kind)
    except (LookupError, ValueError):
        return None


class Reconciler:
    """Keeps the graph and carries plans out. Keys are uids."""

    def __init__(self, context: Context) -> None:
        self.graph = OwnerGraph()
        self.queue = context.queue("garbage-collector")
        self._context = context

    def changed(self, resource: Resource) -> Changed:
        """Return what takes in the changes of a resource."""
        graph, api_version, kind = self.graph, resource.api_version, resource.kind

        def changed(old: Any, new: Any) -> Iterable[str]:
            if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
                graph.gone(old.metadata.uid)
            if new is not None:
                graph.observe(api_version, kind, new.metadata)
            if graph.reports:
                self._report()
            return graph.take_looks() if graph.looks else ()

        return changed

    async def reconcile(self, key: str) -> Result | None:
        """Look at an object."""
        node = self.graph.nodes.get(key)
        if node is None:
            return None
        resource = resource_of(node.identity)
        if resource is None:
            return None
        if not node.is_observed:
            return await self._verify(node.identity, resource)
        if node.is_orphaning:
            await self._orphan(node, resource)
        elif node.is_waiting:
            await self._release(node, resource)
        elif not node.is_deleting and node.owners:
            await self._collect(node, resource)
        return None

    async def _verify(self, identity: Identity, resource: Resource) -> Result | None:
        """Ask whether a virtual owner exists; one that does will be seen soon."""
        if await self._is_there(identity, resource):
            return Result(requeue_after_s=limits.UNSEEN_OWNER_PAUSE_S)
        self.graph.absent(identity)
        self._enqueue()
        return None

    async def _is_there(self, identity: Identity, resource: Resource) -> bool:
        namespace = identity.namespace if resource.namespaced else ""
        if resource.namespaced and not namespace:
            return True
        found = await live.find(self._context.api, resource, namespace, identity.name, metadata_only=True)
        return found is not None and found.metadata.uid == identity.uid

    async def _orphan(self, node: Node, resource: Resource) -> None:
        """Remove the references of dependents to an object, then its finalizer."""
        wanted = [
            without_owners(found, dependent, {node.identity.uid})
            for dependent in list(node.dependents.values())
            if dependent.is_observed and (found := resource_of(dependent.identity)) is not None
        ]
        await self._apply(wanted)
        await self._apply([without_finalizer(resource, node, FINALIZER_ORPHAN)])

    async def _release(self, node: Node, resource: Resource) -> None:
        """Let an object go that waited for its dependents, or look at those that hold it up."""
        blocking = node.blocking
        if not blocking:
            await self._apply([without_finalizer(resource, node, FINALIZER_FOREGROUND)])
            return
        for dependent in blocking:
            if not dependent.is_waiting:
                self.graph.looks[dependent.identity.uid] = None
        self._enqueue()

    async def _collect(self, node: Node, resource: Resource) -> None:
        """Delete an object whose owners went, or remove references to those that did."""
        states = {}
        for owner in node.owners:
            state = await self._state(node, owner)
            if state is None:
                return
            states[owner] = state
        if self.graph.nodes.get(node.identity.uid) is node and tuple(states) == node.owners:
            await self._apply(plan(resource, node, states))

    async def _state(self, node: Node, owner: Reference) -> str | None:
        """Return the state of an owner; None if that cannot be known (its kind does not exist, or cannot be referred to from here)."""
        wanted = owner.in_namespace(node.identity.namespace)
        known = self.graph.nodes.get(owner.uid)
        resource = resource_of(wanted)
        if resource is None or (resource.namespaced and not node.identity.namespace):
            return None
        if not resource.namespaced:
            wanted = wanted._replace(namespace="")
        if known is not None and known.is_observed and known.identity == wanted:
            return WAITS if known.is_waiting else STANDS
        if self.graph.is_absent(wanted):
            return WENT
        if await self._is_there(wanted, resource):
            return STANDS
        self.graph.note_absent(wanted)
        return WENT

    async def _apply(self, wanted: Sequence[Action]) -> None:
        outcomes = await actions.apply(wanted, self._context.api.bulk, self._context.recorder)
        actions.raise_first(outcomes, harmless=("NotFound",))

    def _enqueue(self) -> None:
        for uid in self.graph.take_looks():
            self.queue.add(uid)

    def _report(self) -> None:
        for report in self.graph.take_reports():
            event = invalid_namespace(report)
            self._context.recorder.event(event.regarding, event.type, event.reason, event.message)


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = tuple(Source(resource, reconciler.changed(resource), metadata_only=True) for resource in watched(context.settings.features))
    return Controller(
        reconciler.queue.name, reconciler.queue, reconciler.reconcile, sources, workers=limits.GARBAGE_COLLECTOR_WORKERS
    )
