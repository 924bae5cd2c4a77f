"""Who may approve and sign requests for certificates, and publish trust bundles."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kcore.apiserver.admission import certificates
from kcore.apiserver.admission.cluster import Cluster
from kcore.apiserver.authorization.attributes import Attributes
from kcore.apiserver.registry import Write
from kcore.machinery.request import User
from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import Api

SIGNER = "example.com/signer"


class Allowing:
    """An authorizer that allows some verbs on some names."""

    def __init__(self, *allowed: tuple[str, str]) -> None:
        self.allowed = allowed

    def authorize(self, _user: User, asked: Attributes) -> Any:
        assert (asked.group, asked.resource) == ("certificates.k8s.io", "signers")
        return SimpleNamespace(allowed=(asked.verb, asked.name) in self.allowed)


def write(api: Api, subresource: str = "", resource: str = "certificatesigningrequests") -> Write:
    found = api.server.registry.writing(api.spec(resource), "", "c", "u", subresource=subresource)
    found.operation = "UPDATE" if subresource else "CREATE"
    return found


def cluster(*allowed: tuple[str, str]) -> Cluster:
    return cast(Cluster, SimpleNamespace(authorizer=Allowing(*allowed)))


def request_of(signer: str, group: str = "developers") -> dict[str, Any]:
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, group), x509.NameAttribute(NameOID.COMMON_NAME, "me")])
    signed = x509.CertificateSigningRequestBuilder().subject_name(name).sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    text = base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()
    return {"metadata": {"name": "c"}, "spec": {"signerName": signer, "request": text}}


@pytest.mark.parametrize(("subresource", "verb"), [("approval", "approve"), ("status", "sign")])
async def test_the_verb_on_the_signer_or_on_its_domain_is_needed(api: Api, subresource: str, verb: str) -> None:
    old = request_of(SIGNER)
    new = {**old, "status": {"certificate": "eA==", "conditions": []}}
    for name in (SIGNER, "example.com/*"):
        certificates.admit_request(write(api, subresource), new, old, cluster((verb, name)))
    with pytest.raises(StatusError) as failed:
        certificates.admit_request(write(api, subresource), new, old, cluster((verb, "example.com/other")))
    assert failed.value.message.endswith(f'is forbidden: user not permitted to {verb} requests with signerName "{SIGNER}"')


async def test_a_status_that_vouches_for_nothing_new_needs_no_right(api: Api) -> None:
    old = request_of(SIGNER)
    certificates.admit_request(write(api, "status"), old, old, cluster())


async def test_nobody_gets_a_certificate_of_the_masters(api: Api) -> None:
    certificates.admit_request(write(api), request_of(certificates.CLIENT_SIGNER), None, cluster())
    certificates.admit_request(write(api), request_of(SIGNER, "system:masters"), None, cluster())
    unreadable = {"spec": {"signerName": certificates.CLIENT_SIGNER, "request": "eA=="}}
    for bad in (request_of(certificates.CLIENT_SIGNER, "system:masters"), unreadable):
        with pytest.raises(StatusError) as failed:
            certificates.admit_request(write(api), bad, None, cluster())
        assert failed.value.code == 403


async def test_a_bundle_of_a_signer_is_published_by_those_who_speak_for_it(api: Api) -> None:
    bundle = {"metadata": {"name": "b"}, "spec": {"signerName": SIGNER, "trustBundle": "x"}}
    certificates.admit_bundle(write(api, resource="clustertrustbundles"), bundle, None, cluster(("attest", SIGNER)))
    certificates.admit_bundle(write(api, resource="clustertrustbundles"), {"metadata": {}, "spec": {"trustBundle": "x"}}, None, cluster())
    with pytest.raises(StatusError):
        certificates.admit_bundle(write(api, resource="clustertrustbundles"), bundle, None, cluster())
