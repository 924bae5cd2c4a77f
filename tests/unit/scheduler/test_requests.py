"""What pods request: init containers, sidecars, pod level, overhead, defaults, resizes."""

from kcore.base.limits import SCHEDULER_AMOUNT_MAX
from kcore.scheduler.requests import Container, ContainerStatus, PodShape, Resizing, pod_requests

MIB = 1 << 20


def container(name: str = "c", *, sidecar: bool = False, **requests: str) -> Container:
    return Container(name, tuple(sorted(requests.items())), sidecar)


def test_containers_and_sidecars_add_up_and_an_init_container_may_need_more():
    shape = PodShape(
        (container(cpu="300m"),), (container(cpu="100m"), container(sidecar=True, cpu="200m"), container(cpu="400m"), container(cpu="1m"))
    )
    assert pod_requests(shape).amounts == (("cpu", 600),)


def test_a_pod_level_request_replaces_the_sum_and_overhead_comes_on_top():
    shape = PodShape((container(cpu="300m", memory="1Mi"),), pod_level=(("cpu", "2"),), overhead=(("cpu", "250m"), ("memory", "1Mi")))
    found = pod_requests(shape)
    assert found.amounts == (("cpu", 2250), ("memory", 2 * MIB))
    assert (found.nonzero_cpu, found.scored_cpu) == (2250, 550)


def test_each_container_without_a_request_counts_a_default_in_scores_and_an_explicit_zero_stays():
    shape = PodShape((container(), container(cpu="0", memory="0"), container(cpu="1")), (container(),))
    found = pod_requests(shape)
    assert found.amounts == (("cpu", 1000),)
    assert (found.nonzero_cpu, found.nonzero_memory) == (1100, 400 * MIB)
    assert (found.scored_cpu, found.scored_memory) == (1100, 400 * MIB)


def test_amounts_are_rounded_once_at_the_end():
    assert pod_requests(PodShape((container(cpu="0.0004"), container(cpu="0.0004")))).amounts == (("cpu", 1),)
    assert pod_requests(PodShape((container(memory="1500m"),))).amounts == (("memory", 2),)


def test_a_resize_counts_the_largest_of_three_pod_sums():
    containers = (container("a", cpu="1"), container("b", cpu="3"))
    statuses = (
        ContainerStatus("a", (("cpu", "2"),), (("cpu", "500m"),)),
        ContainerStatus("b", (("cpu", "1"),), (("cpu", "4"),)),
    )
    assert pod_requests(PodShape(containers, resizing=Resizing(statuses))).amounts == (("cpu", 4500),)


def test_a_container_without_status_counts_its_spec_in_a_resize_unless_that_is_infeasible():
    containers = (container("a", cpu="1"), container("b", cpu="1"))
    statuses = (ContainerStatus("a", (("cpu", "3"),), (("cpu", "3"),)),)
    assert pod_requests(PodShape(containers, resizing=Resizing(statuses))).amounts == (("cpu", 4000),)
    refused = pod_requests(PodShape(containers, resizing=Resizing(statuses, infeasible=True)))
    assert refused.amounts == (("cpu", 3000),)
    assert refused.nonzero_cpu == 3100


def test_a_pod_level_resize_counts_what_the_status_reports():
    resizing = Resizing(allocated=(("cpu", "5"),), requests=(("cpu", "3"),))
    shape = PodShape((container(cpu="1"),), pod_level=(("cpu", "2"),), resizing=resizing)
    assert pod_requests(shape).amounts == (("cpu", 5000),)


def test_a_huge_request_stops_above_what_any_node_counts():
    assert pod_requests(PodShape((container(memory="9E"),))).amounts == (("memory", SCHEDULER_AMOUNT_MAX + 1),)
