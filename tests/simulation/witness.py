"""What the API server answered, held against what was committed: no watch may miss, double or disorder a change, no write may replace
another state of an object than the one that it was made from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kcore.api.bulk.v1 import bulk_service_pb2 as bulk_pb2
from kcore.api.meta.v1 import meta_pb2
from kcore.apiserver.views import projector
from kcore.client import wire
from kcore.machinery import fields, labels
from kcore.testing.calls import Call, methods, request_of
from kcore.watch import Projected
from tests.simulation.history import Change, Checker, History

PROMISED: Final = ("", "status")
"""The parts of an object whose update rests on the state that its resourceVersion names."""


class LostUpdates(Checker):
    """A create makes something that was not there, and an update replaces what it was made from."""

    def __init__(self) -> None:
        super().__init__()
        self.replaced: dict[int, int] = {}

    def saw(self, change: Change, history: History) -> None:
        self.replaced[change.revision] = 0 if change.old is None else change.old.revision
        if change.old is not None and change.new is not None and change.old.uid != change.new.uid:
            self.wrong(change, f"{change.key} became another object without having been deleted")

    def answered(self, call: Call, raw: bytes, revision: int) -> None:
        """A write succeeded at a revision."""
        found = self.replaced.get(revision)
        if call.verb == "create" and not call.subresource and found != 0:
            self.wrongs.append(f"LostUpdates: the create of {call.resource} {call.key} at revision {revision} replaced revision {found}")
        base = wire.key_of(raw).revision if call.verb == "update" and call.subresource in PROMISED else 0
        if base and base not in (revision, found):
            self.wrongs.append(
                f"LostUpdates: an update of {call.resource} {call.key} made from revision {base} replaced revision {found} at {revision}"
            )


class Changes(Checker):
    """The changes of each kind, for those who look what a watch has to show."""

    def __init__(self) -> None:
        super().__init__()
        self.by_kind: dict[str, list[Change]] = {}

    def saw(self, change: Change, history: History) -> None:
        self.by_kind.setdefault(change.kind, []).append(change)


class Watch:
    """One watch: what it asks, how far it has come."""

    def __init__(self, sender: str, method: str, request: bytes, changes: Changes) -> None:
        resource, _, _ = methods()[method]
        wanted = meta_pb2.WatchRequest.FromString(request)
        self._resource, self._sender, self._changes = resource, sender, changes
        self._namespace = wanted.namespace
        self._labels = labels.parse(wanted.label_selector) if wanted.label_selector else None
        self._fields = fields.parse(wanted.field_selector) if wanted.field_selector else None
        self._project: Callable[[bytes], Projected] = projector(resource.spec)
        self._initial: dict[str, int] | None = {} if wanted.send_initial_events else None
        self._place = 0
        if self._initial is None:
            self._skip(int(wanted.resource_version or 0))
        self._is_wrong = False

    def _all(self) -> list[Change]:
        return self._changes.by_kind.get(self._resource.kind, [])

    def _skip(self, revision: int) -> None:
        found = self._all()
        while self._place < len(found) and found[self._place].revision <= revision:
            self._place += 1

    def saw(self, response: bytes) -> None:
        """Take an answer in."""
        for event in wire.split_watch(response):
            if self._is_wrong:
                return
            if event.type != wire.BOOKMARK:
                self._event(event)
            elif self._initial is not None and wire.ends_initial_events(event.raw):
                self._begun(event.revision)
            elif self._initial is None:
                self._bookmark(event.revision)

    def _event(self, event: wire.WatchEvent) -> None:
        if self._initial is not None:
            self._initial[event.key] = event.revision
            return
        expected = self._next()
        shown = (event.type, event.key, event.revision)
        if shown != expected:
            self._wrong(f"showed {shown}, next was {expected}")

    def _next(self) -> tuple[str, str, int] | None:
        found = self._all()
        while self._place < len(found):
            change = found[self._place]
            self._place += 1
            if type_ := self._type_of(change):
                return type_, self._key(change), change.revision
        return None

    def _bookmark(self, revision: int) -> None:
        found = self._all()
        while self._place < len(found) and found[self._place].revision <= revision:
            if type_ := self._type_of(found[self._place]):
                self._wrong(f"bookmarked {revision} without having shown {type_} of {found[self._place].key}")
                return
            self._place += 1

    def _begun(self, revision: int) -> None:
        there: dict[str, int] = {}
        for change in self._all():
            if change.revision > revision:
                break
            if self._wants(change.mutation.value):
                there[self._key(change)] = change.revision
            else:
                there.pop(self._key(change), None)
        if there != self._initial:
            self._wrong(f"began at {revision} with {self._initial}, there was {there}")
        self._initial = None
        self._skip(revision)

    def _type_of(self, change: Change) -> str:
        """What a change is to this watch; empty if nothing."""
        before = change.old is not None and self._wants(change.old.value)
        if self._wants(change.mutation.value):
            return wire.MODIFIED if before else wire.ADDED
        return wire.DELETED if before else ""

    def _wants(self, value: bytes | None) -> bool:
        if value is None:
            return False
        if not self._namespace and self._labels is None and self._fields is None:
            return True
        projected = self._project(value)
        return (
            self._namespace in ("", projected.namespace)
            and (self._labels is None or self._labels.matches(projected.labels))
            and (self._fields is None or self._fields.matches(projected.fields))
        )

    def _key(self, change: Change) -> str:
        return change.key.removeprefix(self._resource.spec.prefix.decode())

    def _wrong(self, sentence: str) -> None:
        self._is_wrong = True
        self._changes.wrongs.append(f"LostEvents: a watch of {self._resource} by {self._sender} {sentence}")


class Witness:
    """Sees every answer of the API server, before the network touches it. Implements `network.Observer`."""

    def __init__(self) -> None:
        self.updates = LostUpdates()
        self.watches = Changes()
        self.deletes: set[str] = set()

    def answered(self, sender: str, call: Call, request: bytes, answer: bytes) -> None:
        """A call succeeded."""
        if call.verb in ("create", "update"):
            raw = request_of(call.verb, call.subresource, request).raw
            self._wrote(call, raw, wire.key_of(answer).revision if call.subresource in PROMISED else 0)

    def bulk_answered(self, sender: str, request: bytes, answer: bytes) -> None:
        """A request of bulk writes was answered."""
        items: Any = bulk_pb2.WriteRequest.FromString(request).items
        results: Any = bulk_pb2.WriteResponse.FromString(answer).results
        for item, result in zip(items, results, strict=True):
            if not result.HasField("status") and item.verb in ("create", "update"):
                call = Call(item.verb, item.resource, item.subresource, wire.join_key(item.namespace, item.name or result.name))
                self._wrote(call, item.object, int(result.resource_version or 0))

    def _wrote(self, call: Call, raw: bytes, revision: int) -> None:
        if revision:
            self.updates.answered(call, raw, revision)

    def opened(self, sender: str, method: str, request: bytes) -> Callable[[bytes], None]:
        """A watch begins."""
        return Watch(sender, method, request, self.watches).saw
