"""The cases of the scheduler's benchmark: what their files say, and that every size of every one can be made."""

from typing import Any

import pytest

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.load.bench.plane import BenchError
from kcore.load.scheduling import workload
from kcore.load.scheduling.workload import Create, Workload

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "{app}-{index}", "namespace": "{namespace}", "labels": {"app": "{app}"}},
    "spec": {"containers": [{"name": "c", "image": "web", "resources": {"requests": {"cpu": 1}}}]},
}
WORKLOADS = workload.workloads()


def case(*steps: dict[str, Any], **fields: Any) -> Workload:
    found = {"name": "Case", "about": "", "sizes": {"full": {"pods": 4, "sets": 2}}, "templates": {"pod": POD}, "targets": {"x": 1}}
    return workload.workload(found | {"steps": list(steps)} | fields, "case.yaml")


def pods(**more: Any) -> dict[str, Any]:
    return {"create": {"template": "pod", "count": "pods", "measured": True, "wait": "scheduled", **more}}


def test_words_of_a_template_take_their_values_in_turn() -> None:
    found = case(pods(**{"with": {"namespace": ["ns-{set}"], "set": "sets", "app": ["web", "db", "mq"]}}))
    (step,) = workload.plan(found, "full").steps
    assert isinstance(step, Create)
    made = list(workload.objects(step, found.templates))
    assert [each.key for each in made] == ["ns-0/web-0", "ns-1/db-1", "ns-0/mq-2", "ns-1/web-3"]
    pods_ = [Pod.FromString(each.raw) for each in made]
    assert [each.metadata.labels["app"] for each in pods_] == ["web", "db", "mq", "web"]
    assert pods_[0].spec.containers[0].resources.requests["cpu"].string == "1"


def test_targets_are_for_the_full_size() -> None:
    found = case(pods(), sizes={"full": {"pods": 4}, "small": {"pods": 1}})
    assert workload.plan(found, "full").targets == {"x": 1} and workload.plan(found, "small").targets == {}


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([], "Case: one step is what is measured"),
        ([pods(), pods()], "Case: one step is what is measured"),
        ([{"make": {}}], "Case: a step is one of create, churn, delete"),
        ([pods(template="node")], "Case: there is no template node"),
        ([pods(wait="bound")], "Case: pods are waited for until they are scheduled or attempted"),
        ([pods(often=True)], "Case: often is not known"),
        ([pods(count="nodes")], "there is no number nodes in this size"),
        ([{"churn": {"templates": ["pod"]}}], "Case: .* missing 1 required positional argument: 'interval_s'"),
    ],
)
def test_a_mistake_in_a_file_is_told_in_a_sentence(steps: list[dict[str, Any]], sentence: str) -> None:
    with pytest.raises(BenchError, match=sentence):
        workload.plan(case(*steps), "full")


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        (POD | {"spec": {"container": []}}, 'a template of pods has unknown field "spec.container"'),
        (POD | {"metadata": {}}, "a template of pods has no name"),
        (POD | {"spec": {"priority": "high"}}, "a template of pods is wrong: .*"),
        (POD | {"kind": "Pot"}, "a template is of no kind that is served: Pot of v1"),
    ],
)
def test_a_mistake_in_a_template_is_told_in_a_sentence(template: dict[str, Any], sentence: str) -> None:
    found = case(pods(), templates={"pod": template})
    (step,) = workload.plan(found, "full").steps
    assert isinstance(step, Create)
    with pytest.raises(BenchError, match=sentence):
        list(workload.objects(step, found.templates))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", "own.yaml: while parsing .*"),
        ("- a", "own.yaml holds no case"),
        ("nam: x", "own.yaml: nam is not known"),
        ("name: x", "own.yaml: .* missing .*"),
    ],
)
def test_a_file_that_holds_no_case_is_told_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(BenchError, match=sentence):
        workload.read(text, "own.yaml")


def test_a_size_that_a_case_does_not_have_is_told() -> None:
    with pytest.raises(BenchError, match="Case: there is no size huge, but full"):
        workload.plan(case(pods()), "huge")


def test_a_case_is_found_by_its_name_or_by_a_part_of_it() -> None:
    assert [each.name for each in workload.chosen(WORKLOADS, "topologyspreading")] == ["TopologySpreading"]
    assert [each.name for each in workload.chosen(WORKLOADS, "Spreading")] == [
        "TopologySpreading", "PreferredTopologySpreading", "DefaultTopologySpreading"
    ]  # fmt: skip


@pytest.mark.parametrize("found", WORKLOADS, ids=lambda each: each.name)
def test_every_size_of_a_case_has_its_numbers_and_the_smallest_can_be_made(found: Workload) -> None:
    assert found.sizes.keys() == {"smoke", "small", "full"} and found.targets.keys() == {"scheduled_per_s"}
    for size in found.sizes:
        assert workload.plan(found, size).numbers["pods"] > 0
    keys = []
    for step in workload.plan(found, "smoke").steps:
        if isinstance(step, Create):
            keys += [(str(each.resource), each.key) for each in workload.objects(step, found.templates)]
    assert len(set(keys)) == len(keys) and not any("{" in key for _, key in keys)
