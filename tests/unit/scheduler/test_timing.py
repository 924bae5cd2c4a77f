"""What attempts tell the metrics."""

from kcore.base import metrics
from kcore.machinery import status
from kcore.scheduler import timing
from kcore.scheduler.core import Attempt, Batch
from kcore.scheduler.cycle import Decision
from kcore.scheduler.ingest import pod_row
from tests.unit.scheduler.pods import pod_bytes

PLACED, WAITING = Decision("node-0", feasible=2), Decision(None)


def attempt(decision: Decision, profile: str) -> Attempt:
    return Attempt(pod_row(pod_bytes({"schedulerName": profile})), decision)


def counts(profile: str) -> dict[str, float]:
    points = {
        f"{point} {status_}": metrics.EXTENSION_POINT_SECONDS.count(point, status_, profile)
        for point in ("Filter", "Bind")
        for status_ in ("Success", "Unschedulable", "Error")
    }
    attempts = {result: metrics.SCHEDULE_ATTEMPTS.value(result, profile) for result in ("scheduled", "unschedulable", "error")}
    assert attempts == {result: metrics.ATTEMPT_SECONDS.count(result, profile) for result in attempts}
    return {name: count for name, count in (points | attempts).items() if count}


def test_each_pod_of_a_batch_has_its_part_of_the_time() -> None:
    before = metrics.SCHEDULING_ALGORITHM_SECONDS.count()
    assumed = [attempt(PLACED, "one"), attempt(PLACED, "one"), attempt(PLACED, "other")]
    timing.decided(Batch(assumed, [attempt(WAITING, "one")], [], [], [attempt(PLACED, "other")], [], []), 10.0)
    assert counts("one") == {"Filter Success": 2, "Filter Unschedulable": 1, "unschedulable": 1}
    assert counts("other") == {"Filter Success": 2}
    assert metrics.SCHEDULING_ALGORITHM_SECONDS.count() == before + 5
    sums = [each for each in metrics.EXTENSION_POINT_SECONDS.samples() if each.suffix == "_sum" and each.labels["profile"] == "one"]
    assert {each.labels["status"]: each.value for each in sums} == {"Success": 4.0, "Unschedulable": 2.0}


def test_a_pod_whose_reservation_ended_was_decided_before() -> None:
    timing.decided(Batch([attempt(Decision("node-0"), "late")], [], [], [], [], [], []), 1.0)
    assert counts("late") == {}


def test_bindings_are_told_by_what_became_of_them() -> None:
    attempts = [attempt(PLACED, "bound")] * 3
    timing.bound(attempts, [None, status.conflict("", "pods", "p", "no"), None], 2.0, 1.0)
    assert counts("bound") == {"Bind Success": 2, "Bind Error": 1, "scheduled": 2, "error": 1}


def test_a_pod_that_could_not_be_decided_is_an_error() -> None:
    timing.decided(Batch([], [attempt(Decision(None, failed=True), "odd"), attempt(WAITING, "odd")], [], [], [], [], []), 1.0)
    assert counts("odd") == {"Filter Unschedulable": 1, "unschedulable": 1, "Filter Error": 1, "error": 1}
