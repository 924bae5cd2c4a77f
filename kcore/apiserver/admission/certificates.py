"""Who may approve and sign requests for certificates, and vouch for trust bundles: whoever has the verb on the signer that they name.

A signer `example.com/x` is looked for by this name and as `example.com/*`.

Source: Kubernetes admission plugins CertificateApproval, CertificateSigning, CertificateSubjectRestriction, ClusterTrustBundleAttest.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from kcore.apiserver.admission.cluster import Cluster
from kcore.apiserver.authorization.attributes import Attributes
from kcore.apiserver.authorization.authorizer import MASTERS
from kcore.apiserver.authorization.escalation import only_collected
from kcore.machinery import status
from kcore.machinery.field_error import quote

if TYPE_CHECKING:
    from kcore.apiserver.registry import Write

Object = dict[str, Any]

GROUP: Final = "certificates.k8s.io"
CLIENT_SIGNER: Final = "kubernetes.io/kube-apiserver-client"
VOUCHED: Final = ("certificate", "conditions")


def admit_request(write: Write, obj: Object, old: Object | None, cluster: Cluster) -> None:
    """Judge a request for a certificate: new, approved or signed."""
    if old is None or write.operation == "CREATE":
        restrict_subject(write, obj)
    elif write.subresource == "approval":
        require(write, cluster, "approve", signer_of(old), "approve requests with")
    elif write.subresource == "status":
        before, after = old.get("status") or {}, obj.get("status") or {}
        if any(before.get(field) != after.get(field) for field in VOUCHED):
            require(write, cluster, "sign", signer_of(old), "sign requests with")


def admit_bundle(write: Write, obj: Object, old: Object | None, cluster: Cluster) -> None:
    """Let only those who may speak for a signer publish whom it trusts."""
    if signer_of(obj) and not write.subresource and (old is None or not only_collected(obj, old)):
        require(write, cluster, "attest", signer_of(obj), "attest for")


def signer_of(obj: Object) -> str:
    """The signer that an object names."""
    found: str = (obj.get("spec") or {}).get("signerName", "")
    return found


def restrict_subject(write: Write, obj: Object) -> None:
    """Nobody becomes a member of system:masters by a certificate."""
    if signer_of(obj) != CLIENT_SIGNER:
        return
    try:
        found = x509.load_pem_x509_csr(base64.b64decode(obj["spec"].get("request") or ""))
        groups = [attribute.value for attribute in found.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    except (ValueError, binascii.Error) as error:
        raise refused(write, f"failed to parse CSR: {error}") from error
    if MASTERS in groups:
        raise refused(write, f"use of {CLIENT_SIGNER} signer with {MASTERS} group is not allowed")


def require(write: Write, cluster: Cluster, verb: str, signer: str, doing: str) -> None:
    """Refuse a caller who has the verb neither on the signer nor on all of its domain."""
    authorizer = cluster.authorizer
    names = (signer, f"{signer.partition('/')[0]}/*")
    if authorizer is not None and not any(
        authorizer.authorize(write.caller, Attributes(verb, GROUP, "signers", name=name)).allowed for name in names
    ):
        raise refused(write, f"user not permitted to {doing} signerName {quote(signer)}")


def refused(write: Write, why: str) -> status.StatusError:
    """The answer to who may not."""
    return status.forbidden(write.spec.resource, write.spec.group, write.name, why)
