"""Job: defaults, its own selector, policies, and what may change."""
from typing import Any

import pytest

from kcore.machinery.kinds.batch import job
from kcore.machinery.kinds.batch.job_policy import count_indexes

Spec = dict[str, Any]


def template(**labels: str) -> Spec:
    container = {"name": "c", "image": "i", "terminationMessagePolicy": "File", "imagePullPolicy": "Always"}
    spec = {"containers": [container], "restartPolicy": "Never", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30}
    return {"metadata": {"labels": labels}, "spec": spec}


def made(**more: Any) -> Spec:
    value: Spec = {"metadata": {"name": "j", "uid": "u"}, "spec": {"template": template(), **more}}
    job.RULES.default(value)
    job.RULES.prepare_create(value)
    return value


def messages(errors: list[Any]) -> list[str]:
    return [error.message() for error in errors]


def test_a_job_runs_one_pod_and_finds_it_by_its_uid() -> None:
    value = made()
    spec = value["spec"]
    assert (spec["parallelism"], spec["completions"], spec["backoffLimit"], spec["completionMode"]) == (1, 1, 6, "NonIndexed")
    assert spec["podReplacementPolicy"] == "TerminatingOrFailed"
    assert spec["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}}
    generated = {"controller-uid": "u", "batch.kubernetes.io/controller-uid": "u", "job-name": "j", "batch.kubernetes.io/job-name": "j"}
    assert spec["template"]["metadata"]["labels"] == value["metadata"]["labels"] == generated
    assert job.RULES.validate(value) == []


def test_other_defaults_depend_on_what_is_asked() -> None:
    assert "completions" not in made(parallelism=3)["spec"]
    indexed = made(completionMode="Indexed", completions=2, backoffLimitPerIndex=1)["spec"]
    assert indexed["backoffLimit"] == 2**31 - 1
    assert made(podFailurePolicy={"rules": []})["spec"]["podReplacementPolicy"] == "Failed"


def test_a_user_may_bring_a_selector() -> None:
    value = made(manualSelector=True, selector={"matchLabels": {"a": "b"}}, template=template(a="b"))
    assert value["spec"]["selector"] == {"matchLabels": {"a": "b"}}
    assert job.RULES.validate(value) == []
    assert [error.field for error in job.RULES.validate(made(selector={"matchLabels": {"a": "b"}}, template=template(a="b")))] == [
        "spec.selector"
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"parallelism": -1}, ["spec.parallelism: Invalid value: -1: must be greater than or equal to 0"]),
        ({"completionMode": "Indexed", "parallelism": 1}, ["spec.completions: Required value: when completion mode is Indexed"]),
        ({"maxFailedIndexes": 1}, [
            "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
            "spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode",
        ]),
        ({"managedBy": "x"}, ['spec.managedBy: Invalid value: "x": must be a domain-prefixed path (such as "acme.io/foo")']),
        ({"successPolicy": {"rules": [{"succeededCount": 1}]}}, [
            'spec.successPolicy: Invalid value: {"Rules":[{"SucceededIndexes":null,"SucceededCount":1}]}: requires indexed completion mode',
        ]),
        ({"podFailurePolicy": {"rules": [{"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [2, 0]}}]}}, [
            'spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
            "spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
            "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,0]: must be ordered",
        ]),
        ({"podFailurePolicy": {"rules": [{"action": ""}]}}, [
            'spec.podFailurePolicy.rules[0].action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]',
            "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
        ]),
        ({"completionMode": "Indexed", "completions": 3, "successPolicy": {"rules": [{"succeededIndexes": "0-1", "succeededCount": 3}]}}, [
            "spec.successPolicy.rules[0].succeededCount: Invalid value: 3: "
            "must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)",
        ]),
    ],
)
def test_what_breaks_a_rule_is_named(more: Spec, expected: list[str]) -> None:
    assert messages(job.RULES.validate(made(**more))) == expected


def test_pods_of_a_job_do_not_restart_always() -> None:
    value = made()
    value["spec"]["template"]["spec"]["restartPolicy"] = "Always"
    assert messages(job.RULES.validate(value)) == ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']


@pytest.mark.parametrize(
    ("text", "count", "trouble"),
    [
        ("0,2-3", 3, ""), ("", 0, ""), ("1-2-3", 0, "the fragment"), ("x", 0, "cannot convert"), ("9", 0, "too large index"),
        ("2,1", 0, "non-increasing order"), ("2-1", 0, "non-increasing order"),
        ("9" * 5000, 0, "cannot convert"),
    ],
)
def test_indexes_are_counted(text: str, count: int, trouble: str) -> None:
    found, said = count_indexes(text, 5)
    assert (found, said.startswith(trouble)) == (count, True)


def test_little_of_a_job_changes() -> None:
    old = made(parallelism=2, completions=2, completionMode="Indexed")

    def changed(**more: Any) -> Spec:
        return {"metadata": old["metadata"], "spec": {**old["spec"], **more}}

    assert job.RULES.validate_update(changed(suspend=True, parallelism=5), old) == []
    assert job.RULES.validate_update(changed(parallelism=5, completions=5), old) == []
    assert messages(job.RULES.validate_update(changed(completions=5), old)) == [
        "spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism"
    ]
    other = template(**old["spec"]["template"]["metadata"]["labels"])
    other["spec"]["containers"][0]["image"] = "other"
    assert [error.field for error in job.RULES.validate_update(changed(template=other), old)] == ["spec.template"]
    assert [error.field for error in job.RULES.validate_update(changed(completionMode="NonIndexed"), old)] == ["spec.completionMode"]


def test_a_suspended_job_may_still_be_placed_elsewhere() -> None:
    old = made(suspend=True)
    moved = template(**old["spec"]["template"]["metadata"]["labels"])
    moved["spec"]["nodeSelector"] = {"zone": "a"}
    new = {"metadata": old["metadata"], "spec": {**old["spec"], "template": moved}}
    assert job.RULES.validate_update(new, old) == []
    running = {**old, "spec": {**old["spec"], "suspend": False}}
    assert [error.field for error in job.RULES.validate_update(new, running)] == ["spec.template"]


def test_a_finished_job_is_at_rest() -> None:
    held = [{"type": kind, "status": "True"} for kind in ("Complete", "SuccessCriteriaMet")]
    times = {"startTime": "2024-01-01T00:00:00Z", "completionTime": "2024-01-01T00:01:00Z"}
    done = {"status": {"active": 1, "conditions": held, **times}}
    assert messages(job.RULES.validate_status_update(done, {})) == ["status.active: Invalid value: 1: active>0 is invalid for finished job"]
    assert messages(job.RULES.validate_status_update(done, done)) == []
    assert messages(job.RULES.validate_status_update({"status": {"conditions": held}}, {})) == [
        "status.completionTime: Required value: completionTime is required for Complete jobs",
        "status.startTime: Required value: startTime is required for finished job",
    ]
    assert messages(job.RULES.validate_status_update({"status": times}, done)) == [
        'status.completionTime: Invalid value: "2024-01-01T00:01:00Z": cannot set completionTime when there is no Complete=True condition',
        "status.conditions: Invalid value: cannot disable the terminal Complete=True condition",
        "status.conditions: Invalid value: cannot disable the SuccessCriteriaMet=True condition",
    ]
    errors = job.RULES.validate_status_update({"status": {"startTime": "b"}}, {"status": {"startTime": "a"}})
    assert [error.field for error in errors] == ["status.startTime"]


@pytest.mark.parametrize(("done", "failed", "expected"), [
    ("0,2-3", None, []),
    ("3,1", None, ["error parsing completedIndexes: non-increasing order, previous: 3, current: 1"]),
    ("1-2-3", None, [
        "error parsing completedIndexes: "
        'the fragment "1-2-3" violates the requirement that an index interval can have at most two parts separated by \'-\'',
    ]),
    ("x", None, ['error parsing completedIndexes: cannot convert string to integer for index: "x"']),
    ("7", None, ['error parsing completedIndexes: too large index: "7"']),
    ("0-2", "2,4", ["failedIndexes and completedIndexes overlap at index: 2"]),
])  # fmt: skip
def test_indexes_are_in_order_and_either_done_or_failed(done: str, failed: str | None, expected: list[str]) -> None:
    spec = {"completionMode": "Indexed", "completions": 5, "backoffLimitPerIndex": 1}
    new = {"spec": spec, "status": {"completedIndexes": done, **({} if failed is None else {"failedIndexes": failed})}}
    assert [message.split(": ", 3)[3] for message in messages(job.RULES.validate_status_update(new, {"spec": spec}))] == expected


def test_a_job_whose_labels_a_status_update_drops_takes_those_of_its_template() -> None:
    old = made()
    new: Spec = {"metadata": {"name": "j"}, "status": {"active": 1}}
    job.RULES.prepare_status_update(new, old)
    assert new["spec"] == old["spec"]
    assert new["metadata"]["labels"] == old["spec"]["template"]["metadata"]["labels"]
