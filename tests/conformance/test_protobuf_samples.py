"""Objects recorded from Kubernetes 1.37.2 in both encodings: every one decodes to its JSON and encodes to its bytes."""

from __future__ import annotations

import base64
import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from kcore.machinery import codec, scheme

RECORDING = Path(__file__).parent / "recordings" / "protobuf.jsonl.xz"
SAMPLES = [json.loads(line) for line in lzma.decompress(RECORDING.read_bytes()).splitlines()]
COUNT = 344

TAKEN_TWICE = {"serviceaccounts-list", "review-ssrr"}
"""Their JSON and their bytes come from two requests between which something changed: a resourceVersion, the order of rules."""

KEPT_TEXT = {"controllerrevisions-rich-patched", "controllerrevisions-list", "resourceclaims-rich-patched", "resourceclaims-list"}
"""They hold JSON with blanks, which the bytes keep and the recorded JSON does not show."""


def message_of(api_version: str, kind: str) -> str | None:
    """Discovery documents of the oldest form name no version."""
    return scheme.load().message_of(api_version or "v1", kind)


def sample_id(sample: dict[str, Any]) -> str:
    return str(sample["id"])


def test_no_sample_is_missing() -> None:
    assert len(SAMPLES) == COUNT
    assert {sample["id"] for sample in SAMPLES} >= TAKEN_TWICE | KEPT_TEXT


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample["id"] not in TAKEN_TWICE], ids=sample_id)
def test_bytes_decode_to_the_recorded_json(sample: dict[str, Any]) -> None:
    obj = codec.decode_object(base64.b64decode(sample["protobuf_b64"]), message_of)
    assert {"kind": sample["kind"], "apiVersion": sample["apiVersion"], **obj} == {"apiVersion": "", **sample["json"]}


@pytest.mark.parametrize("sample", SAMPLES, ids=sample_id)
def test_bytes_survive_the_round_trip(sample: dict[str, Any]) -> None:
    data = base64.b64decode(sample["protobuf_b64"])
    assert codec.encode_object(codec.decode_object(data, message_of), message_of) == data


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample["id"] not in TAKEN_TWICE | KEPT_TEXT], ids=sample_id)
def test_the_recorded_json_encodes_to_the_bytes(sample: dict[str, Any]) -> None:
    obj = {"apiVersion": sample["apiVersion"], "kind": sample["kind"], **sample["json"]}
    assert codec.encode_object(obj, message_of) == base64.b64decode(sample["protobuf_b64"])


@pytest.mark.parametrize("sample", SAMPLES, ids=sample_id)
def test_the_recorded_json_is_normal_already(sample: dict[str, Any]) -> None:
    message, unknown = message_of(sample["apiVersion"], sample["kind"]), []
    assert message is not None
    assert codec.normalise(message, json.loads(json.dumps(sample["json"])), unknown) == sample["json"]
    assert unknown == []
