"""PodDisruptionBudgets: what their status says of the pods that they select."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.api.apps.v1.replica_set_pb2 import ReplicaSet
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.policy.v1.pod_disruption_budget_pb2 import PodDisruptionBudget
from kcore.client import kinds
from kcore.controllers.actions import Event, UpdateStatus
from kcore.controllers.disruption import BUDGETS, Wanted, plan
from tests.unit.controllers.cluster import PODS, Cluster, run

NOW = 1_000.0
REPLICASETS = kinds.resource("apps", "v1", "replicasets")


def budget(minimum: int | str | None = None, maximum: int | str | None = None, **disrupted: int) -> Any:
    found = PodDisruptionBudget()
    found.metadata.name, found.metadata.namespace, found.metadata.generation = "b", "default", 3
    found.spec.selector.matchLabels["app"] = "web"
    for field, value in ((found.spec.minAvailable, minimum), (found.spec.maxUnavailable, maximum)):
        if isinstance(value, str):
            field.type, field.strVal = 1, value
        elif value is not None:
            field.type, field.intVal = 0, value
    for name, at in disrupted.items():
        found.status.disruptedPods[name].seconds = at
    return found


def pods(ready: int, unready: int = 0) -> list[Any]:
    found = []
    for number in range(ready + unready):
        pod = Pod()
        pod.metadata.name, pod.metadata.namespace = f"p{number}", "default"
        pod.status.conditions.add(type="Ready", status="True" if number < ready else "False")
        found.append(pod)
    return found


def told(planned: Any) -> list[str]:
    return [action.reason for action in planned.actions if isinstance(action, Event)]


def status_of(planned: Any) -> Any:
    [action] = [action for action in planned.actions if isinstance(action, UpdateStatus)]
    return action.object.status


def numbers(planned: Any) -> tuple[int, int, int, int]:
    status = status_of(planned)
    return status.expectedPods, status.currentHealthy, status.desiredHealthy, status.disruptionsAllowed


@pytest.mark.parametrize(
    ("minimum", "maximum", "wanted"),
    [
        (2, None, (4, 3, 2, 1)), (5, None, (4, 3, 5, 0)), ("50%", None, (4, 3, 2, 1)), ("33%", None, (4, 3, 2, 1)),
        (None, 0, (4, 3, 4, 0)), (None, 1, (4, 3, 3, 0)), (None, "34%", (4, 3, 2, 1)), (None, "100%", (4, 3, 0, 3)),
        (None, "10%", (4, 3, 3, 0)),
    ],
)  # fmt: skip
def test_what_may_be_disrupted_follows_from_what_is_healthy(minimum: Any, maximum: Any, wanted: tuple[int, int, int, int]) -> None:
    planned = plan(budget(minimum, maximum), pods(3, 1), Wanted(4), NOW)
    assert numbers(planned) == wanted
    assert told(planned) == []
    [condition] = status_of(planned).conditions
    reason = "SufficientPods" if wanted[3] else "InsufficientPods"
    assert (condition.type, condition.status, condition.reason) == ("DisruptionAllowed", str(wanted[3] > 0), reason)
    assert (condition.observedGeneration, status_of(planned).observedGeneration) == (3, 3)


def test_a_status_that_says_it_all_is_left_alone() -> None:
    before = budget(2)
    before.status.CopyFrom(status_of(plan(before, pods(3), Wanted(3), NOW)))
    assert plan(before, pods(3), Wanted(3), NOW + 50).actions == []


def test_a_budget_without_pods_allows_nothing_and_says_so() -> None:
    planned = plan(budget(0), [], Wanted(0), NOW)
    assert (told(planned), numbers(planned)) == (["NoPods"], (0, 0, 0, 0))


def test_pods_of_nobody_are_counted_only_by_number() -> None:
    assert told(plan(budget(1), pods(2), Wanted(0, unmanaged=True), NOW)) == []
    planned = plan(budget(None, 1), pods(2), Wanted(0, unmanaged=True), NOW)
    assert numbers(planned) == (0, 2, 0, 0)
    [event] = [action for action in planned.actions if isinstance(action, Event)]
    selector = "&LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},}"
    assert (event.reason, f"(selector: {selector})" in event.message) == ("UnmanagedPods", True)


def test_nothing_is_allowed_while_it_is_unknown_how_many_there_should_be() -> None:
    before = budget(None, 1)
    before.status.disruptionsAllowed = 5
    planned = plan(before, pods(2), Wanted(0, error="no idea"), NOW)
    assert told(planned) == ["CalculateExpectedPodCountFailed"]
    assert status_of(planned).disruptionsAllowed == 0
    assert [(each.reason, each.message) for each in status_of(planned).conditions] == [("SyncFailed", "no idea")]


def test_an_evicted_pod_counts_as_gone_for_two_minutes() -> None:
    planned = plan(budget(1, p0=int(NOW) - 20), pods(3), Wanted(3), NOW)
    assert (numbers(planned), planned.again_s) == ((3, 2, 1, 1), 100.0)
    assert list(status_of(planned).disruptedPods) == ["p0"]
    planned = plan(budget(1, p0=int(NOW) - 121, gone=int(NOW)), pods(3), Wanted(3), NOW)
    assert (numbers(planned), told(planned), planned.again_s) == ((3, 3, 1, 2), ["NotDeleted"], None)
    assert not status_of(planned).disruptedPods


def replicaset(here: Cluster, name: str, replicas: int) -> Any:
    made = ReplicaSet()
    made.metadata.name, made.metadata.namespace = name, "default"
    made.spec.replicas = replicas
    return here.server.create(REPLICASETS, made)


def test_expected_pods_come_from_controllers_and_changes_of_pods_are_followed() -> None:
    async def story(here: Cluster) -> None:
        owner = replicaset(here, "web", 5)
        await here.start()
        for number in range(2):
            here.pod(f"p{number}", "n1", app="web")
            reference = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": owner.metadata.uid, "controller": True}
            here.change(PODS, f"default/p{number}", lambda pod, own=reference: pod.metadata.ownerReferences.add(**own))
        guard = budget(None, "40%")
        guard.ClearField("status")
        here.server.create(BUDGETS, guard)
        await here.clock.sleep(5)
        status = here.all(BUDGETS)["b"].status
        assert (status.expectedPods, status.currentHealthy, status.desiredHealthy) == (5, 2, 3)
        here.delete(PODS, "p0", "default", 0)
        await here.clock.sleep(5)
        assert here.all(BUDGETS)["b"].status.currentHealthy == 1

    run(story, "disruption")
