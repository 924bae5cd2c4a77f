"""HorizontalPodAutoscaler: defaults, bounds, metrics, pace."""

from typing import Any

from kcore.machinery.kinds.autoscaling.horizontalpodautoscaler import RULES

TARGET = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}


def autoscaler(**spec: Any) -> dict[str, Any]:
    value: dict[str, Any] = {"spec": {"scaleTargetRef": TARGET, "maxReplicas": 3, **spec}}
    RULES.default(value)
    return value


def said(**spec: Any) -> list[str]:
    return [error.message() for error in RULES.validate(autoscaler(**spec))]


def test_an_autoscaler_watches_the_cpu_unless_it_says_otherwise() -> None:
    spec = autoscaler()["spec"]
    target = {"type": "Utilization", "averageUtilization": 80}
    assert spec == {
        "scaleTargetRef": TARGET, "minReplicas": 1, "maxReplicas": 3,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }


def test_a_pace_that_is_given_in_part_is_completed() -> None:
    behavior = autoscaler(behavior={"scaleUp": {"tolerance": "50m"}})["spec"]["behavior"]
    assert behavior["scaleDown"] == {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}
    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert [policy["type"] for policy in behavior["scaleUp"]["policies"]] == ["Pods", "Percent"]
    assert behavior["scaleUp"]["tolerance"] == "50m"


def test_bounds_and_target_are_checked() -> None:
    assert said() == []
    assert said(maxReplicas=0, scaleTargetRef={"name": "a/b"}) == [
        "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`", "spec.scaleTargetRef.kind: Required value",
        "spec.scaleTargetRef.name: Invalid value: \"a/b\": may not contain '/'",
        'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group', "spec.maxReplicas: Required value",
    ]
    assert said(scaleTargetRef={"kind": "ReplicationController", "name": "d", "apiVersion": "v1"}) == []
    assert said(scaleTargetRef={**TARGET, "apiVersion": "a/b/c"}) == [
        'spec.scaleTargetRef.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c'
    ]


def test_scaling_to_nothing_needs_a_metric_that_is_there_without_pods() -> None:
    assert said(minReplicas=0) == [
        "spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas"
    ]


def test_a_metric_has_the_source_of_its_type_and_something_to_aim_at() -> None:
    pods = {"metric": {"name": "m"}, "target": {"type": "AverageValue", "averageValue": "1"}}
    assert said(metrics=[{"type": "Pods", "pods": pods}]) == []
    assert said(metrics=[{"type": "External", "pods": pods}]) == [
        "spec.metrics[0].external: Required value: must populate information for the given metric source"
    ]
    assert said(metrics=[{"type": "Pods", "pods": pods, "resource": {}}]) == [
        "spec.metrics[0].resource: Forbidden: must populate the given metric source only"
    ]
    wrong = {"target": {"type": "Value", "value": "0", "averageUtilization": 0, "averageValue": "1"}, "container": "A"}
    assert [text.partition(": ")[0] for text in said(metrics=[{"type": "ContainerResource", "containerResource": wrong}])] == [
        f"spec.metrics[0].containerResource.{field}"
        for field in ("name", "container", "target.value", "target.averageUtilization", "target.averageValue")
    ]


def test_policies_are_checked() -> None:
    rules = {"selectPolicy": "X", "stabilizationWindowSeconds": 3601, "tolerance": "-1", "policies": [{"type": "X", "periodSeconds": 1801}]}
    assert [text.removeprefix("spec.behavior.scaleUp.") for text in said(behavior={"scaleUp": rules})] == [
        "stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600",
        'selectPolicy: Unsupported value: "X": supported values: "Disabled", "Max", "Min"',
        'policies[0].type: Unsupported value: "X": supported values: "Percent", "Pods"',
        "policies[0].value: Invalid value: 0: must be greater than zero",
        "policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800",
        'tolerance: Invalid value: "-1": must be greater than or equal to 0',
    ]


def test_a_version_that_was_wrong_before_may_stay() -> None:
    old = autoscaler(scaleTargetRef={**TARGET, "apiVersion": "v1"})
    assert RULES.validate_update(autoscaler(scaleTargetRef={**TARGET, "apiVersion": "v2"}), old) == []
    assert [error.field for error in RULES.validate_update(old, autoscaler())] == ["spec.scaleTargetRef.apiVersion"]
