"""The queue: who is next, who waits for what, and for how long."""

from kcore.scheduler.events import NodeChanged, NodeGone, PodGone
from kcore.scheduler.profile import DEFAULT
from kcore.scheduler.queue import Queue, State, backoff_s
from kcore.scheduler.rows import Account, Ask, Taint
from tests.unit.scheduler.pods import node, pod

FIT = ("NodeResourcesFit",)


def queue_of(*pods, now: float = 0.0) -> Queue:
    queue = Queue({DEFAULT.name: DEFAULT.wakers})
    for each in pods:
        queue.update(each, now)
    return queue


def failed(queue: Queue, name: str, rejected_by: tuple[str, ...], now: float) -> None:
    row = queue.pop(now)
    assert row is not None
    assert row.name == name
    queue.fail(row, rejected_by, now)


def test_pods_come_by_priority_and_then_by_time() -> None:
    queue = Queue({DEFAULT.name: DEFAULT.wakers})
    for at, row in enumerate((pod("old"), pod("young"), pod("high", priority=10))):
        queue.update(row, float(at))
    assert [queue.pop(9.0).name for _ in range(3)] == ["high", "old", "young"]
    assert queue.pop(9.0) is None


def test_a_changed_priority_moves_an_active_pod() -> None:
    queue = queue_of(pod("a"), pod("b"))
    queue.update(pod("b", priority=5), 1.0)
    assert [queue.pop(1.0).name for _ in range(2)] == ["b", "a"]
    assert queue.pop(1.0) is None


def test_a_pause_doubles_up_to_ten_seconds() -> None:
    assert [backoff_s(attempts) for attempts in (1, 2, 3, 4, 5, 99)] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_a_rejected_pod_sleeps_until_an_event_that_its_filter_takes_for_help() -> None:
    queue = queue_of(pod("a"))
    failed(queue, "a", ("TaintToleration",), 0.0)
    assert queue.state("default/a") is State.UNSCHEDULABLE
    tainted = node("n", taints=(Taint("k", "", "NoSchedule"),))
    queue.wake(NodeChanged(None, tainted), 20.0)
    queue.wake(PodGone("n", Account()), 20.0)
    assert queue.state("default/a") is State.UNSCHEDULABLE
    queue.wake(NodeChanged(tainted, node("n")), 20.0)
    assert queue.state("default/a") is State.ACTIVE


def test_a_woken_pod_backs_off_first_unless_nothing_else_is_active() -> None:
    queue = queue_of(pod("a"))
    failed(queue, "a", FIT, 0.0)
    queue.wake(PodGone("n", Account()), 0.25)
    assert queue.state("default/a") is State.BACKOFF
    assert queue.next_at() == 1.0
    queue.update(pod("b"), 0.3)
    assert [queue.pop(0.5).name, queue.pop(0.5).name] == ["b", "a"]


def test_a_pod_whose_binding_failed_is_not_tried_early() -> None:
    queue = queue_of(pod("a"))
    failed(queue, "a", (), 0.0)
    assert queue.state("default/a") is State.BACKOFF
    assert queue.pop(0.9) is None
    assert queue.pop(1.0).name == "a"


def test_an_unsupported_wish_is_woken_by_the_flush_alone() -> None:
    queue = queue_of(pod("a"))
    failed(queue, "a", ("GangScheduling",), 0.0)
    queue.wake(NodeChanged(None, node("n")), 20.0)
    queue.flush(299.0)
    assert queue.state("default/a") is State.UNSCHEDULABLE
    queue.flush(300.0)
    assert queue.state("default/a") is State.ACTIVE


def test_a_gated_pod_waits_for_its_last_gate() -> None:
    queue = queue_of(pod("a", gates=("x", "y")))
    assert queue.pop(0.0) is None
    queue.update(pod("a", gates=("y",)), 1.0)
    assert queue.state("default/a") is State.GATED
    queue.update(pod("a"), 2.0)
    assert queue.pop(2.0).name == "a"


def test_a_changed_ask_wakes_an_unschedulable_pod_and_a_changed_status_does_not() -> None:
    queue = queue_of(pod("a"))
    failed(queue, "a", FIT, 0.0)
    queue.update(pod("a", conditions=(b"x",)), 9.0)
    assert queue.state("default/a") is State.UNSCHEDULABLE
    queue.update(pod("a", Ask()), 9.0)
    assert queue.state("default/a") is State.ACTIVE


def test_a_pod_that_changed_while_it_was_decided_is_tried_again() -> None:
    queue = queue_of(pod("a"))
    row = queue.pop(0.0)
    queue.update(pod("a", Ask()), 0.0)
    queue.fail(row, FIT, 0.0)
    assert queue.state("default/a") is State.BACKOFF


def test_a_late_answer_about_a_former_pod_of_the_name_changes_nothing() -> None:
    queue = queue_of(pod("a"))
    row = queue.pop(0.0)
    queue.delete("default/a", 0.0)
    queue.fail(row, (), 0.0)
    assert queue.state("default/a") is None
    queue.update(pod("a", uid="new"), 1.0)
    queue.pop(1.0)
    queue.fail(row, (), 1.0)
    assert queue.state("default/a") is State.IN_FLIGHT


def test_counts_follow_the_pods() -> None:
    queue = queue_of(pod("a"), pod("b"), pod("c", gates=("x",)))
    failed(queue, "a", FIT, 0.0)
    assert {state: queue.count(state) for state in State} == {
        State.ACTIVE: 1, State.BACKOFF: 0, State.UNSCHEDULABLE: 1, State.GATED: 1, State.IN_FLIGHT: 0,
    }  # fmt: skip
    queue.delete("default/a", 0.0)
    queue.delete("default/c", 0.0)
    queue.delete("default/none", 0.0)
    assert len(queue) == 1
    assert queue.count(State.UNSCHEDULABLE) == queue.count(State.GATED) == 0


def test_one_of_a_group_is_woken_and_the_next_one_once_it_has_found_a_node() -> None:
    queue = queue_of(pod("a"), pod("b"), pod("c"))
    for name in "abc":
        failed(queue, name, FIT, 0.0)
    queue.wake(PodGone("n", Account()), 20.0)
    queue.wake(PodGone("n", Account()), 20.0)
    row = queue.pop(20.0)
    assert row.name == "a"
    assert queue.pop(20.0) is None
    queue.assumed(row, 20.0)
    assert queue.pop(20.0).name == "b"
    queue.fail(pod("b"), FIT, 20.0)
    assert queue.pop(20.0) is None
    assert queue.count(State.UNSCHEDULABLE) == 2


def test_who_leaves_without_an_answer_passes_the_turn_on() -> None:
    queue = queue_of(pod("a"), pod("b"))
    for name in "ab":
        failed(queue, name, FIT, 0.0)
    queue.wake(PodGone("n", Account()), 20.0)
    queue.delete("default/a", 20.0)
    assert queue.pop(20.0).name == "b"


def test_pods_of_other_priority_or_wishes_have_a_turn_of_their_own() -> None:
    queue = queue_of(pod("a"), pod("b", priority=5), pod("c", Ask(amounts=(("cpu", 1),))))
    for name in "bac":
        failed(queue, name, FIT, 0.0)
    queue.wake(PodGone("n", Account()), 20.0)
    assert [queue.pop(20.0).name for _ in range(3)] == ["b", "a", "c"]


def test_a_pod_waits_for_the_last_victim_on_its_node() -> None:
    queue = queue_of(pod("a"), pod("b"))
    for name, node_name in (("a", "n"), ("b", "m")):
        queue.fail(queue.pop(0.0), FIT, 0.0, node_name)
        assert queue.state(f"default/{name}") is State.UNSCHEDULABLE
    none_left = lambda priority: {}  # noqa: E731
    queue.wake(PodGone("n", Account(), True, none_left), 20.0)
    assert queue.pop(20.0) is None
    queue.wake(PodGone("n", Account(), False, none_left), 20.0)
    assert queue.pop(20.0).name == "a"
    assert queue.pop(20.0) is None
    queue.wake(NodeGone(node("m")), 20.0)
    assert queue.pop(20.0).name == "b"


def test_a_pods_end_wakes_only_who_might_fit_on_its_node() -> None:
    queue = queue_of(pod("a"))
    failed(queue, "a", FIT, 0.0)
    queue.wake(PodGone("n", Account(), False, lambda priority: {"cpu": 499, "pods": 1}), 20.0)
    queue.wake(PodGone("n", Account(), False, lambda priority: {"cpu": 500, "pods": 0}), 20.0)
    assert queue.state("default/a") is State.UNSCHEDULABLE
    queue.wake(PodGone("n", Account(), False, lambda priority: {"cpu": 500, "pods": 1}), 20.0)
    assert queue.state("default/a") is State.ACTIVE


def test_who_was_woken_comes_before_who_came_after_it_had_failed() -> None:
    queue = queue_of(pod("a"))
    failed(queue, "a", FIT, 0.0)
    queue.update(pod("b"), 5.0)
    queue.wake(PodGone("n", Account()), 20.0)
    assert [queue.pop(20.0).name for _ in range(2)] == ["a", "b"]


def test_pauses_are_those_that_were_configured() -> None:
    queue = Queue({DEFAULT.name: DEFAULT.wakers}, backoff_s=3.0, backoff_s_max=5.0)
    queue.update(pod("a"), 0.0)
    failed(queue, "a", (), 0.0)
    assert queue.next_at() == 3.0
    failed_again = queue.pop(3.0)
    queue.fail(failed_again, (), 3.0)
    assert queue.next_at() == 8.0
