"""An API server in a few hundred lines of memory: what unit tests of controllers, nodes and the scheduler talk to.

It keeps objects with resourceVersions and a history, and answers as the real one does where clients depend on it: optimistic concurrency,
generateName, status apart from the rest, generation, graceful deletion of pods, finalizers, selectors, watches that resume or are too old,
bindings, scale. It does not default, validate, admit or authorize: tests that need these use the real one (`kcore.testing.Cluster`).

Deterministic: time and chance are handed in.
"""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from kcore.api.meta.v1 import meta_pb2
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.client import wire
from kcore.client.kinds import Resource
from kcore.client.wire import ADDED, DELETED, INITIAL_EVENTS_END, MODIFIED
from kcore.machinery import codec, fields, labels, status
from kcore.machinery.kinds import rules_of
from kcore.machinery.patch import merge_patch, strategic

Message = Any
_PATCHES: dict[str, Callable[[Any, Any, str], Any]] = {
    "application/merge-patch+json": lambda before, patch, _: merge_patch.merge(before, patch),
    "application/strategic-merge-patch+json": strategic.merge,
}
_HELD_BY = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}


class Mutation(NamedTuple):
    """A committed change. `old` is the object before it, `new` the one after; a deletion's `new` has the deletion's resourceVersion."""

    revision: int
    resource: Resource
    key: str
    type: str
    old: Message | None
    new: Message


@dataclass(frozen=True, slots=True)
class Selection:
    """What a list or a watch asks for."""

    namespace: str
    labels: labels.Selector
    fields: fields.FieldSelector

    @classmethod
    def of(cls, request: Any) -> Selection:
        """Read the selection of a request that has one."""
        return cls(request.namespace, labels.parse(request.label_selector), fields.parse(request.field_selector))

    def matches(self, object_: Message | None) -> bool:
        """Tell whether an object is selected."""
        if object_ is None or (self.namespace and object_.metadata.namespace != self.namespace):
            return False
        if not self.labels.matches(object_.metadata.labels):
            return False
        return self.fields.matches({term.field: _field(object_, term.field) for term in self.fields.terms})


class FakeServer:
    """The state of a cluster. Every method is synchronous; what it returns is the caller's to keep."""

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self.revision = 0
        self.compact_revision = 0
        self.history: list[Mutation] = []
        self._clock = clock
        self._entropy = entropy
        self._objects: dict[Resource, dict[str, Message]] = {}
        self._listeners: list[Callable[[list[Mutation]], None]] = []
        self._batch: list[Mutation] = []
        self._depth = 0

    def subscribe(self, listener: Callable[[list[Mutation]], None]) -> None:
        """Hand each commit's mutations to a listener."""
        self._listeners.append(listener)

    def compact(self) -> None:
        """Forget the history: watches from older revisions are refused."""
        self.compact_revision = self.revision
        self.history.clear()

    def commit(self, change: Callable[[], Any]) -> Any:
        """Carry changes out as one commit, which listeners see as one."""
        self._depth += 1
        try:
            return change()
        finally:
            self._depth -= 1
            if self._depth == 0 and self._batch:
                batch, self._batch = self._batch, []
                for listener in self._listeners:
                    listener(batch)

    def get(self, resource: Resource, key: str) -> Message:
        """Return an object; NotFound if there is none."""
        found = self._objects.get(resource, {}).get(key)
        if found is None:
            raise status.not_found(resource.resource, resource.group, wire.split_key(key)[1])
        return _copy(found)

    def list(self, resource: Resource, selection: Selection) -> list[Message]:
        """Return the objects that are selected, in key order."""
        return [_copy(found) for _, found in sorted(self._objects.get(resource, {}).items()) if selection.matches(found)]

    def since(self, revision: int) -> Iterator[Mutation]:
        """Return the mutations after a revision; Expired if they are gone."""
        if revision < self.compact_revision:
            raise status.too_old_resource_version(revision, self.compact_revision)
        return (mutation for mutation in self.history if mutation.revision > revision)

    def create(self, resource: Resource, object_: Message, namespace: str = "", name: str = "") -> Message:
        """Create an object."""
        new = _copy(object_)
        meta = new.metadata
        meta.name = meta.name or name or (meta.generateName + self._entropy.name_suffix())
        if resource.namespaced:
            meta.namespace = meta.namespace or namespace
        key = wire.join_key(meta.namespace, meta.name)
        if key in self._objects.get(resource, {}):
            raise status.already_exists(resource.resource, resource.group, meta.name)
        meta.uid = self._entropy.uid()
        meta.creationTimestamp.seconds = int(self._clock.now())
        meta.generation = 1
        if resource.resource == "pods" and not new.status.phase:
            new.status.phase = "Pending"
        return self._put(resource, key, None, new)

    def update(self, resource: Resource, object_: Message, subresource: str = "") -> Message:
        """Replace an object (but for its status), its status, or another half that a subresource names."""
        meta = object_.metadata
        key = wire.join_key(meta.namespace, meta.name)
        old = self.get(resource, key)
        self._check_unchanged(resource, old, meta.resourceVersion, meta.uid)
        new = _copy(old) if subresource else _copy(object_)
        if subresource in ("status", "finalize", "resize", "ephemeralcontainers", "approval"):
            half = "status" if subresource in ("status", "approval") else "spec"
            if subresource == "status" and resource.resource == "nodes":
                new.metadata.annotations.update(object_.metadata.annotations)
            getattr(new, half).CopyFrom(getattr(object_, half))
        else:
            _keep_what_the_server_owns(old, new)
        if hasattr(new, "spec") and new.spec != old.spec:
            new.metadata.generation = old.metadata.generation + 1
        if new == old:
            return old
        return self._put_or_finish(resource, key, old, new)

    def patch(self, resource: Resource, request: meta_pb2.PatchRequest) -> Message:
        """Apply a JSON merge patch, or a strategic one."""
        if request.content_type not in _PATCHES:
            raise status.unsupported_media_type([*_PATCHES])
        old = self.get(resource, wire.join_key(request.namespace, request.name))
        spec = resource.spec
        before = codec.decode(spec.message, old.SerializeToString(), spec.api_version, spec.kind)
        after = _PATCHES[request.content_type](before, json.loads(request.patch), spec.message)
        return self.update(resource, resource.message.FromString(codec.encode(spec.message, after)), request.subresource)

    def delete(self, resource: Resource, namespace: str, name: str, options: meta_pb2.DeleteOptions) -> Message:
        """Delete an object, or mark it as deleted while a grace period or finalizers hold it."""
        key = wire.join_key(namespace, name)
        old = self.get(resource, key)
        self._check_unchanged(resource, old, options.preconditions.resourceVersion, options.preconditions.uid)
        new = _copy(old)
        meta = new.metadata
        grace_s = _grace_s(resource, old, options)
        held_by = _HELD_BY.get(options.propagationPolicy or _default_policy(resource, meta.finalizers))
        if held_by and held_by not in meta.finalizers:
            meta.finalizers.append(held_by)
        if not meta.HasField("deletionTimestamp") or grace_s < meta.deletionGracePeriodSeconds:
            meta.deletionTimestamp.seconds = int(self._clock.now()) + grace_s
            meta.deletionGracePeriodSeconds = grace_s
        if new == old:
            return old
        if resource.resource == "pods" and meta.deletionGracePeriodSeconds == 0:
            old = self._put(resource, key, old, _copy(new))  # what is at its end is seen once more before it is gone
        return self._put_or_finish(resource, key, old, new)

    def delete_collection(self, resource: Resource, selection: Selection, options: meta_pb2.DeleteOptions) -> builtins.list[Message]:
        """Delete all that are selected."""
        return [
            self.delete(resource, found.metadata.namespace, found.metadata.name, options) for found in self.list(resource, selection)
        ]

    def bind(self, resource: Resource, namespace: str, name: str, binding: Message) -> None:
        """Assign a pod to a node; Conflict if it is assigned already."""
        key = wire.join_key(namespace, name)
        old = self.get(resource, key)
        self._check_unchanged(resource, old, "", binding.metadata.uid)
        if old.spec.nodeName:
            raise status.conflict("pods/binding", "", name, f"pod {name} is already assigned to node {old.spec.nodeName!r}")
        new = _copy(old)
        new.spec.nodeName = binding.target.name
        new.status.conditions.add(type="PodScheduled", status="True").lastTransitionTime.seconds = int(self._clock.now())
        self._put(resource, key, old, new)

    def scale(self, resource: Resource, namespace: str, name: str) -> Message:
        """Return the Scale of an object."""
        found = self.get(resource, wire.join_key(namespace, name))
        scale = resource.body("scale")()
        scale.metadata.name, scale.metadata.namespace = name, namespace
        scale.metadata.uid, scale.metadata.resourceVersion = found.metadata.uid, found.metadata.resourceVersion
        scale.spec.replicas, scale.status.replicas = found.spec.replicas, found.status.replicas
        return scale

    def update_scale(self, resource: Resource, namespace: str, name: str, scale: Message) -> Message:
        """Set the replicas of an object."""
        found = self.get(resource, wire.join_key(namespace, name))
        found.metadata.resourceVersion = scale.metadata.resourceVersion
        found.spec.replicas = scale.spec.replicas
        self.update(resource, found)
        return self.scale(resource, namespace, name)

    def bookmark(self, resource: Resource, ends_initial_events: bool = False) -> bytes:
        """Return an object that says nothing but the revision reached."""
        empty = resource.message()
        empty.metadata.resourceVersion = str(self.revision)
        if ends_initial_events:
            empty.metadata.annotations[INITIAL_EVENTS_END] = "true"
        encoded: bytes = empty.SerializeToString()
        return encoded

    def _check_unchanged(self, resource: Resource, old: Message, resource_version: str, uid: str) -> None:
        meta = old.metadata
        if uid and uid != meta.uid:
            raise status.precondition_failed(resource.resource, resource.group, meta.name, "UID", uid, meta.uid)
        if resource_version and resource_version != meta.resourceVersion:
            raise status.conflict(resource.resource, resource.group, meta.name)

    def _put_or_finish(self, resource: Resource, key: str, old: Message, new: Message) -> Message:
        """Store an object, or remove it if it is deleted and nothing holds it."""
        meta = new.metadata
        if meta.HasField("deletionTimestamp") and not meta.finalizers and meta.deletionGracePeriodSeconds == 0:
            if not (resource.resource == "namespaces" and new.spec.finalizers):
                return self._remove(resource, key, old, new)
        return self._put(resource, key, old, new)

    def _put(self, resource: Resource, key: str, old: Message | None, new: Message) -> Message:
        self._record(resource, key, ADDED if old is None else MODIFIED, old, new)
        self._objects.setdefault(resource, {})[key] = new
        return _copy(new)

    def _remove(self, resource: Resource, key: str, old: Message, new: Message) -> Message:
        self._record(resource, key, DELETED, old, new)
        del self._objects[resource][key]
        return _copy(new)

    def _record(self, resource: Resource, key: str, type_: str, old: Message | None, new: Message) -> None:
        self.revision += 1
        new.metadata.resourceVersion = str(self.revision)
        mutation = Mutation(self.revision, resource, key, type_, old, new)
        self.history.append(mutation)
        self.commit(lambda: self._batch.append(mutation))


def watch_event(mutation: Mutation, selection: Selection) -> tuple[str, bytes] | None:
    """Return what a watcher sees of a mutation: objects that start or stop being selected come and go."""
    was = selection.matches(mutation.old)
    is_ = mutation.type != DELETED and selection.matches(mutation.new)
    if is_:
        return (MODIFIED if was else ADDED), mutation.new.SerializeToString()
    if not was:
        return None
    gone = mutation.new if mutation.type == DELETED else _copy(mutation.old)
    gone.metadata.resourceVersion = str(mutation.revision)
    return DELETED, gone.SerializeToString()


def _copy(message: Message) -> Message:
    copied = type(message)()
    copied.CopyFrom(message)
    return copied


def _keep_what_the_server_owns(old: Message, new: Message) -> None:
    for name in ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "resourceVersion"):
        new.metadata.ClearField(name)
        if old.metadata.HasField(name):
            value = getattr(old.metadata, name)
            if hasattr(value, "CopyFrom"):
                getattr(new.metadata, name).CopyFrom(value)
            else:
                setattr(new.metadata, name, value)
    if "status" in new.DESCRIPTOR.fields_by_name:
        new.ClearField("status")
        if old.HasField("status"):
            new.status.CopyFrom(old.status)


def _default_policy(resource: Resource, finalizers: Iterable[str]) -> str:
    spec = resource.spec
    orphans = rules_of(spec.group, spec.kind, spec.message).orphans and not set(finalizers).intersection(_HELD_BY.values())
    return "Orphan" if orphans else ""


def _grace_s(resource: Resource, pod: Message, options: meta_pb2.DeleteOptions) -> int:
    """A pod on a node that has not ended gets time to stop; all else goes at once."""
    if resource.resource != "pods" or not pod.spec.nodeName or pod.status.phase in ("Succeeded", "Failed"):
        return 0
    if options.HasField("gracePeriodSeconds"):
        return options.gracePeriodSeconds
    return pod.spec.terminationGracePeriodSeconds if pod.spec.HasField("terminationGracePeriodSeconds") else 30


def _field(object_: Message, path: str) -> str:
    value = object_
    for name in path.split("."):
        value = getattr(value, name)
    return str(value).lower() if isinstance(value, bool) else str(value)
