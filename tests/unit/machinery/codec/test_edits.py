"""The envelope and splices, against what encoding anew would give."""

from __future__ import annotations

import pytest

from kcore.machinery import codec

POD = "kcore.api.core.v1.Pod"
CONDITION = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}


def test_the_envelope_is_written_as_kubernetes_writes_it() -> None:
    assert codec.envelope("v1", "Pod", b"xy") == b"k8s\x00\x0a\x09\x0a\x02v1\x12\x03Pod\x12\x02xy\x1a\x00\x22\x00"
    assert codec.open_envelope(codec.envelope("apps/v1", "Deployment", b"\x00" * 300)) == ("apps/v1", "Deployment", b"\x00" * 300)


@pytest.mark.parametrize("data", [b"", b"k8s", b"x" * 20, b"k8s\x00\x0a", b"k8s\x00\x0a\x05\x0a\x03v", b"k8s\x00\x12\x05ab"])
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(codec.DecodeError):
        codec.open_envelope(data)


@pytest.mark.parametrize(
    "obj",
    [
        {},
        {"metadata": {"name": "p", "labels": {"a": "b"}}},
        {"metadata": {"resourceVersion": "1" * 19, "uid": "u"}, "spec": {"nodeName": "n"}},
    ],
)
@pytest.mark.parametrize("revision", [0, 7, 2**63 - 1])
def test_a_spliced_resource_version_is_what_encoding_anew_gives(obj: dict[str, dict[str, str]], revision: int) -> None:
    spliced = codec.splice_resource_version(codec.encode(POD, obj), revision)
    assert spliced == codec.encode(POD, {**obj, "metadata": {**obj.get("metadata", {}), "resourceVersion": str(revision)}})
    listed = codec.splice_resource_version(
        codec.encode("kcore.api.core.v1.PodList", {"metadata": {"continue": "c"}}), revision, is_list=True
    )
    assert listed == codec.encode("kcore.api.core.v1.PodList", {"metadata": {"continue": "c", "resourceVersion": str(revision)}})


def test_a_resource_version_is_spliced_into_bytes_that_have_no_metadata() -> None:
    assert codec.decode(POD, codec.splice_resource_version(b"", 5))["metadata"] == {"resourceVersion": "5"}


def test_a_field_is_set_replaced_and_removed_at_its_place() -> None:
    raw = codec.encode(POD, {"metadata": {"name": "p"}, "spec": {"nodeName": "old", "priority": 1}})
    set_node = codec.Splice(POD, ["spec.nodeName"])
    assert set_node(raw, "new") == codec.encode(POD, {"metadata": {"name": "p"}, "spec": {"nodeName": "new", "priority": 1}})
    assert codec.decode(POD, set_node(raw, None))["spec"] == {"priority": 1, "containers": None}
    assert codec.decode(POD, set_node(b"", "n"))["spec"]["nodeName"] == "n"


def test_an_element_takes_the_place_of_the_one_with_its_key_or_is_added() -> None:
    schedule = codec.Splice(POD, ["status.conditions[type]"])
    other, old = {"type": "Ready", "status": "False"}, {"type": "PodScheduled", "status": "False"}
    for conditions, expected in (([], [CONDITION]), ([other], [other, CONDITION]), ([old, other], [CONDITION, other])):
        raw = codec.encode(POD, {"status": {"conditions": conditions, "phase": "Pending"}})
        assert schedule(raw, CONDITION) == codec.encode(POD, {"status": {"conditions": expected, "phase": "Pending"}})


def test_entries_are_merged_into_a_map_in_order() -> None:
    merge = codec.Splice(POD, ["metadata.labels[]"])
    raw = codec.encode(POD, {"metadata": {"labels": {"b": "1", "d": "2"}}})
    assert merge(raw, {"d": "3", "a": "4"}) == codec.encode(POD, {"metadata": {"labels": {"a": "4", "b": "1", "d": "3"}}})
    assert merge(raw, {}) == raw


@pytest.mark.parametrize("path", ["spec.nope", "spec.containers.name", "metadata.name[]", "metadata.labels[x]", "spec.tolerations[nope]"])
def test_a_path_that_the_message_does_not_have_is_refused_at_once(path: str) -> None:
    with pytest.raises(ValueError, match="no"):
        codec.Splice(POD, [path])


def test_a_value_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(codec.DecodeError):
        codec.Splice(POD, ["spec.nodeName"])(b"", 1)


def test_an_object_says_what_it_is() -> None:
    messages = {("v1", "Pod"): POD}

    def message_of(api_version: str, kind: str) -> str | None:
        return messages.get((api_version, kind))

    obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": None}, "status": {}}
    assert codec.decode_object(codec.encode_object(obj, message_of), message_of) == obj
    with pytest.raises(codec.DecodeError, match='no kind "Nope" is registered for version "v1"'):
        codec.encode_object({"apiVersion": "v1", "kind": "Nope"}, message_of)
