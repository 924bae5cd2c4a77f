"""Every decoder of bytes that somebody else wrote, with what it may raise; for Hypothesis and for atheris."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import yaml
from google.protobuf.message import DecodeError

from kcore.api.bulk.v1 import bulk_service_pb2 as bulk
from kcore.apiserver import body
from kcore.apiserver.patching import change
from kcore.client import failures, wire
from kcore.machinery import codec, scheme
from kcore.machinery._bulk import split_results
from kcore.machinery.codec import tables
from kcore.machinery.files import snapshot
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.projection import Projection
from kcore.machinery.request import Request
from kcore.machinery.status import StatusError
from kcore.store import Mutation, _record
from tests.property.fuzz.garbage import samples, wires

POD = "kcore.api.core.v1.Pod"
PATHS = ["metadata.name", "metadata.labels", "spec.containers[].ports[].hostPort", "spec.affinity", "status.podIPs[].ip", "spec.priority?"]
SCHEMA = GroupVersionKind("apiextensions.k8s.io", "v1", "CustomResourceDefinition")


BOMBS = (
    b"a: &a [*a]",
    b"metadata: &m {labels: *m}",
    b"a0: &a0 [x,x]\n" + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 20)),
    b"long: &a " + b"x" * 9_000 + b"\nall: [" + b"*a," * 9_000 + b"]",
)
"""YAML that contains itself, and YAML that is small until its aliases are written out."""


class Decoder(NamedTuple):
    """What reads bytes.

    refusals  the errors by which it says that it cannot
    seeds     bytes that it can read
    """

    read: Callable[[bytes], Any]
    refusals: tuple[type[Exception], ...]
    seeds: list[bytes]

    def survives(self, data: bytes) -> None:
        """Read; whatever is raised but a refusal is a bug."""
        try:
            self.read(data)
        except self.refusals:
            pass


def any_message(data: bytes) -> None:
    """Read bytes as many messages, and write what was read: what can be read can be written, and reads as the same."""
    for message in MESSAGES:
        try:
            found = codec.decode(message, data)
        except codec.DecodeError:
            continue
        written = codec.encode(message, found)
        assert codec.encode(message, codec.decode(message, written)) == written


PATCHED = {
    "kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p", "finalizers": ["x/a"], "labels": {"a": "b"}},
    "spec": {"containers": [{"name": "a", "image": "b", "env": [{"name": "c", "value": "d"}], "args": ["e"]}], "nodeSelector": {"f": "g"}},
}  # fmt: skip
PATCHES = [
    b'{"metadata":{"labels":{"a":null}},"spec":{"x":[1,2.5,"y"]}}',
    b'[{"op":"add","path":"/metadata/finalizers/-","value":"x/b"},{"op":"test","path":"/spec/nodeSelector","value":null},'
    b'{"op":"copy","from":"/spec/containers/0","path":"/spec/containers/1"}]',
    b'{"metadata":{"$deleteFromPrimitiveList/finalizers":["x/a"]},"spec":{"$setElementOrder/containers":[{"name":"a"}],"$retainKeys":["containers"],'
    b'"containers":[{"name":"a","env":[{"$patch":"delete","name":"c"}]}]}}',
]
MESSAGES = (POD, "kcore.api.apiextensions.v1.CustomResourceDefinition", "kcore.api.apps.v1.Deployment", "kcore.api.core.v1.Event")


def enveloped(data: bytes) -> None:
    codec.decode_object(data, scheme.load().message_of)


def edited(data: bytes) -> None:
    """What is done to stored bytes without decoding them."""
    codec.splice_resource_version(data, 1 << 40)
    codec.splice(data, [((1, 1), b"x"), ((2,), None)])


def text_body(media: str) -> Callable[[bytes], Any]:
    def read(data: bytes) -> None:
        body.decode(data, media, GroupVersionKind("", "v1", "Pod"), POD)
        body.decode(data, media, SCHEMA, MESSAGES[1])

    return read


def patched(data: bytes) -> None:
    """Read bytes as each kind of patch, apply it, and read them as options of a deletion."""
    for media in change.CHANGES:
        request = Request("patch", "", "v1", "pods", body=data, content_type=media)
        try:
            change.read(request, GroupVersionKind("", "v1", "Pod"), POD).apply(PATCHED)
        except StatusError:
            continue
    body.delete_options(data, body.JSON)


def read_snapshot(data: bytes) -> None:
    for _ in snapshot.Reader(io.BytesIO(data)).entries():
        pass


def chunk() -> bytes:
    pods = wires()[POD]
    return _record.pack([Mutation(number + 1, 0, b"/registry/pods/a/%d" % number, raw, 1, 1) for number, raw in enumerate(pods)])


def read_chunk(data: bytes) -> None:
    for key, revision, offset, size in _record.rows(data):
        _record.value_of(data, offset, size, key, revision)


def whole_snapshot() -> bytes:
    made = snapshot.Writer(7)
    return made.header() + made.entry(key=b"a", value=b"b", mod_revision=3) + made.end()


def bulk_request() -> bytes:
    items = [bulk.Item(verb="create", version="v1", resource="pods", namespace="default", name="a", object=raw) for raw in wires()[POD]]
    return bulk.WriteRequest(items=items).SerializeToString()


@cache
def decoders() -> dict[str, Decoder]:
    """All of them, by name."""
    wire_error = (codec.DecodeError,)
    pods = wires()[POD]
    documents = [sample["json"] for sample in samples() if sample["kind"] in ("Pod", "CustomResourceDefinition")]
    return {
        "codec": Decoder(any_message, wire_error, [raw for found in wires().values() for raw in found]),
        "projection": Decoder(Projection(POD, PATHS), wire_error, pods),
        "envelope": Decoder(enveloped, wire_error, [base64.b64decode(sample["protobuf_b64"]) for sample in samples()]),
        "edits": Decoder(edited, wire_error, pods),
        "bulk request": Decoder(split_bulk, (StatusError,), [bulk_request()]),
        "bulk results": Decoder(split_results, wire_error, [bulk.WriteResponse(results=[bulk.ItemResult(name="a")]).SerializeToString()]),
        "watch response": Decoder(wire.split_watch, (ValueError,), [wire.join_watch([("ADDED", raw) for raw in pods])]),
        "list response": Decoder(wire.split_list, (DecodeError,), [wire.join_list(pods, "7", "more")]),
        "status details": Decoder(lambda data: failures.from_call("ABORTED", "", data), (DecodeError,), [b"\x08\x05\x12\x01x"]),
        "record of the store": Decoder(read_chunk, (ValueError,), [chunk()]),
        "snapshot": Decoder(read_snapshot, (snapshot.SnapshotError,), [whole_snapshot()]),
        "JSON body": Decoder(text_body(body.JSON), (StatusError,), [json.dumps(each).encode() for each in documents]),
        "YAML body": Decoder(text_body(body.YAML), (StatusError,), [*BOMBS, *(yaml.safe_dump(each).encode() for each in documents[:6])]),
        "protobuf body": Decoder(text_body(body.PROTOBUF), (StatusError,), pods),
        "patch": Decoder(patched, (StatusError,), PATCHES),
        "message of any kind": Decoder(every_message, (), [raw for found in wires().values() for raw in found]),
    }


def split_bulk(data: bytes) -> None:
    from kcore.apiserver import bulk as server

    server.split(data)


def every_message(data: bytes) -> None:
    """One message of all, chosen by the bytes."""
    names = [name for name in sorted(tables.messages()) if name.startswith("kcore.api.") and ".dynamic." not in name]
    name = names[sum(data[:64]) % len(names)]
    try:
        codec.decode(name, data)
    except codec.DecodeError:
        pass
