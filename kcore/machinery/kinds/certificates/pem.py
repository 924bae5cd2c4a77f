"""PEM blocks and what is in them: certificates, and requests for such.

The library that reads X.509 is loaded when the first block is checked.

Source: RFC 7468; Kubernetes `pkg/apis/certificates/validation`.
"""
from __future__ import annotations

import base64
import binascii
import re
from typing import Final, NamedTuple

_BLOCK: Final = re.compile(rb"-----BEGIN (?P<kind>[A-Z0-9 ]+)-----[ \t]*\r?\n(?P<body>.*?)-----END (?P=kind)-----", re.DOTALL)


class Block(NamedTuple):
    """A PEM block: its kind, whether it has headers, and its bytes."""

    kind: str
    headers: bool
    content: bytes


def blocks(text: bytes) -> list[Block]:
    """Return the well-formed blocks of a text; anything between them is passed over."""
    found = []
    for match in _BLOCK.finditer(text):
        head, blank, body = match["body"].replace(b"\r", b"").rpartition(b"\n\n")
        headers = bool(blank) and b":" in head
        try:
            content = base64.b64decode(b"".join((body if headers else match["body"]).split()), validate=True)
        except binascii.Error:
            continue
        found.append(Block(match["kind"].decode(), headers, content))
    return found


def decoded(text: str | None) -> bytes:
    """The bytes of a field that holds them in base64."""
    return base64.b64decode(text or "")


def request_sentence(text: bytes) -> str:
    """Say what is wrong with a PKCS#10 request; the empty string if nothing is."""
    found = blocks(text)
    if not found or found[0].kind != "CERTIFICATE REQUEST":
        return "PEM block type must be CERTIFICATE REQUEST"
    from cryptography import x509

    try:
        x509.load_der_x509_csr(found[0].content)
    except ValueError:
        return "asn1: structure error: malformed certificate request"
    return ""


def is_certificate(content: bytes) -> bool:
    """Say whether bytes are an X.509 certificate."""
    from cryptography import x509

    try:
        x509.load_der_x509_certificate(content)
    except ValueError:
        return False
    return True


def chain_sentence(text: bytes) -> str:
    """Say what is wrong with a chain of certificates; the empty string if nothing is."""
    found = blocks(text)
    if not found:
        return "must contain at least one CERTIFICATE PEM block"
    for block in found:
        if block.kind != "CERTIFICATE":
            return f'only CERTIFICATE PEM blocks are allowed, found "{block.kind}"'
        if block.headers:
            return "no PEM block headers are permitted"
        if not is_certificate(block.content):
            return "x509: malformed certificate"
    return ""
