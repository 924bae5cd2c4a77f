"""The codec beside protobuf's runtime with json_format, projection beside parsing, defaulting beside its twin.

What is recorded is a ratio within one run (`extra_info["ratio"]`: peer's time / ours), the best of many rounds each
(`bench.micro.rounds`). `KCORE_BENCH_SIZE=smoke` takes few rounds and only checks
that the ratio is not absurd; the full size holds the floors below.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from google.protobuf import json_format
from pytest_benchmark.fixture import BenchmarkFixture

from bench.micro.rounds import SMOKE, ratio
from kcore.api.core.v1 import pod_pb2
from kcore.machinery import codec, defaults, scheme, table
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.projection import Projection
from tests.reference.machinery import defaults_twin

POD = "kcore.api.core.v1.Pod"
FLOORS = {"decode": 10.0, "encode": 10.0, "normalise": 10.0, "text": 30.0, "lazy": 1.5, "project": 1.5, "bind": 1.5, "defaults": 10.0}
"""How much faster than its peer each must be; a smoke run on a busy machine must reach half of it."""


def pod() -> dict[str, Any]:
    """A pod as a ReplicaSet makes it and the server completes it: one container, token volume, two tolerations; 930 bytes."""
    return {
        "metadata": {
            "name": "web-6d4b75cb6d-hx7qp", "generateName": "web-6d4b75cb6d-", "namespace": "default",
            "uid": "2bcf0781-9497-4182-a50b-70458dd1db46", "creationTimestamp": "2026-11-24T00:43:34Z",
            "labels": {"app": "web", "pod-template-hash": "6d4b75cb6d"},
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-6d4b75cb6d", "uid": "3f2ee2b5-ea32-4403-afc0-1530a7185fe2",
                "controller": True, "blockOwnerDeletion": True,
            }],
        },
        "spec": {
            "volumes": [{"name": "kube-api-access-abcde", "projected": {"defaultMode": 420, "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {"downwardAPI": {"items": [
                    {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}},
                ]}},
            ]}}],
            "containers": [{
                "name": "web", "image": "nginx:1.27", "ports": [{"containerPort": 80, "protocol": "TCP"}],
                "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
                "volumeMounts": [
                    {"name": "kube-api-access-abcde", "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"},
                ],
                "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent",
            }],
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst", "serviceAccountName": "default",
            "nodeName": "node-17", "securityContext": {}, "schedulerName": "default-scheduler", "priority": 0, "enableServiceLinks": True,
            "tolerations": [
                {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
                for key in ("not-ready", "unreachable")
            ],
        },
        "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "True"}], "qosClass": "Burstable"},
    }  # fmt: skip


RAW = codec.encode(POD, pod())
TEXT = orjson.dumps(pod())
PARSED = pod_pb2.Pod.FromString(RAW)
BY_JSON_FORMAT = json_format.MessageToDict(PARSED)
CONDITION = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-11-24T00:43:35Z"}
PODS = scheme.load().kinds[GroupVersionKind("", "v1", "Pod")]
HUB = Projection(POD, ["metadata.name", "metadata.namespace", "metadata.labels", "spec.nodeName", "status.phase"])
BIND = codec.Splice(POD, ["spec.nodeName", "status.conditions[type]", "metadata.labels[]"])


def compare(benchmark: BenchmarkFixture, name: str, ours: Callable[[], object], peer: Callable[[], object]) -> None:
    benchmark(ours)
    found = ratio(ours, peer)
    benchmark.extra_info["ratio"] = round(found, 1)
    assert SMOKE or found >= FLOORS[name], f"{name} is {found:.1f} times as fast as its peer"


def project_by_parsing() -> tuple[Any, ...]:
    message = pod_pb2.Pod.FromString(RAW)
    meta = message.metadata
    return meta.name, meta.namespace, dict(meta.labels), message.spec.nodeName, message.status.phase


def test_decoding_beside_protobuf_and_json_format(benchmark: BenchmarkFixture) -> None:
    peer = lambda: json_format.MessageToDict(pod_pb2.Pod.FromString(RAW))  # noqa: E731 - one line says it
    compare(benchmark, "decode", lambda: codec.decode(POD, RAW, "v1", "Pod"), peer)


def test_encoding_beside_json_format_and_protobuf(benchmark: BenchmarkFixture) -> None:
    obj = pod()
    peer = lambda: json_format.ParseDict(BY_JSON_FORMAT, pod_pb2.Pod()).SerializeToString()  # noqa: E731 - one line says it
    compare(benchmark, "encode", lambda: codec.encode(POD, obj), peer)


def test_reading_json_beside_json_format(benchmark: BenchmarkFixture) -> None:
    text = json_format.MessageToJson(PARSED)
    compare(benchmark, "normalise", lambda: codec.normalise(POD, orjson.loads(TEXT), []), lambda: json_format.Parse(text, pod_pb2.Pod()))


def test_json_text_beside_json_format(benchmark: BenchmarkFixture) -> None:
    assert codec.json_text(POD, RAW, "v1", "Pod") == orjson.dumps(codec.decode(POD, RAW, "v1", "Pod"))
    peer = lambda: json_format.MessageToJson(pod_pb2.Pod.FromString(RAW), indent=None)  # noqa: E731 - one line says it
    compare(benchmark, "text", lambda: codec.json_text(POD, RAW, "v1", "Pod"), peer)


def test_the_cells_of_a_row_beside_those_of_a_decoded_object(benchmark: BenchmarkFixture) -> None:
    obj, cells = pod(), table.reader(PODS, table.columns(PODS))
    obj["spec"]["containers"][0]["env"] = [{"name": f"VARIABLE_{index}", "value": "a value of its own"} for index in range(40)]
    raw = codec.encode(POD, obj)
    assert cells(codec.lazy(POD, raw), 0.0) == cells(codec.decode(POD, raw), 0.0)
    compare(benchmark, "lazy", lambda: cells(codec.lazy(POD, raw), 0.0), lambda: cells(codec.decode(POD, raw), 0.0))


def test_projecting_beside_parsing_with_protobuf(benchmark: BenchmarkFixture) -> None:
    assert HUB(RAW) == project_by_parsing()
    compare(benchmark, "project", lambda: HUB(RAW), project_by_parsing)


def test_binding_by_splice_beside_decoding_and_encoding(benchmark: BenchmarkFixture) -> None:
    def by_dict() -> bytes:
        obj = codec.decode(POD, RAW)
        obj["spec"]["nodeName"] = "node-18"
        obj["metadata"]["labels"]["zone"] = "a"
        obj["status"]["conditions"] = [CONDITION]
        return codec.encode(POD, obj)

    assert BIND(RAW, "node-18", CONDITION, {"zone": "a"}) == by_dict()
    compare(benchmark, "bind", lambda: BIND(RAW, "node-18", CONDITION, {"zone": "a"}), by_dict)


def test_defaulting_beside_reading_the_options(benchmark: BenchmarkFixture) -> None:
    obj = pod()
    assert defaults_twin.apply(POD, copy.deepcopy(obj)) == obj
    compare(benchmark, "defaults", lambda: defaults.apply(POD, obj), lambda: defaults_twin.apply(POD, obj))


@pytest.mark.parametrize("revision", [1, 2**40])
def test_showing_a_stored_object_costs_one_copy(benchmark: BenchmarkFixture, revision: int) -> None:
    value = codec.envelope("v1", "Pod", RAW)
    shown = benchmark(lambda: codec.splice_resource_version(codec.open_envelope(value)[2], revision))
    assert codec.decode(POD, shown)["metadata"]["resourceVersion"] == str(revision)
