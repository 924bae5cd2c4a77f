"""The user that a client certificate names: CN is the name, each O a group. The front-end has verified the certificate.

Source: Kubernetes apiserver `pkg/authentication/request/x509`.
"""

from __future__ import annotations

import datetime
import hashlib
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from kcore.machinery.request import User

PEM: Final = b"-----BEGIN"
UID: Final = ObjectIdentifier("1.3.6.1.4.1.57683.2")
CREDENTIAL: Final = "authentication.kubernetes.io/credential-id"


class Named(NamedTuple):
    """Whom a certificate names, None if nobody, and when it ends, in seconds of the epoch."""

    user: User | None
    not_after: float


def named_by(certificate: bytes) -> Named:
    """Read a certificate in DER or PEM. Raises ValueError."""
    read = x509.load_pem_x509_certificate if certificate.startswith(PEM) else x509.load_der_x509_certificate
    found = read(certificate)
    not_after = found.not_valid_after_utc.astimezone(datetime.UTC).timestamp()
    names = values(found.subject, NameOID.COMMON_NAME)
    if not names or not names[-1]:
        return Named(None, not_after)
    uids = values(found.subject, UID)
    fingerprint = hashlib.sha256(found.public_bytes(Encoding.DER)).hexdigest()
    groups = tuple(values(found.subject, NameOID.ORGANIZATION_NAME))
    return Named(User(names[-1], uids[-1] if uids else "", groups, ((CREDENTIAL, (f"X509SHA256={fingerprint}",)),)), not_after)


def values(subject: x509.Name, oid: ObjectIdentifier) -> list[str]:
    """The texts of a subject's attributes of one type."""
    found = (attribute.value for attribute in subject.get_attributes_for_oid(oid))
    return [value if isinstance(value, str) else value.decode("utf-8", "replace") for value in found]
