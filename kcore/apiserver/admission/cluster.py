"""The other objects that admission looks at, in their newest state, decoded once per revision; and what was looked up meanwhile."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from kcore.apiserver.authorization import Authorizer
from kcore.apiserver.objects import Stored
from kcore.base import limits
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.scheme import KindSpec, Scheme
from kcore.store.storage import Storage

Object = dict[str, Any]

NAMESPACE = GroupVersionKind("", "v1", "Namespace")
SERVICE_ACCOUNT = GroupVersionKind("", "v1", "ServiceAccount")
PRIORITY_CLASS = GroupVersionKind("scheduling.k8s.io", "v1", "PriorityClass")
NODE = GroupVersionKind("", "v1", "Node")


Folder = tuple[tuple[bytes, int], ...]
"""The keys of a kind's objects, with their revisions."""


class Lookup(NamedTuple):
    """Something that was looked up, and how it was: an object's key and revision (0: it was not there), or a kind and its folder."""

    what: bytes | GroupVersionKind
    state: int | Folder


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
            elif self.folder(what).folder != state:
                return False
        return True

    def every(self, gvk: GroupVersionKind, namespace: str = "") -> Iterator[Object]:
        """All objects of a kind that are durable, in key order."""
        spec: KindSpec = self.scheme.kinds[gvk]
        start = spec.prefix + (f"{namespace}/".encode() if namespace else b"")
        for kv in self.storage.range(start, start[:-1] + b"0").kvs:
            yield Stored(spec, kv).obj()
