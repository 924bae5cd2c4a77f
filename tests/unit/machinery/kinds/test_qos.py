"""Quality-of-service classes."""

from typing import Any

import pytest

from kcore.machinery.kinds.qos import BEST_EFFORT, BURSTABLE, GUARANTEED, compute_qos_class, qos_class


def container(requests: dict[str, str] | None = None, limits: dict[str, str] | None = None) -> dict[str, Any]:
    return {"resources": {kind: amounts for kind, amounts in (("requests", requests), ("limits", limits)) if amounts}}


FULL = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"containers": [container()]}, BEST_EFFORT),
        ({"containers": [{}]}, BEST_EFFORT),
        ({"containers": [container({"cpu": "0"})]}, BEST_EFFORT),
        ({"containers": [container({"example.com/gpu": "1"}, {"example.com/gpu": "1"})]}, BEST_EFFORT),
        ({"containers": [container({"cpu": "1"})]}, BURSTABLE),
        ({"containers": [container(FULL, FULL)]}, GUARANTEED),
        ({"containers": [container({"cpu": "1000m", "memory": "1024Mi"}, FULL)]}, GUARANTEED),
        ({"containers": [container(FULL, {"cpu": "2", "memory": "1Gi"})]}, BURSTABLE),
        ({"containers": [container(FULL, FULL), container()]}, BURSTABLE),
        ({"containers": [container(FULL, FULL)], "initContainers": [container()]}, BURSTABLE),
        ({"containers": [container(None, FULL)]}, BURSTABLE),
        ({"containers": [container()], "resources": {"requests": FULL, "limits": FULL}}, GUARANTEED),
        ({"containers": [container(FULL, FULL)], "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}}, BURSTABLE),
    ],
)
def test_the_class_follows_from_requests_and_limits(spec: dict[str, Any], expected: str) -> None:
    assert compute_qos_class(spec) == expected


def test_the_recorded_class_stays_what_it_is() -> None:
    assert qos_class({"spec": {"containers": [container(FULL, FULL)]}, "status": {"qosClass": BURSTABLE}}) == BURSTABLE
    assert qos_class({"spec": {"containers": [container(FULL, FULL)]}}) == GUARANTEED
