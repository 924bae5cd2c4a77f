"""Server-side apply: fields against sets of paths, pruning against its three passes, and what holds of any sequence of writes."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from kcore.machinery import codec
from kcore.machinery.apply import fieldset, managers, reset, tracking
from kcore.machinery.apply.comparing import compare
from kcore.machinery.apply.merging import merge
from kcore.machinery.apply.pruning import prune
from kcore.machinery.apply.tracking import ConflictsError, Operation, shape_of
from kcore.machinery.apply.typed import fields_of
from tests.reference.machinery import apply_twin

MESSAGE = "kcore.api.apps.v1.Deployment"
SHAPE = shape_of(MESSAGE)
Object = dict[str, Any]

ELEMENTS = st.sampled_from(("f:a", "f:b", 'k:{"name":"c"}', 'v:"x"', "i:0"))
PATHS = st.frozensets(st.lists(ELEMENTS, min_size=1, max_size=4).map(tuple), max_size=6)

WORDS = st.sampled_from(("a", "b", "c"))
ENV = st.lists(st.fixed_dictionaries({"name": WORDS}, optional={"value": WORDS}), max_size=3, unique_by=lambda item: item["name"])
PROTOCOLS = st.sampled_from(("TCP", "UDP"))
PORT = st.fixed_dictionaries({"containerPort": st.sampled_from((80, 81))}, optional={"protocol": PROTOCOLS, "name": WORDS})
PORTS = st.lists(PORT, max_size=3, unique_by=lambda item: (item["containerPort"], item.get("protocol", "TCP")))
LABELS = st.dictionaries(WORDS, WORDS, max_size=2)
CONTAINER = st.fixed_dictionaries(
    {"name": WORDS}, optional={"image": WORDS, "args": st.lists(WORDS, max_size=2), "env": ENV, "ports": PORTS, "resources": st.just({})}
)
CONTAINERS = st.lists(CONTAINER, max_size=3, unique_by=lambda item: item["name"])
POD = st.fixed_dictionaries({}, optional={"containers": CONTAINERS, "nodeSelector": LABELS, "serviceAccountName": st.none() | WORDS})
TEMPLATE = st.fixed_dictionaries({}, optional={"metadata": st.fixed_dictionaries({}, optional={"labels": LABELS}), "spec": POD})
SELECTORS = st.just({"matchLabels": {"a": "b"}})
SPEC = st.fixed_dictionaries({}, optional={"replicas": st.integers(0, 2), "selector": SELECTORS, "template": TEMPLATE})
FINALIZERS = st.lists(WORDS, max_size=3, unique=True)
METADATA = st.fixed_dictionaries({"name": st.just("d")}, optional={"labels": LABELS, "finalizers": FINALIZERS})
OBJECTS = st.fixed_dictionaries({"metadata": METADATA}, optional={"spec": SPEC})
MANAGERS = st.sampled_from(("m1", "m2", "m3"))
WRITES = st.lists(st.tuples(st.sampled_from(("apply", "update")), MANAGERS, OBJECTS), min_size=1, max_size=5)


def operation(manager: str, now: str = "2026-01-01T00:00:00Z") -> Operation:
    touched = reset.touched("apps", "Deployment", "", True)
    return Operation(MESSAGE, "apps/v1", "Deployment", manager, "", touched, now, lambda _obj, _version: None)


def applied(live: Object | None, wanted: Object, manager: str, force: bool = True) -> Object:
    """The object after an apply, nulls left out, as decoding does."""
    made = tracking.apply(operation(manager), live, wanted, force)
    obj = decoded(made.obj)
    return {**obj, "metadata": {**obj["metadata"], "managedFields": made.entries}}


def updated(live: Object | None, new: Object, manager: str) -> Object:
    new = decoded(new)
    entries = tracking.update(operation(manager), live, new, None)
    return {**new, "metadata": {**new["metadata"], "managedFields": entries}}


def decoded(obj: Object) -> Object:
    """An object in the form in which it is read again."""
    plain: Object = orjson.loads(orjson.dumps(body(obj)))
    return codec.normalise(MESSAGE, plain)


def history(writes: list[tuple[str, str, Object]]) -> Object:
    live: Object | None = None
    for verb, manager, obj in writes:
        live = applied(live, obj, manager) if verb == "apply" else updated(live, obj, manager)
    assert live is not None
    return live


def owned_by(live: Object, manager: str) -> fieldset.Set:
    entries = [entry for entry in live["metadata"]["managedFields"] if entry["manager"] == manager and entry["operation"] == "Apply"]
    return entries[0]["fieldsV1"] if entries else {}


def body(live: Object) -> Object:
    return {**live, "metadata": {name: value for name, value in live["metadata"].items() if name != "managedFields"}}


@given(PATHS, PATHS)
def test_the_algebra_of_fields_is_that_of_sets_of_paths(one: frozenset[Any], other: frozenset[Any]) -> None:
    a, b = fieldset.of_paths(*one), fieldset.of_paths(*other)
    assert apply_twin.paths_of(a) == one
    assert apply_twin.paths_of(fieldset.union(a, b)) == one | other
    assert apply_twin.paths_of(fieldset.difference(a, b)) == one - other
    assert apply_twin.paths_of(fieldset.intersection(a, b)) == one & other
    assert apply_twin.paths_of(fieldset.without_trees(a, b)) == apply_twin.without_trees(one, other)
    assert fieldset.normal(a) == a == fieldset.ordered(a)


@given(PATHS, PATHS, PATHS)
def test_a_set_of_fields_has_one_form_however_it_was_made(one: frozenset[Any], other: frozenset[Any], third: frozenset[Any]) -> None:
    a, b, c = (fieldset.of_paths(*paths) for paths in (one, other, third))
    assert fieldset.difference(fieldset.union(a, b), c) == fieldset.of_paths(*((one | other) - third))
    assert fieldset.intersection(fieldset.union(a, b), c) == fieldset.of_paths(*((one | other) & third))


@given(OBJECTS)
def test_the_fields_of_a_configuration_are_its_leaves_elements_and_entries(wanted: Object) -> None:
    assert apply_twin.paths_of(fields_of(wanted, SHAPE)) == apply_twin.fields(wanted, SHAPE)


@given(OBJECTS, OBJECTS, OBJECTS, OBJECTS)
def test_pruning_is_what_its_three_passes_come_to(live: Object, wanted: Object, last: Object, others: Object) -> None:
    merged = merge(live, wanted, SHAPE)
    owned = fieldset.union(fields_of(wanted, SHAPE), fields_of(others, SHAPE))
    had = fields_of(last, SHAPE)
    slow = apply_twin.prune(merged, SHAPE, apply_twin.paths_of(had), apply_twin.paths_of(owned))
    assert decoded({"metadata": {}} | prune(merged, SHAPE, had, owned)) == decoded({"metadata": {}} | slow)


@given(OBJECTS, OBJECTS)
def test_what_differs_is_nothing_only_between_equal_objects(old: Object, new: Object) -> None:
    removed, changed = compare(old, new, SHAPE)
    forward = merge(old, new, SHAPE)
    assert (not removed and not changed) or old != new
    assert not fieldset.intersection(removed, changed)
    assert not compare(old, forward, SHAPE).removed


NO_LABELS: Object = {"metadata": {"name": "d", "labels": {}}}


@example([("apply", "m2", {"metadata": {"name": "d", "labels": {"a": "a"}}}), ("apply", "m1", NO_LABELS)], NO_LABELS, "m2")
@given(WRITES, OBJECTS, MANAGERS)
def test_an_apply_that_is_repeated_changes_nothing(writes: list[tuple[str, str, Object]], wanted: Object, manager: str) -> None:
    once = applied(history(writes), wanted, manager)
    again = tracking.apply(operation(manager, "2027-01-01T00:00:00Z"), once, wanted, False)
    assert managers.same_but_for_times(again.entries, once["metadata"]["managedFields"])
    assert decoded(again.obj) == body(once)


@given(WRITES, OBJECTS, MANAGERS)
def test_an_applier_owns_what_it_states_and_the_object_says_so(
    writes: list[tuple[str, str, Object]], wanted: Object, manager: str
) -> None:
    live = applied(history(writes), wanted, manager)
    stated = fieldset.difference(fields_of(wanted, SHAPE), tracking.NOBODYS)
    assert owned_by(live, manager) == fieldset.ordered(stated)
    assert decoded(merge(body(live), wanted, SHAPE)) == body(live)


@given(WRITES, OBJECTS, MANAGERS)
def test_without_force_nothing_changes_that_another_applier_owns(
    writes: list[tuple[str, str, Object]], wanted: Object, manager: str
) -> None:
    before = history(writes)
    try:
        after = applied(before, wanted, manager, force=False)
    except ConflictsError:
        after = before
    changed = compare(body(before), body(after), SHAPE).changed
    for other in {"m1", "m2", "m3"} - {manager}:
        lost = fieldset.difference(owned_by(before, other), owned_by(after, other))
        assert not fieldset.intersection(lost, changed)


@given(WRITES)
def test_whoever_updates_owns_what_changed_and_nobody_owns_what_is_gone(writes: list[tuple[str, str, Object]]) -> None:
    live = history(writes)
    removed = compare(history(writes[:-1]) if len(writes) > 1 else live, live, SHAPE).removed
    for entry in live["metadata"]["managedFields"]:
        assert entry["fieldsV1"]
        if writes[-1][0] == "update":
            assert not fieldset.intersection(entry["fieldsV1"], removed)
