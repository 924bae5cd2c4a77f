"""The scheduler without connections: what it makes of what it is told, in any order."""

import pytest

from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.scheduler.cache import Cache
from kcore.scheduler.columns import Columns
from kcore.scheduler.core import Core
from kcore.scheduler.queue import State
from tests.unit.scheduler.pods import SMALL, node, pod


class World:
    def __init__(self, *nodes):
        self.clock = VirtualClock()
        self.core = Core(self.clock, SeededEntropy(3))
        for row in nodes:
            self.core.node_changed(row)

    def decide(self, limit=100):
        batch = self.core.decide(limit)
        return {attempt.pod.name: attempt.decision.node for attempt in (*batch.assumed, *batch.waiting)}


def test_assumed_pods_count_before_the_api_knows():
    world = World(node("n0", cpu=1000))
    for name in "abc":
        world.core.pod_changed(pod(name))
    assert world.decide() == {"a": "n0", "b": "n0", "c": None}


def test_a_batch_ends_at_its_limit():
    world = World(node("n0"))
    for name in "abc":
        world.core.pod_changed(pod(name))
    assert list(world.decide(2)) == ["a", "b"]
    assert list(world.decide(2)) == ["c"]


def test_the_watch_confirms_an_assumed_pod_and_may_put_it_right():
    world = World(node("n0"), node("n1"))
    world.core.pod_changed(pod("a"))
    chosen = world.decide()["a"]
    other = {"n0": "n1", "n1": "n0"}[chosen]
    world.core.pod_changed(pod("a", node=other))
    assert not world.core.cache.is_assumed("default/a")
    assert world.core.queue.state("default/a") is None
    slots = world.core.columns.slots
    assert world.core.columns.pod_count[[slots[chosen], slots[other]]].tolist() == [0, 1]


def test_a_status_that_arrives_between_decision_and_binding_changes_nothing():
    world = World(node("n0"))
    world.core.pod_changed(pod("a"))
    world.decide()
    world.core.pod_changed(pod("a", conditions=(b"x",)))
    assert world.core.queue.state("default/a") is State.IN_FLIGHT
    assert world.decide() == {}
    world.core.pod_changed(pod("a", node="n0"))
    assert len(world.core.queue) == 0


def test_a_refused_binding_frees_its_node_and_wakes_who_waits_for_it():
    world = World(node("n0", cpu=500))
    world.core.pod_changed(pod("a"))
    world.core.pod_changed(pod("b"))
    assert world.decide() == {"a": "n0", "b": None}
    world.core.refused([pod("a")])
    assert world.core.queue.state("default/a") is State.BACKOFF
    assert world.core.queue.state("default/b") is State.BACKOFF
    assert world.core.columns.requested.sum() == 0


def test_a_refusal_after_the_watch_confirmed_takes_nothing_back():
    world = World(node("n0"))
    world.core.pod_changed(pod("a"))
    world.decide()
    world.core.pod_changed(pod("a", node="n0"))
    world.core.refused([pod("a")])
    assert world.core.columns.pod_count[0] == 1
    assert world.core.queue.state("default/a") is None


def test_a_pod_deleted_while_it_is_bound_leaves_nothing():
    world = World(node("n0"))
    world.core.pod_changed(pod("a"))
    world.decide()
    world.core.pod_deleted("default/a")
    world.core.refused([pod("a")])
    assert world.core.columns.pod_count[0] == 0
    assert len(world.core.queue) == len(world.core.cache) == 0


def test_a_pod_of_the_same_name_is_another_pod():
    world = World(node("n0"))
    world.core.pod_changed(pod("a", node="n0"))
    world.core.pod_changed(pod("a", uid="second"))
    assert len(world.core.cache) == 0
    assert world.decide() == {"a": "n0"}


def test_finished_and_terminating_pods():
    world = World(node("n0", cpu=1000))
    world.core.pod_changed(pod("done", node="n0", finished=True))
    world.core.pod_changed(pod("leaving", node="n0", terminating=True))
    world.core.pod_changed(pod("late", terminating=True))
    assert len(world.core.queue) == 0
    world.core.pod_changed(pod("a"))
    world.core.pod_changed(pod("b"))
    assert world.decide() == {"a": "n0", "b": None}
    world.core.pod_changed(pod("leaving", node="n0", finished=True))
    assert world.core.queue.state("default/b") is State.BACKOFF


def test_nothing_goes_to_a_node_that_is_gone_and_its_pods_return_with_it():
    world = World(node("n0", cpu=1000))
    world.core.pod_changed(pod("old", SMALL, node="n0"))
    world.core.node_deleted("n0")
    world.core.pod_changed(pod("a"))
    assert world.decide() == {"a": None}
    world.core.node_changed(node("n0", cpu=500))
    assert world.decide() == {"a": None}
    world.core.node_changed(node("n0", cpu=1000))
    assert world.decide() == {"a": "n0"}


def test_a_flush_is_due_every_half_minute():
    world = World()
    assert world.core.next_at() == world.clock.monotonic() + 30.0


def test_a_cache_equals_what_is_built_afresh():
    columns = Columns()
    cache = Cache(columns)
    cache.set_node(node("n0"))
    cache.assume(pod("a"), "n0")
    cache.confirm(pod("b", node="n1"))
    assert cache.rebuilt().held() == columns.held()
    cache.verify()
    columns.requested[0, columns.slots["n0"]] += 1
    with pytest.raises(AssertionError, match="columns equal"):
        cache.verify()
    assert cache.forget(pod("b")) is None
    assert cache.forget(pod("a", uid="other")) is None
    assert cache.forget(pod("a")) is not None
