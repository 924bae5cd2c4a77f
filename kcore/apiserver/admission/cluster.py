"""The other objects that admission looks at, in their newest state, decoded once per revision; and what was looked up meanwhile."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple

from kcore.apiserver.authorization import Authorizer
from kcore.apiserver.objects import Stored, open_value
from kcore.base import limits
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.projection import Projection
from kcore.machinery.scheme import KindSpec, Scheme
from kcore.store.storage import Storage

Object = dict[str, Any]

NAMESPACE = GroupVersionKind("", "v1", "Namespace")
SERVICE_ACCOUNT = GroupVersionKind("", "v1", "ServiceAccount")
PRIORITY_CLASS = GroupVersionKind("scheduling.k8s.io", "v1", "PriorityClass")
NODE = GroupVersionKind("", "v1", "Node")
POD = GroupVersionKind("", "v1", "Pod")
LIMIT_RANGE = GroupVersionKind("", "v1", "LimitRange")
RESOURCE_QUOTA = GroupVersionKind("", "v1", "ResourceQuota")
STORAGE_CLASS = GroupVersionKind("storage.k8s.io", "v1", "StorageClass")
INGRESS_CLASS = GroupVersionKind("networking.k8s.io", "v1", "IngressClass")
RUNTIME_CLASS = GroupVersionKind("node.k8s.io", "v1", "RuntimeClass")
IP_ADDRESS = GroupVersionKind("networking.k8s.io", "v1", "IPAddress")
SERVICE_CIDR = GroupVersionKind("networking.k8s.io", "v1", "ServiceCIDR")

OF_NAMESPACES = (LIMIT_RANGE, RESOURCE_QUOTA)
"""Kinds of which admission asks at every write which ones a namespace has: nearly always none."""


Folder = tuple[tuple[bytes, int], ...]
"""The keys of a kind's objects, with their revisions."""


class Place(NamedTuple):
    """The objects of a kind in a namespace."""

    gvk: GroupVersionKind
    namespace: str


class Lookup(NamedTuple):
    """Something that was looked up, and how it was.

    An object's key and revision (0: it was not there), a kind and its folder, or a place and the names there.
    """

    what: bytes | GroupVersionKind | Place
    state: int | Folder | tuple[str, ...]


Present = dict[GroupVersionKind, dict[str, tuple[str, ...]]]
"""Of the kinds OF_NAMESPACES, by namespace, the names that there are, durable or not, in order."""


@cache
def labels_form(message: str) -> Projection:
    """What reads the labels of a kind's objects."""
    return Projection(message, ["metadata.labels"])


@lru_cache(limits.ADMISSION_DECODED_OBJECTS_MAX)
def nothing_in(gvk: GroupVersionKind, namespace: str) -> Lookup:
    """The look-up of a place where there is nothing: the same object each time, since it is kept with every likeness."""
    return Lookup(Place(gvk, namespace), ())


class Few(NamedTuple):
    """The objects of a kind, as they were at a revision of the store."""

    revision: int
    folder: Folder
    objects: list[Object]


class Cluster:
    """Look-ups with a bounded memory of decoded objects. What it returns must not be changed.

    lookups     what was looked up for the present object; whoever begins with one empties it
    authorizer  who says what a user may do; None where nobody is asked
    """

    def __init__(self, scheme: Scheme, storage: Storage) -> None:
        self.scheme, self.storage = scheme, storage
        self.decoded: OrderedDict[bytes, tuple[int, Object]] = OrderedDict()
        self.listed: dict[GroupVersionKind, Few] = {}
        self.lookups: list[Lookup] = []
        self.authorizer: Authorizer | None = None
        self.present: Present = {gvk: {} for gvk in OF_NAMESPACES}

    def adopt(self) -> None:
        """Find out which objects of the kinds OF_NAMESPACES there are."""
        for gvk in OF_NAMESPACES:
            spec = self.scheme.kinds[gvk]
            found = self.present[gvk] = {}
            for key in self.storage.keys(spec.prefix, spec.prefix[:-1] + b"0"):
                namespace, _, name = key[len(spec.prefix) :].decode().partition("/")
                found[namespace] = (*found.get(namespace, ()), name)

    def enter(self, spec: KindSpec, namespace: str, name: str, there: bool) -> None:
        """Note that an object came or went."""
        found = self.present.get(spec.gvk)
        if found is None:
            return
        names = tuple(sorted({*found.get(namespace, ()), name} if there else {*found.get(namespace, ())} - {name}))
        if names:
            found[namespace] = names
        else:
            found.pop(namespace, None)

    def within(self, gvk: GroupVersionKind, namespace: str) -> list[Object]:
        """The objects of one of the kinds OF_NAMESPACES in a namespace, in their newest state. Cost: 1 us where there are none."""
        names = self.present[gvk].get(namespace)
        self.lookups.append(nothing_in(gvk, namespace) if names is None else Lookup(Place(gvk, namespace), names))
        return [] if names is None else [found for name in names if (found := self.get(gvk, namespace, name)) is not None]

    def exists(self, gvk: GroupVersionKind, name: str) -> bool:
        """Whether there is a cluster-wide object, durable or not; what is decided by that is not remembered."""
        return self.storage.head(self.scheme.kinds[gvk].key("", name)) is not None

    def labels(self, gvk: GroupVersionKind, namespace: str, name: str) -> dict[str, str] | None:
        """The labels of an object, or None if there is no such object; what is decided by them is not remembered.

        Cost: 2 us. Nothing else is decoded or kept, so that it costs the same for any number of objects, such as all nodes in turn.
        """
        spec = self.scheme.kinds[gvk]
        found = self.storage.head(spec.key(namespace, name))
        if found is None:
            return None
        labels: dict[str, str] = labels_form(spec.message)(open_value(found.value))[0]
        return labels

    def get(self, gvk: GroupVersionKind, namespace: str, name: str) -> Object | None:
        """An object, or None."""
        spec = self.scheme.kinds[gvk]
        key = spec.key(namespace, name)
        found = self.storage.head(key)
        self.lookups.append(Lookup(key, 0 if found is None else found.mod_revision))
        if found is None:
            self.decoded.pop(key, None)
            return None
        kept = self.decoded.get(key)
        if kept is not None and kept[0] == found.mod_revision:
            return kept[1]
        obj = Stored(spec, found).obj()
        self.decoded[key] = (found.mod_revision, obj)
        if len(self.decoded) > limits.ADMISSION_DECODED_OBJECTS_MAX:
            self.decoded.popitem(last=False)
        return obj

    def forget(self) -> None:
        """Drop what is remembered."""
        self.decoded.clear()
        self.listed.clear()

    def few(self, gvk: GroupVersionKind) -> list[Object]:
        """All durable objects of a kind that a cluster has few of, decoded when one of them changes."""
        found = self.folder(gvk)
        self.lookups.append(Lookup(gvk, found.folder))
        return found.objects

    def folder(self, gvk: GroupVersionKind) -> Few:
        """The durable objects of a kind, with what tells that they changed."""
        kept = self.listed.get(gvk)
        if kept is not None and kept.revision == self.storage.revision:
            return kept
        spec = self.scheme.kinds[gvk]
        found = self.storage.range(spec.prefix, spec.prefix[:-1] + b"0").kvs
        folder = tuple((kv.key, kv.mod_revision) for kv in found)
        objects = kept.objects if kept is not None and kept.folder == folder else [Stored(spec, kv).obj() for kv in found]
        kept = self.listed[gvk] = Few(self.storage.revision, folder, objects)
        return kept

    def unchanged(self, lookups: Iterable[Lookup]) -> bool:
        """Whether everything would be looked up as it was."""
        head = self.storage.head
        for what, state in lookups:
            if isinstance(what, bytes):
                found = head(what)
                if state != (0 if found is None else found.mod_revision):
                    return False
            elif isinstance(what, Place):
                if self.present[what.gvk].get(what.namespace, ()) != state:
                    return False
            elif self.folder(what).folder != state:
                return False
        return True

    def every(self, gvk: GroupVersionKind, namespace: str = "") -> Iterator[Object]:
        """All objects of a kind that are durable, in key order."""
        spec: KindSpec = self.scheme.kinds[gvk]
        start = spec.prefix + (f"{namespace}/".encode() if namespace else b"")
        for kv in self.storage.range(start, start[:-1] + b"0").kvs:
            yield Stored(spec, kv).obj()
