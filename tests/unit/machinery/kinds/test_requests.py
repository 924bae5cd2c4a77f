"""What a pod asks for: sums, peaks of init containers, sidecars, pod-level resources, overhead, resizes in flight."""

from typing import Any

from kcore.machinery.kinds.requests import (
    container_limits_total,
    is_native,
    is_overcommit_allowed,
    is_pod_level,
    pod_limits,
    pod_requests,
)


def wants(**requests: str) -> dict[str, Any]:
    return {"resources": {"requests": requests}}


def limited(**limits: str) -> dict[str, Any]:
    return {"resources": {"limits": limits}}


def shown(pod: dict[str, Any], **options: bool) -> dict[str, str]:
    return {name: str(amount) for name, amount in pod_requests(pod, **options).items()}


def test_containers_that_run_together_add_up() -> None:
    pod = {"spec": {"containers": [wants(cpu="100m", memory="1Gi"), wants(cpu="1")]}}
    assert shown(pod) == {"cpu": "1100m", "memory": "1Gi"}


def test_an_init_container_counts_where_it_asks_for_more() -> None:
    pod = {"spec": {"containers": [wants(cpu="1", memory="1Gi")], "initContainers": [wants(cpu="3"), wants(memory="512Mi")]}}
    assert shown(pod) == {"cpu": "3", "memory": "1Gi"}


def test_a_sidecar_counts_beside_the_containers_and_what_follows_it() -> None:
    sidecar = {**wants(cpu="1"), "restartPolicy": "Always"}
    pod = {"spec": {"containers": [wants(cpu="1"), wants(cpu="2")], "initContainers": [wants(cpu="4"), sidecar, wants(cpu="3")]}}
    assert shown(pod) == {"cpu": "4"}
    pod["spec"]["initContainers"][2] = wants(cpu="4")
    assert shown(pod) == {"cpu": "5"}


def test_pod_level_requests_stand_for_those_of_containers() -> None:
    pod = {"spec": {"containers": [wants(cpu="1", **{"ephemeral-storage": "1Gi"})], "resources": {"requests": {"cpu": "2", "other": "1"}}}}
    assert shown(pod) == {"cpu": "2", "ephemeral-storage": "1Gi"}


def test_overhead_is_added_on_top() -> None:
    pod = {"spec": {"containers": [wants(cpu="1")], "overhead": {"cpu": "250m", "memory": "64Mi"}}}
    assert shown(pod) == {"cpu": "1250m", "memory": "64Mi"}
    assert shown(pod, overhead=False) == {"cpu": "1"}


def test_overhead_raises_only_limits_that_exist() -> None:
    pod = {"spec": {"containers": [limited(cpu="1")], "overhead": {"cpu": "250m", "memory": "64Mi"}}}
    assert {name: str(amount) for name, amount in pod_limits(pod).items()} == {"cpu": "1250m"}


def test_pod_level_limits_stand_for_those_of_containers() -> None:
    pod = {"spec": {"containers": [limited(cpu="1")], "resources": {"limits": {"memory": "1Gi"}}}}
    assert {name: str(amount) for name, amount in pod_limits(pod).items()} == {"cpu": "1", "memory": "1Gi"}
    assert {name: str(amount) for name, amount in container_limits_total(pod["spec"]).items()} == {"cpu": "1"}


def test_a_resize_in_flight_counts_the_larger_amount() -> None:
    status = {"name": "c", "resources": {"requests": {"cpu": "3"}}, "allocatedResources": {"cpu": "2"}}
    pod: dict[str, Any] = {
        "spec": {"containers": [{"name": "c", **wants(cpu="1")}]}, "status": {"containerStatuses": [status]},
    }
    assert shown(pod) == {"cpu": "1"}
    assert shown(pod, use_status=True) == {"cpu": "3"}


def test_a_resize_that_cannot_be_done_does_not_count() -> None:
    status = {"name": "c", "resources": {"requests": {"cpu": "1"}}, "allocatedResources": {"cpu": "2"}}
    pod = {
        "spec": {"containers": [{"name": "c", **wants(cpu="9")}]},
        "status": {"containerStatuses": [status], "conditions": [{"type": "PodResizePending", "reason": "Infeasible"}]},
    }
    assert shown(pod, use_status=True) == {"cpu": "2"}


def test_the_status_of_sidecars_counts_and_that_of_other_init_containers_does_not() -> None:
    statuses = [{"name": name, "resources": {"requests": {"cpu": "5"}}} for name in ("side", "init")]
    pod = {
        "spec": {
            "containers": [wants(cpu="1")],
            "initContainers": [{"name": "side", "restartPolicy": "Always", **wants(cpu="1")}, {"name": "init", **wants(cpu="1")}],
        },
        "status": {"initContainerStatuses": statuses},
    }
    assert shown(pod, use_status=True) == {"cpu": "6"}


def test_resources_are_told_apart_by_name() -> None:
    assert is_pod_level("hugepages-2Mi")
    assert not is_pod_level("ephemeral-storage")
    assert is_native("cpu")
    assert is_native("x.kubernetes.io/y")
    assert not is_native("example.com/gpu")
    assert is_overcommit_allowed("memory")
    assert not is_overcommit_allowed("hugepages-1Gi")
    assert not is_overcommit_allowed("example.com/gpu")
