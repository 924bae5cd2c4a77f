"""What the registry asks of pods."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kcore.machinery.kinds.core import pod as pods
from kcore.machinery.kinds.core.affinity import PREFERRED, REQUIRED
from kcore.machinery.kinds.core.pod_annotations import APPARMOR_PREFIX, MIRROR_POD
from tests.unit.machinery.kinds.core.pods import Object, container, messages, pod

GATE = {"name": "g"}


def created(metadata: Object | None = None, **fields: Any) -> Object:
    made = pod(metadata, **fields)
    pods.prepare_create(made)
    return made


def token_volume() -> Object:
    token = {"path": "t", "expirationSeconds": 600}
    return {"name": "t", "projected": {"sources": [{"configMap": {"name": "m"}}, {"serviceAccountToken": token}]}}


def test_a_new_pod_gets_status_and_generation() -> None:
    made = pod({"generation": 7})
    made["status"] = {"phase": "Running", "podIP": "1.2.3.4"}
    pods.prepare_create(made)
    assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert made["metadata"]["generation"] == 1
    assert created(terminationGracePeriodSeconds=-3)["spec"]["terminationGracePeriodSeconds"] == 1


def test_an_empty_object_can_be_prepared_and_checked() -> None:
    made: Object = {}
    pods.default(made)
    pods.prepare_create(made)
    assert "spec.containers: Required value" in messages(pods.validate(made))


def test_label_keys_become_requirements() -> None:
    constraint = {"labelSelector": {"matchLabels": {"x": "y"}}, "matchLabelKeys": ["a", "missing"]}
    selector = {"matchExpressions": [{"key": "x", "operator": "Exists"}]}
    term = {"labelSelector": selector, "matchLabelKeys": ["a"], "mismatchLabelKeys": ["b"]}
    affinity = {"podAffinity": {REQUIRED: [term]}, "podAntiAffinity": {PREFERRED: [{"weight": 1, "podAffinityTerm": copy.deepcopy(term)}]}}
    made = created({"labels": {"a": "1", "b": "2"}}, affinity=affinity, topologySpreadConstraints=[constraint, {"matchLabelKeys": ["a"]}])
    wanted = [{"key": "a", "operator": "In", "values": ["1"]}]
    parts = made["spec"]["affinity"]
    assert made["spec"]["topologySpreadConstraints"] == [
        {"labelSelector": {"matchLabels": {"x": "y"}, "matchExpressions": wanted}, "matchLabelKeys": ["a", "missing"]},
        {"matchLabelKeys": ["a"]},
    ]
    for merged in (parts["podAffinity"][REQUIRED][0], parts["podAntiAffinity"][PREFERRED][0]["podAffinityTerm"]):
        assert merged["labelSelector"]["matchExpressions"] == [
            {"key": "x", "operator": "Exists"}, *wanted, {"key": "b", "operator": "NotIn", "values": ["2"]},
        ]


def test_an_apparmor_annotation_sets_the_field_and_warns() -> None:
    made = created({"annotations": {APPARMOR_PREFIX + "c": "unconfined"}})
    assert made["spec"]["containers"][0]["securityContext"] == {"appArmorProfile": {"type": "Unconfined"}}
    assert pods.validate(made) == []
    assert len(pods.warnings(made)) == 1


def test_a_good_pod_is_accepted() -> None:
    assert pods.validate(created()) == []
    assert pods.warnings(created()) == []


@pytest.mark.parametrize(("metadata", "fields", "expected"), [
    ({}, {"ephemeralContainers": [container(name="e")]}, "spec.ephemeralContainers: Forbidden: cannot be set on create"),
    ({}, {"nodeName": "n", "schedulingGates": [GATE]},
     "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"),
    ({"annotations": {MIRROR_POD: "x"}}, {},
     f'metadata.annotations[{MIRROR_POD}]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set'),
    ({}, {"volumes": [token_volume()]},
     "spec.volumes[0].projected.sources[1].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set"),
    ({}, {"containers": [container(image=" a")]},
     'spec.containers[0].image: Invalid value: " a": must not have leading or trailing whitespace'),
    ({"annotations": {"container.seccomp.security.alpha.kubernetes.io/c": "unconfined"}},
     {"containers": [container(securityContext={"seccompProfile": {"type": "RuntimeDefault"}})]},
     "spec.containers[0].securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must match"),
])
def test_what_a_new_pod_may_not_be(metadata: Object, fields: Object, expected: str) -> None:
    assert messages(pods.validate(created(metadata, **fields))) == [expected]


def test_the_name_of_a_pod_is_a_hostname() -> None:
    found = pods.warnings(pod({"name": "a.b"}))
    assert len(found) == 1
    assert found[0].startswith("metadata.name: this is used in the Pod's hostname, which can result in surprising behavior;")
    assert pods.warnings(pod({"name": "a.b"}), pod()) == []


def test_an_update_counts_changes_of_the_spec() -> None:
    old = {**pod(), "status": {"phase": "Running"}}
    same, other = pod({"generation": 9, "labels": {"a": "b"}}, volumes=[]), pod(hostname="h")
    same["status"] = {"phase": "Failed"}
    pods.prepare_update(same, old)
    pods.prepare_update(other, old)
    assert same["status"] == {"phase": "Running"}
    assert [same["metadata"]["generation"], other["metadata"]["generation"]] == [1, 2]


def test_an_update_is_checked_once() -> None:
    old = created()
    assert pods.validate_update(copy.deepcopy(old), old) == []
    blank = copy.deepcopy(old)
    blank["spec"]["containers"][0]["image"] = ""
    assert messages(pods.validate_update(blank, old)).count("spec.containers[0].image: Required value") == 1
    padded = copy.deepcopy(old)
    padded["spec"]["containers"][0]["image"] = "a "
    assert messages(pods.validate_update(padded, old)) == [
        'spec.containers[0].image: Invalid value: "a ": must not have leading or trailing whitespace',
    ]


@pytest.mark.parametrize("fields", [
    {"hostAliases": [{"ip": "010.1.1.1", "hostnames": ["a"]}]},
    {"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "a", "operator": "In", "values": ["-x"]}]},
    ]}}}},
    {"hostNetwork": True, "securityContext": {"sysctls": [{"name": "net.core.somaxconn", "value": "1"}]}},
])
def test_a_stored_pod_may_stay_wrong_in_old_ways(fields: Object) -> None:
    old = pod(**fields)
    assert pods.validate(old) != []
    new = copy.deepcopy(old)
    new["spec"]["containers"][0]["image"] = "other:2"
    assert pods.validate_update(new, old) == []


def test_annotations_are_checked_on_every_update() -> None:
    old, new = pod(nodeName="n"), pod({"annotations": {MIRROR_POD: "x"}}, nodeName="n")
    refused = [f"metadata.annotations[{MIRROR_POD}]: Forbidden: may not add mirror pod annotation"]
    assert messages(pods.validate_update(new, old)) == refused
    assert messages(pods.validate_status_update(new, old)) == refused


def test_a_status_update_keeps_the_spec() -> None:
    old, new = pod(), pod(hostname="h")
    new["status"] = {"phase": "Running"}
    pods.prepare_status_update(new, old)
    assert new["spec"] == old["spec"]
    assert pods.validate_status_update(new, old) == []
    assert pods.status_warnings(new) == []


def test_the_rules_of_the_kind_are_these_functions() -> None:
    assert pods.RULES.graceful
    assert pods.RULES.validate is pods.validate
