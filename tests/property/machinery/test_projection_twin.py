"""The compiled projection against decoding everything, and splices against editing the dict."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kcore.machinery import codec
from kcore.machinery.projection import Projection
from tests.property.machinery.messages import TEXT, objects
from tests.reference.machinery import projection_twin

POD = "kcore.api.core.v1.Pod"
PATHS = [
    "metadata.name", "metadata.labels", "metadata.creationTimestamp", "metadata.finalizers", "metadata.ownerReferences[].uid",
    "metadata.deletionGracePeriodSeconds?", "metadata.generation", "spec.nodeName", "spec.priority?", "spec.hostNetwork", "spec.affinity",
    "spec.affinity@present", "spec.nodeSelector", "spec.containers[].name", "spec.containers[].resources.requests",
    "spec.containers[].ports[].hostPort", "spec.containers[].ports[].protocol", "spec.volumes[].configMap.name",
    "spec.volumes[].projected.defaultMode?", "spec.tolerations[].tolerationSeconds?", "spec.tolerations[]",
    "spec.topologySpreadConstraints[].labelSelector.matchLabels", "spec.containers[].livenessProbe.httpGet.port", "status.phase",
    "status.podIPs[].ip",
    "status.conditions[].type", "status.startTime", "spec.securityContext.supplementalGroups", "metadata.name",
]  # fmt: skip
SCHEDULED = {"type": "PodScheduled", "status": "True"}
READ = Projection(POD, PATHS)

CONTAINERS = st.lists(objects("kcore.api.core.v1.Container", 4), max_size=3)
PODS = st.tuples(objects(POD, 6), objects("kcore.api.core.v1.PodSpec", 5), CONTAINERS).map(
    lambda parts: {**parts[0], "spec": {**parts[1], "containers": parts[2]}}
)


@settings(max_examples=300)
@given(PODS)
def test_projecting_equals_decoding_and_picking(pod: dict[str, Any]) -> None:
    raw = codec.encode(POD, codec.normalise(POD, pod))
    expected = [projection_twin.project(POD, path, raw) for path in PATHS]
    assert dict(zip(PATHS, READ(raw), strict=True)) == dict(zip(PATHS, expected, strict=True))


@settings(max_examples=300)
@given(PODS, st.data())
def test_damaged_bytes_project_or_raise_and_nothing_else(pod: dict[str, Any], data: st.DataObject) -> None:
    raw = bytearray(codec.encode(POD, pod))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw)))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with suppress(codec.DecodeError):
        assert len(READ(bytes(raw))) == len(PATHS)


@settings(max_examples=200)
@given(PODS, TEXT, st.integers(0, 2**63 - 1), st.dictionaries(TEXT, TEXT, max_size=3))
def test_splicing_equals_editing_the_dict(pod: dict[str, Any], node: str, revision: int, labels: dict[str, str]) -> None:
    raw = codec.encode(POD, codec.normalise(POD, pod))
    splice = codec.Splice(POD, ["spec.nodeName", "metadata.labels[]", "status.conditions[type]"])
    spliced = codec.splice_resource_version(splice(raw, node, labels, SCHEDULED), revision)

    edited = codec.decode(POD, raw)
    edited["spec"]["nodeName"], edited["metadata"]["resourceVersion"] = node, str(revision)
    edited["metadata"]["labels"] = {**(edited["metadata"].get("labels") or {}), **labels}
    conditions = edited["status"].get("conditions") or []
    kept = [SCHEDULED if condition["type"] == "PodScheduled" else condition for condition in conditions]
    edited["status"]["conditions"] = kept if SCHEDULED in kept else [*kept, SCHEDULED]
    assert spliced == codec.encode(POD, edited)


@given(st.binary(max_size=100), st.integers(0, 2**63 - 1))
def test_splices_of_any_bytes_return_or_raise_and_nothing_else(raw: bytes, revision: int) -> None:
    for attempt in (
        lambda: codec.splice_resource_version(raw, revision),
        lambda: codec.splice(raw, [((2, 10), b"\x52\x01x"), ((1, 3), None)]),
        lambda: codec.open_envelope(raw),
        lambda: codec.open_envelope(codec.MAGIC + raw),
        lambda: codec.Splice(POD, ["metadata.labels[]", "status.conditions[type]"])(raw, {"a": "b"}, {"type": "x", "status": "y"}),
    ):
        with suppress(codec.DecodeError):
            attempt()
