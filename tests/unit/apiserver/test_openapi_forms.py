"""Forms of OpenAPI documents: negotiation, the protobuf form of version 2."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from kcore.apiserver.discovery import Documents
from kcore.apiserver.openapi import gnostic
from kcore.machinery import scheme

KUBECTL = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
ANSWERED = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"


@pytest.fixture(scope="module")
def documents() -> Documents:
    return Documents(scheme.load())


def varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """The fields of a message in protobuf: numbers, and bytes or a varint."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        value, at = varint(data, at)
        if tag & 7 == 2:
            yield tag >> 3, data[at : at + value]
            at += value
        else:
            assert tag & 7 == 0
            yield tag >> 3, value


def part(data: bytes, *path: int) -> bytes:
    """The first field at a path of numbers."""
    for number in path:
        data = next(value for found, value in fields(data) if found == number and isinstance(value, bytes))
    return data


def entry(data: bytes, name: str) -> bytes:
    """What a name stands for among the entries of a map, in field 1 or 2."""
    return next(part(each, 2) for _, each in fields(data) if isinstance(each, bytes) and part(each, 1) == name.encode())


def body(documents: Documents, path: str, accept: str) -> tuple[int, str, bytes]:
    found = documents.answer("GET", path, accept)
    assert found is not None
    return found.status, found.content_type, found.body


def test_kubectl_gets_the_older_document_in_protobuf(documents: Documents) -> None:
    status, content_type, raw = body(documents, "/openapi/v2", KUBECTL)
    assert (status, content_type) == (200, ANSWERED)
    assert (part(raw, 1), part(raw, 2, 2)) == (b"2.0", b"v1.37.2")
    as_json = json.loads(body(documents, "/openapi/v2", "application/json")[2])
    assert sum(1 for _ in fields(part(raw, 9))) == len(as_json["definitions"])
    assert sum(1 for _ in fields(part(raw, 8))) == len(as_json["paths"])


def test_schemas_and_operations_stand_where_gnostic_has_them(documents: Documents) -> None:
    raw = body(documents, "/openapi/v2", KUBECTL)[2]
    pod_spec = entry(part(raw, 9), "io.k8s.api.core.v1.PodSpec")
    containers = entry(part(pod_spec, 25), "containers")
    assert part(containers, 22, 1) == b"array" and part(containers, 23, 1, 1) == b"#/definitions/io.k8s.api.core.v1.Container"
    extensions = [each for number, each in fields(containers) if number == 31 and isinstance(each, bytes)]
    assert {part(each, 1).decode(): json.loads(part(each, 2, 2)) for each in extensions}["x-kubernetes-list-map-keys"] == ["name"]
    patch = part(entry(part(raw, 8), "/apis/apps/v1/namespaces/{namespace}/deployments/{name}"), 8)
    own = [part(each, 1) for number, each in fields(patch) if number == 8 and isinstance(each, bytes)]
    queries = [part(each, 2, 3) for each in own if next(fields(each))[0] == 2]
    assert b"fieldValidation" in {part(each, 4) for each in queries}


def test_values_are_written_by_their_kind() -> None:
    found = gnostic.SCHEMA.encode({"default": {}, "enum": ["a"], "type": "string", "x-kubernetes-list-type": "set"})
    assert list(fields(found))[:3] == [(5, b"\x12\x03{}\n"), (20, b'\x12\x04"a"\n'), (22, b"\x0a\x06string")]
    assert (part(found, 31, 1), part(found, 31, 2, 2)) == (b"x-kubernetes-list-type", b'"set"\n')
    assert list(fields(gnostic.QUERY_PARAMETER.encode({"uniqueItems": True, "required": False}))) == [(20, 1), (1, 0)]


def test_a_key_that_the_form_has_not_is_an_error() -> None:
    with pytest.raises(KeyError):
        gnostic.SCHEMA.encode({"oneOf": []})


@pytest.mark.parametrize("path", ["/openapi/v2", "/openapi/v3/api/v1"])
def test_forms_that_are_not_written_are_not_acceptable(documents: Documents, path: str) -> None:
    assert body(documents, path, "text/html") == (406, "", b"")
    assert body(documents, path, "application/com.github.proto-openapi.spec.v3.v1.0+protobuf, */*;q=0.1")[:2] == (200, "application/json")


def test_an_unknown_document_is_not_found(documents: Documents) -> None:
    assert body(documents, "/openapi/v3/apis/none/v1", "")[0] == 404
