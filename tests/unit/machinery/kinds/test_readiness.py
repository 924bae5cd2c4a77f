"""Phase and conditions of a pod."""

from typing import Any

from kcore.machinery.kinds.readiness import (
    containers_ready_condition,
    find_condition,
    is_active,
    is_available,
    is_ready,
    is_terminal,
    is_true,
    pod_ready_condition,
    set_condition,
)
from kcore.machinery.timestamp import parse_time

SINCE = "2024-01-01T00:00:00Z"
CONTAINERS = [{"name": "a"}, {"name": "b"}]


def pod(status: str = "True", phase: str = "Running", **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": metadata,
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": status, "lastTransitionTime": SINCE}]},
    }


def test_readiness_is_read_from_the_condition() -> None:
    assert is_ready(pod())
    assert not is_ready(pod("False"))
    assert not is_ready({})
    assert is_true(pod()["status"]["conditions"], "Ready")
    assert find_condition(None, "Ready") is None


def test_a_pod_is_available_after_it_was_ready_for_a_while() -> None:
    start = parse_time(SINCE)
    assert is_available(pod(), 0, start)
    assert not is_available(pod(), 10, start + 9)
    assert is_available(pod(), 10, start + 10)
    assert not is_available(pod("False"), 0, start)
    assert not is_available({}, 0, start)
    unknown = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    assert not is_available(unknown, 1, start)


def test_finished_and_deleted_pods_are_not_active() -> None:
    assert is_active(pod())
    assert is_terminal(pod(phase="Succeeded"))
    assert not is_active(pod(phase="Failed"))
    assert not is_active(pod(deletionTimestamp=SINCE))


def test_the_transition_time_moves_only_with_the_status() -> None:
    conditions: list[dict[str, Any]] = []
    assert set_condition(conditions, {"type": "Ready", "status": "False"}, "t1")
    assert not set_condition(conditions, {"type": "Ready", "status": "False"}, "t2")
    assert set_condition(conditions, {"type": "Ready", "status": "False", "reason": "r"}, "t3")
    assert conditions == [{"type": "Ready", "status": "False", "reason": "r", "lastTransitionTime": "t1"}]
    assert set_condition(conditions, {"type": "Ready", "status": "True"}, "t4")
    assert conditions == [{"type": "Ready", "status": "True", "lastTransitionTime": "t4"}]


def test_containers_that_are_not_ready_are_named() -> None:
    statuses = [{"name": "a", "ready": True}, {"name": "b", "ready": False}]
    condition = containers_ready_condition(CONTAINERS, statuses, "Running")
    assert condition["message"] == "containers with unready status: [b]"
    assert condition["reason"] == "ContainersNotReady"
    condition = containers_ready_condition(CONTAINERS, statuses[1:], "Running")
    assert condition["message"] == "containers with unknown status: [a], containers with unready status: [b]"


def test_containers_of_a_finished_pod_are_not_ready() -> None:
    assert containers_ready_condition(CONTAINERS, [], "Succeeded")["reason"] == "PodCompleted"
    assert containers_ready_condition(CONTAINERS, [], "Failed")["reason"] == "PodFailed"
    assert containers_ready_condition(CONTAINERS, None, "Running")["reason"] == "UnknownContainerStatuses"


def test_a_pod_is_ready_when_its_containers_and_gates_are() -> None:
    ready = containers_ready_condition(CONTAINERS, [{"name": "a", "ready": True}, {"name": "b", "ready": True}], "Running")
    assert ready == {"type": "ContainersReady", "status": "True"}
    assert pod_ready_condition(ready, [], None) == {"type": "Ready", "status": "True"}
    gated = pod_ready_condition(ready, ["x", "y"], [{"type": "y", "status": "False"}])
    assert gated["reason"] == "ReadinessGatesNotReady"
    assert gated["message"] == (
        'corresponding condition of pod readiness gate "x" does not exist., the status of pod readiness gate "y" is not "True", but False'
    )
    assert pod_ready_condition(ready, ["y"], [{"type": "y", "status": "True"}])["status"] == "True"
    unready = containers_ready_condition(CONTAINERS, [], "Running")
    assert pod_ready_condition(unready, ["x"], None)["reason"] == "ContainersNotReady"
