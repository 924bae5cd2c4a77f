"""Every watch is told what the naive hub says, whenever it began, however it selects, and whatever memory has forgotten."""

from __future__ import annotations

import tempfile
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kcore.base import limits
from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.store import Delete, Engine, Put, Txn
from kcore.watch import Hub, Projected, ResourceView, Watcher, WatchExpired, WatchSpec
from kcore.watch._fanout import ANY, FIELD, LABEL, NAME, NAMESPACE, FanoutIndex
from kcore.watch.hub import criterion
from tests.reference.watch.watch_twin import Equal, Event, HubTwin, events, project, selected, wants

NAMESPACES = st.sampled_from(["", "a", "b"])
NAMES = st.sampled_from(["", "x", "y"])
APPS = st.sampled_from(["", "web", "db"])
NODES = st.sampled_from(["", "n1", "n2"])
OBJECTS = st.builds(
    lambda namespace, name, app, node: f"{namespace}|{name}|{app}|{node}",
    st.sampled_from(["a", "b"]),
    st.sampled_from(["x", "y"]),
    APPS,
    NODES,
)
LABELS = st.none() | st.builds(lambda app, negated: Equal((("app", app),), negated), APPS, st.booleans())
FIELDS = st.none() | st.builds(
    lambda path, value, negated: Equal(((path, value),), negated),
    st.sampled_from(["spec.nodeName", "metadata.name", "metadata.namespace"]),
    st.sampled_from(["", "n1", "n2", "x", "a"]),
    st.booleans(),
)
SPECS = st.builds(WatchSpec, NAMESPACES, NAMES, LABELS, FIELDS)
PODS = ResourceView(b"/registry/pods/", project, frozenset(("spec.nodeName",)))
OTHERS = ResourceView(b"/registry/services/specs/", project)


def encode(event_type: str, value: bytes, revision: int) -> bytes:
    return b"%s %d %s" % (event_type.encode(), revision, value)


def decode(data: bytes) -> Event:
    event_type, revision, value = data.split(b" ", 2)
    return event_type.decode(), value, int(revision)


def drained(watcher: Watcher) -> list[Event]:
    """All that waits for a watcher."""
    found: list[Event] = []
    while watcher.initial is not None or watcher.end_marker:
        found += [decode(data) for data in watcher.take_initial()]
    while watcher.queue:
        found += [decode(data) for data in watcher.take()]
    return found


@dataclass(eq=False)
class Watch:
    """A watch and what its reader is owed: first these events, then all after a revision."""

    watcher: Watcher
    spec: WatchSpec
    first: list[Event]
    after: int


class HubMachine(RuleBasedStateMachine):
    @initialize(history=st.sampled_from([0, 2, 1_000]))
    def begin(self, history: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = VirtualClock()
        self.open()
        self.history_events_max = limits.WATCH_HISTORY_EVENTS_MAX
        limits.WATCH_HISTORY_EVENTS_MAX = history  # type: ignore[misc]
        self.twin = HubTwin()
        self.watches: list[Watch] = []

    def open(self) -> None:
        self.engine = Engine(Path(self.folder.name) / "s", self.clock, SeededEntropy(1), threaded=False, sync=False)
        self.hub = Hub(self.engine, {"pods": PODS, "services": OTHERS})

    def teardown(self) -> None:
        limits.WATCH_HISTORY_EVENTS_MAX = self.history_events_max  # type: ignore[misc]
        self.engine.close()
        self.folder.cleanup()

    @rule(objects=st.lists(OBJECTS, min_size=1, max_size=4), together=st.booleans())
    def write(self, objects: list[str], together: bool) -> None:
        distinct = {obj.rsplit("|", 2)[0]: obj for obj in objects}
        puts = [Put(self.key(obj), obj.encode()) for obj in distinct.values()]
        for txn in [Txn(success=puts)] if together else [Txn(success=[put]) for put in puts]:
            revision = self.engine.submit(txn).revision
            for put in txn.success:
                assert isinstance(put, Put)
                self.twin.commit(revision, put.key, put.value)
        self.engine.submit(Txn(success=[Put(b"/registry/services/specs/a/x", b"a|x|web|n1"), Put(b"/elsewhere", b"")]))
        self.engine.flush()

    @precondition(lambda self: self.twin.present)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.twin.present)))
        revision = self.engine.submit(Txn(success=[Delete(key)])).revision
        self.twin.commit(revision, key, None)
        self.engine.flush()

    @staticmethod
    def key(obj: str) -> bytes:
        namespace, name, *_ = obj.split("|")
        return f"/registry/pods/{namespace}/{name}".encode()

    @rule(spec=SPECS, back=st.integers(0, 12))
    def watch_from_a_revision(self, spec: WatchSpec, back: int) -> None:
        after = max(self.hub.revision - back, 1)
        if after < self.engine.compact_revision and after < self.hub.resources["pods"].floor:
            with pytest.raises(WatchExpired, match="too old resource version"):
                self.hub.watch("pods", spec, encode, after)
            return
        self.watches.append(Watch(self.hub.watch("pods", spec, encode, after), spec, [], after))

    @rule(spec=SPECS, end=st.booleans())
    def watch_with_initial_events(self, spec: WatchSpec, end: bool) -> None:
        first: list[Event] = [("ADDED", value, revision) for _, value, revision in selected(self.twin, spec)]
        if end:
            first.append(("INITIAL_END", b"", self.hub.revision))
        self.watches.append(Watch(self.hub.watch("pods", spec, encode, None, end), spec, first, self.hub.revision))

    @precondition(lambda self: self.watches)
    @rule(data=st.data())
    def read_some(self, data: st.DataObject) -> None:
        watch = data.draw(st.sampled_from(self.watches))
        assert drained(watch.watcher) == watch.first + events(self.twin, watch.spec, watch.after)
        watch.first, watch.after = [], self.hub.revision

    @precondition(lambda self: self.watches)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        watch = self.watches.pop(data.draw(st.integers(0, len(self.watches) - 1)))
        self.hub.unwatch("pods", watch.watcher)

    @rule(back=st.integers(0, 5))
    def compact(self, back: int) -> None:
        if self.engine.compact_revision < self.engine.revision - back:
            self.engine.compact(self.engine.revision - back)
            self.engine.flush()

    @rule()
    def restart(self) -> None:
        """After it, watches resume from what they have read."""
        before, self.watches = self.watches, []
        self.engine.close()
        self.open()
        for watch in before:
            if not watch.first and watch.after >= self.engine.compact_revision:
                self.watches.append(Watch(self.hub.watch("pods", watch.spec, encode, watch.after), watch.spec, [], watch.after))

    @rule(spec=SPECS, back=st.integers(0, 5))
    def read(self, spec: WatchSpec, back: int) -> None:
        found = [(key, item.value, item.revision) for key, item in self.hub.select("pods", spec)]
        assert found == selected(self.twin, spec)
        for key, value, _ in found[1:]:
            rest = [(key, item.value) for key, item in self.hub.select("pods", spec, start=key)]
            assert rest[0] == (key, value)
        revision = self.hub.revision - back
        if revision >= max(self.engine.compact_revision, 1):
            old = HubTwin()
            for at, key, _, value in self.twin.log:
                if at <= revision:
                    old.commit(at, key, value)
            found = [(key, item.value, item.revision) for key, item in self.hub.select_at("pods", spec, revision)]
            assert found == selected(old, spec)

    @invariant()
    def the_hub_has_what_is_there(self) -> None:
        assert {key: (item.value, item.revision) for key, item in self.hub.resources["pods"].present.items()} == self.twin.present
        assert len(self.hub.resources["pods"].index) == len(self.hub.resources["pods"].watchers) == len(self.watches)


HubMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=30)
TestHubEqualsTwin = HubMachine.TestCase


VALUES = OBJECTS.map(str.encode)


@given(st.lists(SPECS, max_size=12), st.none() | VALUES, st.none() | VALUES, st.sets(st.integers(0, 11)))
def test_whoever_wants_a_change_is_among_the_interested(
    specs: list[WatchSpec], before: bytes | None, after: bytes | None, gone: set[int]
) -> None:
    index = FanoutIndex()
    for number, spec in enumerate(specs):
        index.add(number, *criterion(spec, PODS.indexed_fields))
    left = [number for number in range(len(specs)) if number not in gone]
    for number in gone & set(range(len(specs))):
        index.remove(number, *criterion(specs[number], PODS.indexed_fields))
    sides = [None if value is None else project(value) for value in (before, after)]
    found = index.interested(*sides)
    assert len(index) == len(left)
    assert len(found) == len(set(found))
    assert {number for number in left if wants(specs[number], before) or wants(specs[number], after)} <= set(found) <= set(left)


CRITERIA = st.one_of(
    st.tuples(st.just(NAME), NAMESPACES, st.sampled_from(["x", "y"])),
    st.tuples(st.just(FIELD), st.just("spec.nodeName"), st.sampled_from(["n1", "n2"])),
    st.tuples(st.just(LABEL), st.just("app"), APPS),
    st.tuples(st.just(NAMESPACE), st.sampled_from(["a", "b"]), st.just("")),
    st.just((ANY, "", "")),
)


def stands_for(criterion: tuple[int, str, str], projected: Projected) -> bool:
    kind, first, second = criterion
    if kind == NAME:
        return second == projected.name and first in ("", projected.namespace)
    if kind in (FIELD, LABEL):
        return (projected.fields if kind == FIELD else projected.labels).get(first) == second
    return kind == ANY or first == projected.namespace


@given(st.lists(st.tuples(CRITERIA, st.booleans()), max_size=15), st.none() | VALUES, st.none() | VALUES)
def test_the_index_finds_exactly_the_criteria_of_both_sides(
    steps: list[tuple[tuple[int, str, str], bool]], before: bytes | None, after: bytes | None
) -> None:
    index = FanoutIndex()
    model: dict[Hashable, tuple[int, str, str]] = {}
    for number, (wanted, stays) in enumerate(steps):
        index.add(number, *wanted)
        index.add(number, *wanted)  # twice is once
        model[number] = wanted
        if not stays:
            index.remove(number, *wanted)
            index.remove(number, *wanted)
            del model[number]
    sides = [project(value) for value in (before, after) if value is not None]
    expected = {number for number, wanted in model.items() if any(stands_for(wanted, side) for side in sides)}
    expected |= {number for number, wanted in model.items() if wanted[0] == ANY}
    found = index.interested(*[None if value is None else project(value) for value in (before, after)])
    assert set(found) == expected
    assert len(found) == len(expected)
    assert len(index) == len(model)
