"""ReplicaSet, Deployment, ControllerRevision, Scale: selectors, strategies, counts."""
from typing import Any

import pytest

from kcore.machinery.kinds.apps import controllerrevision, deployment, replicaset
from kcore.machinery.kinds.autoscaling import scale


def template(**labels: str) -> dict[str, Any]:
    container = {"name": "c", "image": "i", "terminationMessagePolicy": "File", "imagePullPolicy": "Always"}
    spec = {"containers": [container], "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30}
    return {"metadata": {"labels": labels}, "spec": spec}


def made(**more: Any) -> dict[str, Any]:
    value: dict[str, Any] = {"spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template(a="b"), **more}}
    deployment.RULES.default(value)
    return value


def messages(errors: list[Any]) -> list[str]:
    return [error.message() for error in errors]


def test_a_rolling_update_may_surge_and_lack_a_quarter() -> None:
    assert made()["spec"]["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
    assert made(strategy={"type": "Recreate"})["spec"]["strategy"] == {"type": "Recreate"}
    rolling = made(strategy={"rollingUpdate": {"maxSurge": 1}})["spec"]["strategy"]["rollingUpdate"]
    assert rolling == {"maxUnavailable": "25%", "maxSurge": 1}


def test_plain_workloads_are_fine() -> None:
    assert deployment.RULES.validate(made()) == replicaset.RULES.validate(made()) == []


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"replicas": -1}, ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]),
        ({"selector": {}}, ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"]),
        ({"template": template(x="y")}, [
            'spec.template.metadata.labels: Invalid value: {"x":"y"}: `selector` does not match template `labels`',
        ]),
        ({"selector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}, [
            "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
            'spec.selector: Invalid value: {"matchExpressions":[{"key":"a","operator":"In"}]}: invalid label selector',
        ]),
        ({"strategy": {"type": "Bad"}}, [
            'spec.strategy: Unsupported value: {"Type":"Bad","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"',
        ]),
        ({"strategy": {"type": "Recreate", "rollingUpdate": {}}}, [
            "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
        ]),
        ({"strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": "0%"}}}, [
            "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0",
        ]),
        ({"progressDeadlineSeconds": 5, "minReadySeconds": 5}, [
            "spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds",
        ]),
    ],
)
def test_what_breaks_a_rule_is_named(more: dict[str, Any], expected: list[str]) -> None:
    assert messages(deployment.RULES.validate(made(**more))) == expected


def test_a_missing_selector_finds_no_pod() -> None:
    value = made()
    del value["spec"]["selector"]
    assert [error.field for error in replicaset.RULES.validate(value)] == ["spec.selector", "spec.template.metadata.labels"]


def test_pods_of_a_workload_restart_always() -> None:
    value = made()
    value["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    value["spec"]["template"]["spec"]["activeDeadlineSeconds"] = 5
    assert messages(deployment.RULES.validate(value)) == [
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
        "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported",
    ]


@pytest.mark.parametrize("rules", [deployment.RULES, replicaset.RULES])
def test_the_selector_never_changes(rules: Any) -> None:
    new = made(selector={"matchLabels": {"a": "b", "c": "d"}}, template=template(a="b", c="d"))
    assert messages(rules.validate_update(new, made())) == [
        'spec.selector: Invalid value: {"matchLabels":{"a":"b","c":"d"}}: field is immutable'
    ]
    assert rules.validate_update(made(replicas=5), made()) == []


def test_the_counts_of_a_status_fit_each_other() -> None:
    check = deployment.RULES.validate_status_update
    assert check({"status": {"replicas": 2, "readyReplicas": 2, "availableReplicas": 1}}, {"status": {"collisionCount": None}}) == []
    assert messages(check({"status": {"replicas": 1, "readyReplicas": 0, "availableReplicas": 2}}, {"status": {"collisionCount": 1}})) == [
        "status.availableReplicas: Invalid value: 2: cannot be greater than status.replicas",
        "status.availableReplicas: Invalid value: 2: cannot be greater than readyReplicas",
        "status.collisionCount: Invalid value: 0: cannot be decremented",
    ]
    sets = replicaset.RULES.validate_status_update({"status": {"replicas": 1, "fullyLabeledReplicas": 2}}, {})
    assert messages(sets) == ["status.fullyLabeledReplicas: Invalid value: 2: cannot be greater than status.replicas"]


def test_a_controller_revision_is_an_object_that_never_changes() -> None:
    rules = controllerrevision.RULES
    assert rules.validate({"data": {}, "revision": 1}) == []
    assert messages(rules.validate({"revision": -1})) == [
        "data: Required value: data is mandatory", "revision: Invalid value: -1: must be greater than or equal to 0",
    ]
    assert messages(rules.validate({"data": 5})) == ["data: Required value: data must be a valid JSON object"]
    assert messages(rules.validate_update({"data": {"b": 1, "a": 2}}, {"data": {}})) == [
        'data: Invalid value: {"b":1,"a":2}: field is immutable'
    ]


def test_a_scale_is_not_negative() -> None:
    assert scale.RULES.validate({"spec": {"replicas": 0}}) == []
    assert messages(scale.RULES.validate_update({"spec": {"replicas": -1}}, {})) == [
        "spec.replicas: Invalid value: -1: must be greater than or equal to 0"
    ]
