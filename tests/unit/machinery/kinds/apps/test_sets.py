"""StatefulSet, DaemonSet and ReplicationController."""
from typing import Any

import pytest

from kcore.machinery.kinds.apps import daemonset, statefulset
from kcore.machinery.kinds.core import replicationcontroller

Spec = dict[str, Any]


def template(**labels: str) -> Spec:
    container = {"name": "c", "image": "i", "terminationMessagePolicy": "File", "imagePullPolicy": "Always"}
    spec = {"containers": [container], "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30}
    return {"metadata": {"labels": labels}, "spec": spec}


def made(rules: Any, **more: Any) -> Spec:
    spec = {"replicas": 1, "podManagementPolicy": "OrderedReady", "selector": {"matchLabels": {"a": "b"}}, "template": template(a="b")}
    value: Spec = {"metadata": {"name": "s"}, "spec": {**spec, **more}}
    rules.default(value)
    return value


def messages(errors: list[Any]) -> list[str]:
    return [error.message() for error in errors]


def claim(name: str) -> Spec:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"metadata": {"name": name}, "spec": spec}


def test_a_stateful_set_gets_its_defaults() -> None:
    spec = made(statefulset.RULES)["spec"]
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": 1}}
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    rolling = made(statefulset.RULES, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}})["spec"]
    assert rolling["updateStrategy"]["rollingUpdate"] == {"partition": 0, "maxUnavailable": 2}
    assert made(statefulset.RULES, updateStrategy={"type": "OnDelete"})["spec"]["updateStrategy"] == {"type": "OnDelete"}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, []),
        ({"podManagementPolicy": "X"}, ['spec.podManagementPolicy: Invalid value: "X": must be \'OrderedReady\' or \'Parallel\'']),
        ({"updateStrategy": {"type": "OnDelete", "rollingUpdate": {}}}, [
            'spec.updateStrategy.rollingUpdate: Invalid value: {"Partition":0,"MaxUnavailable":null}: '
            "only allowed for updateStrategy 'RollingUpdate'",
        ]),
        ({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": -1, "maxUnavailable": 0}}}, [
            "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
            "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0",
        ]),
        ({"persistentVolumeClaimRetentionPolicy": {"whenScaled": "X"}}, [
            'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "X": supported values: "Retain", "Delete"',
        ]),
        ({"selector": {}}, ["spec.selector: Invalid value: {}: empty selector is invalid for statefulset"]),
        ({"volumeClaimTemplates": [claim("data")]}, []),
    ],
)
def test_what_breaks_a_stateful_set_is_named(more: Spec, expected: list[str]) -> None:
    assert messages(statefulset.RULES.validate(made(statefulset.RULES, **more))) == expected


def test_a_container_may_mount_the_claims_of_its_stateful_set() -> None:
    value = made(statefulset.RULES, volumeClaimTemplates=[claim("data")])
    value["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/d"}]
    assert statefulset.RULES.validate(value) == []
    del value["spec"]["volumeClaimTemplates"]
    assert len(statefulset.RULES.validate(value)) == 1


def test_little_of_a_stateful_set_changes() -> None:
    old = made(statefulset.RULES)
    assert statefulset.RULES.validate_update(made(statefulset.RULES, replicas=5, minReadySeconds=1), old) == []
    wrong = statefulset.RULES.validate_update(made(statefulset.RULES, serviceName="x"), old)
    assert [error.field for error in wrong] == ["spec.serviceName"]
    new = made(statefulset.RULES, selector={"matchLabels": {"a": "b", "c": "d"}}, template=template(a="b", c="d"))
    assert [error.field for error in statefulset.RULES.validate_update(new, old)] == ["spec.selector"]
    errors = statefulset.RULES.validate_status_update({"status": {"replicas": 1, "currentReplicas": 2}}, {})
    assert messages(errors) == ["status.currentReplicas: Invalid value: 2: cannot be greater than status.replicas"]


def test_a_daemon_set_counts_its_templates() -> None:
    value = made(daemonset.RULES)
    assert value["spec"]["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
    daemonset.RULES.prepare_create(value)
    assert daemonset.template_generation(value) == 1
    same = made(daemonset.RULES, minReadySeconds=5)
    daemonset.RULES.prepare_update(same, value)
    other = made(daemonset.RULES, template=template(a="b", x="y"))
    daemonset.RULES.prepare_update(other, value)
    assert (daemonset.template_generation(same), daemonset.template_generation(other)) == (1, 2)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, []),
        ({"updateStrategy": {"type": "X"}}, [
            'spec.updateStrategy: Unsupported value: {"Type":"X","RollingUpdate":null}: supported values: "RollingUpdate", "OnDelete"',
        ]),
        ({"updateStrategy": {"rollingUpdate": {"maxUnavailable": "10%", "maxSurge": 1}}}, [
            "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero",
        ]),
        ({"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}}, [
            "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0",
        ]),
        ({"selector": {}}, ["spec.selector: Invalid value: {}: empty selector is invalid for daemonset"]),
        ({"selector": {"matchLabels": {"x": "y"}}}, [
            'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
        ]),
    ],
)
def test_what_breaks_a_daemon_set_is_named(more: Spec, expected: list[str]) -> None:
    assert messages(daemonset.RULES.validate(made(daemonset.RULES, **more))) == expected


def test_a_replication_controller_follows_the_labels_of_its_template() -> None:
    value: Spec = {"metadata": {"name": "a.b"}, "spec": {"replicas": 1, "template": template(a="b")}}
    replicationcontroller.RULES.default(value)
    assert (value["metadata"]["labels"], value["spec"]["selector"]) == ({"a": "b"}, {"a": "b"})
    assert replicationcontroller.RULES.validate(value) == []
    assert replicationcontroller.RULES.warnings(value, None)[0].endswith("a DNS label is recommended: [must not contain dots]")
    assert messages(replicationcontroller.RULES.validate({"spec": {}})) == [
        "spec.selector: Required value", "spec.replicas: Required value", "spec.template: Required value",
    ]
