"""Who controls whom: by uid, and at most one. Orphans that match are adopted, own objects that match no more are released.

Candidates come from two indexes, so that nobody looks through all objects of a namespace:

    CONTROLLER   uid of the controller -> its objects
    ORPHAN       `namespace/key=value` of each label, and `namespace/` -> objects without controller

A selector that demands some label exactly looks under that label; one that does not (expressions only) looks at all orphans of the
namespace. The index of the other direction, from an orphan to those whose selector may match, is SELECTOR with the same keys.

Source: Kubernetes `pkg/controller/controller_ref_manager.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from kcore.api.meta.v1 import meta_pb2
from kcore.base import limits
from kcore.client.informer import OWNERS
from kcore.client.kinds import Resource
from kcore.controllers.actions import Patch
from kcore.controllers.ports import Informer, Lister
from kcore.machinery import labels
from kcore.machinery.labels import Selector

CONTROLLER: Final = "controller"
ORPHAN: Final = "orphan"
DELETING: Final = "metadata.deletionTimestamp@present"
OWNERSHIP: Final = ("metadata.labels", OWNERS)
"""What decides to whom an object belongs, as paths of a projection."""

SELECTOR: Final = "selector"


class Traits:
    """What decides to whom an object belongs, read of its message once."""

    __slots__ = ("_keys", "controller", "is_deleting", "labels", "object", "owner")

    def __init__(self, object_: Any) -> None:
        self.object = object_
        metadata = object_.metadata
        self.controller = controller_of(object_)
        self.owner: str = "" if self.controller is None else self.controller.uid
        self.is_deleting: bool = metadata.HasField("deletionTimestamp")
        found = metadata.labels
        self.labels: dict[str, str] = {key: found[key] for key in found}
        self._keys: list[str] | None = None

    @property
    def keys(self) -> list[str]:
        """Under which selectors that match look: its namespace, then that with each label."""
        found = self._keys
        if found is None:
            namespace = self.object.metadata.namespace
            found = self._keys = [f"{namespace}/", *[f"{namespace}/{key}={value}" for key, value in self.labels.items()]]
        return found

    def is_free_as(self, other: Traits) -> bool:
        """Tell whether both are of an orphan with the same labels, so that nobody else may adopt it now."""
        return self.controller is None and other.controller is None and self.labels == other.labels


class Recent(NamedTuple):
    """The objects that were asked about last: a change is told to many in a row, with the object before and after it."""

    one: Traits
    other: Traits


class Claim(NamedTuple):
    """What becomes of candidates.

    owned    objects that the owner controls already and keeps
    adopt    orphans that it takes, if it may
    release  own objects that its selector does not match any more
    """

    owned: list[Any]
    adopt: list[Any]
    release: list[Any]


def claim(owner: Any, selector: Selector, candidates: Iterable[Any]) -> Claim:
    """Sort candidates into owned, to be adopted, and to be released; others are left out.

    An owner that is being deleted neither adopts nor releases; an orphan that is being deleted is left alone.
    """
    uid, deleting = owner.metadata.uid, is_deleting(owner)
    found = Claim([], [], [])
    for candidate in candidates:
        reference = controller_of(candidate)
        matches = selector.matches(candidate.metadata.labels)
        if reference is not None:
            if reference.uid != uid:
                continue
            if matches:
                found.owned.append(candidate)
            elif not deleting:
                found.release.append(candidate)
        elif matches and not deleting and not is_deleting(candidate):
            found.adopt.append(candidate)
    return found


def adoption(resource: Resource, object_: Any, owner: Any, owner_resource: Resource) -> Patch:
    """Make an owner the controller of an orphan, if that has not changed meanwhile."""
    kept = map(reference_value, object_.metadata.ownerReferences)
    return owners_patch(resource, object_, [*kept, controller_value(owner, owner_resource)])


def release(resource: Resource, object_: Any, owner: Any) -> Patch:
    """Take the owner's reference from an object, if that has not changed meanwhile."""
    kept = [reference_value(reference) for reference in object_.metadata.ownerReferences if reference.uid != owner.metadata.uid]
    return owners_patch(resource, object_, kept)


def owners_patch(resource: Resource, object_: Any, references: Sequence[dict[str, Any]], **metadata: Any) -> Patch:
    """Replace the owner references of an object, if it has not changed meanwhile."""
    meta = object_.metadata
    body = {"uid": meta.uid, "resourceVersion": meta.resourceVersion, "ownerReferences": list(references) or None, **metadata}
    return Patch(resource, meta.namespace, meta.name, {"metadata": body})


def reference_value(reference: Any) -> dict[str, Any]:
    """Write an owner reference in JSON form."""
    value: dict[str, Any] = {
        "apiVersion": reference.apiVersion,
        "kind": reference.kind,
        "name": reference.name,
        "uid": reference.uid,
    }
    for flag in ("controller", "blockOwnerDeletion"):
        if reference.HasField(flag):
            value[flag] = getattr(reference, flag)
    return value


def controller_value(owner: Any, owner_resource: Resource) -> dict[str, Any]:
    """Write the reference to a controller in JSON form."""
    return {
        "apiVersion": owner_resource.api_version,
        "kind": owner_resource.kind,
        "name": owner.metadata.name,
        "uid": owner.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def set_controller(object_: Any, owner: Any, owner_resource: Resource) -> None:
    """Give a new object its controller."""
    object_.metadata.ownerReferences.add(**controller_value(owner, owner_resource))


def controller_of(object_: Any) -> Any | None:
    """Return the owner reference that is marked as the controller."""
    for reference in object_.metadata.ownerReferences:
        if reference.controller:
            return reference
    return None


def is_deleting(object_: Any) -> bool:
    """Tell whether an object is on its way out."""
    deleting: bool = object_.metadata.HasField("deletionTimestamp")
    return deleting


def selector_of(selector: Any) -> Selector:
    """Return the selector that a LabelSelector message means, or a map of labels (that of a ReplicationController)."""
    message = selector if hasattr(selector, "matchLabels") else meta_pb2.LabelSelector(matchLabels=dict(selector))
    return _selector(message.SerializeToString(deterministic=True))


@lru_cache(maxsize=limits.SELECTORS_CACHED_MAX)
def _selector(raw: bytes) -> Selector:
    message = meta_pb2.LabelSelector.FromString(raw)
    expressions = [
        {"key": expression.key, "operator": expression.operator, "values": list(expression.values)}
        for expression in message.matchExpressions
    ]
    return labels.from_message({"matchLabels": dict(message.matchLabels), "matchExpressions": expressions})


def by_controller(object_: Any) -> Iterable[str]:
    """Index values: the uid of the controller."""
    reference = traits_of(object_).controller
    return () if reference is None else (reference.uid,)


def by_orphan_label(object_: Any) -> Iterable[str]:
    """Index values of an object without controller: its namespace with each label, and its namespace."""
    return () if traits_of(object_).controller is not None else label_keys(object_)


def by_selector(object_: Any) -> Iterable[str]:
    """Index value of an object with `spec.selector`: where it looks for orphans."""
    return (selector_key(object_.metadata.namespace, selector_of(object_.spec.selector)),)


def label_keys(object_: Any) -> list[str]:
    """Return the keys under which selectors that match a received object look: its namespace, then that with each label."""
    return traits_of(object_).keys


def labels_of(object_: Any) -> dict[str, str]:
    """Return the labels of a received object as a dict."""
    return traits_of(object_).labels


def traits_of(object_: Any) -> Traits:
    """Return what was read of an object that was received, and therefore never changes."""
    global _recent
    if _recent.one.object is object_:
        return _recent.one
    if _recent.other.object is object_:
        return _recent.other
    found = Traits(object_)
    _recent = Recent(found, _recent.one)
    return found


def selector_key(namespace: str, selector: Selector) -> str:
    """Return the one key under which a selector looks: its first exact label, or all of the namespace."""
    for key, value in sorted(selector.equalities().items()):
        return f"{namespace}/{key}={value}"
    return f"{namespace}/"


def index_owned(informer: Informer[Any]) -> None:
    """Add the indexes that `candidates` asks."""
    informer.add_index(CONTROLLER, by_controller, (OWNERS,))
    informer.add_index(ORPHAN, by_orphan_label, OWNERSHIP)


def index_selectors(informer: Informer[Any]) -> None:
    """Add the index that `matching` asks."""
    informer.add_index(SELECTOR, by_selector)


def candidates(lister: Lister[Any], owner: Any, selector: Selector) -> list[Any]:
    """Return what an owner may claim: its objects, and the orphans that may match."""
    own = lister.by_index(CONTROLLER, owner.metadata.uid)
    return own + lister.by_index(ORPHAN, selector_key(owner.metadata.namespace, selector))


def matching(lister: Lister[Any], orphan: Any) -> list[Any]:
    """Return those whose `spec.selector` matches an orphan of their namespace."""
    return [owner for owner in lister.by_any(SELECTOR, label_keys(orphan)) if selector_of(owner.spec.selector).matches(labels_of(orphan))]


def resolve(lister: Lister[Any], object_: Any, kind: str) -> Any | None:
    """Return the controller of an object, if that is of the kind and the very one (by uid) that the lister knows."""
    reference = traits_of(object_).controller
    if reference is None or reference.kind != kind:
        return None
    owner = lister.get(reference.name, namespace=object_.metadata.namespace)
    return owner if owner is not None and owner.metadata.uid == reference.uid else None


_recent = Recent(Traits(meta_pb2.PartialObjectMetadata()), Traits(meta_pb2.PartialObjectMetadata()))
