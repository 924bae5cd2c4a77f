"""PersistentVolume, PersistentVolumeClaim and StorageClass."""
from typing import Any

from kcore.machinery.kinds.core import persistentvolume, persistentvolumeclaim
from kcore.machinery.kinds.storage import storageclass

Spec = dict[str, Any]


def messages(errors: list[Any]) -> list[str]:
    return [error.message() for error in errors]


def volume(**more: Any) -> Spec:
    return {"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/d", "type": ""}, **more}}


def claim(size: str = "1Gi", **more: Any) -> Spec:
    return {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, "volumeMode": "Filesystem", **more}}


def test_a_volume_has_capacity_modes_and_one_source() -> None:
    assert persistentvolume.RULES.validate(volume()) == []
    assert messages(persistentvolume.RULES.validate({"spec": {}})) == [
        "spec.accessModes: Required value", "spec.capacity: Required value",
        'spec.capacity: Unsupported value: null: supported values: "storage"', "spec: Required value: must specify a volume type",
    ]
    assert messages(persistentvolume.RULES.validate(volume(nfs={"server": "s", "path": "/"}))) == [
        "spec.nfs: Forbidden: may not specify more than 1 volume type"
    ]
    assert messages(persistentvolume.RULES.validate(volume(capacity={"storage": "0"}))) == [
        'spec.capacity[storage]: Invalid value: "0": must be greater than zero'
    ]
    root = volume(hostPath={"path": "/"}, persistentVolumeReclaimPolicy="Recycle")
    assert [error.field for error in persistentvolume.RULES.validate(root)] == ["spec.persistentVolumeReclaimPolicy"]


def test_csi_and_local_volumes_have_rules_of_their_own() -> None:
    csi = volume(csi={"driver": "", "controllerPublishSecretRef": {"name": "s"}})
    del csi["spec"]["hostPath"]
    assert messages(persistentvolume.RULES.validate(csi)) == [
        "spec.csi.driver: Required value", "spec.csi.volumeHandle: Required value",
        "spec.csi.controllerPublishSecretRef.namespace: Required value",
    ]
    local = volume(local={"path": "/a/../b"})
    del local["spec"]["hostPath"]
    assert [error.field for error in persistentvolume.RULES.validate(local)] == ["spec.local.path", "spec.nodeAffinity"]


def test_the_source_of_a_volume_never_changes_and_the_difference_is_shown() -> None:
    errors = persistentvolume.RULES.validate_update(volume(hostPath={"path": "/e", "type": ""}), volume())
    assert [error.field for error in errors] == ["spec.persistentvolumesource"]
    assert '-  "Path": "/d",\n+  "Path": "/e",\n' in errors[0].body
    assert persistentvolume.RULES.validate_update(volume(), volume()) == []


def test_deprecated_volumes_are_warned_of() -> None:
    value = volume(persistentVolumeReclaimPolicy="Recycle", rbd={})
    assert [warning.partition(": ")[0] for warning in persistentvolume.RULES.warnings(value, None)] == [
        "spec.persistentVolumeReclaimPolicy", "spec.rbd",
    ]


def test_the_two_data_sources_of_a_claim_agree() -> None:
    source = {"kind": "PersistentVolumeClaim", "name": "other"}
    value = claim(dataSource=source)
    persistentvolumeclaim.RULES.prepare_create(value)
    assert value["spec"]["dataSourceRef"] == source
    assert value["status"] == {"phase": "Pending"}
    value = claim(dataSourceRef={"apiGroup": "g", "kind": "K", "name": "n"})
    persistentvolumeclaim.RULES.prepare_create(value)
    assert value["spec"]["dataSource"] == {"apiGroup": "g", "kind": "K", "name": "n"}
    value = claim(dataSource={"apiGroup": "g", "kind": "K", "name": "n"})
    persistentvolumeclaim.RULES.prepare_create(value)
    assert "dataSource" not in value["spec"]


def test_a_claim_is_bound_once_and_then_only_grows() -> None:
    check = persistentvolumeclaim.RULES.validate_update
    assert check(claim(volumeName="pv"), claim()) == []
    bound = {**claim("2Gi", volumeName="pv"), "status": {"phase": "Bound"}}
    assert check(bound, claim(volumeName="pv")) == []
    errors = check(claim(volumeName="other"), claim(volumeName="pv"))
    assert [error.field for error in errors] == ["spec"]
    assert '- "VolumeName": "pv",\n+ "VolumeName": "other",\n' in errors[0].body
    smaller = {**claim("500Mi", volumeName="pv"), "status": {"phase": "Bound"}}
    old = {**claim(volumeName="pv"), "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}}
    assert messages(check(smaller, old)) == ["spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"]


def test_a_storage_class_stays_as_it_is() -> None:
    rules = storageclass.RULES
    value: Spec = {"provisioner": "a.b/c", "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate", "parameters": {"a": "b"}}
    assert rules.validate(value) == []
    assert messages(rules.validate({"reclaimPolicy": "X"})) == [
        "provisioner: Required value", 'reclaimPolicy: Unsupported value: "X": supported values: "Delete", "Retain"',
        "volumeBindingMode: Required value",
    ]
    assert messages(rules.validate_update({**value, "parameters": {}}, value)) == ["parameters: Invalid value: null: field is immutable"]
    twice = [{"matchLabelExpressions": [{"key": "zone", "values": ["a", "a"]}]}] * 2
    assert [error.field for error in rules.validate({**value, "allowedTopologies": twice})] == [
        "allowedTopologies[0].matchLabelExpressions[0].values[1]", "allowedTopologies[1].matchLabelExpressions[0].values[1]",
        "allowedTopologies[1].matchLabelExpressions",
    ]
