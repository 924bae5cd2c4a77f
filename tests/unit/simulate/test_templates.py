"""Pods of templates are those that an API server and the controllers would make."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.scheduler.rows import Owner
from kcore.simulate.cluster import of_objects
from kcore.simulate.templates import TemplateError, template
from tests.unit.simulate.objects import pod

CONTAINERS = [{"name": "app", "image": "app", "resources": {"limits": {"cpu": "2"}}}]
POD = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": CONTAINERS}}


def of(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "web", "namespace": "shop"}, "spec": spec}


@pytest.mark.parametrize(
    ("kind", "spec", "owner"),
    [
        ("Deployment", {"selector": {"matchLabels": {"app": "web"}}, "template": POD}, Owner("ReplicaSet", "web")),
        ("StatefulSet", {"selector": {"matchLabels": {"app": "web"}}, "template": POD}, Owner("StatefulSet", "web")),
        ("Job", {"template": POD}, None),
        ("CronJob", {"jobTemplate": {"spec": {"template": POD}}}, None),
    ],
)
def test_a_workload_lends_its_pod_template(kind: str, spec: dict[str, Any], owner: Owner | None) -> None:
    found = template(of(kind, spec))
    first, second = found.pods(3, 5)
    assert (first.key, second.key, first.owner) == ("shop/web-3", "shop/web-4", owner)
    assert first.account.amounts == (("cpu", 2000),) and first.account.peer.labels == (("app", "web"),)
    assert (found.workload is None) is (owner is None)
    assert first.ask == second.ask and first.uid != second.uid


def test_a_pod_that_was_running_is_taken_as_a_new_one() -> None:
    found = template(pod("was", on="somewhere", deletionTimestamp="2026-01-01T00:00:00Z")).pod
    assert (found.node_name, found.terminating, found.scheduler_name) == ("", False, "default-scheduler")


def test_label_keys_are_merged_into_selectors_as_at_creation() -> None:
    wish = {"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", "matchLabelKeys": ["app"], "labelSelector": {}}
    spread = template(of("Job", {"template": {**POD, "spec": {"containers": CONTAINERS, "topologySpreadConstraints": [wish]}}}))
    (constraint,) = spread.pod.ask.spread
    assert [(each.key, each.values) for each in constraint.pods.expressions or ()] == [("app", ("web",))]


def test_priority_is_that_of_the_class() -> None:
    kinds = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    classes = of_objects(
        [
            {**kinds, "metadata": {"name": "urgent"}, "value": 1000, "preemptionPolicy": "Never"},
            {**kinds, "metadata": {"name": "usual"}, "value": 7, "globalDefault": True},
        ]
    ).others
    named = {"kind": "Pod", "metadata": {"name": "a"}, "spec": {"priorityClassName": "urgent", "containers": CONTAINERS}}
    unnamed = {"kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": CONTAINERS}}
    found = template(named, classes).pod
    assert (found.priority, found.ask.never_preempt) == (1000, True)
    assert template(unnamed, classes).pod.priority == 7
    with pytest.raises(TemplateError, match="no PriorityClass with name urgent was found"):
        template(named)


@pytest.mark.parametrize(
    ("obj", "why"),
    [
        ({"kind": "Service", "metadata": {"name": "web"}, "spec": {}}, "a Service has no template of pods"),
        ({"kind": "Pod", "metadata": {"name": "web"}, "spec": {}}, "spec.containers: Required value"),
        ({"kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": 3}}, "containers"),
    ],
)
def test_what_makes_no_pods_is_refused_with_the_reason(obj: dict[str, Any], why: str) -> None:
    with pytest.raises(TemplateError, match=why):
        template(obj)
