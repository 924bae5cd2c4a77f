"""How many pods a Job has, and what its status says while they end."""

from typing import Any

import pytest

from kcore.controllers.actions import Outcome
from kcore.controllers.job import scaling, tracking
from kcore.controllers.job.pods import FAILURES, INDEX, TRACKING
from kcore.controllers.job.scaling import Plan
from kcore.controllers.pod_names import free_names
from tests.unit.controllers.job.test_judgement import job, judged, work


def planned(found: Any, *pods: Any) -> Plan:
    return scaling.plan(judged(found, *pods), lambda prefix: free_names(found, lambda name: False, prefix=prefix))


@pytest.mark.parametrize(("completions", "parallelism", "phases", "created", "removed"), [
    (5, 2, [], 2, 0),
    (5, 2, ["Running"], 1, 0),
    (5, 2, ["Running", "Running", "Running"], 0, 1),
    (3, 5, ["Succeeded", "Running"], 1, 0),
    (3, 5, ["Succeeded", "Succeeded", "Succeeded"], 0, 0),
    (None, 2, ["Running"], 1, 0),
    (None, 2, ["Succeeded", "Running"], 0, 0),
    (5, 0, ["Running"], 0, 1),
])  # fmt: skip
def test_as_many_pods_run_as_completions_are_left_within_parallelism(
    completions: int | None, parallelism: int, phases: list[str], created: int, removed: int
) -> None:
    pods = [work(f"p{number}", phase) for number, phase in enumerate(phases)]
    found = planned(job(completions, parallelism), *pods)
    assert (len(found.creates), len(found.removals)) == (created, removed)


def test_a_suspended_job_removes_all_pods_and_one_that_is_being_deleted_makes_none() -> None:
    assert len(planned(job(5, 2, suspend=True), work("a"), work("b")).removals) == 2
    going = job(5, 2)
    going.metadata.deletionTimestamp.seconds = 1
    assert planned(going) == Plan()


def test_after_a_failure_the_next_pod_waits() -> None:
    found = planned(job(3, 2, backoffLimit=6), work("a", "Failed", at=9_995))
    assert (found.creates, found.wait_s) == ([], 5.0)


def test_a_pod_on_its_way_out_is_replaced_at_once_or_when_it_has_ended() -> None:
    going = work("a")
    going.metadata.deletionTimestamp.seconds = 9_000
    assert len(planned(job(3, 1), going).creates) == 1
    assert planned(job(3, 1, podReplacementPolicy="Failed"), going).creates == []


def test_indexes_run_once_the_lowest_first() -> None:
    found = planned(job(5, 3, indexed=True), work("a", "Succeeded", 0), work("b", "Running", 2))
    created = [create.object for create in found.creates]
    assert [pod.metadata.annotations[INDEX] for pod in created] == [pod.metadata.labels[INDEX] for pod in created] == ["1", "3"]
    assert [pod.spec.hostname for pod in created] == ["work-1", "work-3"]
    assert all(pod.metadata.name.startswith(f"{pod.spec.hostname}-") for pod in created)
    assert created[0].spec.containers[0].env[0].valueFrom.fieldRef.fieldPath == f"metadata.labels['{INDEX}']"
    assert all(TRACKING in pod.metadata.finalizers for pod in created)


def test_doubled_and_foreign_indexes_are_removed() -> None:
    ready = work("b", "Running", 1)
    ready.status.conditions.add(type="Ready", status="True")
    found = planned(job(3, 3, indexed=True), work("a", "Running", 1), ready, work("c", "Running", 7), work("d"))
    assert sorted(pod.metadata.name for pod in found.removals) == ["a", "c", "d"]


def test_the_next_pod_of_an_index_takes_its_failures_over() -> None:
    failed = work("a", "Failed", 0, at=1_000)
    failed.metadata.annotations[FAILURES] = "1"
    found = planned(job(2, 2, indexed=True, backoffLimitPerIndex=5), failed)
    assert [create.object.metadata.annotations[FAILURES] for create in found.creates] == ["2", "0"]


def test_an_index_that_must_wait_does_not_hold_others_up() -> None:
    found = planned(job(2, 2, indexed=True, backoffLimitPerIndex=5), work("a", "Failed", 0, at=9_995))
    assert [create.object.metadata.annotations[INDEX] for create in found.creates] == ["1"] and found.wait_s == 5.0


def test_long_names_leave_room_for_the_index() -> None:
    assert scaling.indexed_prefix("w" * 63, 12) == "w" * 54 + "-12-"


def left_after(found: Any, *pods: Any, done: bool = True) -> tuple[Any, scaling.Scaled]:
    """Carry a plan out, or have all of it fail."""
    seen = judged(found, *pods)
    wanted = scaling.plan(seen, lambda prefix: free_names(found, lambda name: False, prefix=prefix))
    deletes = [scaling.pod_template.delete(found, pod) for pod in (*wanted.removals, *wanted.ends)]
    outcomes = [Outcome(action, None, uid="x", resource_version="9") for action in (*wanted.creates, *deletes)] if done else []
    return seen, scaling.scaled(seen, wanted, outcomes)


def test_a_job_is_judged_only_when_all_its_pods_are_on_their_way_out() -> None:
    found, pods = job(3, 2, backoffLimit=0), [work("a", "Failed"), work("b")]
    assert left_after(found, *pods)[1].verdict is not None
    assert left_after(found, *pods, done=False)[1].verdict is None


def test_pods_that_a_failed_job_ends_are_noted_as_failed() -> None:
    seen, left = left_after(job(3, 2, backoffLimit=0), work("a", "Failed"), work("b"), work("c", "Succeeded"))
    tracked = tracking.track(seen, left)
    noted = tracked.job.status.uncountedTerminatedPods
    assert (list(noted.failed), list(noted.succeeded)) == (["a", "b"], ["c"])
    assert len(tracked.releases) == 3 and [item.type for item in tracked.job.status.conditions] == ["FailureTarget"]


def test_pods_that_a_success_policy_ends_are_not_counted() -> None:
    found = job(3, 3, indexed=True)
    found.spec.successPolicy.rules.add(succeededIndexes="0")
    seen, left = left_after(found, work("a", "Succeeded", 0), work("b", "Running", 1))
    tracked = tracking.track(seen, left)
    assert not tracked.job.status.uncountedTerminatedPods.failed and tracked.job.status.completedIndexes == "0"
    assert len(tracked.releases) == 2


def test_what_is_released_turns_into_numbers_and_then_the_job_ends() -> None:
    seen, left = left_after(job(1, 1), work("a", "Succeeded"))
    tracked = tracking.track(seen, left)
    held = tracking.conclude(seen, left, tracked, "8", set())
    assert held is None
    concluded = tracking.conclude(seen, left, tracked, "8", {"a"})
    assert concluded is not None and concluded.object.metadata.resourceVersion == "8"
    status = concluded.object.status
    assert (status.succeeded, len(status.uncountedTerminatedPods.succeeded)) == (1, 0)
    assert [item.type for item in status.conditions] == ["SuccessCriteriaMet", "Complete"] and status.HasField("completionTime")
    assert [event.message for event in concluded.done] == ["Job completed"]


def test_a_job_ends_no_earlier_than_it_began_though_the_clock_went_back() -> None:
    found = job(1, 1)
    found.status.startTime.seconds = 10**10
    seen, left = left_after(found, work("a", "Succeeded"))
    concluded = tracking.conclude(seen, left, tracking.track(seen, left), "8", {"a"})
    assert concluded is not None and concluded.object.status.completionTime.seconds == 10**10


def test_a_job_does_not_end_while_a_pod_is_ending() -> None:
    seen, left = left_after(job(3, 2, backoffLimit=0), work("a", "Failed"), work("b"))
    tracked = tracking.track(seen, left)
    concluded = tracking.conclude(seen, left, tracked, "8", {"a", "b"})
    assert concluded is not None and [item.type for item in concluded.object.status.conditions] == ["FailureTarget"]
    assert concluded.object.status.failed == 2


def test_very_many_pods_are_noted_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking.limits, "JOB_UNCOUNTED_MAX", 2)
    seen, left = left_after(job(9, 9), *(work(f"p{number}", "Succeeded") for number in range(5)))
    tracked = tracking.track(seen, left)
    assert len(tracked.job.status.uncountedTerminatedPods.succeeded) == len(tracked.releases) == 2 and not tracked.is_whole


def test_suspending_takes_the_start_time_and_resuming_sets_it_anew() -> None:
    found = job(3, 2, suspend=True)
    tracked = tracking.track(*left_after(found, work("a")))
    assert tracked.update is not None and [event.reason for event in tracked.update.done] == ["Suspended"]
    assert not tracked.job.status.HasField("startTime")
    tracked.job.spec.suspend = False
    again = tracking.track(*left_after(tracked.job))
    assert again.update is not None and [event.reason for event in again.update.done] == ["Resumed"]
    assert again.job.status.startTime.seconds == 10_000
