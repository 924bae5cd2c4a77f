"""Environment variables and the downward API."""

from typing import Any

import pytest

from tests.unit.machinery.kinds.core.pods import container, wrong_container, wrong_spec

ENV_PATHS = (
    '"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", '
    '"status.podIP", "status.podIPs"'
)
RESOURCES = '"limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"'
BYTES = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei"


def wrong_source(**source: Any) -> list[str]:
    return [message.removeprefix("env[0].valueFrom") for message in wrong_container(env=[{"name": "A", "valueFrom": source}])]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}, []),
        ({"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.host"}}, []),
        ({"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.labels['a/b']"}}, []),
        ({"fieldRef": {"fieldPath": "metadata.name"}}, [".fieldRef.apiVersion: Required value"]),
        ({"fieldRef": {"apiVersion": "v1"}}, [".fieldRef.fieldPath: Required value"]),
        (
            {"fieldRef": {"apiVersion": "v2", "fieldPath": "metadata.name"}},
            ['.fieldRef.fieldPath: Invalid value: "metadata.name": error converting fieldPath: unsupported pod version: v2'],
        ),
        (
            {"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.foo"}},
            ['.fieldRef.fieldPath: Invalid value: "spec.foo": error converting fieldPath: field label not supported: spec.foo'],
        ),
        (
            {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name['x']"}},
            [
                ".fieldRef.fieldPath: Invalid value: \"metadata.name['x']\": error converting fieldPath: "
                "field label does not support subscript: metadata.name['x']",
            ],
        ),
        (
            {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.labels"}},
            [f'.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: {ENV_PATHS}'],
        ),
        ({"resourceFieldRef": {"resource": "limits.hugepages-2Mi", "divisor": "0"}}, []),
        ({"resourceFieldRef": {}}, [".resourceFieldRef.resource: Required value"]),
        (
            {"resourceFieldRef": {"resource": "limits.foo"}},
            [f'.resourceFieldRef.resource: Unsupported value: "limits.foo": supported values: {RESOURCES}'],
        ),
        (
            {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "3m"}},
            [
                '.resourceFieldRef.divisor: Invalid value: "limits.cpu": '
                "only divisor's values 1m and 1 are supported with the cpu resource",
            ],
        ),
        (
            {"resourceFieldRef": {"resource": "requests.ephemeral-storage", "divisor": "2"}},
            [
                '.resourceFieldRef.divisor: Invalid value: "requests.ephemeral-storage": '
                f"only divisor's values {BYTES} are supported with the local ephemeral storage resource",
            ],
        ),
        (
            {"resourceFieldRef": {"resource": "requests.hugepages-2Mi", "divisor": "2"}},
            [
                '.resourceFieldRef.divisor: Invalid value: "requests.hugepages-2Mi": '
                f"only divisor's values {BYTES} are supported with the hugepages resource",
            ],
        ),
        ({"configMapKeyRef": {"name": "a", "key": "k"}}, []),
        ({"secretKeyRef": {"name": "a"}}, [".secretKeyRef.key: Required value"]),
        (
            {},
            [': Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'],
        ),
        (
            {"configMapKeyRef": {"name": "a", "key": "k"}, "secretKeyRef": {"name": "a", "key": "k"}},
            [': Invalid value: "": may not have more than one field specified at a time'],
        ),
    ],
)
def test_a_variable_has_one_valid_source(source: dict[str, Any], expected: list[str]) -> None:
    assert wrong_source(**source) == expected


def test_names_are_printable_and_values_exclude_sources() -> None:
    assert wrong_container(env=[{"name": "a b", "value": "x"}]) == []
    assert wrong_container(env=[{"value": "x"}, {"name": "a=b"}]) == [
        "env[0].name: Required value",
        'env[1].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters '
        "other than '='",
    ]
    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}
    assert wrong_container(env=[{"name": "A", "value": "x", "valueFrom": source}]) == [
        'env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
    ]


def test_sources_of_many_variables_are_one_each() -> None:
    assert wrong_container(envFrom=[{"prefix": "1 ", "configMapRef": {"name": "x-"}}]) == []
    assert wrong_container(envFrom=[{}, {"configMapRef": {}, "secretRef": {"name": "y"}}]) == [
        'envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
        "envFrom[1].configMapRef.name: Required value",
        'envFrom: Invalid value: "": may not have more than one field specified at a time',
    ]


def test_a_file_of_variables_lies_in_an_empty_directory_of_the_pod() -> None:
    def check(selector: dict[str, str]) -> list[str]:
        volumes = [{"name": "v", "emptyDir": {}}, {"name": "h", "hostPath": {"path": "/x"}}]
        made = container(env=[{"name": "A", "valueFrom": {"fileKeyRef": selector}}])
        wrong = wrong_spec(containers=[made], volumes=volumes)
        return [message.removeprefix("spec.containers[0].env[0].valueFrom.fileKeyRef.") for message in wrong]

    assert check({"volumeName": "v", "path": "a/b", "key": "K"}) == []
    assert check({"volumeName": "none", "path": "a", "key": "K"}) == ['volumeName: Not found: "none"']
    assert check({"volumeName": "h", "path": "a", "key": "K"}) == [
        'volumeName: Invalid value: "h": referenced volume must be of type emptyDir',
    ]
    assert check({}) == ["key: Required value", "volumeName: Required value", "path: Required value", 'volumeName: Not found: ""']
    assert check({"volumeName": "v", "path": "../a", "key": "K"}) == ["path: Invalid value: \"../a\": must not contain '..'"]
