"""Objects by key, with indexes: what an informer knows, and what is looked up in it. Nothing is copied and nothing waits.

An index maps a value, such as a node's name, to the keys of the objects that have it; an object may have several values, or none.

    index "node": lambda pod: [pod.spec.nodeName]      {"n1": {"default/a", "default/b"}, "n2": {...}}

Thread: the event loop's. Cost: a put 0.3 us and 0.5 us an index; of a store of bytes, an unpacking each time an object is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, Generic, Protocol, TypeVar

from kcore.client.wire import join_key, split_key

T = TypeVar("T")
Values = Callable[[T], Iterable[str]]

NAMESPACE: Final = "namespace"
"""The index that every store has; its values come from the key."""


class _Index(Generic[T]):
    def __init__(self, values: Values[T] | None) -> None:
        self.values = values
        self.keys_of: dict[str, dict[str, None]] = {}
        self.values_of: dict[str, tuple[str, ...]] = {}

    def put(self, key: str, object_: T) -> None:
        new = tuple(self.values(object_)) if self.values is not None else (split_key(key)[0],)
        old = self.values_of.get(key, ())
        if new == old:
            return
        self._remove(key, old)
        for value in new:
            self.keys_of.setdefault(value, {})[key] = None
        self.values_of[key] = new

    def delete(self, key: str) -> None:
        self._remove(key, self.values_of.pop(key, ()))

    def _remove(self, key: str, values: tuple[str, ...]) -> None:
        for value in values:
            keys = self.keys_of.get(value)
            if keys is not None:
                keys.pop(key, None)
                if not keys:
                    del self.keys_of[value]


class Store(Generic[T]):
    """Objects by key. They are shared: whoever gets one does not change it.

    unpack  makes an object of the bytes that are kept in its place: a message takes ten times their memory, so that a store of very many
            objects, of which few are looked at, makes each anew whenever it is asked for; None keeps the objects
    """

    def __init__(self, unpack: Callable[[bytes], T] | None = None) -> None:
        self._unpack = unpack
        self._kept: dict[str, Any] = {}
        self._indexes: dict[str, _Index[T]] = {NAMESPACE: _Index(None)}

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: str) -> bool:
        return key in self._kept

    def add_index(self, name: str, values: Values[T]) -> None:
        """Index all objects by what `values` makes of each; the same function under the same name may be added again."""
        present = self._indexes.get(name)
        if present is not None:
            assert present.values is values, f"index {name} exists with another function"
            return
        index = self._indexes[name] = _Index(values)
        for key, object_ in self.items():
            index.put(key, object_)

    def put(self, key: str, object_: T, raw: bytes = b"", unchanged: Collection[str] = ()) -> T | None:
        """Keep an object; returns the one that it replaces.

        raw        its bytes, for a store that keeps them
        unchanged  names of indexes in which it stands as the one before
        """
        old = self.get(key)
        self._kept[key] = object_ if self._unpack is None else raw
        for name, index in self._indexes.items():
            if name not in unchanged:
                index.put(key, object_)
        return old

    def delete(self, key: str) -> T | None:
        """Drop an object; returns it, None if there was none."""
        old = self.get(key)
        if old is not None:
            del self._kept[key]
            for index in self._indexes.values():
                index.delete(key)
        return old

    def get(self, key: str) -> T | None:
        """Return the object of a key."""
        kept = self._kept.get(key)
        return kept if kept is None or self._unpack is None else self._unpack(kept)

    def items(self) -> Iterator[tuple[str, T]]:
        """Return all keys and objects, in no particular order; the store must not change meanwhile."""
        return zip(self._kept, self._made(self._kept.values()), strict=True)

    def objects(self) -> list[T]:
        """Return all objects, in no particular order."""
        return list(self._made(self._kept.values()))

    def keys_by_index(self, name: str, value: str) -> list[str]:
        """Return the keys of the objects that have a value in an index."""
        return list(self._indexes[name].keys_of.get(value, ()))

    def by_index(self, name: str, value: str) -> list[T]:
        """Return the objects that have a value in an index."""
        keys = self._indexes[name].keys_of.get(value)
        return list(self._made(self._kept[key] for key in keys)) if keys else []

    def by_any(self, name: str, values: Iterable[str]) -> list[T]:
        """Return the objects that have any of some values in an index; one that has two of them stands there twice."""
        keys_of = self._indexes[name].keys_of
        if not keys_of:
            return []
        keys = [key for value in values for key in keys_of.get(value, ())]
        return list(self._made(self._kept[key] for key in keys)) if keys else []

    def _made(self, kept: Iterable[Any]) -> Iterable[T]:
        return kept if self._unpack is None else map(self._unpack, kept)

    def index_values(self, name: str) -> list[str]:
        """Return all values of an index that some object has."""
        return list(self._indexes[name].keys_of)


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

    def by_any(self, index: str, values: Iterable[str]) -> list[T]:  # type: ignore[valid-type]
        """Return the objects that have any of some values in an index; one that has two of them stands there twice."""
        return self._store.by_any(index, values)

    def keys_by_index(self, index: str, value: str) -> list[str]:  # type: ignore[valid-type]
        """Return the keys of the objects that have a value in an index."""
        return self._store.keys_by_index(index, value)


def labels_of(object_: Any) -> Mapping[str, str]:
    """Return the labels of an object."""
    labels: Mapping[str, str] = object_.metadata.labels
    return labels
