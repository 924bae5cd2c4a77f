"""Probes and hooks."""

from typing import Any

import pytest

from tests.unit.machinery.kinds.core.pods import container, wrong_container, wrong_spec

EXEC = {"exec": {"command": ["a"]}, "successThreshold": 1}


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        (EXEC, []),
        ({**EXEC, "successThreshold": 2}, [".successThreshold: Invalid value: 2: must be 1"]),
        ({"successThreshold": 1}, [": Required value: must specify a handler type"]),
        ({"exec": {}, "successThreshold": 1}, [".exec.command: Required value"]),
        ({**EXEC, "tcpSocket": {"port": 1}}, [".tcpSocket: Forbidden: may not specify more than 1 handler type"]),
        (
            {"httpGet": {}, "successThreshold": 1},
            [
                ".httpGet.path: Required value",
                ".httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive",
                '.httpGet.scheme: Unsupported value: "": supported values: "HTTP", "HTTPS"',
            ],
        ),
        ({"httpGet": {"path": "/", "port": "http", "scheme": "HTTPS", "httpHeaders": [{"name": "X-A"}]}, "successThreshold": 1}, []),
        ({"grpc": {"port": 0}, "successThreshold": 1}, [".grpc.port: Invalid value: 0: must be between 1 and 65535, inclusive"]),
        (
            {"tcpSocket": {"port": "UPPER"}, "successThreshold": 1},
            [
                '.tcpSocket.port: Invalid value: "UPPER": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
                '.tcpSocket.port: Invalid value: "UPPER": must contain at least one letter (a-z)',
            ],
        ),
        (
            {**EXEC, "periodSeconds": -1, "timeoutSeconds": -2, "terminationGracePeriodSeconds": 0},
            [
                ".timeoutSeconds: Invalid value: -2: must be greater than or equal to 0",
                ".periodSeconds: Invalid value: -1: must be greater than or equal to 0",
                ".terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0",
            ],
        ),
    ],
)
def test_liveness_and_startup_probes_are_alike(probe: dict[str, Any], expected: list[str]) -> None:
    for field in ("livenessProbe", "startupProbe"):
        assert wrong_container(**{field: probe}) == [field + message for message in expected]


def test_a_readiness_probe_counts_successes_and_ends_nothing() -> None:
    assert wrong_container(readinessProbe={**EXEC, "successThreshold": 3}) == []
    assert wrong_container(readinessProbe={**EXEC, "terminationGracePeriodSeconds": 1}) == [
        "readinessProbe.terminationGracePeriodSeconds: Invalid value: 1: must not be set for readinessProbes",
    ]


def test_hooks_have_one_handler_and_sleep_within_the_grace_period() -> None:
    assert wrong_container(lifecycle={"postStart": {"exec": {"command": ["a"]}}, "preStop": {"sleep": {"seconds": 0}}}) == []
    assert wrong_container(lifecycle={"postStart": {}}) == ["lifecycle.postStart: Required value: must specify a handler type"]
    too_long = container(lifecycle={"preStop": {"sleep": {"seconds": 6}}})
    assert wrong_spec(containers=[too_long], terminationGracePeriodSeconds=5) == [
        "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 6: "
        "must be non-negative and less than terminationGracePeriodSeconds (5)",
    ]
