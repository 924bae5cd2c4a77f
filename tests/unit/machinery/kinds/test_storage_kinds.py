"""Drivers, what they say of nodes and capacities, attachments and classes of volumes."""

from typing import Any

import pytest

from kcore.machinery import defaults
from kcore.machinery.kinds.rules import KindRules
from kcore.machinery.kinds.storage import csidriver, csinode, csistoragecapacity, volumeattachment, volumeattributesclass

DRIVER = "kcore.api.storage.v1.CSIDriver"
SUBDOMAIN = "a lowercase RFC 1123 subdomain must"


def messages(errors: list[Any]) -> list[str]:
    return [error.message() for error in errors]


def starts(errors: list[Any], *beginnings: str) -> bool:
    return len(errors) == len(beginnings) and all(map(str.startswith, messages(errors), beginnings))


def driver(**spec: Any) -> dict[str, Any]:
    value: dict[str, Any] = {"metadata": {"name": "d"}, "spec": spec}
    defaults.apply(DRIVER, value)
    csidriver.RULES.default(value)
    return value


def test_a_driver_attaches_volumes_that_outlive_pods_unless_it_says_otherwise() -> None:
    assert driver()["spec"] == {
        "attachRequired": True, "podInfoOnMount": False, "volumeLifecycleModes": ["Persistent"], "storageCapacity": False,
        "fsGroupPolicy": "ReadWriteOnceWithFSType", "requiresRepublish": False, "seLinuxMount": False,
        "preventPodSchedulingIfMissing": False,
    }
    assert driver(attachRequired=False)["spec"]["attachRequired"] is False


@pytest.mark.parametrize(("spec", "said"), [
    ({}, []),
    ({"fsGroupPolicy": ""}, ['spec.fsGroupPolicy: Unsupported value: "": supported values: "File", "None", "ReadWriteOnceWithFSType"']),
    ({"volumeLifecycleModes": ["X"]}, ['spec.volumeLifecycleModes: Unsupported value: "X": supported values: "Persistent", "Ephemeral"']),
    ({"nodeAllocatableUpdatePeriodSeconds": 9}, [
        "spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds",
    ]),
    ({"tokenRequests": [{"audience": "a", "expirationSeconds": 599}, {"audience": "a"}]}, [
        "spec.tokenRequests[0].expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes",
        'spec.tokenRequests[1].audience: Duplicate value: "a"',
    ]),
])  # fmt: skip
def test_a_driver_is_checked(spec: dict[str, Any], said: list[str]) -> None:
    assert messages(csidriver.RULES.validate(driver(**spec))) == said


def test_how_a_driver_attaches_stays_and_what_nodes_must_learn_of_is_counted() -> None:
    old, new = driver(), driver(attachRequired=False, requiresRepublish=True)
    assert messages(csidriver.RULES.validate_update(new, old)) == ["spec.attachedRequired: Invalid value: false: field is immutable"]
    csidriver.RULES.prepare_update(new, old)
    assert new["metadata"]["generation"] == 1
    again = driver(requiresRepublish=True)
    csidriver.RULES.prepare_update(again, new)
    assert "generation" not in again["metadata"]


def test_a_new_driver_whose_tokens_may_be_logged_is_warned_of() -> None:
    value = driver(tokenRequests=[{"audience": "a"}])
    assert len(csidriver.RULES.warnings(value, None)) == 1
    assert csidriver.RULES.warnings(value, value) == []
    assert csidriver.RULES.warnings(driver(tokenRequests=[{"audience": "a"}], serviceAccountTokenInSecrets=True), None) == []


def node(*drivers: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"drivers": list(drivers)}}


def test_drivers_of_a_node_have_names_of_their_own_and_keys() -> None:
    good = {"name": "d.example.com", "nodeID": "n", "topologyKeys": ["zone"], "allocatable": {"count": 1}}
    assert csinode.RULES.validate(node(good)) == []
    wrong = node({"topologyKeys": ["a", "a", "b c"], "allocatable": {"count": -1}}, good, {**good, "nodeID": "n" * 257})
    assert [error.field for error in csinode.RULES.validate(wrong)] == [
        "spec.drivers[0].name", "spec.drivers[0].nodeID", "spec.drivers[0].allocatable.count", "spec.drivers[0]",
        "spec.drivers[0]", "spec.drivers[2].nodeID", "spec.drivers[2].name",
    ]


def test_of_a_driver_on_a_node_only_the_room_changes() -> None:
    old = node({"name": "d", "nodeID": "n", "allocatable": {"count": 1}})
    assert csinode.RULES.validate_update(node({"name": "d", "nodeID": "n", "allocatable": {"count": 2}}), old) == []
    assert csinode.RULES.validate_update(node({"name": "e", "nodeID": "m"}), old) == []
    assert messages(csinode.RULES.validate_update(node({"name": "d", "nodeID": "m"}), old)) == [
        'spec.drivers: Invalid value: {"Name":"d","NodeID":"m","TopologyKeys":null,"Allocatable":null}: field is immutable'
    ]


def test_of_a_capacity_only_the_amounts_change() -> None:
    rules, old = csistoragecapacity.RULES, {"storageClassName": "fast", "capacity": "1Gi", "nodeTopology": {"matchLabels": {"a": "b"}}}
    assert rules.validate_update({**old, "capacity": "2Gi"}, old) == []
    assert [error.field for error in rules.validate_update({"storageClassName": "slow", "capacity": "-1"}, old)] == [
        "capacity", "nodeTopology", "storageClassName",
    ]
    assert starts(rules.validate({}), f'storageClassName: Invalid value: "": {SUBDOMAIN}')


def attachment(**spec: Any) -> dict[str, Any]:
    return {"spec": {"attacher": "a.example.com", "nodeName": "n", "source": {"persistentVolumeName": "pv"}, **spec}}


def test_an_attachment_names_driver_node_and_one_volume() -> None:
    validate = volumeattachment.RULES.validate
    one = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
    assert validate(attachment()) == []
    assert messages(validate(attachment(source={}))) == [f"spec.source: Required value: {one}"]
    both = attachment(source={"persistentVolumeName": "pv", "inlineVolumeSpec": {}})
    assert messages(validate(both)) == [f"spec.source: Forbidden: {one}"]
    assert starts(
        validate(attachment(attacher="", nodeName="")), f'spec.nodeName: Invalid value: "": {SUBDOMAIN}', "spec.attacher: Required value"
    )
    assert [error.field for error in validate(attachment(attacher="a" * 64))] == ["spec.attacher"]


def test_what_an_attachment_asks_for_stays() -> None:
    assert messages(volumeattachment.RULES.validate_update(attachment(nodeName="m"), attachment())) == [
        "spec: Invalid value: null: field is immutable"
    ]
    long = {**attachment(), "status": {"attachError": {"message": "m" * 1025}}}
    assert [error.field for error in volumeattachment.RULES.validate_status_update(long, attachment())] == ["status.attachError.message"]


def test_a_class_of_attributes_has_parameters_and_never_changes() -> None:
    rules: KindRules = volumeattributesclass.RULES
    old = {"driverName": "d", "parameters": {"iops": "1"}}
    assert rules.validate(old) == []
    assert messages(rules.validate_update({}, old)) == [
        "driverName: Forbidden: updates to driverName are forbidden.", "parameters: Forbidden: updates to parameters are forbidden.",
        "driverName: Required value", "parameters: Required value: must contain at least one key/value pair",
    ]
    assert starts(rules.validate({**old, "driverName": "Bad Value!"}), 'driverName: Invalid value: "bad value!": name part')


def test_a_status_update_of_an_attachment_changes_its_status_alone() -> None:
    old = {**attachment(), "metadata": {"name": "a", "resourceVersion": "1", "labels": {"a": "b"}}}
    sent = {"name": "a", "resourceVersion": "1", "labels": {"c": "d"}}
    new = {**attachment(nodeName="m"), "metadata": sent, "status": {"attached": True}}
    volumeattachment.RULES.prepare_status_update(new, old)
    assert new == {**old, "status": {"attached": True}}
