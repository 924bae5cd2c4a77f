"""A HorizontalPodAutoscaler between v1, which knows the CPU alone, and v2."""

import json
from typing import Any

import pytest

from kcore.machinery.conversion import horizontal_pod_autoscaler as hpa

TARGET = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}
METRICS: list[dict[str, Any]] = [
    {"type": "Pods", "pods": {"metric": {"name": "m"}, "target": {"type": "AverageValue", "averageValue": "1k"}}},
    {"type": "Object", "object": {
        "metric": {"name": "o", "selector": {"matchLabels": {"a": "b"}}},
        "describedObject": {"kind": "Service", "name": "s", "apiVersion": "v1"},
        "target": {"type": "Value", "value": "10"},
    }},
    {"type": "External", "external": {"metric": {"name": "e"}, "target": {"type": "AverageValue", "averageValue": "30"}}},
    {"type": "ContainerResource", "containerResource": {
        "name": "memory", "container": "c", "target": {"type": "AverageValue", "averageValue": "1Gi"},
    }},
    {"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 10}}},
]  # fmt: skip
STATES: list[dict[str, Any]] = [
    {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 20, "averageValue": "10m"}}},
    {"type": "Pods", "pods": {"metric": {"name": "m"}, "current": {"averageValue": "5"}}},
]
BEHAVIOR = {"scaleDown": {
    "stabilizationWindowSeconds": 60, "selectPolicy": "Min", "policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}],
}}  # fmt: skip


def v2(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"},
            "spec": {"scaleTargetRef": TARGET, "minReplicas": 1, "maxReplicas": 3, **spec}}  # fmt: skip


def test_the_cpu_is_a_field_of_v1_and_a_metric_of_v2() -> None:
    old = hpa.to_v1(v2(metrics=[CPU]))
    assert old["spec"] == {"scaleTargetRef": TARGET, "minReplicas": 1, "maxReplicas": 3, "targetCPUUtilizationPercentage": 60}
    assert old["apiVersion"] == "autoscaling/v1"
    assert "annotations" not in old["metadata"]
    assert hpa.to_v2(old) == v2(metrics=[CPU])


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric["type"])
def test_every_other_metric_travels_through_v1_in_an_annotation(metric: dict[str, Any]) -> None:
    old = hpa.to_v1(v2(metrics=[metric]))
    assert list(old["metadata"]["annotations"]) == [hpa.METRICS]
    assert hpa.to_v2(old) == v2(metrics=[metric])


def test_metrics_are_written_in_the_form_of_v1() -> None:
    old = hpa.to_v1(v2(metrics=METRICS[:2]))
    assert old["metadata"]["annotations"][hpa.METRICS] == (
        '[{"type":"Pods","pods":{"metricName":"m","targetAverageValue":"1k"}},{"type":"Object","object":{"target":{"kind":"Service",'
        '"name":"s","apiVersion":"v1"},"metricName":"o","targetValue":"10","selector":{"matchLabels":{"a":"b"}}}}]'
    )


def test_the_cpu_comes_last_of_the_metrics_that_came_through_v1() -> None:
    assert hpa.to_v2(hpa.to_v1(v2(metrics=[CPU, METRICS[0]])))["spec"]["metrics"] == [METRICS[0], CPU]


def test_state_and_conditions_travel_too_and_the_cpu_is_shown() -> None:
    conditions = [{"type": "AbleToScale", "status": "True", "lastTransitionTime": "2024-01-01T00:00:00Z"}]
    value = {**v2(metrics=[CPU]), "status": {"desiredReplicas": 2, "currentMetrics": STATES, "conditions": conditions}}
    old = hpa.to_v1(value)
    assert old["status"] == {"desiredReplicas": 2, "currentCPUUtilizationPercentage": 20}
    assert json.loads(old["metadata"]["annotations"][hpa.CURRENT_METRICS])[0] == {
        "type": "Resource", "resource": {"name": "cpu", "currentAverageUtilization": 20, "currentAverageValue": "10m"},
    }
    assert hpa.to_v2(old) == value


def test_behavior_travels_under_the_names_of_the_internal_type() -> None:
    old = hpa.to_v1(v2(metrics=[CPU], behavior=BEHAVIOR))
    assert old["metadata"]["annotations"][hpa.BEHAVIOR] == (
        '{"ScaleUp":null,"ScaleDown":{"StabilizationWindowSeconds":60,"SelectPolicy":"Min",'
        '"Policies":[{"Type":"Percent","Value":10,"PeriodSeconds":60}],"Tolerance":null}}'
    )
    assert hpa.to_v2(old) == v2(metrics=[CPU], behavior=BEHAVIOR)


def test_annotations_of_others_stay_and_malformed_ones_are_dropped() -> None:
    old = {**v2(), "metadata": {"name": "h", "annotations": {"a": "b", hpa.METRICS: "{", hpa.BEHAVIOR: "1", hpa.CONDITIONS: '"x"'}}}
    assert hpa.to_v2(old) == {**v2(), "metadata": {"name": "h", "annotations": {"a": "b"}}}
    assert hpa.to_v1(old)["metadata"]["annotations"] == {"a": "b"}
