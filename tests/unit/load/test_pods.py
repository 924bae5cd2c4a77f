"""Generated pods: all alike, or no two alike."""

from itertools import islice

from kcore.api.apps.v1.deployment_pb2 import Deployment
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.base.entropy import SeededEntropy
from kcore.load import pods
from kcore.load.pods import OWNER_LABEL, RUN_LABEL, Plan


def made(plan: Plan) -> list[Pod]:
    return [Pod.FromString(wanted.raw) for wanted in islice(pods.wanted(plan, SeededEntropy(3)), plan.count)]


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
    (pod,) = made(Plan("r", "n", 1, templates=(template,)))
    assert (pod.metadata.labels["mine"], pod.spec.containers[0].image) == ("yes", "mine:1")
    assert template.SerializeToString(deterministic=True) == before


def test_templates_are_taken_in_turn_and_pods_go_on_beyond_the_count() -> None:
    templates = []
    for image in ("one", "two"):
        template = Pod()
        template.spec.containers.add(name="c", image=image)
        templates.append(template)
    plan = Plan("r", "n", 3, templates=tuple(templates))
    found = [Pod.FromString(wanted.raw) for wanted in islice(pods.wanted(plan, SeededEntropy(3)), 5)]
    assert [pod.spec.containers[0].image for pod in found] == ["one", "two", "one", "two", "one"]
    assert len({pod.metadata.name for pod in found}) == 5


def test_deployments_have_the_pods_of_the_count_and_select_their_own() -> None:
    plan = Plan("r", "n", 25, vary=True, kind="deployments", replicas=10)
    found = list(pods.wanted(plan, SeededEntropy(3)))
    made = [Deployment.FromString(wanted.raw) for wanted in found]
    assert [each.spec.replicas for each in made] == [wanted.pods for wanted in found] == [10, 10, 5]
    for each in made:
        assert dict(each.spec.selector.matchLabels) == {OWNER_LABEL: each.metadata.name}
        assert each.spec.template.metadata.labels[OWNER_LABEL] == each.metadata.name
        assert each.spec.template.metadata.labels[RUN_LABEL] == each.metadata.labels[RUN_LABEL] == "r"
        assert each.metadata.namespace == "n" and not each.spec.template.metadata.name
    assert len({str(each.spec.template.spec) for each in made}) == 3


def test_the_owner_of_a_deployments_pod_is_read_from_its_name() -> None:
    assert pods.owner("load-abcde-7-6d4b75cb6d-x2vkq") == "load-abcde-7"
