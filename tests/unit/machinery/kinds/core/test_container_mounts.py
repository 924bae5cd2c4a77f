"""Mounts and block devices."""

from typing import Any

import pytest

from tests.unit.machinery.kinds.core.pods import container, wrong_spec

VOLUMES = [
    {"name": "v", "emptyDir": {}}, {"name": "w", "emptyDir": {}}, {"name": "i", "image": {"reference": "x", "pullPolicy": "Always"}},
    {"name": "p", "persistentVolumeClaim": {"claimName": "c"}}, {"name": "q", "persistentVolumeClaim": {"claimName": "c"}},
]


def wrong(**fields: Any) -> list[str]:
    made = container(**fields)
    return [message.removeprefix("spec.containers[0].volume") for message in wrong_spec(containers=[made], volumes=VOLUMES)]


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [
        ([{"name": "v", "mountPath": "/a", "subPath": "b", "readOnly": True, "recursiveReadOnly": "Enabled"}], []),
        ([{}], ["Mounts[0].name: Required value", 'Mounts[0].name: Not found: ""', "Mounts[0].mountPath: Required value"]),
        ([{"mountPath": "/x", "subPath": "/a"}], [
            "Mounts[0].name: Required value", 'Mounts[0].name: Not found: ""',
            'Mounts.subPath: Invalid value: "/a": must be a relative path',
        ]),
        (
            [{"name": "v", "mountPath": "/a"}, {"name": "w", "mountPath": "/a"}],
            ['Mounts[1].mountPath: Invalid value: "/a": must be unique'],
        ),
        (
            [{"name": "i", "mountPath": "/a", "subPath": "s"}],
            ['Mounts[0].subPath: Invalid value: "s": not allowed in image volume sources'],
        ),
        (
            [{"name": "v", "mountPath": "/a", "subPath": "a", "subPathExpr": "b/../c"}],
            [
                'Mounts[0].subPathExpr: Invalid value: "b/../c": subPathExpr and subPath are mutually exclusive',
                "Mounts.subPathExpr: Invalid value: \"b/../c\": must not contain '..'",
            ],
        ),
        (
            [{"name": "v", "mountPath": "/a", "mountPropagation": "Bidirectional"}],
            ["Mounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers"],
        ),
        (
            [{"name": "v", "mountPath": "/a", "mountPropagation": "x"}],
            ['Mounts.mountPropagation: Unsupported value: "x": supported values: "Bidirectional", "HostToContainer", "None"'],
        ),
        (
            [{"name": "v", "mountPath": "/a", "recursiveReadOnly": "IfPossible", "mountPropagation": "HostToContainer"}],
            [
                "Mounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true",
                "Mounts.recursiveReadOnly: Forbidden: may only be specified when mountPropagation is None or not specified",
            ],
        ),
        (
            [{"name": "v", "mountPath": "/a", "recursiveReadOnly": "x"}],
            ['Mounts.recursiveReadOnly: Unsupported value: "x": supported values: "Disabled", "Enabled", "IfPossible"'],
        ),
    ],
)
def test_mounts_name_volumes_and_have_places_of_their_own(mounts: list[dict[str, Any]], expected: list[str]) -> None:
    assert wrong(volumeMounts=mounts) == expected


def test_a_privileged_container_may_propagate_mounts_both_ways() -> None:
    mount = {"name": "v", "mountPath": "/a", "mountPropagation": "Bidirectional"}
    assert wrong(volumeMounts=[mount], securityContext={"privileged": True}) == []


def test_devices_are_claims_with_paths_of_their_own() -> None:
    assert wrong(volumeDevices=[{"name": "p", "devicePath": "/dev/x"}]) == []
    assert wrong(volumeDevices=[{}]) == [
        "Devices[0].name: Required value", 'Devices[0].name: Not found: ""', "Devices[0].devicePath: Required value",
    ]
    assert wrong(volumeDevices=[{"name": "v", "devicePath": "/dev/../x"}]) == [
        'Devices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
        "Devices[0].devicePath: Invalid value: \"/dev/../x\": can not contain backsteps ('..')",
    ]
    assert wrong(volumeDevices=[{"name": "p", "devicePath": "/d"}, {"name": "p", "devicePath": "/d"}]) == [
        'Devices[1].name: Invalid value: "p": must be unique', 'Devices[1].devicePath: Invalid value: "/d": must be unique',
    ]


def test_mounts_and_devices_do_not_share_names_or_paths() -> None:
    assert wrong(volumeMounts=[{"name": "p", "mountPath": "/d"}], volumeDevices=[{"name": "p", "devicePath": "/d"}]) == [
        'Mounts[0].name: Invalid value: "p": must not already exist in volumeDevices',
        'Mounts[0].mountPath: Invalid value: "/d": must not already exist as a path in volumeDevices',
        'Devices[0].name: Invalid value: "p": must not already exist in volumeMounts',
        'Devices[0].devicePath: Invalid value: "/d": must not already exist as a path in volumeMounts',
    ]
