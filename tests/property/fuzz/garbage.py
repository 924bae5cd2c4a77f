"""Bytes that are nearly right: recorded objects of all kinds, requests of all methods made of them, and what spoils them."""

from __future__ import annotations

import base64
import json
import lzma
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from kcore.machinery import codec, scheme

RECORDING = Path(__file__).parents[2] / "conformance" / "recordings" / "protobuf.jsonl.xz"
VARINTS = (b"\xff\xff\xff\xff\x0f", b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", b"\xff" * 11, b"\x00", b"\x7f")
ODD = (*VARINTS, b"\xff\xfe", b"\xed\xa0\x80", b"[" * 200, b"{" * 60, b"\n\x02" * 120, b"&a [*a]", b"1e999", b"-0", b"null", b'"')
"""Lengths beyond the end, numbers without end, text that is none, nesting, and what languages of data trip over."""


@cache
def samples() -> list[dict[str, Any]]:
    """Objects of all kinds, as Kubernetes wrote them."""
    found = [json.loads(line) for line in lzma.decompress(RECORDING.read_bytes()).splitlines()]
    return [sample for sample in found if scheme.load().message_of(sample["apiVersion"], sample["kind"])]


@cache
def wires() -> dict[str, list[bytes]]:
    """Their bytes without the envelope, by the name of the message."""
    found: dict[str, list[bytes]] = {}
    for sample in samples():
        message = scheme.load().message_of(sample["apiVersion"], sample["kind"])
        _, _, raw = codec.open_envelope(base64.b64decode(sample["protobuf_b64"]))
        found.setdefault(str(message), []).append(raw)
    return found


def spoilt(good: bytes, edits: Sequence[tuple[int, int, bytes]]) -> bytes:
    """Put other bytes in the place of some; places are taken modulo the length."""
    raw = bytearray(good)
    for place, length, piece in edits:
        start = place % (len(raw) + 1)
        raw[start : start + length] = piece
    return bytes(raw)


PIECES = st.sampled_from(ODD) | st.binary(max_size=4)
EDITS = st.lists(st.tuples(st.integers(0, 1 << 14), st.integers(0, 6) | st.just(1 << 14), PIECES), max_size=4)


def nearly(good: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Good bytes, spoilt in a few places or in none, or bytes by chance."""
    return st.builds(spoilt, good, EDITS) | st.binary(max_size=64)
