"""Looks objects up in what an informer knows: by name, by namespace, by index, by labels. Nothing is copied and nothing waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from kcore.client.store import NAMESPACE, Store
from kcore.client.wire import join_key

T = TypeVar("T")


class LabelMatcher(Protocol):
    """What decides by labels: a `kcore.machinery.labels.Selector`."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether labels match."""
        ...


class Lister(Generic[T]):
    """Reads one resource's store; as old as the informer's last change."""

    def __init__(self, store: Store[T]) -> None:
        self._store = store

    def __len__(self) -> int:
        return len(self._store)

    def get(self, name: str, *, namespace: str = "") -> T | None:
        """Return an object by name, None if there is none."""
        return self._store.get(join_key(namespace, name))

    def by_key(self, key: str) -> T | None:
        """Return an object by key, None if there is none."""
        return self._store.get(key)

    def list(self, *, namespace: str = "", selector: LabelMatcher | None = None) -> list[T]:
        """Return the objects of a namespace, or of all, whose labels match."""
        found = self._store.by_index(NAMESPACE, namespace) if namespace else self._store.objects()
        return found if selector is None else [object_ for object_ in found if selector.matches(labels_of(object_))]

    def by_index(self, index: str, value: str) -> list[T]:  # type: ignore[valid-type]
        """Return the objects that have a value in an index."""
        return self._store.by_index(index, value)

    def keys_by_index(self, index: str, value: str) -> list[str]:  # type: ignore[valid-type]
        """Return the keys of the objects that have a value in an index."""
        return self._store.keys_by_index(index, value)


def labels_of(object_: Any) -> Mapping[str, str]:
    """Return the labels of an object."""
    labels: Mapping[str, str] = object_.metadata.labels
    return labels
