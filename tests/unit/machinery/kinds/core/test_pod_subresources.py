"""Writes of ephemeral containers and of resources."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.core import pod as pods
from kcore.machinery.kinds.core.pod_annotations import MIRROR_POD
from kcore.machinery.kinds.core.pod_subresources import validate_ephemeral_update, validate_resize
from tests.unit.machinery.kinds.core.pods import Object, container, messages, pod

MUTABLE = "only cpu and memory resources are mutable"


def debugger(**fields: Any) -> Object:
    return container(name="debug", **fields)


def wrong_ephemeral(new: Object, old: Object) -> list[str]:
    errors: list[FieldError] = []
    validate_ephemeral_update(new, old, errors)
    return messages(errors)


def wrong_resize(new: Object, old: Object) -> list[str]:
    errors: list[FieldError] = []
    validate_resize(new, old, errors)
    return messages(errors)


def sized(cpu: str = "1", memory: str = "1Gi", **fields: Any) -> Object:
    resources = {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": "2", "memory": "2Gi"}}
    return pod(containers=[container(resources=resources, **fields)])


def mirrored(**fields: Any) -> Object:
    return pod({"annotations": {MIRROR_POD: "x"}}, **fields)


def test_only_ephemeral_containers_are_taken() -> None:
    old = pod({"labels": {"a": "b"}})
    new = pod({"labels": {"c": "d"}, "annotations": {"e": "f"}}, hostname="h", ephemeralContainers=[debugger()])
    pods.prepare_ephemeral_containers_update(new, old)
    assert new["spec"] == {**old["spec"], "ephemeralContainers": [debugger()]}
    assert new["metadata"] == {**old["metadata"], "generation": 2}
    assert pods.validate_ephemeral_containers_update(new, old) == []
    gone = copy.deepcopy(old)
    pods.prepare_ephemeral_containers_update(gone, new)
    assert "ephemeralContainers" not in gone["spec"]


def test_ephemeral_containers_stay_as_they_are() -> None:
    old = pod(ephemeralContainers=[debugger()])
    assert wrong_ephemeral(pod(ephemeralContainers=[container(name="other"), debugger()]), old) == []
    assert wrong_ephemeral(pod(), old) == [
        'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed\n',
    ]
    changed = wrong_ephemeral(pod(ephemeralContainers=[debugger(image="b:1")]), old)[0].split("\n")
    assert changed[0] == 'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be changed'
    assert '+ "Image": "b:1",' in changed


def test_a_mirror_pod_takes_neither() -> None:
    assert wrong_ephemeral(mirrored(), mirrored()) == [": Forbidden: static pods do not support ephemeral containers"]
    assert wrong_resize(mirrored(), mirrored()) == [": Forbidden: static pods cannot be resized"]
    windows = pod(os={"name": "windows"})
    assert wrong_resize(windows, windows) == [": Forbidden: windows pods cannot be resized"]


def test_a_resize_takes_only_resources() -> None:
    old, new = sized(), sized("2", image="other:1", resizePolicy=[{"resourceName": "cpu", "restartPolicy": "NotRequired"}])
    new["spec"]["hostname"] = "h"
    pods.prepare_resize(new, old)
    only = new["spec"]["containers"][0]
    assert only == {
        **old["spec"]["containers"][0], "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}],
        "resources": {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}},
    }
    assert "hostname" not in new["spec"]
    assert new["metadata"]["generation"] == 2


def test_cpu_and_memory_may_be_resized() -> None:
    new, old = sized("1500m", "1536Mi"), sized()
    pods.prepare_resize(new, old)
    assert pods.validate_resize(new, old) == []
    same = sized("1000m")
    pods.prepare_resize(same, old)
    assert same["metadata"]["generation"] == 1


def test_containers_may_not_come_or_go_on_resize() -> None:
    two = pod(containers=[container(), container(name="d")])
    pods.prepare_resize(two, pod())
    assert wrong_resize(two, pod()) == ["spec: Forbidden: containers may not be added or removed on resize"]
    renamed = sized(name="d")
    pods.prepare_resize(renamed, sized())
    assert f"spec: Forbidden: {MUTABLE}" in wrong_resize(renamed, sized())


def test_the_qos_class_stays_on_resize() -> None:
    new = sized("2", "2Gi")
    new["status"] = {"qosClass": "Burstable"}
    assert wrong_resize(new, sized()) == ['spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing']


@pytest.mark.parametrize(("resources", "expected"), [
    ({"requests": {"cpu": "1"}, "limits": {"cpu": "2", "memory": "2Gi"}},
     ["spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed"]),
    ({"requests": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1"}, "limits": {"cpu": "2", "memory": "2Gi"}},
     [f"spec: Forbidden: {MUTABLE}"]),
])
def test_other_resources_stay_on_resize(resources: Object, expected: list[str]) -> None:
    assert wrong_resize(pod(containers=[container(resources=resources)]), sized()) == expected


def test_init_containers_are_resized_only_as_sidecars() -> None:
    before, after = {"requests": {"cpu": "1"}}, {"requests": {"cpu": "2"}}
    for policy, expected in ((None, ["spec: Forbidden: resources for non-sidecar init containers are immutable"]), ("Always", [])):
        init = container(name="i", resources=before, restartPolicy=policy)
        new, old = pod(initContainers=[{**init, "resources": after}]), pod(initContainers=[init])
        assert wrong_resize(new, old) == expected


@pytest.mark.parametrize(("status", "supported"), [
    ({"state": {"running": {}}}, False), ({"state": {"running": {}}, "resources": {}}, True), ({"state": {"waiting": {}}}, True),
])
def test_a_node_must_know_how_to_resize(status: Object, *, supported: bool) -> None:
    old = {**sized(), "status": {"containerStatuses": [status]}}
    assert wrong_resize(sized("2"), old) == ["spec: Forbidden: Pod running on node without support for resize"] * (not supported)


def test_pod_level_resources_are_taken_on_resize() -> None:
    old, new = pod(resources={"requests": {"cpu": "1"}}), pod(resources={"requests": {"cpu": "2"}})
    pods.prepare_resize(new, old)
    assert new["spec"]["resources"] == {"requests": {"cpu": "2"}}
