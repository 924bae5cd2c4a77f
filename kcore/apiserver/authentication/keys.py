"""The key that signs the tokens of service accounts, and what others need to check them: JWKS and the OIDC discovery document.

Source: RFC 7517, RFC 7518; Kubernetes `pkg/serviceaccount/openidmetadata.go`, `jwt.go`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

ISSUER: Final = "https://kubernetes.default.svc"
ALGORITHM: Final = "ES256"
COORDINATE_BYTES: Final = 32
JWKS_PATH: Final = "/openid/v1/jwks"
CONFIGURATION_PATH: Final = "/.well-known/openid-configuration"
JWKS_TYPE: Final = "application/jwk-set+json"


def new_key() -> bytes:
    """A signing key in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def text_of(data: bytes) -> str:
    """Bytes as JOSE writes them."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class SigningKey:
    """A key on the curve P-256, its public half, and its id: the digest of the public half."""

    def __init__(self, pem: bytes) -> None:
        key = serialization.load_pem_private_key(pem, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey), "service account tokens are signed with a key on a curve"
        self.private, self.public = key, key.public_key()
        der = self.public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.id = text_of(hashlib.sha256(der).digest())

    def jwks(self) -> bytes:
        """The document at `/openid/v1/jwks`."""
        numbers = self.public.public_numbers()
        x, y = (text_of(number.to_bytes(COORDINATE_BYTES, "big")) for number in (numbers.x, numbers.y))
        key = {"use": "sig", "kty": "EC", "kid": self.id, "crv": "P-256", "alg": ALGORITHM, "x": x, "y": y}
        return json.dumps({"keys": [key]}, separators=(",", ":")).encode()


def configuration(issuer: str, address: str) -> bytes:
    """The document at `/.well-known/openid-configuration`.

    address  host and port under which this server is reached from outside
    """
    found: dict[str, Any] = {
        "issuer": issuer,
        "jwks_uri": f"https://{address}{JWKS_PATH}",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
    }
    return json.dumps(found, separators=(",", ":")).encode()
