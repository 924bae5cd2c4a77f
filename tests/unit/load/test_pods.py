"""Generated pods: all alike, or no two alike."""

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.base.entropy import SeededEntropy
from kcore.load import pods
from kcore.load.pods import RUN_LABEL, Plan


def made(plan: Plan) -> list[Pod]:
    return [Pod.FromString(raw) for _, raw in pods.pods(plan, SeededEntropy(3))]


def test_names_are_unique_to_the_run() -> None:
    found = made(Plan("abcde", "work", 3))
    assert [pod.metadata.name for pod in found] == ["load-abcde-0", "load-abcde-1", "load-abcde-2"]
    assert {(pod.metadata.namespace, pod.metadata.labels[RUN_LABEL]) for pod in found} == {("work", "abcde")}


def test_pods_of_a_template_differ_in_their_names_only() -> None:
    found = made(Plan("r", "n", 3))
    for pod in found:
        pod.metadata.name = ""
    assert found[0] == found[1] == found[2]


def test_varied_pods_differ_in_labels_environment_and_requests() -> None:
    found = made(Plan("r", "n", 50, vary=True))
    assert len({str(sorted(pod.metadata.labels.items())) for pod in found}) == 50
    assert len({str(pod.spec.containers[0].env) for pod in found}) == 50
    assert len({str(pod.spec.containers[0].resources.requests) for pod in found}) > 30


def test_varying_replaces_and_never_piles_up() -> None:
    assert {len(pod.spec.containers[0].env) for pod in made(Plan("r", "n", 5, vary=True))} == {2}


def test_the_template_is_kept_and_not_changed() -> None:
    template = Pod()
    template.metadata.labels["mine"] = "yes"
    template.spec.containers.add(name="c", image="mine:1")
    before = template.SerializeToString(deterministic=True)
    (pod,) = made(Plan("r", "n", 1, template=template))
    assert (pod.metadata.labels["mine"], pod.spec.containers[0].image) == ("yes", "mine:1")
    assert template.SerializeToString(deterministic=True) == before
