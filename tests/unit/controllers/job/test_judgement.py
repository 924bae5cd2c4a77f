"""What a Job's pods amount to: counts, verdicts, failure rules, waits."""

from typing import Any

import pytest

from kcore.controllers.job import backoff, failure_policy
from kcore.controllers.job.backoff import Record
from kcore.controllers.job.judgement import Judgement, Observed, judge
from kcore.controllers.job.pods import FAILURES, INDEX, TRACKING
from tests.property.controllers import batch_world
from tests.property.controllers.world import pod

NOW = 10_000.0


def job(completions: int | None = 3, parallelism: int = 2, **fields: Any) -> Any:
    found = batch_world.job("work", completions, parallelism, **fields)
    found.metadata.namespace, found.metadata.uid = "default", "u"
    found.status.startTime.seconds = 9_000
    return found


def work(name: str, phase: str = "Running", index: int | None = None, code: int = 1, tracked: bool = True, at: int = 9_500) -> Any:
    """A pod of a Job, which ended at a time if it has ended."""
    found = pod(name, job="work")
    found.metadata.namespace, found.metadata.uid = "default", name
    found.metadata.ownerReferences.add(kind="Job", name="work", uid="u", controller=True)
    if tracked:
        found.metadata.finalizers.append(TRACKING)
    if index is not None:
        found.metadata.annotations[INDEX] = str(index)
    found.status.phase = phase
    if phase in ("Succeeded", "Failed"):
        terminated = found.status.containerStatuses.add(name="c").state.terminated
        terminated.exitCode, terminated.finishedAt.seconds = code if phase == "Failed" else 0, at
    return found


def judged(found: Any, *pods: Any, released: tuple[str, ...] = ()) -> Judgement:
    return judge(Observed(found, pods, frozenset(released), True, Record(), NOW))


def reason(found: Any, *pods: Any) -> str:
    verdict = judged(found, *pods).verdict
    return verdict.reason if verdict is not None else ""


def test_a_pod_counts_once_whether_it_is_new_noted_or_released() -> None:
    found = job()
    found.status.succeeded = 4
    found.status.uncountedTerminatedPods.succeeded.append("noted")
    pods = [work(name, "Succeeded", tracked=name != "counted") for name in ("new", "noted", "counted", "released")]
    assert judged(found, *pods, released=("released",)).succeeded == 4 + 1 + 1


def test_a_pod_without_a_valid_index_does_not_count_for_an_indexed_job() -> None:
    found = judged(job(indexed=True), work("a", "Succeeded", 1), work("b", "Succeeded"), work("c", "Succeeded", 7), work("d", "Failed", 9))
    assert (found.succeeded, found.succeeded_indexes, found.failed) == (1, ((1, 1),), 0)


@pytest.mark.parametrize(("failures", "limit", "ends"), [(1, 0, True), (1, 1, False), (2, 1, True)])
def test_a_job_fails_when_more_pods_failed_than_it_bears(failures: int, limit: int, ends: bool) -> None:
    pods = [work(f"p{number}", "Failed") for number in range(failures)]
    assert (reason(job(backoffLimit=limit), *pods) == "BackoffLimitExceeded") == ends


def test_a_deleted_pod_has_failed_unless_the_job_waits_for_its_end() -> None:
    gone = work("gone")
    gone.metadata.deletionTimestamp.seconds = 9_900
    assert judged(job(), gone).failed == 1
    assert judged(job(podReplacementPolicy="Failed"), gone).failed == 0


def test_restarts_in_a_pod_count_against_the_limit() -> None:
    found = job(backoffLimit=2)
    found.spec.template.spec.restartPolicy = "OnFailure"
    running = work("a")
    running.status.containerStatuses.add(name="c", restartCount=1)
    assert reason(found, running) == ""
    running.status.initContainerStatuses.add(name="i", restartCount=1)
    assert reason(found, running) == "BackoffLimitExceeded"


def test_a_deadline_counts_from_the_start_and_not_while_suspended() -> None:
    assert reason(job(activeDeadlineSeconds=1_000)) == "DeadlineExceeded"
    assert reason(job(activeDeadlineSeconds=1_001)) == ""
    assert reason(job(activeDeadlineSeconds=1, suspend=True)) == ""


def test_a_verdict_that_stands_is_not_judged_again() -> None:
    found = job(backoffLimit=0)
    found.status.conditions.add(type="SuccessCriteriaMet", status="True", reason="SuccessPolicy", message="m")
    verdict = judged(found, work("a", "Failed")).verdict
    assert verdict is not None and (verdict.has_failed, verdict.reason) == (False, "SuccessPolicy")


def rules(*wanted: tuple[str, str, list[int]]) -> Any:
    found = job()
    for action, operator, values in wanted:
        rule = found.spec.podFailurePolicy.rules.add(action=action)
        rule.onExitCodes.operator = operator
        rule.onExitCodes.values.extend(values)
    return found


@pytest.mark.parametrize(("code", "action", "counts"), [(42, "FailJob", True), (7, "Ignore", False), (3, "Count", True), (1, "", True)])
def test_the_first_rule_that_matches_decides(code: int, action: str, counts: bool) -> None:
    found = rules(("FailJob", "In", [42]), ("Ignore", "In", [7, 42]), ("Count", "In", [3]))
    match = failure_policy.match(found, work("a", "Failed", code=code))
    assert (match.action, match.counts) == (action, counts)


def test_a_rule_for_other_codes_does_not_match_success() -> None:
    found, ended = rules(("FailJob", "NotIn", [1])), work("a", "Failed", code=1)
    assert failure_policy.match(found, ended).action == ""
    ended.status.containerStatuses[0].state.terminated.exitCode = 0
    assert failure_policy.match(found, ended).action == ""
    ended.status.containerStatuses[0].state.terminated.exitCode = 2
    message = "Container c for pod default/a failed with exit code 2 matching FailJob rule at index 0"
    assert failure_policy.match(found, ended).message == message


def test_a_rule_matches_conditions_and_a_named_container() -> None:
    found = job()
    found.spec.podFailurePolicy.rules.add(action="FailJob").onPodConditions.add(type="ConfigIssue", status="True")
    ended = work("a", "Failed")
    assert not failure_policy.match(found, ended).message
    ended.status.conditions.add(type="ConfigIssue", status="True")
    assert failure_policy.match(found, ended).message == "Pod default/a has condition ConfigIssue matching FailJob rule at index 0"
    named = rules(("Ignore", "In", [1]))
    named.spec.podFailurePolicy.rules[0].onExitCodes.containerName = "other"
    assert failure_policy.match(named, ended).action == ""


def test_an_index_fails_for_itself_and_the_job_when_all_have_ended() -> None:
    found = job(2, 2, indexed=True, backoffLimitPerIndex=1)
    first, second = work("a", "Failed", 0), work("b", "Failed", 0)
    second.metadata.annotations[FAILURES] = "1"
    assert judged(found, first).failed_indexes == () and set(judged(found, first).delayed) == {0}
    assert judged(found, second).failed_indexes == ((0, 0),) and not judged(found, second).delayed
    assert reason(found, second, work("c", "Running", 1)) == ""
    assert reason(found, second, work("c", "Succeeded", 1)) == "FailedIndexes"


def test_too_many_failed_indexes_end_a_job_early() -> None:
    found = job(5, 2, indexed=True, backoffLimitPerIndex=0, maxFailedIndexes=1)
    assert reason(found, work("a", "Failed", 0)) == ""
    assert reason(found, work("a", "Failed", 0), work("b", "Failed", 3)) == "MaxFailedIndexesExceeded"


@pytest.mark.parametrize(("wanted", "count", "succeeded", "met"), [
    ("0,2", None, [0], False),
    ("0,2", None, [0, 2], True),
    ("0-4", 2, [1, 3], True),
    ("0-1", 2, [1, 3], False),
    (None, 2, [1, 4], True),
    (None, 3, [1, 4], False),
])  # fmt: skip
def test_a_success_policy_is_met_by_indexes_by_number_or_by_both(
    wanted: str | None, count: int | None, succeeded: list[int], met: bool
) -> None:
    found = job(5, 5, indexed=True)
    rule = found.spec.successPolicy.rules.add()
    if wanted is not None:
        rule.succeededIndexes = wanted
    if count is not None:
        rule.succeededCount = count
    assert (reason(found, *(work(f"p{index}", "Succeeded", index) for index in succeeded)) == "SuccessPolicy") == met


def test_waits_double_with_each_failure_and_a_success_ends_them() -> None:
    record = backoff.follow(Record(), [], [work("a", "Failed", at=100)])
    assert backoff.wait_s(record, 104.0) == 6.0
    record = backoff.follow(record, [], [work("b", "Failed", at=200), work("c", "Failed", at=210)])
    assert (record.failures, backoff.wait_s(record, 210.0)) == (3, 40.0)
    assert backoff.wait_s(Record(50, 0.0), 0.0) == 600.0
    done, failed = [work("d", "Succeeded", at=220)], [work("e", "Failed", at=219), work("f", "Failed", at=230)]
    assert backoff.follow(record, done, []) == Record()
    assert backoff.follow(record, done, failed) == Record(1, 230.0)
