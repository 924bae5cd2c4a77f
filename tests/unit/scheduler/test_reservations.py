"""Pods whose claims are bound first: what is assumed, what is written, and how each of them ends. Nothing may stay assumed."""

from typing import Any

from kcore.base.clock import VirtualClock
from kcore.base.entropy import SeededEntropy
from kcore.base.limits import SCHEDULER_VOLUMES_BOUND_S_MAX
from kcore.scheduler.core import Batch, Core
from kcore.scheduler.queue import State
from kcore.scheduler.rows import PodRow
from kcore.scheduler.volumes.catalog import StorageChanged
from kcore.scheduler.volumes.rows import Claim, Row, Volume
from tests.unit.scheduler.pods import node, pod
from tests.unit.scheduler.storage import AT_ONCE, MADE, WAITS, claim, using, volume

BINDING = 'running PreBind plugin "VolumeBinding": binding volumes: '


class World:
    """A core that is told what the watch would tell it."""

    def __init__(self, *rows: Row, nodes: int = 2) -> None:
        self.clock = VirtualClock()
        self.core = Core(self.clock, SeededEntropy(1))
        for number in range(nodes):
            self.core.node_changed(node(f"n{number}", host=f"n{number}"))
        for row in rows:
            self.core.row_changed(row)

    def decide(self, *pods: PodRow) -> Batch:
        for each in pods:
            self.core.pod_changed(each)
        return self.core.decide(100)

    def reserve(self, *pods: PodRow) -> dict[str, Any]:
        """Decide, and write what has to be; Returns the patches."""
        batch = self.decide(*pods)
        patches = {write.name: write.patch for each, *_ in batch.reserved for write in self.core.reservations.writes(each, 0.0)}
        for each, *_ in batch.reserved:
            self.core.reserved_written(each)
        return patches

    def wait(self, seconds: float) -> None:
        self.clock.jump(seconds)
        self.clock.step(seconds)

    def catalog_is_clean(self) -> bool:
        return self.core.columns.catalog.assumed_count == 0 and len(self.core.reservations) == 0


def complete(found: Claim, name: str) -> Claim:
    return found._replace(volume_name=name, complete=True)


def given(found: Volume, to: Claim) -> Volume:
    return found._replace(claim=to.key, claim_uid=to.uid, free=False)


def test_a_volume_is_given_and_the_pod_is_bound_when_both_sides_say_so():
    a, v = claim("a"), volume("v", at=("n1",), resource_version="7")
    world = World(WAITS, a, v)
    patches = world.reserve(using("p", "a"))
    assert patches["v"]["spec"]["claimRef"]["uid"] == "uid-a" and patches["v"]["metadata"]["resourceVersion"] == "7"
    assert not world.decide().assumed
    world.core.row_changed(given(v, a))
    assert not world.decide().assumed
    world.core.row_changed(complete(a, "v"))
    [(bound, decision, _)] = world.decide().assumed
    assert (bound.name, decision.node) == ("p", "n1")
    assert world.catalog_is_clean()
    assert world.core.queue.state(bound.key) is State.IN_FLIGHT


def test_a_claim_is_given_to_the_node_and_the_pod_waits_for_its_volume():
    a = claim("a", "made")
    world = World(MADE, a)
    patches = world.reserve(using("p", "a"))
    selected = a._replace(selected=patches["a"]["metadata"]["annotations"]["volume.kubernetes.io/selected-node"])
    world.core.row_changed(selected)
    world.core.row_changed(complete(selected, "pvc"))
    assert not world.decide().assumed, "the volume is not known yet"
    world.core.row_changed(volume("pvc", "made", claim=a.key, claim_uid=a.uid, free=False))
    assert [attempt.decision.node for attempt in world.decide().assumed] == [selected.selected]
    assert world.catalog_is_clean()


def test_others_are_decided_meanwhile_and_never_get_what_is_assumed():
    a, b, c = claim("a"), claim("b"), claim("c")
    world = World(WAITS, a, b, c, volume("v0", at=("n0",)), volume("v1", at=("n1",)))
    batch = world.decide(using("p", "a"), using("q", "b"), using("r", "c"), pod("plain"))
    assert {decision.node for _, decision, _ in batch.reserved} == {"n0", "n1"}
    assert [attempt.pod.name for attempt in batch.assumed] == ["plain"]
    assert [attempt.pod.name for attempt in batch.waiting] == ["r"]
    given_to = {write.name for each, *_ in batch.reserved for write in world.core.reservations.writes(each, 0.0)}
    assert given_to == {"v0", "v1"}


def test_a_write_that_is_refused_takes_everything_back_and_the_pod_is_tried_again():
    a = claim("a")
    world = World(WAITS, a, volume("v", at=("n1",)))
    [(reserved, *_)] = world.decide(using("p", "a")).reserved
    world.core.reserved_refused(reserved, "no")
    assert world.catalog_is_clean() and not len(world.core.cache)
    assert world.core.queue.state(reserved.key) is State.BACKOFF
    world.wait(2)
    assert [attempt.decision.node for attempt in world.decide().reserved] == ["n1"]


def test_what_is_given_back_wakes_those_who_waited_for_it():
    world = World(WAITS, claim("a"), claim("b"), volume("v", at=("n1",)))
    batch = world.decide(using("p", "a"), using("q", "b"))
    assert [attempt.pod.name for attempt in batch.waiting] == ["q"]
    world.core.pod_deleted("default/p")
    assert [attempt.pod.name for attempt in world.decide().reserved] == ["q"]


def test_a_claim_that_is_never_bound_fails_after_the_time_out():
    a = claim("a", "made")
    world = World(MADE, a)
    world.reserve(using("p", "a"))
    world.core.row_changed(a._replace(selected="n0"))
    world.wait(SCHEDULER_VOLUMES_BOUND_S_MAX - 1)
    assert not world.decide().failed
    assert world.core.next_at() <= SCHEDULER_VOLUMES_BOUND_S_MAX
    world.wait(1)
    [(failed, why)] = world.decide().failed
    assert (failed.name, why) == ("p", f"{BINDING}timed out waiting for the condition")
    assert world.catalog_is_clean() and world.core.queue.state(failed.key) is State.BACKOFF


def test_a_provisioner_that_gives_up_takes_the_node_off_and_the_pod_starts_anew():
    a = claim("a", "made")
    world = World(MADE, a)
    patches = world.reserve(using("p", "a"))
    node_name = patches["a"]["metadata"]["annotations"]["volume.kubernetes.io/selected-node"]
    world.core.row_changed(a._replace(selected=node_name))
    world.core.row_changed(a)
    assert [why for _, why in world.decide().failed] == [f'{BINDING}provisioning failed for PVC "a"']
    assert world.catalog_is_clean()


def test_a_volume_that_somebody_else_took_in_time_fails_the_pod():
    a, v = claim("a"), volume("v", at=("n1",))
    world = World(WAITS, a, v)
    world.reserve(using("p", "a"))
    world.core.row_changed(given(v, claim("b")))
    world.core.row_changed(a._replace(attributes_class="x"))
    assert [why for _, why in world.decide().failed] == [f'{BINDING}ClaimRef got reset for pv "v"']
    assert world.catalog_is_clean()


def test_a_node_that_goes_and_a_claim_that_goes_fail_the_pod():
    a, b = claim("a", "made"), claim("b", "made")
    world = World(MADE, a, b)
    batch = world.decide(using("p", "a"), using("q", "b"))
    for each, *_ in batch.reserved:
        world.core.reserved_written(each)
    gone = next(decision.node for each, decision, _ in batch.reserved if each.name == "p") or ""
    world.core.node_deleted(gone)
    world.core.row_deleted(Claim, "default/b")
    whys = {each.name: why for each, why in world.decide().failed}
    assert whys["p"] == f'{BINDING}node "{gone}" not found'
    assert whys["q"] in (f'{BINDING}could not find v1.PersistentVolumeClaim "default/b"', f'{BINDING}node "{gone}" not found')
    assert world.catalog_is_clean()


def test_a_change_that_has_nothing_to_do_with_it_leaves_what_is_assumed():
    a, v = claim("a"), volume("v", at=("n1",))
    world = World(WAITS, a, claim("b"), v)
    world.reserve(using("p", "a"))
    world.core.row_changed(v._replace(capacity_bytes=v.capacity_bytes * 2))
    assert [attempt.pod.name for attempt in world.decide(using("q", "b")).waiting] == ["q"]
    assert world.core.columns.catalog.is_assumed("v")


def test_two_pods_of_one_claim_go_to_one_node():
    a = claim("a", "made")
    world = World(MADE, a, nodes=5)
    batch = world.decide(using("p", "a"), using("q", "a"))
    assert len({decision.node for _, decision, _ in batch.reserved}) == 1
    assert len([write for each, *_ in batch.reserved for write in world.core.reservations.writes(each, 0.0)]) <= 2


def test_an_event_about_a_claim_is_asked_about_only_of_pods_that_name_it():
    world = World(AT_ONCE, *(claim(name, "at-once") for name in "ab"))
    world.decide(using("p", "a"), using("q", "b"))
    queue = world.core.queue
    event = StorageChanged(claim("a", "at-once"), complete(claim("a", "at-once"), "v"))
    assert [group.key for group, _ in queue._concerned(event)] == ["default/p"]
    assert {group.key for group, _ in queue._concerned(StorageChanged(None, AT_ONCE))} == {"default/p", "default/q"}
    world.core.row_changed(event.new)
    assert queue.state("default/p") is State.BACKOFF and queue.state("default/q") is State.UNSCHEDULABLE
    world.core.pod_deleted("default/p")
    assert not queue._concerned(event)
