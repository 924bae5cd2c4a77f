"""Defaults of a pod that depend on something."""

from __future__ import annotations

import pytest

from kcore.machinery.kinds.core.pod_defaults import default_pod_resources, default_pod_spec, default_template_spec, pull_policy
from tests.unit.machinery.kinds.core.pods import Object

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(("image", "policy"), [
    ("busybox", "Always"), ("busybox:latest", "Always"), ("busybox:1.36", "IfNotPresent"), ("localhost:5000/a/b", "Always"),
    ("localhost:5000/a/b:v1", "IfNotPresent"), (f"busybox@{DIGEST}", "IfNotPresent"), (f"busybox:latest@{DIGEST}", "Always"),
    ("a" * 64, "IfNotPresent"), ("Upper/case", "Always"), ("registry/UPPER", "IfNotPresent"), ("", "IfNotPresent"),
    ("a b", "IfNotPresent"), (f"r.io/{'a' * 260}", "IfNotPresent"), ("[::1]:5000/a", "Always"),
])
def test_the_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    assert pull_policy(image) == policy


def test_a_template_gets_what_containers_need() -> None:
    spec: Object = {"initContainers": [{"image": "a"}], "containers": [{"image": "a:1"}, {"image": "a", "imagePullPolicy": "Never"}]}
    default_template_spec(spec)
    assert [container["imagePullPolicy"] for container in spec["initContainers"] + spec["containers"]] == [
        "Always", "IfNotPresent", "Never",
    ]
    assert "enableServiceLinks" not in spec


def test_the_service_account_has_two_names() -> None:
    for given in ({"serviceAccount": "a"}, {"serviceAccountName": "a"}, {"serviceAccountName": "a", "serviceAccount": "b"}):
        spec: Object = dict(given)
        default_template_spec(spec)
        assert spec == {"serviceAccountName": "a", "serviceAccount": "a"}


def test_a_volume_without_a_source_is_empty() -> None:
    spec: Object = {"volumes": [{"name": "a"}, {"name": "b", "hostPath": None}, {"name": "c", "hostPath": {"path": "/"}}]}
    default_template_spec(spec)
    assert [sorted(volume) for volume in spec["volumes"]] == [["emptyDir", "name"], ["emptyDir", "hostPath", "name"], ["hostPath", "name"]]


def test_an_image_volume_gets_a_pull_policy() -> None:
    spec: Object = {"volumes": [{"name": "a", "image": {"reference": "a:1"}}, {"name": "b", "image": {}}]}
    default_template_spec(spec)
    assert [volume["image"]["pullPolicy"] for volume in spec["volumes"]] == ["IfNotPresent", "IfNotPresent"]


def test_amounts_are_rounded_up_to_thousandths() -> None:
    spec: Object = {"containers": [{"resources": {"limits": {"cpu": "100u"}}}], "overhead": {"cpu": "1500u"}}
    default_template_spec(spec)
    assert spec["containers"][0]["resources"] == {"limits": {"cpu": "1m"}}
    assert spec["overhead"] == {"cpu": "2m"}


def test_requests_of_a_pod_follow_its_limits() -> None:
    spec: Object = {"containers": [
        {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}}, {"resources": {"limits": {"cpu": "1"}}},
        {"resources": {"requests": {"cpu": "1"}}},
    ]}
    default_pod_spec(spec)
    assert [container["resources"]["requests"] for container in spec["containers"]] == [
        {"cpu": "500m", "memory": "1Gi"}, {"cpu": "1"}, {"cpu": "1"},
    ]
    assert spec["enableServiceLinks"] is True


def test_ports_on_the_host_network_are_host_ports() -> None:
    ports = [{"containerPort": 80}, {"containerPort": 81, "hostPort": 81}, {"name": "none"}]
    spec: Object = {"hostNetwork": True, "containers": [{"ports": ports}], "enableServiceLinks": False}
    default_pod_spec(spec)
    assert [port.get("hostPort") for port in ports] == [80, 81, None]
    assert spec["enableServiceLinks"] is False


def pod_level(resources: Object, *containers: Object) -> Object:
    spec: Object = {"resources": resources, "containers": [{"resources": container} for container in containers]}
    default_pod_spec(spec)
    default_pod_resources(spec)
    made: Object = spec["resources"]
    return made


def test_pod_level_requests_come_from_containers_then_limits() -> None:
    assert pod_level({"limits": {"cpu": "2", "memory": "2Gi"}}, {"requests": {"cpu": "300m"}}, {"requests": {"cpu": "200m"}}) == {
        "limits": {"cpu": "2", "memory": "2Gi"}, "requests": {"cpu": "500m", "memory": "2Gi"},
    }


def test_pod_level_huge_pages_come_from_container_limits() -> None:
    container = {"limits": {"hugepages-2Mi": "4Mi", "cpu": "1"}, "requests": {"hugepages-2Mi": "4Mi"}}
    assert pod_level({"requests": {"cpu": "1"}}, container) == {
        "requests": {"cpu": "1", "hugepages-2Mi": "4Mi"}, "limits": {"hugepages-2Mi": "4Mi"},
    }


def test_pod_level_limits_are_known_if_every_container_has_one() -> None:
    limited: Object = {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}
    assert pod_level({"requests": {"cpu": "1"}}, limited, limited) == {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}
    assert pod_level({"requests": {"cpu": "1"}}, limited, {}) == {"requests": {"cpu": "1"}}


def test_empty_pod_level_resources_stay_empty() -> None:
    assert pod_level({"limits": {}}, {"limits": {"cpu": "1"}}) == {"limits": {}}
