"""Decoding, encoding and normalising, case by case: what survives, what vanishes, what is refused and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from kcore.machinery import codec
from kcore.machinery.codec import tables
from tests.reference.machinery import codec_twin

POD = "kcore.api.core.v1.Pod"
SERVICE = "kcore.api.core.v1.Service"
DEPLOYMENT = "kcore.api.apps.v1.Deployment"
CONFIG_MAP = "kcore.api.core.v1.ConfigMap"


def round_trip(message: str, obj: dict[str, Any]) -> dict[str, Any]:
    return codec.decode(message, codec.encode(message, obj))


def test_kind_and_api_version_come_first_where_they_are_given() -> None:
    assert list(codec.decode(POD, b"", "v1", "Pod"))[:2] == ["kind", "apiVersion"]


def test_empty_lists_and_maps_vanish_and_pointers_to_zero_stay() -> None:
    obj = {"spec": {"replicas": 0, "paused": False, "template": {"spec": {"containers": [{"name": "c", "args": [], "env": None}]}}}}
    spec = round_trip(DEPLOYMENT, obj)["spec"]
    assert spec["replicas"] == 0
    assert "paused" not in spec
    assert spec["template"]["spec"]["containers"] == [{"name": "c", "resources": {}}]


def test_a_list_that_json_always_shows_is_null_when_it_is_empty() -> None:
    assert codec.decode("kcore.api.core.v1.PodList", b"") == {"metadata": {}, "items": None}


def test_fields_of_inline_messages_stand_in_their_parent() -> None:
    volume = {"name": "v", "configMap": {"name": "c", "optional": False}}
    assert round_trip("kcore.api.core.v1.Volume", volume) == volume


def test_numbers_and_strings_are_told_apart_in_a_port() -> None:
    ports = [{"port": 80, "targetPort": 8080}, {"port": 81, "targetPort": "http"}]
    assert [port["targetPort"] for port in round_trip(SERVICE, {"spec": {"ports": ports}})["spec"]["ports"]] == [8080, "http"]


def test_a_claim_inside_of_a_statefulset_says_what_it_is() -> None:
    obj = {"spec": {"volumeClaimTemplates": [{"metadata": {"name": "c"}}]}}
    for spec in (round_trip("kcore.api.apps.v1.StatefulSet", obj)["spec"], codec.normalise("kcore.api.apps.v1.StatefulSet", obj)["spec"]):
        assert spec["volumeClaimTemplates"][0]["kind"] == "PersistentVolumeClaim"


def test_embedded_json_keeps_the_text_it_came_with_until_it_is_changed() -> None:
    message = "kcore.api.apps.v1.ControllerRevision"
    raw = codec.encode(message, {"data": {"spec": 1}})
    spaced = codec.splice(raw, [((2, 1), b'\x0a\x0d{"spec" : 1 }')])
    obj = codec.decode(message, spaced)
    assert obj["data"] == {"spec": 1}
    assert codec.encode(message, obj) == spaced
    obj["data"]["spec"] = 2
    assert codec.decode(message, codec.encode(message, obj))["data"] == {"spec": 2}


def test_a_schema_may_be_a_boolean_a_list_or_a_schema() -> None:
    schema = {
        "items": [{"type": "string"}], "additionalProperties": False, "additionalItems": {"type": "integer"},
        "dependencies": {"a": ["b"], "c": {"type": "object"}}, "default": {"x": [1, None]}, "maximum": 1.5, "minimum": 2,
    }  # fmt: skip
    assert round_trip("kcore.api.apiextensions.v1.JSONSchemaProps", schema) == schema


def test_unknown_fields_of_bytes_are_dropped_groups_included() -> None:
    strange = b"\xf8\x07\x05" + b"\xfb\x07\xf8\x07\x01\xfc\x07" + b"\xfd\x07abcd" + b"\xf9\x0712345678" + b"\xfa\x07\x02xy"
    assert codec.decode(CONFIG_MAP, strange + codec.encode(CONFIG_MAP, {"data": {"a": "b"}})) == {"metadata": {}, "data": {"a": "b"}}


def test_a_second_occurrence_of_a_message_is_merged_into_the_first() -> None:
    first, second = codec.encode(POD, {"spec": {"nodeName": "n"}}), b"\x12\x04\x1a\x02No"
    assert codec.decode(POD, first + second)["spec"] == {"nodeName": "n", "restartPolicy": "No", "containers": None}


@pytest.mark.parametrize(
    "raw",
    [
        b"\x0a",
        b"\x0a\x05ab",
        b"\x00",
        b"\x0b",
        b"\x0c",
        b"\xff" * 11,
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x08\x01",
        b"\x0a\x03\x0a\x01\xff",
    ],
)
def test_malformed_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(codec.DecodeError):
        codec.decode(POD, raw)


def test_messages_that_nest_too_deep_are_refused() -> None:
    message = "kcore.api.apiextensions.v1.JSONSchemaProps"
    schema: dict[str, Any] = {}
    for _ in range(200):
        schema = {"not": schema}
    for attempt in (codec.encode, codec.normalise):
        with pytest.raises(codec.DecodeError, match="nested"):
            attempt(message, schema)
    number = next(spec.number for spec in map(tables.FieldSpec._make, tables.table(message).describe()) if spec.name == "not")
    raw = b""
    for _ in range(200):
        raw = codec_twin.delimited(number, raw)
    with pytest.raises(codec.DecodeError, match="nested"):
        codec.decode(message, raw)


def test_normalising_drops_nulls_and_unknown_fields_and_reports_their_paths() -> None:
    unknown: list[str] = []
    obj = {
        "apiVersion": "v1", "kind": "Pod", "bogus": 1, "metadata": {"lables": {}, "name": "p", "uid": None},
        "spec": {
            "containers": [{"name": "a"}, {"name": "b", "volumeMounts": [{"x": 1, "name": "m"}]}],
            "volumes": [{"name": "v", "foo": {}}],
        },
    }  # fmt: skip
    codec.normalise(POD, obj, unknown)
    assert unknown == [
        'unknown field "bogus"', 'unknown field "metadata.lables"', 'unknown field "spec.containers[1].volumeMounts[0].x"',
        'unknown field "spec.volumes[0].foo"',
    ]  # fmt: skip
    assert obj["metadata"] == {"name": "p"}
    assert (obj["apiVersion"], obj["kind"]) == ("v1", "Pod")
    again: list[str] = []
    codec.encode(POD, {"spec": {"nope": 1}}, again)
    assert again == ['unknown field "spec.nope"']


def test_a_body_full_of_unknown_fields_is_not_reported_without_end() -> None:
    unknown: list[str] = []
    codec.normalise(POD, {f"x{number}": 1 for number in range(1000)}, unknown)
    assert (len(unknown), unknown[0]) == (100, 'unknown field "x0"')


def test_normalising_writes_quantities_times_and_base64_as_kubernetes_does() -> None:
    container = {"name": "c", "resources": {"requests": {"cpu": "1000m", "memory": "1024Mi", "a": 2, "b": 0.5, "c": " 3 "}}}
    obj = codec.normalise(POD, {"metadata": {"creationTimestamp": "2024-01-01T02:00:00.5+02:00"}, "spec": {"containers": [container]}})
    assert obj["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "1", "memory": "1Gi", "a": "2", "b": "500m", "c": "3"}
    assert obj["metadata"] == {"creationTimestamp": "2024-01-01T00:00:00Z"}
    assert codec.normalise("kcore.api.core.v1.Secret", {"data": {"a": "YQ\n==", "b": None}})["data"] == {"a": "YQ==", "b": ""}


def test_the_zero_time_is_no_time() -> None:
    obj = {"metadata": {"creationTimestamp": "0001-01-01T00:00:00Z", "deletionTimestamp": "0001-01-01T00:00:00Z"}}
    assert round_trip(POD, obj)["metadata"] == {}
    assert codec.normalise(POD, obj)["metadata"] == {}


def test_nulls_in_lists_and_maps_are_empty_values() -> None:
    obj = {"metadata": {"finalizers": ["a", None], "labels": {"x": None}}, "spec": {"tolerations": [None, {"key": "k"}]}}
    expected = {"finalizers": ["a", ""], "labels": {"x": ""}}
    decoded = round_trip(POD, obj)
    assert (decoded["metadata"], decoded["spec"]["tolerations"]) == (expected, [{}, {"key": "k"}])
    assert codec.normalise(POD, obj) == decoded


@pytest.mark.parametrize(
    ("message", "obj", "sentence"),
    [
        (CONFIG_MAP, {"data": []}, "cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string"),
        (CONFIG_MAP, {"data": {"a": 1}}, "cannot unmarshal number into Go struct field ConfigMap.data of type string"),
        (
            POD,
            {"spec": {"containers": {}}},
            "cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
        ),
        (
            POD,
            {"spec": {"restartPolicy": 1}},
            "cannot unmarshal number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy",
        ),
        (
            POD,
            {"spec": {"volumes": [{"name": "v", "configMap": ""}]}},
            "cannot unmarshal string into Go struct field Volume.spec.volumes.VolumeSource.configMap of type v1.ConfigMapVolumeSource",
        ),
        (
            POD,
            {"spec": {"containers": [{"resources": {"limits": {"cpu": "x"}}, "name": 1}]}},
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        (
            POD,
            {"spec": {"priority": 2**31}},
            "cannot unmarshal number 2147483648 into Go struct field PodSpec.spec.priority of type int32",
        ),
        ("kcore.api.core.v1.Secret", {"data": {"x": "@@@"}}, "illegal base64 data at input byte 0"),
    ],
)
def test_a_wrong_type_is_refused_in_the_words_of_kubernetes(message: str, obj: dict[str, Any], sentence: str) -> None:
    kind = message.rpartition(".")[2]
    for attempt in (codec.encode, codec.normalise):
        with pytest.raises(codec.DecodeError) as caught:
            attempt(message, obj)
        text = f"json: {sentence}" if sentence.startswith("cannot") else sentence
        assert str(caught.value) == f'{kind} in version "v1" cannot be handled as a {kind}: {text}'


def test_a_number_is_shown_as_it_was_written() -> None:
    text = b'{"metadata": {"generation": 99999999999999999999}}'
    with pytest.raises(codec.DecodeError, match="cannot unmarshal number 99999999999999999999 into"):
        codec.normalise(CONFIG_MAP, {"metadata": {"generation": 1e20}}, None, text)


def test_complaints_come_in_the_order_of_the_text() -> None:
    text = b'{"spec": {"odd": 1, "replicas": 2, "replicas": 3, "odder": 2, "odd": 1, "list": [{"a": 1, "a": 2}]}, "last": 1}'
    complaints = [
        'duplicate field "spec.replicas"', 'duplicate field "spec.list[0].a"', 'unknown field "spec.odd"', 'unknown field "spec.odder"',
    ]  # fmt: skip
    assert codec.strict_in_order(text, complaints) == [
        'unknown field "spec.odd"', 'duplicate field "spec.replicas"', 'unknown field "spec.odder"', 'duplicate field "spec.list[0].a"',
    ]  # fmt: skip
