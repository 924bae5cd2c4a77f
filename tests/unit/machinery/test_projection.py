"""What a path gives, what it gives where nothing is there, and what is no path."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.machinery import codec
from kcore.machinery.projection import Projection

POD = "kcore.api.core.v1.Pod"
RAW = codec.encode(
    POD,
    {
        "metadata": {"name": "p", "labels": {"a": "b", "c": ""}, "creationTimestamp": "1970-01-01T00:01:00Z", "finalizers": ["f"]},
        "spec": {
            "containers": [
                {"name": "x", "ports": [{"containerPort": 1}, {"containerPort": 2}], "resources": {"requests": {"cpu": "1"}}},
                {"name": "y"},
            ],
            "volumes": [{"name": "v"}, {"name": "w", "configMap": {"name": "c"}}], "priority": 0, "affinity": {"podAffinity": {}},
        },
    },
)  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "absent"),
    [
        ("metadata.name", "p", ""),
        ("metadata.labels", {"a": "b", "c": ""}, {}),
        ("metadata.creationTimestamp", 60, 0),
        ("metadata.finalizers", ("f",), ()),
        ("spec.nodeName", "", ""),
        ("spec.runtimeClassName?", None, None),
        ("spec.priority?", 0, None),
        ("spec.hostNetwork", False, False),
        ("spec.containers[].name", ("x", "y"), ()),
        ("spec.containers[].ports[].containerPort", ((1, 2), ()), ()),
        ("spec.containers[].resources.requests", ({"cpu": "1"}, {}), ()),
        ("spec.volumes[].configMap.name", ("", "c"), ()),
        ("spec.affinity", {"podAffinity": {}}, {}),
        ("spec.affinity@raw", b"\x12\x00", b""),
        ("spec.affinity@present", True, False),
        ("spec.securityContext@present", False, False),
        ("spec.volumes[]@raw", (b"\x0a\x01v\x12\x00", b"\x0a\x01w\x12\x07\x9a\x01\x04\x0a\x02\x0a\x00"), ()),
    ],
)
def test_a_path_gives_its_value_or_the_empty_one(path: str, value: Any, absent: Any) -> None:
    read = Projection(POD, [path])
    if path != "spec.volumes[]@raw":
        assert read(RAW) == (value,)
    assert len(read(RAW)) == 1
    assert read(b"") == (absent,)


def test_raw_elements_are_their_messages() -> None:
    (volumes,) = Projection(POD, ["spec.volumes[]@raw"])(RAW)
    assert [codec.decode("kcore.api.core.v1.Volume", raw)["name"] for raw in volumes] == ["v", "w"]


def test_paths_may_be_asked_for_twice_and_in_any_order() -> None:
    paths = ["spec.affinity@present", "metadata.name", "spec.affinity", "metadata.name", "spec.affinity.podAffinity@present"]
    assert Projection(POD, paths)(RAW) == (True, "p", {"podAffinity": {}}, "p", True)


@pytest.mark.parametrize(
    "path",
    [
        "nope",
        "metadata.nope",
        "metadata.name.x",
        "spec.containers.name",
        "metadata.name[]",
        "metadata[].name",
        "spec.affinity@nope",
        "metadata.labels.a",
    ],
)
def test_what_is_no_path_is_refused_at_once(path: str) -> None:
    with pytest.raises(ValueError, match=path.split(".")[0].rstrip("[]")):
        Projection(POD, [path])


@pytest.mark.parametrize("raw", [b"\x0a", b"\x0a\x03\x0a\x05x", b"\x0a\x02\x08\x01", b"\x00\x00", b"\x0a\x03\x0a\x01\xff"])
def test_malformed_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(codec.DecodeError):
        Projection(POD, ["metadata.name"])(raw)
