"""Columns: slots that come, go and outlive their node, and bounds."""

import numpy as np

from kcore.scheduler.columns import Columns
from kcore.scheduler.labels import LabelColumn
from kcore.scheduler.rows import Account, Taint
from tests.unit.scheduler.pods import node

ONE = Account((("cpu", 500),), 500, 100, (("0.0.0.0", "TCP", 80),))


def test_pods_on_a_node_that_does_not_exist_count_when_it_comes():
    columns = Columns()
    columns.place("n", ONE)
    assert (columns.node_count, columns.present[columns.slots["n"]]) == (0, 0)
    columns.set_node(node("n"))
    slot = columns.slots["n"]
    assert (columns.node_count, columns.requested[0, slot], columns.pod_count[slot]) == (1, 500, 1)


def test_a_deleted_node_keeps_its_slot_until_its_pods_are_gone():
    columns = Columns()
    columns.set_node(node("n"))
    columns.place("n", ONE)
    columns.remove_node("n")
    assert columns.node("n") is None
    assert columns.slots == {"n": 0}
    columns.displace("n", ONE)
    assert columns.slots == {}
    columns.set_node(node("m", cpu=7))
    assert (columns.slots, columns.allocatable[0, 0], columns.requested.sum()) == ({"m": 0}, 7, 0)


def test_a_node_that_did_not_change_for_the_scheduler_touches_nothing():
    columns = Columns()
    columns.set_node(node("n", zone="a"))
    before = columns.static_version, columns.position
    columns.set_node(node("n", zone="a"))
    columns.remove_node("none")
    assert (columns.static_version, columns.position) == before
    columns.set_node(node("n", cpu=1, zone="a"))
    assert (columns.static_version, columns.position) == (before[0], before[1] + 1)
    columns.set_node(node("n", cpu=1, zone="b"))
    assert (columns.static_version, columns.position) == (before[0] + 1, before[1] + 1)


def test_labels_asked_for_follow_their_nodes(monkeypatch):
    monkeypatch.setattr("kcore.scheduler.columns.SCHEDULER_LABEL_COLUMNS_MAX", 2)
    columns = Columns()
    columns.set_node(node("n", zone="a"))
    zone = columns.label("zone")
    for number in range(100):
        columns.set_node(node(f"m{number}", zone="b"))
    assert columns.label("zone") is zone
    assert [zone.values[code] for code in zone.codes[:101]] == ["a", *["b"] * 100]
    columns.label("disk")
    columns.label("zone")
    columns.label("gen")
    assert columns.label("zone") is zone


def test_a_label_forgets_the_values_of_nodes_that_are_gone():
    columns = Columns()
    for number in range(1000):
        columns.set_node(node("n", hostname=f"h{number}"))
        hostname = columns.label("hostname")
        assert hostname.values[hostname.codes[0]] == f"h{number}"
    assert len(hostname.values) < 100


def test_resources_beyond_the_bound_are_offered_by_nobody(monkeypatch):
    monkeypatch.setattr("kcore.scheduler.columns.SCHEDULER_RESOURCES_MAX", 7)
    columns = Columns()
    row = node("n")
    columns.set_node(row._replace(allocatable=tuple((f"r{number}", 1) for number in range(9))))
    assert list(columns.resources) == ["cpu", "memory", "r0", "r1", "r2", "r3", "r4"]
    columns.place("n", Account((("r8", 1), ("r1", 1)), 0, 0))
    assert columns.requested.sum() == 1


def test_the_log_of_touched_slots_is_cut_at_its_bound(monkeypatch):
    monkeypatch.setattr("kcore.scheduler.columns.SCHEDULER_TOUCHED_MAX", 10)
    columns = Columns()
    for _ in range(12):
        columns.place("n", ONE)
    assert columns.position == 12
    assert columns.touched_since(11) == [0]
    assert columns.touched_since(0) is None


def test_ports_and_priorities_are_counted_and_forgotten():
    columns = Columns()
    for account in (ONE, ONE, ONE._replace(priority=-5)):
        columns.place("n", account)
    assert columns.ports == {("0.0.0.0", "TCP", 80): {0: 3}}
    assert columns.has_priorities
    for account in (ONE._replace(priority=-5), ONE, ONE):
        columns.displace("n", account)
    assert (columns.ports, columns.port_hosts, columns.priorities) == ({}, {}, {})
    assert not np.any(columns.nonzero)


def test_a_label_that_no_node_has_costs_no_look_at_the_nodes(monkeypatch):
    columns = Columns()
    for number in range(50):
        columns.set_node(node(f"n{number}", zone=str(number % 3)))
    looked_at = []
    monkeypatch.setattr(LabelColumn, "set", lambda _, slot, value: looked_at.append(slot))
    for number in range(1000):
        assert columns.label(f"absent-{number}").values == [""]
    assert looked_at == []
    columns.label("zone")
    assert len(looked_at) == 50


def test_a_label_is_looked_for_as_long_as_a_node_has_it():
    columns = Columns()
    for changes in ({"a": "1"}, {"a": "2", "b": "1"}, {"b": "2"}, {}):
        columns.set_node(node("n0", **changes))
        columns._labels.clear()
        for key in ("a", "b"):
            column = columns.label(key)
            assert column.values[column.codes[0]] == changes.get(key, "")
    columns.set_node(node("n1", a="3"))
    columns.remove_node("n1")
    assert columns._label_counts == {}


def test_sets_of_taints_that_no_node_has_any_more_are_forgotten():
    columns = Columns()
    for number in range(1000):
        columns.set_node(node("n0", taints=(Taint("seen", str(number), "NoSchedule"),)))
        columns.set_node(node("n1", taints=(Taint("team", "", "NoSchedule"),)))
    assert len(columns.taint_sets) < 100
    assert [columns.taint_sets[columns.taint_set[slot]] for slot in (0, 1)] == [
        (Taint("seen", "999", "NoSchedule"),), (Taint("team", "", "NoSchedule"),),
    ]  # fmt: skip
