"""The other objects that admission looks at, in their newest state, decoded once per revision."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

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


class Cluster:
    """Look-ups with a bounded memory of decoded objects. What it returns must not be changed."""

    def __init__(self, scheme: Scheme, storage: Storage) -> None:
        self.scheme, self.storage = scheme, storage
        self.decoded: OrderedDict[bytes, tuple[int, Object]] = OrderedDict()
        self.listed: dict[GroupVersionKind, tuple[int, list[Object]]] = {}

    def get(self, gvk: GroupVersionKind, namespace: str, name: str) -> Object | None:
        """An object, or None."""
        spec = self.scheme.kinds[gvk]
        key = spec.key(namespace, name)
        found = self.storage.head(key)
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
        """All durable objects of a kind that a cluster has few of, decoded once per revision of the store."""
        kept = self.listed.get(gvk)
        if kept is None or kept[0] != self.storage.revision:
            kept = self.listed[gvk] = (self.storage.revision, list(self.every(gvk)))
        return kept[1]

    def every(self, gvk: GroupVersionKind, namespace: str = "") -> Iterator[Object]:
        """All objects of a kind that are durable, in key order."""
        spec: KindSpec = self.scheme.kinds[gvk]
        start = spec.prefix + (f"{namespace}/".encode() if namespace else b"")
        for kv in self.storage.range(start, start[:-1] + b"0").kvs:
            yield Stored(spec, kv).obj()
