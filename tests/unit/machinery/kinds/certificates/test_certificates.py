"""Requests for certificates, and trust bundles."""
import base64
import datetime
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kcore.machinery.kinds.certificates import certificatesigningrequest as csr
from kcore.machinery.kinds.certificates import clustertrustbundle, pem

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])


@cache
def signed() -> tuple[str, str]:
    """A request and a certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(NAME).sign(key, hashes.SHA256())
    start = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).public_key(key.public_key()).serial_number(1)
    certificate = builder.not_valid_before(start).not_valid_after(start + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    form = serialization.Encoding.PEM
    return request.public_bytes(form).decode(), certificate.public_bytes(form).decode()


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def request(**changed: Any) -> list[str]:
    spec = {"request": coded(signed()[0]), "signerName": "example.com/s", "usages": ["client auth"], **changed}
    return [error.message() for error in csr.RULES.validate({"spec": spec})]


def test_a_request_holds_a_request() -> None:
    assert request() == []
    assert request(request=coded(signed()[1]))[0].endswith("PEM block type must be CERTIFICATE REQUEST")
    broken = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"
    assert request(request=coded(broken))[0].endswith("malformed certificate request")


def test_usages_are_known_and_named_once() -> None:
    found = request(usages=["any", "odd", "any"], expirationSeconds=599)
    assert [message.partition(": ")[0] for message in found] == ["spec.usages[1]", "spec.usages[2]", "spec.expirationSeconds"]
    assert request(signerName="kubernetes.io/legacy-unknown")[0].endswith("the legacy signerName is not allowed via this API version")


def conditions(*kinds: str) -> dict[str, Any]:
    return {"status": {"conditions": [{"type": kind, "status": "True"} for kind in kinds]}}


def test_an_approval_is_given_once_and_for_all() -> None:
    assert csr.validate_approval_update(conditions("Approved"), {}) == []
    assert [error.message() for error in csr.validate_status_update(conditions("Approved"), {})] == [
        'status.conditions: Forbidden: updates may not add a condition of type "Approved"'
    ]
    assert [error.message() for error in csr.validate_approval_update(conditions("Denied"), conditions("Approved"))] == [
        'status.conditions: Forbidden: updates may not remove a condition of type "Approved"'
    ]
    assert "must specify at most one of" in csr.validate_approval_update(conditions("Approved", "Denied"), {})[0].message()


def test_an_approval_changes_conditions_alone() -> None:
    new = {**conditions("Approved"), "spec": {"other": 1}, "metadata": {}}
    new["status"]["certificate"] = "xx"
    csr.prepare_approval(new, {"spec": {"usages": ["any"]}, "status": {"certificate": "yy"}})
    assert new["spec"] == {"usages": ["any"]} and new["status"]["certificate"] == "yy" and len(new["status"]["conditions"]) == 1


def test_conditions_keep_the_time_when_they_were_reached() -> None:
    old = {"status": {"conditions": [{"type": "Failed", "status": "True", "lastTransitionTime": "then"}]}}
    new = conditions("Failed", "Odd")
    csr.date_conditions(new, old, "now")
    assert [each["lastTransitionTime"] for each in new["status"]["conditions"]] == ["then", "now"]
    assert [each["lastUpdateTime"] for each in new["status"]["conditions"]] == ["now", "now"]


def test_a_certificate_is_set_once() -> None:
    with_one = {"status": {"certificate": coded(signed()[1])}}
    assert csr.validate_status_update(with_one, {}) == []
    assert [error.message() for error in csr.validate_status_update({"status": {"certificate": coded("x")}}, with_one)] == [
        'status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block',
        "status.certificate: Forbidden: updates may not modify existing certificate content",
    ]


@pytest.mark.parametrize(("text", "kinds"), [
    ("", []), ("noise", []), ("-----BEGIN A-----\nQQ==\n-----END A-----\nx\n-----BEGIN B-----\nQQ==\n-----END B-----", ["A", "B"]),
    ("-----BEGIN A-----\n%%\n-----END A-----", []), ("-----BEGIN A-----\nK: v\n\nQQ==\n-----END A-----", ["A"]),
])  # fmt: skip
def test_blocks_are_found_between_noise(text: str, kinds: list[str]) -> None:
    assert [block.kind for block in pem.blocks(text.encode())] == kinds


def bundle(name: str, text: str, signer: str = "") -> list[str]:
    value = {"metadata": {"name": name}, "spec": {"trustBundle": text, "signerName": signer}}
    return [error.message() for error in clustertrustbundle.RULES.validate(value)]


def test_a_bundle_is_named_for_its_signer() -> None:
    anchor = signed()[1]
    assert bundle("b", anchor) == bundle("example.com:s:b", anchor, "example.com/s") == []
    assert bundle("a:b", anchor) == [
        'metadata.name: Invalid value: "a:b": ClusterTrustBundle without signer name must not have ":" in its name'
    ]
    assert bundle("b", anchor, "example.com/s")[0].endswith("must be named with prefix example.com:s:")


def test_anchors_are_certificates_each_once() -> None:
    request_text, anchor = signed()
    assert bundle("b", "")[0].endswith("at least one trust anchor must be provided")
    assert bundle("b", anchor + anchor)[0].endswith("duplicate trust anchor (indices [0 1])")
    assert bundle("b", request_text)[0].endswith("entry 0 has bad block type: CERTIFICATE REQUEST")
    assert bundle("b", "x" * (1 << 20) + anchor) == ["spec.trustBundle: Too long: may not be more than 1048576 bytes"]
