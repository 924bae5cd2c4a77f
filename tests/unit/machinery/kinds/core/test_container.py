"""Containers: names, images, ports, restart rules, init and ephemeral containers."""

from typing import Any

import pytest

from tests.unit.machinery.kinds.core.pods import container, wrong_container, wrong_spec

DNS_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric "
    "character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)


def test_a_complete_container_is_fine() -> None:
    assert wrong_container() == []
    assert wrong_spec() == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"name": None}, ["name: Required value"]),
        ({"name": ""}, ["name: Required value"]),
        ({"name": "Bad!"}, [f'name: Invalid value: "Bad!": {DNS_LABEL}']),
        ({"image": None}, ["image: Required value"]),
        ({"imagePullPolicy": None}, ["imagePullPolicy: Required value"]),
        ({"imagePullPolicy": "x"}, ['imagePullPolicy: Unsupported value: "x": supported values: "Always", "IfNotPresent", "Never"']),
        (
            {"terminationMessagePolicy": "x"},
            ['terminationMessagePolicy: Unsupported value: "x": supported values: "File", "FallbackToLogsOnError"'],
        ),
        ({"ports": [{"protocol": "TCP"}]}, ["ports[0].containerPort: Required value"]),
        ({"ports": [{"containerPort": 80}]}, ["ports[0].protocol: Required value"]),
        (
            {"ports": [{"containerPort": 65536, "hostPort": -1, "protocol": "HTTP"}]},
            [
                "ports[0].containerPort: Invalid value: 65536: must be between 1 and 65535, inclusive",
                "ports[0].hostPort: Invalid value: -1: must be between 1 and 65535, inclusive",
                'ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"',
            ],
        ),
        (
            {"ports": [{"name": "a", "containerPort": 1, "protocol": "TCP"}, {"name": "a", "containerPort": 2, "protocol": "TCP"}]},
            ['ports[1].name: Duplicate value: "a"'],
        ),
        (
            {"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}, {"resourceName": "cpu", "restartPolicy": "x"}]},
            [
                'resizePolicy[1]: Duplicate value: "cpu"',
                'resizePolicy: Unsupported value: "x": supported values: "NotRequired", "RestartContainer"',
            ],
        ),
        (
            {"resizePolicy": [{}]},
            ["resizePolicy: Required value", "resizePolicy: Required value"],
        ),
    ],
)
def test_the_rules_of_all_containers_are_kept(fields: dict[str, Any], expected: list[str]) -> None:
    assert wrong_container(**fields) == expected


def test_a_pod_needs_a_container_and_names_are_unique() -> None:
    assert wrong_spec(containers=[]) == ["spec.containers: Required value"]
    assert wrong_spec(containers=[container(), container()]) == ['spec.containers[1].name: Duplicate value: "c"']


def test_host_ports_of_all_containers_are_unique_by_protocol_and_address() -> None:
    port = {"containerPort": 80, "hostPort": 80, "protocol": "TCP"}
    both = [container(ports=[port]), container(name="d", ports=[{**port, "protocol": "UDP"}, port, {**port, "hostIP": "1.2.3.4"}])]
    assert wrong_spec(containers=both) == ['spec.containers[1].ports[1].hostPort: Duplicate value: "TCP//80"']


def test_with_the_host_network_host_ports_are_container_ports() -> None:
    ports = [{"containerPort": 80, "hostPort": 81, "protocol": "TCP"}, {"containerPort": 90, "protocol": "TCP"}]
    sentence = "must match `containerPort` when `hostNetwork` is true"
    wrong = [f"spec.containers[0].ports[{index}].hostPort: Invalid value: {port}: {sentence}" for index, port in ((0, 81), (1, 0))]
    assert wrong_spec(hostNetwork=True, containers=[container(ports=ports)]) == wrong
    assert wrong_spec(hostNetwork=True, containers=[container(ports=ports)], is_pod=False) == wrong[:1]


def test_restart_rules_need_a_policy_actions_and_exit_codes() -> None:
    rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
    assert wrong_container(restartPolicy="Never", restartPolicyRules=[rule]) == []
    assert wrong_container(restartPolicyRules=[rule]) == [
        "restartPolicy: Required value: must specify restartPolicy when restart rules are used",
    ]
    assert wrong_container(restartPolicy="x", restartPolicyRules=[{}, {"action": "Restart", "exitCodes": {}}]) == [
        'restartPolicy: Unsupported value: "x": supported values: "Always", "Never", "OnFailure"',
        'restartPolicyRules[0].action: Unsupported value: "": supported values: "Restart", "RestartAllContainers"',
        "restartPolicyRules[0].exitCodes: Required value: must be specified",
        'restartPolicyRules[1].exitCodes.operator: Unsupported value: "": supported values: "In", "NotIn"',
    ]
    many = {"action": "Restart", "exitCodes": {"operator": "In", "values": list(range(256))}}
    assert wrong_container(restartPolicy="Never", restartPolicyRules=[many] * 21)[:2] == [
        "restartPolicyRules: Too many: 21: must have at most 20 items",
        "restartPolicyRules[0].exitCodes.values: Too many: 256: must have at most 255 items",
    ]


def test_containers_that_restart_in_place_need_a_pod_that_restarts() -> None:
    policy = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
    assert wrong_spec(restartPolicy="Never", containers=[container(resizePolicy=policy)]) == [
        "spec.containers[0].resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when pod `restartPolicy` is 'Never'",
    ]


def test_init_containers_share_names_with_containers_and_have_no_probes() -> None:
    probe = {"exec": {"command": ["a"]}, "successThreshold": 1}
    init = container(livenessProbe=probe, lifecycle={})
    detail = "may not be set for init containers without restartPolicy=Always"
    assert wrong_spec(initContainers=[init]) == [
        'spec.initContainers[0].name: Duplicate value: "c"',
        f"spec.initContainers[0].lifecycle: Forbidden: {detail}",
        f"spec.initContainers[0].livenessProbe: Forbidden: {detail}",
    ]


def test_sidecars_may_have_probes_which_are_checked() -> None:
    sidecar = container(name="s", restartPolicy="Always", livenessProbe={"successThreshold": 1}, lifecycle={"preStop": {}})
    assert wrong_spec(initContainers=[sidecar]) == [
        "spec.initContainers[0].lifecycle.preStop: Required value: must specify a handler type",
        "spec.initContainers[0].livenessProbe: Required value: must specify a handler type",
    ]


def test_ports_of_init_containers_collide_only_within_one() -> None:
    port = {"containerPort": 80, "hostPort": 80, "protocol": "TCP"}
    assert wrong_spec(initContainers=[container(name="a", ports=[port]), container(name="b", ports=[port])]) == []
    assert wrong_spec(initContainers=[container(name="a"), container(name="b", ports=[port, port])]) == [
        'spec.initContainers[0].ports[1].hostPort: Duplicate value: "TCP//80"',
    ]


def test_ephemeral_containers_may_not_have_what_a_service_needs() -> None:
    detail = "Forbidden: cannot be set for an Ephemeral Container"
    debugger = container(
        name="d", targetContainerName="none", ports=[{"containerPort": 1, "protocol": "TCP"}], resources={"requests": {"cpu": "1"}},
        volumeMounts=[{"name": "v", "mountPath": "/v", "subPath": "s"}],
    )
    volumes = [{"name": "v", "emptyDir": {}}]
    assert wrong_spec(volumes=volumes, ephemeralContainers=[debugger, container()]) == [
        'spec.ephemeralContainers[0].targetContainerName: Not found: "none"',
        f"spec.ephemeralContainers[0].ports: {detail}",
        f"spec.ephemeralContainers[0].resources: {detail}",
        f"spec.ephemeralContainers[0].volumeMounts[0].subPath: {detail}",
        'spec.ephemeralContainers[1].name: Duplicate value: "c"',
    ]
    assert wrong_spec(ephemeralContainers=[container(name="d", targetContainerName="c", resources={})]) == []
