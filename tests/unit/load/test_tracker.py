"""What became of pods, told by what was sent, answered and watched."""

from kcore.load.pods import Wanted
from kcore.load.tracker import Seen, Tracker
from kcore.machinery import status

A, B = Wanted("a", b""), Wanted("b", b"")
OWNER = Wanted("web", b"", 2)


def pods(*sent: Wanted) -> Tracker:
    tracker = Tracker(has_owners=False)
    tracker.sent(sent, 1.0)
    return tracker


def run(tracker: Tracker, name: str, now: float, uid: str = "") -> None:
    tracker.observe("ADDED", Seen(name, uid, "", "Pending"), now)
    tracker.observe("MODIFIED", Seen(name, uid, "n", "Running"), now)


def test_a_phase_is_complete_when_all_run() -> None:
    tracker = pods(A, B)
    run(tracker, "a", 2.0)
    assert not tracker.phase.is_complete and tracker.phase.left == 1
    run(tracker, "b", 3.0)
    assert tracker.phase.is_complete and tracker.phase.times.running == {"a": 2.0, "b": 3.0}


def test_a_refused_create_is_not_waited_for() -> None:
    tracker = pods(A, B)
    tracker.answered(A, None, 2.0)
    tracker.answered(B, status.service_unavailable("no"), 2.0)
    run(tracker, "a", 2.0)
    assert tracker.phase.is_complete and (tracker.phase.refused, list(tracker.phase.failures)) == (1, ["b"])
    assert tracker.phase.times.acknowledged == {"a": 2.0}


def test_a_refused_deployment_takes_all_its_pods_with_it() -> None:
    tracker = Tracker(has_owners=True)
    tracker.sent([OWNER], 1.0)
    tracker.answered(OWNER, status.service_unavailable("no"), 2.0)
    assert (tracker.phase.count, tracker.phase.refused, tracker.phase.is_complete) == (2, 2, True)


def test_a_pod_that_fits_nowhere_is_not_left_until_it_is_bound() -> None:
    tracker = pods(A)
    tracker.observe("MODIFIED", Seen("a", "", "", "Pending", is_unschedulable=True), 2.0)
    assert tracker.phase.left == 0 and not tracker.phase.is_complete
    tracker.observe("MODIFIED", Seen("a", "", "n", "Pending"), 2.0)
    assert tracker.phase.left == 1


def test_the_oldest_running_pods_are_chosen_and_each_once() -> None:
    tracker = pods(B, A)
    run(tracker, "b", 2.0)
    run(tracker, "a", 3.0)
    tracker.begin_churn()
    assert tracker.take_oldest(1, 4.0) == ["b"] and tracker.take_oldest(5, 5.0) == ["a"] and tracker.take_oldest(1, 6.0) == []
    assert tracker.phase.deletes == {"b": 4.0, "a": 5.0}


def test_a_churn_is_complete_when_the_new_run_and_the_old_are_gone() -> None:
    tracker = pods(A)
    run(tracker, "a", 2.0)
    tracker.begin_churn()
    tracker.take_oldest(1, 3.0)
    tracker.sent([B], 3.0)
    run(tracker, "b", 4.0)
    assert not tracker.phase.is_complete
    tracker.observe("MODIFIED", Seen("a", "", "n", "Running"), 4.0)
    tracker.observe("DELETED", Seen("a", "", "n", "Running"), 5.0)
    assert tracker.phase.is_complete and tracker.phase.deleted == {"a": 5.0}
    assert (tracker.first.times.running, tracker.phase.times.running) == ({"a": 2.0}, {"b": 4.0})
    assert tracker.running == {"b": "b"} and len(tracker.phases) == 2


def test_pods_of_a_deployment_count_from_its_create() -> None:
    tracker = Tracker(has_owners=True)
    tracker.sent([OWNER], 1.0)
    run(tracker, "web-1-x", 2.0, "u1")
    run(tracker, "web-1-y", 3.0, "u2")
    assert tracker.phase.is_complete and tracker.phase.times.sent == {"web": 1.0, "u1": 1.0, "u2": 1.0}


def test_a_pod_that_a_deployment_makes_again_counts_from_the_deletion_though_its_name_is_the_same() -> None:
    tracker = Tracker(has_owners=True)
    tracker.sent([OWNER], 1.0)
    run(tracker, "web-1-x", 2.0, "u1")
    run(tracker, "web-1-y", 2.0, "u2")
    tracker.begin_churn()
    assert tracker.take_oldest(1, 5.0) == ["web-1-x"]
    tracker.observe("DELETED", Seen("web-1-x", "u1", "n", "Running"), 5.5)
    assert not tracker.phase.is_complete
    run(tracker, "web-1-x", 6.0, "u3")
    assert tracker.phase.is_complete and tracker.phase.times.sent == {"u3": 5.0} and tracker.phase.times.running == {"u3": 6.0}
